# The second domain of the digits with its labels and no source, 8 images a batch,
# augmented like the source in digits-domain.py.
_base_ = './digits-domain.py'

source, target = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    sampler=dict(source_ratio=[8]),
    dataset=dict(dataset=dict(datasets=[dict(source, data_root=target.data_root)])),
)
del source, target
