# The second domain of the digits with its labels and no source: 4 images a batch,
# as many labelled ones as in digits-domain.py, and augmented like these.
_base_ = './digits-domain.py'

source, target = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    batch_size=4,
    sampler=dict(batch_size=4, source_ratio=[4]),
    dataset=dict(dataset=dict(datasets=[dict(source, data_root=target.data_root)])),
)
del source, target
