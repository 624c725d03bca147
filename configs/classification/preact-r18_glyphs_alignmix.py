# A small PreAct ResNet-18 on enlarged digits, AlignMixup, α = 2.
# 1 GPU (or CPU) x 32 images.
_base_ = './preact-r18_glyphs.py'

model = dict(type='AlignMixClassifier')
