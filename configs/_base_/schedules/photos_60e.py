# 60 epochs from a pretrained backbone, 1 GPU (or CPU) x 16 images.
_base_ = '../default_runtime.py'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=60, val_interval=60)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.2))),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        T_max=60,
        begin=0,
        end=60,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)  # 1 x 16

default_hooks = dict(
    logger=dict(interval=6),
    checkpoint=dict(interval=20, max_keep_ckpts=1),
)
# halves the time of depthwise convolutions on a CPU
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
