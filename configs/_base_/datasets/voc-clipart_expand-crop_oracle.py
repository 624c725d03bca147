# Clipart1k train with its labels and no source, 8 images a GPU, augmented like the
# source in voc-clipart_expand-crop.py.
_base_ = './voc-clipart_expand-crop.py'

source, target = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    sampler=dict(source_ratio=[8]),
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
