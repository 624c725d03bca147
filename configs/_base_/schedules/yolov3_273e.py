# mmdet's schedule of YOLOv3 on COCO, for 8 GPUs x 8 images.
_base_ = '../default_runtime.py'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=273, val_interval=7)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=35, norm_type=2),
)
param_scheduler = [
    # warm-up
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=2000),
    dict(type='MultiStepLR', milestones=[218, 246], gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=64)  # 8 GPUs x 8
