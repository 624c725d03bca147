"""The geometry of one pair to mix."""

from __future__ import annotations

from typing import NamedTuple

from mmmix.functional import common_canvas

Size = tuple[int, int]


class Pair(NamedTuple):
    """Sample ``index`` of batch a and the sample of batch b to mix it with.

    Sizes are (height, width) without padding, offsets (y, x), in pixels.

    Attributes:
        index: Index in batch a and in the result.
        partner: Index in batch b.
        lam: λ, the weight of the sample of batch a.
        sizes: Sizes of the two images.
        canvas: Size of the mixed image.
        offsets: Where the two images lie on the canvas.
    """

    index: int
    partner: int
    lam: float
    sizes: tuple[Size, Size]
    canvas: Size
    offsets: tuple[Size, Size]

    @classmethod
    def build(
        cls, index: int, partner: int, lam: float, sizes: tuple[Size, Size], align: str
    ) -> Pair:
        """Lay out the canvas of a pair.

        Raises:
            ValueError: If ``align='resize'`` and the sizes differ.
        """
        return cls(index, partner, lam, sizes, *common_canvas(*sizes, align))
