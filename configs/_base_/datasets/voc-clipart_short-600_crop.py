# voc-clipart_short-600.py with weak views that are cropped too, as the LossMix paper,
# suppl. D, says without a size: it is Detectron2's default, nine tenths of each side,
# where Detectron2 crops, before the resize. Both views of an image are of one crop.
_base_ = './voc-clipart_short-600.py'

crop = dict(
    type='RandomCrop',
    crop_type='relative_range',
    crop_size=(0.9, 0.9),
    allow_negative_crop=True,
)
source, target = _base_.train_dataloader.dataset.dataset.datasets
cropped = [
    dict(part, pipeline=[*part.pipeline[:2], crop, *part.pipeline[2:]])
    for part in (*source.datasets, target)
]
train_dataloader = dict(
    dataset=dict(
        dataset=dict(datasets=[dict(source, datasets=cropped[:-1]), cropped[-1]])
    )
)
del crop, source, target, cropped
