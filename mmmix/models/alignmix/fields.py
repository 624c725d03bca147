"""What a paired sample carries for AlignMix, beside the fields of a mixed one.

Both are metainfo: the index of component 1 in the batch, and the (height, width) of
the two images, whose pixels were left alone.
"""

from __future__ import annotations

MIX_PARTNER = 'mix_partner'
MIX_SIZES = 'mix_sizes'
