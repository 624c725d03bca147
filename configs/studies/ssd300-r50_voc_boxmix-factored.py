# BoxMix on SSD300 (ResNet-50), VOC07+12, where the paper leaves open what hard negative
# mining takes as positives: an anchor is mined by its shares. 8 GPUs x 4 images.
_base_ = ['../ssd300-r50_voc.py', '../_base_/mixes/boxmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
    bbox_head=dict(mix_positives='factored'),
)
