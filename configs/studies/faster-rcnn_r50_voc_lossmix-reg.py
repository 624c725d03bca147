# LossMix paper, Table 3, LossMix-Reg: half of a batch is mixed (suppl. B).
# 8 GPUs x 8 images.
_base_ = ['../faster-rcnn_r50_voc.py', '../_base_/mixes/lossmix.py']

model = dict(
    data_preprocessor=dict(
        batch_augments=[dict(_base_.mix, fraction=0.5, pairing='permutation')]
    )
)
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/AP'))  # as in Table 3
