# The labelled digits of digits-domain.py alone: 4 a batch, as many as there.
_base_ = './digits-domain.py'

train_dataloader = dict(
    batch_size=4,
    sampler=dict(batch_size=4, source_ratio=[4]),
    dataset=dict(
        dataset=dict(datasets=_base_.train_dataloader.dataset.dataset.datasets[:1])
    ),
)
