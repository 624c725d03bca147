# The same for SSD300 and 4 GPUs x (4 source + 4 target images), with SSD's weight decay
# and its rate of 1e-3 for 32 labelled images, scaled to 16. Its losses are sums over
# anchors, divided by the positive ones, so its gradients are larger.
_base_ = './domain_60k.py'

optim_wrapper = dict(
    optimizer=dict(lr=5e-4, weight_decay=5e-4), clip_grad=dict(max_norm=35.0)
)
auto_scale_lr = dict(base_batch_size=32)  # 4 GPUs x (4 + 4)
