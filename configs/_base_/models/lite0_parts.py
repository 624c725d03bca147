# What detectors on a pretrained EfficientNet-Lite0 share, for the model files beside
# this one. Each takes both and deletes the names: left behind in a config, a part would
# look like a setting and change nothing.

# as the weights were trained
lite0_preprocessor = dict(mean=[127.0, 127.0, 127.0], std=[128.0, 128.0, 128.0])
# The layers up to a stride of 8 stay as they are.
lite0_backbone = dict(
    _delete_=True,
    type='EfficientNetLite',
    out_indices=(4, 5),
    frozen_stages=4,
    norm_eval=True,
    init_cfg=dict(type='Pretrained', checkpoint='efficientnet-lite0:imagenet'),
)
