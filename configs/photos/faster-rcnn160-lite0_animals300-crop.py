# Faster R-CNN on 300 photographs of animals, cropped and jittered. 1 GPU x 16 images.
_base_ = [
    '../_base_/models/faster-rcnn160-lite0.py',
    '../_base_/datasets/voc-animals_crop.py',
    '../_base_/schedules/photos_60e.py',
]

train_dataloader = dict(dataset=dict(ann_file='ImageSets/Main/train300.txt'))
