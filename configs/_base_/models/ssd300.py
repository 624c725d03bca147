# SSD300 with VGG-16: mmdet's model with the mix-aware head, which has the same
# parameters and, without a supervision, the same losses.
_base_ = 'mmdet::_base_/models/ssd300.py'
# Two variables of mmdet's file that configure nothing here.
del _base_.input_size, _base_.cudnn_benchmark

model = dict(bbox_head=dict(type='MixSSDHead'))
