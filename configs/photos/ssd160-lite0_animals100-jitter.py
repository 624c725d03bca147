# SSD on 100 photographs of animals, with jittered colours. 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/ssd160-lite0.py',
    '../_base_/datasets/voc-animals_jitter.py',
    '../_base_/schedules/photos_60e.py',
]

train_dataloader = dict(dataset=dict(ann_file='ImageSets/Main/train100.txt'))
