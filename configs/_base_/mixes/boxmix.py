# BoxMix (BoxMix paper, eq. 5-11; alpha from sec. 4.2). The paper resizes every image
# to one size first; the default alignment, by centre, then moves nothing.
mix = dict(
    type='MixBatch',
    ratio=dict(type='Beta', alpha=0.2),
    supervision=dict(type='BoxMix'),
)
