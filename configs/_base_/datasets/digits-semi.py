# The digits with 50 of their 1,000 training images labelled (5 %), and all of them as
# unlabelled ones, whose labels are not read. 8 + 8 images a batch.
_base_ = './digits.py'

train_dataloader = dict(
    sampler=dict(
        _delete_=True,
        type='MixSourceSampler',
        batch_size=16,  # that of the loader
        source_ratio=[8, 8],
    ),
    dataset=dict(
        _delete_=True,
        type='SeededDataset',
        dataset=dict(
            type='ConcatDataset',
            datasets=[
                dict(
                    _base_.train_dataloader.dataset,
                    indices=50,
                    pipeline=[
                        *_base_.train_dataloader.dataset.pipeline[:-1],
                        dict(
                            type='MultiBranch',
                            branch_field=['sup', 'unsup_teacher', 'unsup_student'],
                            sup=dict(type='PackDetInputs'),
                        ),
                    ],
                ),
                dict(
                    _base_.train_dataloader.dataset,
                    type='VOCLayoutDataset',
                    labelled=False,
                    filter_cfg=dict(filter_empty_gt=False),
                    pipeline=[
                        dict(type='CheckedLoadImageFromFile'),
                        dict(type='LoadEmptyAnnotations'),
                        dict(
                            type='MultiBranch',
                            branch_field=['sup', 'unsup_teacher', 'unsup_student'],
                            # the image as it is
                            unsup_teacher=[
                                dict(type='Resize', scale=(160, 160), keep_ratio=False),
                                dict(
                                    type='PackDetInputs',
                                    # The last key carries boxes from view to view.
                                    meta_keys=(
                                        'img_id',
                                        'img_path',
                                        'ori_shape',
                                        'img_shape',
                                        'scale_factor',
                                        'homography_matrix',
                                    ),
                                ),
                            ],
                            # Cropped and recoloured like labelled images; RandomCrop
                            # stands in for MinIoURandomCrop, for it says what it did.
                            # Then some squares of up to 24 px, the size of the
                            # smallest glyphs, are erased.
                            unsup_student=[
                                dict(
                                    type='RandomApply',
                                    prob=0.5,
                                    transforms=[
                                        dict(
                                            type='RandomCrop',
                                            crop_size=(0.6, 0.6),
                                            crop_type='relative_range',
                                            allow_negative_crop=True,
                                        )
                                    ],
                                ),
                                dict(type='Resize', scale=(160, 160), keep_ratio=False),
                                dict(type='PhotoMetricDistortion'),
                                dict(
                                    type='RandomErasing',
                                    n_patches=(1, 3),
                                    ratio=(0.05, 0.15),
                                ),
                                dict(
                                    type='PackDetInputs',
                                    meta_keys=(
                                        'img_id',
                                        'img_path',
                                        'ori_shape',
                                        'img_shape',
                                        'scale_factor',
                                        'homography_matrix',
                                    ),
                                ),
                            ],
                        ),
                    ],
                ),
            ],
        ),
    ),
)
