# The mixed-domain teacher of SSD300 (VGG-16). No paper has it; the comments of
# domain-teacher_faster-rcnn_r101-c4.py hold here too.
_base_ = './ssd300.py'

model = dict(
    _delete_=True,
    type='MixedDomainTeacher',
    detector=_base_.model,
    data_preprocessor=dict(
        type='OptionalBranchDataPreprocessor',
        data_preprocessor=_base_.model.data_preprocessor,
    ),
    # on the second map (fc7), whose stride of 16 is that of C4
    discriminator=dict(
        type='DomainDiscriminator', feature='backbone.1', in_channels=1024
    ),
    semi_train_cfg=dict(
        freeze_teacher=True,
        lambda_mss=1.0,
        lambda_nst=1.0,
        lambda_mtt=1.0,
        lambda_mst=1.0,
        lambda_disc=0.1,
        disc_ramp_up=2000,
        # SSD is less sure of itself; as in mean-teacher_ssd300.py.
        cls_pseudo_thr=0.5,
        min_pseudo_bbox_wh=(1e-2, 1e-2),
        regress_pseudo=False,
        ramp_up=0,
        teacher_batch_size=None,
    ),
    semi_test_cfg=dict(predict_on='teacher'),
    mixers=dict(
        nst=dict(
            type='MixBatch',
            ratio=dict(type='Uniform', low=0.9, high=1.0),
            keep='dominant',
        )
    ),
)
