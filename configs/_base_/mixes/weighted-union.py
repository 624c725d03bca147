# Weighted union: every box counts with the weight of its image. This is what the
# released code of Zhang et al. (arXiv:1902.04103; GluonCV, YOLOv3) does, and alpha is
# that code's.
mix = dict(
    type='MixBatch',
    ratio=dict(type='Beta', alpha=1.5),
    supervision=dict(type='WeightedUnion'),
)
