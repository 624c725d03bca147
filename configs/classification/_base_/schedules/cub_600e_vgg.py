# CutMix suppl., sec. B.1, VGG-GAP: 0.001 in the last layer, 0.0001 elsewhere.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.0001, momentum=0.9, weight_decay=1e-4),
    # the new layer learns ten times as fast
    paramwise_cfg=dict(custom_keys={'head.fc': dict(lr_mult=10.0)}),
)
param_scheduler = dict(type='StepLR', by_epoch=True, step_size=150, gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=600, val_interval=25)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=32)
