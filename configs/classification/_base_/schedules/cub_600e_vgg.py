# CutMix suppl., sec. B.1, VGG-GAP: 0.001 in the last layer, 0.0001 elsewhere.
_base_ = './cub_600e_r50.py'

optim_wrapper = dict(optimizer=dict(lr=0.0001))
