# What the mixed-domain teachers of all detectors have in common. Weights are those of
# the LossMix paper, suppl. D; a leaf adds the mixers of mss, mtt and mst.
domain_teacher = dict(
    type='MixedDomainTeacher',
    semi_train_cfg=dict(
        freeze_teacher=True,
        lambda_mss=1.0,
        lambda_nst=1.0,
        lambda_mtt=1.0,
        lambda_mst=1.0,
        lambda_disc=0.1,
        # "cross-entropy" (suppl. C); Adaptive Teacher likewise
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
