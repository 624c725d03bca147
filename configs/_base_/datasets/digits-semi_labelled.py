# The 50 labelled images of digits-semi.py alone, in the same order and batches of 8,
# for training without a teacher.
_base_ = './digits-semi.py'

train_dataloader = dict(
    batch_size=8,
    sampler=dict(batch_size=8, source_ratio=[8]),
    dataset=dict(
        dataset=dict(
            datasets=[
                dict(
                    _base_.train_dataloader.dataset.dataset.datasets[0],
                    pipeline=[
                        *_base_.train_dataloader.dataset.dataset.datasets[0].pipeline[
                            :-1
                        ],
                        dict(type='PackDetInputs'),
                    ],
                )
            ]
        )
    ),
)
