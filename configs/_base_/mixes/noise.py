# Noise (LossMix suppl. B): the partner enters with a weight from U(0, 0.2) and its
# boxes are left out.
mix = dict(
    type='MixBatch',
    ratio=dict(type='Uniform', low=0.8, high=1.0),
    keep='dominant',
    supervision=dict(type='Union'),
)
