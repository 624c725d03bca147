# BoxMix on one anchor level (BoxMix paper, sec. 4.4): alpha is higher than elsewhere to
# single out the mixed anchors.
mix = dict(
    type='MixBatch',
    ratio=dict(type='Beta', alpha=0.75),
    align='resize',
    supervision=dict(type='BoxMix'),
)
