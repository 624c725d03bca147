# AlignMix (AlignMixup, arXiv:2103.15375; alpha from its code): pixels stay as they are,
# the detector mixes features. Labels that travelled through a plan are soft, so the
# mined negatives follow their shares instead of a match.
mix = dict(
    type='MixBatch', mode='pair', ratio=dict(type='Beta', alpha=2.0), align='corner'
)
supervision = dict(type='BoxMix', positives='factored')
