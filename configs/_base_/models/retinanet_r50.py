# RetinaNet with ResNet-50: mmdet's model as it is. LossMixDetector wraps it where it is
# trained on mixed images.
_base_ = 'mmdet::_base_/models/retinanet_r50_fpn.py'
