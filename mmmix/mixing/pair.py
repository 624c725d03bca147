"""What is drawn for a batch, and the geometry of one pair to mix."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from mmmix.functional import Region, common_canvas, cut_region, own_share
from mmmix.functional.boxes import Size


class Draws(NamedTuple):
    """What is drawn for a batch of N samples.

    Attributes:
        lam: λ of each sample, ``(N,)``.
        chosen: Whether it is mixed, ``(N,)`` bool.
        centres: Middle of the region to paste, (y, x) in [0, 1); None to blend.
    """

    lam: NDArray[Any]
    chosen: NDArray[Any]
    centres: list[list[float] | None]


class Pair(NamedTuple):
    """Sample ``index`` of batch a and the sample of batch b to mix it with.

    Sizes are (height, width) without padding, offsets (y, x), in pixels.

    Attributes:
        index: Index in batch a and in the result.
        partner: Index in batch b.
        lam: λ, the weight of the sample of batch a; of a pair that is cut, its
            exact share of the canvas.
        sizes: Sizes of the two images.
        canvas: Size of the mixed image.
        offsets: Where the two images lie on the canvas.
        region: Where the partner is seen, if it is pasted instead of blended.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    partner: int
    lam: float
    sizes: tuple[Size, Size]
    canvas: Size
    offsets: tuple[Size, Size]
    region: Region | None = None

    @classmethod
    def build(
        cls,
        index: int,
        partner: int,
        lam: float,
        sizes: tuple[Size, Size],
        align: str,
        centre: tuple[float, float] | None = None,
    ) -> Pair:
        """Lay out the canvas of a pair, and the region of one that is cut.

        Args:
            index: See the class.
            partner: See the class.
            lam: λ as drawn.
            sizes: See the class.
            align: How the images lie on the canvas.
            centre: (y, x) of the region's middle in [0, 1] of the canvas, for
                CutMix.

        Raises:
            ValueError: If ``align='resize'`` and the sizes differ.
        """
        canvas, offsets = common_canvas(*sizes, align)
        region = None
        if centre is not None:
            region = cut_region(lam, centre, canvas)
            lam = own_share(region, canvas)
        return cls(index, partner, lam, sizes, canvas, offsets, region)
