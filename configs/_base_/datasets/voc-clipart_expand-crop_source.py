# The labelled source of voc-clipart_expand-crop.py alone, 8 images a GPU.
_base_ = './voc-clipart_expand-crop.py'

train_dataloader = dict(
    sampler=dict(source_ratio=[8]),
    dataset=dict(
        dataset=dict(datasets=_base_.train_dataloader.dataset.dataset.datasets[:1])
    ),
)
