# AlignMix (AlignMixup, arXiv:2103.15375; alpha from its code): pixels stay as they are,
# the detector mixes features.
mix = dict(
    type='PairBatch',
    ratio=dict(type='Beta', alpha=2.0),
    align='corner',
)
