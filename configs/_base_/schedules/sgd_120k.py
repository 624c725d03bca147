# The SSD schedule of the CutMix supplement, sec. C, for 8 GPUs x 4 images. Momentum
# and weight decay are those of the SSD paper (arXiv:1512.02325), sec. 3, which has
# no warm-up either.
_base_ = '../default_runtime.py'

train_cfg = dict(type='IterBasedTrainLoop', max_iters=120000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[80000, 100000], gamma=0.1, by_epoch=False)
]
auto_scale_lr = dict(enable=False, base_batch_size=32)  # 8 GPUs x 4

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
log_processor = dict(by_epoch=False)
