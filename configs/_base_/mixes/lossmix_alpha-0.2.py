# LossMix that mixes lightly, for short runs: with alpha = 1 they fit too slowly.
_base_ = './lossmix.py'

mix = dict(ratio=dict(alpha=0.2))
