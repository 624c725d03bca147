# Faster R-CNN on 1,200 photographs of animals, flipped only.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/faster-rcnn160-lite0.py',
    '../_base_/datasets/voc-animals_flip.py',
    '../_base_/schedules/photos_60e.py',
]
