# The mixed-domain teacher of SSD300 (VGG-16). No paper has it; the comments of
# domain-teacher_faster-rcnn_r101-c4.py hold here too.
_base_ = ['./ssd300.py', './mixed-domain-teacher.py']

model = dict(
    _base_.domain_teacher,
    _delete_=True,
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
        _base_.domain_teacher.semi_train_cfg,
        disc_ramp_up=2000,
        # SSD is less sure of itself; as in mean-teacher_ssd300.py.
        cls_pseudo_thr=0.5,
        min_pseudo_bbox_wh=(1e-2, 1e-2),
    ),
)
del _base_.domain_teacher
