# The labelled digits of digits-domain.py alone, 8 images a batch.
_base_ = './digits-domain.py'

train_dataloader = dict(
    sampler=dict(source_ratio=[8]),
    dataset=dict(
        dataset=dict(datasets=_base_.train_dataloader.dataset.dataset.datasets[:1])
    ),
)
