# PreAct ResNet-18 on CIFAR-10, AlignMixup, α = 2. 1 GPU x 128 images.
_base_ = './preact-r18_cifar10.py'

model = dict(type='AlignMixClassifier')
