# BoxMix paper, Table 5, A_4: only the anchors of the 5 x 5 map are mixed.
# 4 GPUs x 4 images.
_base_ = ['../ssd300-r50_voc07.py', '../_base_/mixes/boxmix-level.py']

model = dict(
    type='LevelMixDetector',
    mixer=_base_.mix,
    bbox_head=dict(type='LevelMixSSDHead', mix_levels=[3]),
)
auto_scale_lr = dict(base_batch_size=16)
