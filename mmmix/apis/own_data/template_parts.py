"""What the configs around our models and around those of mmdet share."""

PACK = """\
    dict(
        type='PackDetInputs',
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
            'instances',
        ),
    ),
"""
"""The last step of the test pipeline; CocoStyleMetric reads 'instances'."""

VALIDATION = """\
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
{val_set}
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = {test_loader}
# VOC's mAP at IoU 0.5, with the AP of each class, and COCO's AP.
val_evaluator = [
    dict(type='VOCStyleMetric', eval_mode='area'),
    dict(type='CocoStyleMetric'),
]
test_evaluator = val_evaluator
"""
"""The validation loader behind its batch, the test loader and the metrics."""

RATES = """\
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end={warm_up}),
    dict(type='MultiStepLR', milestones={milestones}, gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size={batch})
default_hooks = dict(
    checkpoint=dict(interval={interval}, max_keep_ckpts=2, save_best='pascal_voc/mAP'),
    logger=dict(interval={log}),
    report=dict(type='RunReportHook'),  # writes report/index.html
)"""
"""How the learning rate goes, and what is kept and logged."""
