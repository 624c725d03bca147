# A mean teacher of SSD300 (VGG-16) with the mix-aware head.
_base_ = './ssd300.py'

model = dict(
    _delete_=True,
    type='MixTeacher',
    detector=_base_.model,
    data_preprocessor=dict(
        type='MultiBranchDataPreprocessor',
        data_preprocessor=_base_.model.data_preprocessor,
    ),
    semi_train_cfg=dict(
        freeze_teacher=True,
        sup_weight=1.0,
        unsup_weight=1.0,
        cross_weight=1.0,
        # As in the SSD300 of CrossRectify (arXiv:2201.10734), whose code is
        # github.com/machengcheng2016/CrossRectify-SSOD: the threshold, and that
        # pseudo-boxes teach the classes alone.
        cls_pseudo_thr=0.5,
        min_pseudo_bbox_wh=(1e-2, 1e-2),
        regress_pseudo=False,
        # After a burn-in of 12,000 it ends at iteration 32,000, as that of CSD
        # (github.com/soo89/CSD-SSD) and of CrossRectify.
        ramp_up=20000,
        teacher_batch_size=None,
    ),
    semi_test_cfg=dict(predict_on='teacher'),
)
