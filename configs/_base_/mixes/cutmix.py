# CutMix (CutMix suppl., alg. A1): a region of the partner is pasted, the ratio is
# uniform and adjusted to the exact area, and both targets count by it. On a detector
# that is LossMix, which takes any mix of images (LossMix paper, sec. 3.3).
mix = dict(
    type='CutMixBatch',
    ratio=dict(type='Uniform', low=0.0, high=1.0),
    supervision=dict(type='LossMix'),
)
