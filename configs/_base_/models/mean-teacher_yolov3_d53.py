# A mean teacher of YOLOv3 (Darknet-53) with the mix-aware head. All its norm layers are
# trained, so the teacher needs the student's statistics too; MixTeacherHook takes them.
_base_ = './yolov3_d53.py'

model = dict(
    _delete_=True,
    type='MixTeacher',
    detector=_base_.model,
    data_preprocessor=dict(
        type='MultiBranchDataPreprocessor',
        data_preprocessor=_base_.model.data_preprocessor,
    ),
    # No paper has this detector in a mean teacher. The values are those of SSD300
    # beside this file, with a shorter ramp-up for a shorter schedule; not tuned.
    semi_train_cfg=dict(
        freeze_teacher=True,
        sup_weight=1.0,
        unsup_weight=1.0,
        cross_weight=1.0,
        cls_pseudo_thr=0.5,
        min_pseudo_bbox_wh=(1e-2, 1e-2),
        regress_pseudo=False,
        ramp_up=8000,
        teacher_batch_size=None,
    ),
    semi_test_cfg=dict(predict_on='teacher'),
)
