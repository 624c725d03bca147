# The mixed-domain teacher of the small SSD of the digits demo, with the weights of the
# LossMix paper, suppl. D, and a lower threshold than there. Its norm layers are
# trained, so the teacher needs the student's statistics too; MixTeacherHook takes them.
_base_ = ['./ssd160-r18.py', './mixed-domain-teacher.py']

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
        in_channels=96,
        channels=(64, 32),
    ),
    semi_train_cfg=dict(
        _base_.domain_teacher.semi_train_cfg,
        disc_ramp_up=100,
        cls_pseudo_thr=0.7,
        # What the teacher is in doubt of is no background; SSD mines such places first.
        ignore_pseudo_thr=0.2,
        # smaller than any glyph, also than one cut by the border of a crop
        min_pseudo_bbox_wh=(4.0, 4.0),
    ),
)
del _base_.domain_teacher
