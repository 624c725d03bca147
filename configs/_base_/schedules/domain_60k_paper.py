# domain_60k.py without what neither paper has: gradients are not clipped, and a loss
# that is not finite ends the run instead of leaving out a step.
_base_ = './domain_60k.py'

optim_wrapper = dict(type='OptimWrapper', clip_grad=None)
custom_hooks = [
    dict(type='CheckInvalidLossHook', interval=50, priority='VERY_LOW'),
    *_base_.custom_hooks,
]
