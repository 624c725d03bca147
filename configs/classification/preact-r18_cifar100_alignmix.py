# PreAct ResNet-18 on CIFAR-100, AlignMixup, α = 2. 1 GPU x 128 images.
_base_ = './preact-r18_cifar100.py'

model = dict(type='AlignMixClassifier')
