# LossMix (LossMix paper, eq. 4-6; alpha and alignment from suppl. A).
mix = dict(
    type='MixBatch',
    ratio=dict(type='Beta', alpha=1.0),
    align='center',
    supervision=dict(type='LossMix'),
)
