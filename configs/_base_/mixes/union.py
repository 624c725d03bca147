# Union as in the LossMix paper (sec. 4.1, suppl. B): pixels are blended, every box of
# either image counts in full. Alpha and alignment are those of LossMix (suppl. A).
mix = dict(
    type='MixBatch',
    ratio=dict(type='Beta', alpha=1.0),
    align='center',
    supervision=dict(type='Union'),
)
