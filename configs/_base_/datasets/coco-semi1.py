# 1 % of COCO train2017 labelled, the rest unlabelled; see coco-semi10.py.
_base_ = './coco-semi10.py'

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            datasets=[
                dict(
                    _base_.train_dataloader.dataset.dataset.datasets[0],
                    ann_file='semi_anns/instances_train2017.{{$SEMI_FOLD:1}}@1.json',
                ),
                dict(
                    _base_.train_dataloader.dataset.dataset.datasets[1],
                    ann_file='semi_anns/'
                    'instances_train2017.{{$SEMI_FOLD:1}}@1-unlabeled.json',
                ),
            ]
        )
    )
)
