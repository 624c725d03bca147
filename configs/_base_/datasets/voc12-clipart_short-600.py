# voc-clipart_short-600.py with VOC12 trainval alone as the source, as in Adaptive
# Teacher's code, whatever VOC_SOURCE says.
_base_ = './voc-clipart_short-600.py'

source, target = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    dataset=dict(
        dataset=dict(datasets=[dict(source, datasets=source.datasets[-1:]), target])
    )
)
del source, target
