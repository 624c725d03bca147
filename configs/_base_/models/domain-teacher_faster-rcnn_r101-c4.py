# The mixed-domain teacher of Faster R-CNN (ResNet-101, C4). Weights and threshold are
# those of the LossMix paper, suppl. D.
_base_ = ['./faster-rcnn_r101-c4.py', './mixed-domain-teacher.py']

model = dict(
    _base_.domain_teacher,
    _delete_=True,
    detector=_base_.model,
    data_preprocessor=dict(
        type='OptionalBranchDataPreprocessor',
        data_preprocessor=_base_.model.data_preprocessor,
    ),
    # on the last stage of the backbone, as in Adaptive Teacher
    discriminator=dict(
        type='DomainDiscriminator', feature='backbone.0', in_channels=1024
    ),
    semi_train_cfg=dict(
        _base_.domain_teacher.semi_train_cfg,
        # Not of the paper: a fresh discriminator has nothing to teach yet.
        disc_ramp_up=2000,
        cls_pseudo_thr=0.8,
        min_pseudo_bbox_wh=(1e-2, 1e-2),
    ),
)
del _base_.domain_teacher
