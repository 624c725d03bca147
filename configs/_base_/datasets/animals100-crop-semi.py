# The images of animals100-semi.py, the labelled ones cropped and jittered as in
# voc-animals_crop.py.
_base_ = './animals100-semi.py'

labelled, unlabelled = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            datasets=[
                dict(
                    labelled,
                    pipeline=[
                        *labelled.pipeline[:2],
                        dict(
                            type='MinIoURandomCrop',
                            min_ious=(0.1, 0.3, 0.5, 0.7, 0.9),
                            min_crop_size=0.3,
                        ),
                        *labelled.pipeline[2:4],
                        dict(type='PhotoMetricDistortion'),
                        labelled.pipeline[-1],
                    ],
                ),
                unlabelled,
            ]
        )
    )
)
del labelled, unlabelled
