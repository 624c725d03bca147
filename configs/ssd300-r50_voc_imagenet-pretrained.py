# The baseline of ssd300-r50_voc_cutmix-pretrained: the transfer recipe of the CutMix
# supplement, sec. C, from a plain ImageNet backbone. 8 GPUs x 4 images.
_base_ = './ssd300-r50_voc_cutmix-pretrained.py'

model = dict(backbone=dict(init_cfg=dict(checkpoint='torchvision://resnet50')))
