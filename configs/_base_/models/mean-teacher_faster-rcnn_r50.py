# A mean teacher of Faster R-CNN (ResNet-50 FPN) with mix-aware heads. As in SoftTeacher
# and in Unbiased Teacher, the backbone is Detectron2's and keeps its norm layers as
# they were.
_base_ = './faster-rcnn_r50.py'

preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[103.530, 116.280, 123.675],
    std=[1.0, 1.0, 1.0],
    bgr_to_rgb=False,
    pad_size_divisor=32,
)
model = dict(
    _delete_=True,
    type='MixTeacher',
    detector=dict(
        _base_.model,
        data_preprocessor=preprocessor,
        backbone=dict(
            _base_.model.backbone,
            norm_cfg=dict(type='BN', requires_grad=False),
            norm_eval=True,
            style='caffe',
            init_cfg=dict(
                type='Pretrained',
                checkpoint='open-mmlab://detectron2/resnet50_caffe',
            ),
        ),
    ),
    data_preprocessor=dict(
        type='MultiBranchDataPreprocessor', data_preprocessor=preprocessor
    ),
    semi_train_cfg=dict(
        freeze_teacher=True,
        # weights and threshold of SoftTeacher's config in mmdet
        sup_weight=1.0,
        unsup_weight=4.0,
        cls_pseudo_thr=0.9,
        min_pseudo_bbox_wh=(1e-2, 1e-2),
        # Unbiased Teacher (arXiv:2102.09480), sec. 3.2: the score does not tell how
        # exact a box is. SoftTeacher jitters boxes to find out, which is not done here.
        regress_pseudo=False,
        # LossMix paper, sec. 3.6: all weights 1. Only counts with mixers.cross.
        cross_weight=1.0,
        ramp_up=0,
        teacher_batch_size=None,
    ),
    semi_test_cfg=dict(predict_on='teacher'),
)
del preprocessor
