# BoxMix paper, Table 5, A_2: only the anchors of the 19 x 19 map are mixed.
# 4 GPUs x 4 images.
_base_ = ['../ssd300-r50_voc07.py', '../_base_/mixes/boxmix-level.py']

model = dict(
    type='LevelMixDetector',
    mixer=_base_.mix,
    bbox_head=dict(type='LevelMixSSDHead', mix_levels=[1]),
)
auto_scale_lr = dict(base_batch_size=16)
