# RetinaNet with ResNet-50: mmdet's model with the head that reads the mixer's stamp.
_base_ = 'mmdet::_base_/models/retinanet_r50_fpn.py'

model = dict(bbox_head=dict(type='MixRetinaHead'))
