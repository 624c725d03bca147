# BoxMix paper, Table 5, baseline: as Table 1, with half the batch. 4 GPUs x 4 images.
_base_ = ['../ssd300-r50_voc07.py']

auto_scale_lr = dict(base_batch_size=16)
