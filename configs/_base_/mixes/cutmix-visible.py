# CutMix (CutMix suppl., alg. A1) read for boxes: each is clipped to what is visible and
# counts by the visible share of it, whatever the ratio is.
mix = dict(
    type='CutMixBatch',
    ratio=dict(type='Uniform', low=0.0, high=1.0),
    supervision=dict(type='Visible'),
)
