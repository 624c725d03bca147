# VGG-GAP on CUB-200-2011, AlignMixup, α = 2. 1 GPU x 32 images.
_base_ = './vgg-gap-cam_cub.py'

model = dict(type='AlignMixClassifier')
