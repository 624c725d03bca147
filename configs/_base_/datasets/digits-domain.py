# The digits labelled -> their second domain (make_digits.py --domain target)
# unlabelled, 160 x 160, 4 + 4 images a batch. Select on val of the second domain,
# report its test.
_base_ = ['./domain_pipelines.py', './digits.py']

# The first three steps recolour and blur. Patches of noise would hide whole digits.
# Without a weak view of the source the discriminator sees features that are computed
# anyway, which saves two passes of the backbone.
train_dataloader = dict(
    batch_size=8,
    sampler=dict(
        _delete_=True,
        type='MixSourceSampler',
        batch_size=8,  # that of the loader
        source_ratio=[4, 4],
    ),
    dataset=dict(
        _delete_=True,
        type='SeededDataset',
        dataset=dict(
            type='ConcatDataset',
            datasets=[
                dict(
                    _base_.train_dataloader.dataset,
                    # loaded, cropped and resized as without a second domain
                    pipeline=[
                        *_base_.train_dataloader.dataset.pipeline[:4],
                        dict(
                            type='MultiBranch',
                            branch_field=['sup', 'unsup_teacher', 'unsup_student'],
                            sup=[*_base_.strong_steps[:3], _base_.pack_view],
                        ),
                    ],
                ),
                dict(
                    _base_.train_dataloader.dataset,
                    data_root='data/digits_target/',
                    filter_cfg=dict(filter_empty_gt=False),
                    pipeline=[
                        *_base_.short_600_target[:2],
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

val_dataloader = dict(dataset=dict(data_root='data/digits_target/'))
test_dataloader = dict(dataset=dict(data_root='data/digits_target/'))
