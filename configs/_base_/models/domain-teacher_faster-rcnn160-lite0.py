# The mixed-domain teacher of the Faster R-CNN for photographs on EfficientNet-Lite0,
# with the weights of the LossMix paper, suppl. D, and the threshold of mean-
# teacher_faster-rcnn160-lite0.py.
_base_ = ['./faster-rcnn160-lite0.py', './mixed-domain-teacher.py']

model = dict(
    _base_.domain_teacher,
    _delete_=True,
    detector=_base_.model,
    data_preprocessor=dict(
        type='OptionalBranchDataPreprocessor',
        data_preprocessor=_base_.model.data_preprocessor,
    ),
    discriminator=dict(
        type='DomainDiscriminator',
        feature='backbone.1',  # of stride 16
        in_channels=112,
        channels=(64, 32),
    ),
    semi_train_cfg=dict(
        _base_.domain_teacher.semi_train_cfg,
        disc_ramp_up=50,
        cls_pseudo_thr=0.7,
        min_pseudo_bbox_wh=(4.0, 4.0),
    ),
)
del _base_.domain_teacher
