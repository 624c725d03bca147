# The mixed-domain teacher of the SSD for photographs on EfficientNet-Lite0, with the
# weights of the LossMix paper, suppl. D, and the threshold of mean-
# teacher_ssd160-lite0.py.
_base_ = './ssd160-lite0.py'

model = dict(
    _delete_=True,
    type='MixedDomainTeacher',
    detector=_base_.model,
    data_preprocessor=dict(
        type='OptionalBranchDataPreprocessor',
        data_preprocessor=_base_.model.data_preprocessor,
    ),
    discriminator=dict(
        type='DomainDiscriminator',
        feature='backbone.0',  # of stride 16
        in_channels=112,
        channels=(64, 32),
    ),
    semi_train_cfg=dict(
        freeze_teacher=True,
        lambda_mss=1.0,
        lambda_nst=1.0,
        lambda_mtt=1.0,
        lambda_mst=1.0,
        lambda_disc=0.1,
        disc_ramp_up=50,
        cls_pseudo_thr=0.5,
        # What the teacher is in doubt of is no background; SSD mines such places first.
        ignore_pseudo_thr=0.2,
        min_pseudo_bbox_wh=(4.0, 4.0),
        regress_pseudo=False,
        ramp_up=0,
        teacher_batch_size=None,
    ),
    semi_test_cfg=dict(predict_on='teacher'),
    mixers=dict(
        # sec. 3.6: less than 0.1 of the target, labels of the source
        nst=dict(
            type='MixBatch',
            ratio=dict(type='Uniform', low=0.9, high=1.0),
            keep='dominant',
        )
    ),
)
