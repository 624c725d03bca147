# A small PreAct ResNet-18 on crops of animals, CutMix, suppl. alg. A1.
# 1 GPU (or CPU) x 32 images.
_base_ = './preact-r18_animal-crops.py'

model = dict(train_cfg=dict(augments=[dict(type='ClsCutMixBatch')]))
