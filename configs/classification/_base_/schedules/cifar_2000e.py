# SGD of AlignMixup's code on CIFAR: 2,000 epochs, x 0.1 every 500.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = dict(type='StepLR', by_epoch=True, step_size=500, gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=2000, val_interval=50)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=128)
