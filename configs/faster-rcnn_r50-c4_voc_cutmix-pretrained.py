# Faster R-CNN (ResNet-50, no FPN) from an ImageNet backbone that was trained with
# CutMix: the transfer recipe of the CutMix supplement, sec. C. 4 GPUs x 2 images.
_base_ = './faster-rcnn_r50-c4_voc.py'

model = dict(
    # The backbone is yours to give: put it here, or name another file in both places,
    # for its last stage is the RoI head's; see the README.
    backbone=dict(init_cfg=dict(checkpoint='checkpoints/resnet50_cutmix.pth')),
    roi_head=dict(
        shared_head=dict(init_cfg=dict(checkpoint='checkpoints/resnet50_cutmix.pth'))
    ),
)
