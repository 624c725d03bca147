# A small PreAct ResNet-18 on crops of animals, Mixup, α = 1.
# 1 GPU (or CPU) x 32 images.
_base_ = './preact-r18_animal-crops.py'

model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
