# The mixed-domain teacher of Faster R-CNN (ResNet-101, C4). Weights and threshold are
# those of the LossMix paper, suppl. D.
_base_ = './faster-rcnn_r101-c4.py'

model = dict(
    _delete_=True,
    type='MixedDomainTeacher',
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
        freeze_teacher=True,
        lambda_mss=1.0,
        lambda_nst=1.0,
        lambda_mtt=1.0,
        lambda_mst=1.0,
        lambda_disc=0.1,
        # Not of the paper: a fresh discriminator has nothing to teach yet.
        disc_ramp_up=2000,
        cls_pseudo_thr=0.8,
        min_pseudo_bbox_wh=(1e-2, 1e-2),
        # "cross-entropy" (suppl. C); Adaptive Teacher likewise
        regress_pseudo=False,
        ramp_up=0,
        teacher_batch_size=None,
    ),
    semi_test_cfg=dict(predict_on='teacher'),
    # A leaf adds those of mss, mtt and mst.
    mixers=dict(
        # sec. 3.6: less than 0.1 of the target, labels of the source
        nst=dict(
            type='MixBatch',
            ratio=dict(type='Uniform', low=0.9, high=1.0),
            keep='dominant',
        )
    ),
)
