# The schedule of the BoxMix paper, sec. 4.1, for 8 GPUs x 4 images.
_base_ = '../default_runtime.py'

# The paper does not give the number of epochs. 120 is what mmdet's SSD300 does on
# COCO; the rate has then fallen to 0.2 % of its first value.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# "0.9 momentum" is Adam's beta1; the weight decay is Adam's own L2 term.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=3e-4, betas=(0.9, 0.999), weight_decay=5e-4),
)
# x 0.95 at the end of every epoch
param_scheduler = [dict(type='ExponentialLR', gamma=0.95, by_epoch=True)]
auto_scale_lr = dict(enable=False, base_batch_size=32)  # 8 GPUs x 4
