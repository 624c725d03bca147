# A small PreAct ResNet-18 on crops of animals, AlignMixup, α = 2.
# 1 GPU (or CPU) x 32 images.
_base_ = './preact-r18_animal-crops.py'

model = dict(type='AlignMixClassifier')
