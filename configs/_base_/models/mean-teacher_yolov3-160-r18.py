# A mean teacher of the small YOLOv3 of the digits demo. Norm layers are trained, so
# the teacher needs the student's statistics too; MixTeacherHook takes them.
_base_ = './yolov3-160-r18.py'

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
        unsup_weight=0.5,
        cross_weight=0.5,
        cls_pseudo_thr=0.7,
        # what the teacher is in doubt of is no background
        ignore_pseudo_thr=0.2,
        # smaller than any glyph, also than one cut by the border of a crop
        min_pseudo_bbox_wh=(4.0, 4.0),
        regress_pseudo=False,
        ramp_up=100,
        teacher_batch_size=None,
    ),
    semi_test_cfg=dict(predict_on='teacher'),
)
