# LossMix paper, Table 3, "Classification-only": the box regression terms are those of
# Union. 8 GPUs x 8 images.
_base_ = ['../faster-rcnn_r50_voc.py', '../_base_/mixes/lossmix.py']

model = dict(
    data_preprocessor=dict(
        batch_augments=[
            dict(
                _base_.mix,
                supervision=dict(type='LossMix', reg=False),
                pairing='permutation',
            )
        ]
    )
)
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/AP'))  # as in Table 3
