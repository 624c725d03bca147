"""Data sets without images, to draw from."""

from __future__ import annotations

from typing import Any

from mmengine.dataset import BaseDataset, ConcatDataset


class Shapes(BaseDataset):
    """Upright images first, then lengthwise ones."""

    METAINFO = dict(classes=('thing',))

    def __init__(self, upright: int, lengthwise: int, sized: bool = True) -> None:
        self._counts, self._sized = (upright, lengthwise), sized
        super().__init__(serialize_data=False)

    def load_data_list(self) -> list[dict[str, Any]]:
        sizes = [(2, 3)] * self._counts[0] + [(3, 2)] * self._counts[1]
        return [
            dict(img_path=str(i), **(dict(width=w, height=h) if self._sized else {}))
            for i, (w, h) in enumerate(sizes)
        ]


def concat(*counts: tuple[int, int]) -> ConcatDataset:
    """A source for each (number of upright, number of lengthwise images)."""
    return ConcatDataset([Shapes(*count) for count in counts])
