# The same animals, flipped and with jittered colours, but not cropped.
_base_ = './voc-animals_flip.py'

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_dataloader.dataset.pipeline[:-1],
            dict(type='PhotoMetricDistortion'),
            _base_.train_dataloader.dataset.pipeline[-1],
        ]
    )
)
