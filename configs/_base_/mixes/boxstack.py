# BoxStack (BoxMix paper, sec. 4.2, after Zhang et al., arXiv:1902.04103): Union with
# alpha = 1.5 and every image resized to one size instead of aligned.
mix = dict(
    type='MixBatch',
    ratio=dict(type='Beta', alpha=1.5),
    align='resize',
    supervision=dict(type='Union'),
)
