# PyramidNet-200 on CIFAR-100, CutMix, suppl. alg. A1, in half of the batches.
# 1 GPU x 64 images.
_base_ = './pyramidnet200_cifar100.py'

model = dict(train_cfg=dict(augments=[dict(type='ClsCutMixBatch')], probs=[0.5]))
