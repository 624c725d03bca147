# ImageNet-1k, trained on as it is; its validation set has boxes, a file in COCO's form
# (images, annotations, categories in the order and by the names of mmpretrain's
# ImageNet) made of ILSVRC's XML.
_base_ = './cub.py'

train_dataloader = dict(
    dataset=dict(type='ImageNet', data_root='data/imagenet'),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='BoxedImages',
        data_root='data/imagenet',
        ann_file='annotations/val_boxes.json',
        data_prefix=dict(img_path='val'),
        pipeline=_base_.val_dataloader.dataset.pipeline,
    ),
)
test_dataloader = val_dataloader
