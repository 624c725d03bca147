# Views of source and target images for domain adaptation, augmented as in Adaptive
# Teacher (arXiv:2111.13216; numbers of its released code), which the LossMix paper
# keeps (sec. 5.1). A dataset file beside this one takes what it needs and deletes all
# names: left behind, they would look like settings and change nothing.

# Jitter, grayscale, blur and cutout. None of them moves a box.
strong_steps = [
    dict(
        type='RandomApply',
        prob=0.8,
        transforms=[
            dict(
                type='ColorJitter',
                brightness=0.4,
                contrast=0.4,
                saturation=0.4,
                hue=0.1,
            )
        ],
    ),
    dict(
        type='RandomGrayscale',
        prob=0.2,
        keep_channels=True,
        channel_weights=(0.114, 0.587, 0.299),  # BGR
    ),
    dict(
        type='RandomApply',
        prob=0.5,
        transforms=[dict(type='GaussianBlur', sigma=(0.1, 2.0))],
    ),
    dict(
        type='RandomApply',
        prob=0.7,
        transforms=[dict(type='NoisePatch', area=(0.05, 0.2), aspect=(0.3, 3.3))],
    ),
    dict(
        type='RandomApply',
        prob=0.5,
        transforms=[dict(type='NoisePatch', area=(0.02, 0.2), aspect=(0.1, 6.0))],
    ),
    dict(
        type='RandomApply',
        prob=0.3,
        transforms=[dict(type='NoisePatch', area=(0.02, 0.2), aspect=(0.05, 8.0))],
    ),
]

# Both views of an image are cut from one resized and flipped version of it, so that a
# box of the one lies at the same place in the other; the last key says so.
pack_view = dict(
    type='PackDetInputs',
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
)
# The student learns from strong views; the weak view of the source is for the
# discriminator.
source_views = dict(
    type='MultiBranch',
    branch_field=['sup', 'sup_weak', 'unsup_teacher', 'unsup_student'],
    sup=[*strong_steps, pack_view],
    sup_weak=pack_view,
)
target_views = dict(
    type='MultiBranch',
    branch_field=['sup', 'sup_weak', 'unsup_teacher', 'unsup_student'],
    unsup_teacher=pack_view,
    unsup_student=[*strong_steps, pack_view],
)

# Resized to a shorter side of 600 (LossMix paper, sec. 5.1; the longest side is
# Detectron2's default). The paper speaks of cropping too; Adaptive Teacher's configs
# leave it switched off.
short_600_source = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(1333, 600), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    source_views,
]
# Labels of these images, if there are any, are not read.
short_600_target = [
    short_600_source[0],
    dict(type='LoadEmptyAnnotations'),
    *short_600_source[2:4],
    target_views,
]
