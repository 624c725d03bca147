# LossMix paper, Table 3, LossMix-Partial: mixing ends after 16k of 18k iterations.
# 8 GPUs x 8 images.
_base_ = ['../faster-rcnn_r50_voc.py', '../_base_/mixes/lossmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[dict(_base_.mix, pairing='permutation')])
)
custom_hooks = [
    *_base_.custom_hooks[:2],
    dict(type='MixScheduleHook', end=16000),
    *_base_.custom_hooks[3:],
]
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/AP'))  # as in Table 3
