# voc-clipart_short-600.py with weak views that are cropped too, as the LossMix paper,
# suppl. D, says without a size: it is Detectron2's default, nine tenths of each side,
# where Detectron2 crops, before the resize. Both views of an image are of one crop.
_base_ = './voc-clipart_short-600.py'

crop = dict(type='RandomCrop', crop_type='relative_range', crop_size=(0.9, 0.9))
source, target = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            datasets=[
                dict(
                    source,
                    datasets=[
                        dict(
                            part,
                            pipeline=[*part.pipeline[:2], crop, *part.pipeline[2:]],
                        )
                        for part in source.datasets
                    ],
                ),
                dict(
                    target,
                    pipeline=[
                        *target.pipeline[:2],
                        # no boxes to hold
                        dict(crop, allow_negative_crop=True),
                        *target.pipeline[2:],
                    ],
                ),
            ]
        )
    )
)
del crop, source, target
