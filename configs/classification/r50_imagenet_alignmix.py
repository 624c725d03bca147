# ResNet-50 on ImageNet, AlignMixup, α = 2. 8 GPUs x 32 images.
_base_ = './r50_imagenet.py'

model = dict(type='AlignMixClassifier')
