"""What a pair whose features are to be mixed carries in its metainfo."""

from __future__ import annotations

MIX_PARTNER = 'mix_partner'
"""Index of component 1 in the batch; the pixels of the image were left alone."""

MIX_SIZES = 'mix_sizes'
"""(height, width) of both images in pixels, without padding."""

TRANSPORT = 'transport'
"""The ``Transport`` of component 1's labels, once features were aligned."""
