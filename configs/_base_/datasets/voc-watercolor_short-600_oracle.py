# Watercolor2k train with its labels and no source, 4 images a GPU, augmented like the
# source in voc-watercolor_short-600.py.
_base_ = './voc-watercolor_short-600.py'

source, target = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    sampler=dict(source_ratio=[4]),
    dataset=dict(
        dataset=dict(
            datasets=[
                dict(
                    target,
                    filter_cfg=source.datasets[0].filter_cfg,
                    pipeline=source.datasets[0].pipeline,
                )
            ]
        )
    ),
)
del source, target
