# The pipelines of semi-supervised training, with the augmentations of SoftTeacher
# (arXiv:2106.09018) as mmdet has them. A dataset file beside this one takes
# `labelled_pipeline` and `unlabelled_pipeline`, or makes them anew with another first
# step in the views, and deletes all names.

# What happens to an image before it is split into views; the sizes are SoftTeacher's.
labelled_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomResize', scale=[(1333, 400), (1333, 1200)], keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandAugment',
        aug_space=[
            [dict(type='ColorTransform')],
            [dict(type='AutoContrast')],
            [dict(type='Equalize')],
            [dict(type='Sharpness')],
            [dict(type='Posterize')],
            [dict(type='Solarize')],
            [dict(type='Color')],
            [dict(type='Contrast')],
            [dict(type='Brightness')],
        ],
        aug_num=1,
    ),
    dict(type='FilterAnnotations', min_gt_bbox_wh=(1e-2, 1e-2)),
    dict(
        type='MultiBranch',
        branch_field=['sup', 'unsup_teacher', 'unsup_student'],
        sup=dict(type='PackDetInputs'),
    ),
]

# What the teacher sees.
weak_view = [
    labelled_pipeline[2],
    labelled_pipeline[3],
    dict(
        type='PackDetInputs',
        # The last key carries boxes from one view to the other.
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
            'flip',
            'flip_direction',
            'homography_matrix',
        ),
    ),
]

# What the student sees.
strong_view = [
    *weak_view[:2],
    dict(
        type='RandomOrder',
        transforms=[
            labelled_pipeline[4],
            dict(
                type='RandAugment',
                aug_space=[
                    [dict(type='Rotate')],
                    [dict(type='ShearX')],
                    [dict(type='ShearY')],
                    [dict(type='TranslateX')],
                    [dict(type='TranslateY')],
                ],
                aug_num=1,
            ),
        ],
    ),
    dict(type='RandomErasing', n_patches=(1, 5), ratio=(0, 0.2)),
    weak_view[2],
]

# Labels of these images, if there are any, are not read.
unlabelled_pipeline = [
    labelled_pipeline[0],
    dict(type='LoadEmptyAnnotations'),
    dict(
        type='MultiBranch',
        branch_field=['sup', 'unsup_teacher', 'unsup_student'],
        unsup_teacher=weak_view,
        unsup_student=strong_view,
    ),
]
