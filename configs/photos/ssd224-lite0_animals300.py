# SSD on 300 photographs of animals in 224 x 224 pixels, with anchors as much larger.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/ssd160-lite0.py',
    '../_base_/datasets/voc-animals-224_flip.py',
    '../_base_/schedules/photos_60e.py',
]

model = dict(
    bbox_head=dict(anchor_generator=dict(base_sizes=[42, 90, 151])),
)
train_dataloader = dict(dataset=dict(ann_file='ImageSets/Main/train300.txt'))
