# voc-watercolor_short-600.py with weak views that are cropped too, see
# voc-clipart_short-600_crop.py.
_base_ = './voc-watercolor_short-600.py'

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
