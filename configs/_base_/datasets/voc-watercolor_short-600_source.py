# The labelled source of voc-watercolor_short-600.py alone, 4 images a GPU.
_base_ = './voc-watercolor_short-600.py'

train_dataloader = dict(
    sampler=dict(source_ratio=[4]),
    dataset=dict(
        dataset=dict(datasets=_base_.train_dataloader.dataset.dataset.datasets[:1])
    ),
)
