# Photographs of animals: the first 100 of `train` labelled, the other 1,100 as
# unlabelled ones, whose labels are not read. 8 + 8 images a batch. Labelled images are
# flipped, as without a teacher; what the student sees of the others is recoloured and
# blurred too.
_base_ = ['./domain_pipelines.py', './voc-animals_flip.py']

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
                    ann_file='ImageSets/Main/train100.txt',
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
                    indices=-1100,  # the last ones
                    filter_cfg=dict(filter_empty_gt=False),
                    pipeline=[
                        dict(type='LoadImageOnce'),
                        dict(type='LoadEmptyAnnotations'),
                        *_base_.train_dataloader.dataset.pipeline[2:4],
                        dict(
                            type='MultiBranch',
                            branch_field=['sup', 'unsup_teacher', 'unsup_student'],
                            unsup_teacher=_base_.pack_view,
                            unsup_student=[*_base_.strong_steps[:3], _base_.pack_view],
                        ),
                    ],
                ),
            ],
        ),
    ),
)
del _base_.strong_steps, _base_.pack_view, _base_.source_views, _base_.target_views
del _base_.short_600_source, _base_.short_600_target
