# The same for one GPU x (2 source + 2 target images): the small batch of the LossMix
# paper's search (suppl. D) and the rate of it that is nearest to a linear scaling.
_base_ = './domain_60k.py'

optim_wrapper = dict(optimizer=dict(lr=0.002))
auto_scale_lr = dict(base_batch_size=4)  # 1 GPU x (2 + 2)
