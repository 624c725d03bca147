"""One feature map of a detector, taken while it computes its loss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

_LEVEL = re.compile(r'(backbone|neck)\.(\d+)')


class FeatureTap:
    """Where a detector's feature map of a given name comes out.

    Args:
        detector: A detector of mmdet.
        name: ``'backbone.<i>'`` or ``'neck.<i>'``, the i-th output.

    Raises:
        ValueError: If the name is none of these, or the detector has no such part.
    """

    def __init__(self, detector: nn.Module, name: str) -> None:
        match = _LEVEL.fullmatch(str(name))
        if match is None:
            raise ValueError(
                "feature of the discriminator must be 'backbone.<i>' or 'neck.<i>', "
                f"such as 'backbone.0', got {name!r}"
            )
        self.name, self.part, self.index = name, match[1], int(match[2])
        if not isinstance(getattr(detector, self.part, None), nn.Module):
            raise ValueError(
                f'feature {name!r} of the discriminator: {type(detector).__name__} has '
                f'no {self.part}'
            )

    @contextmanager
    def recording(self, detector: nn.Module) -> Iterator[list[Tensor]]:
        """Collect the map at each pass through the detector within the context."""
        found: list[Tensor] = []
        handle = getattr(detector, self.part).register_forward_hook(
            lambda module, args, outputs: found.append(self._pick(outputs))
        )
        try:
            yield found
        finally:
            handle.remove()

    def compute(self, detector: nn.Module, inputs: Tensor) -> Tensor:
        """The map of some images, without what comes after it.

        Args:
            detector: The detector.
            inputs: ``(N, C, H, W)``.
        """
        if self.part == 'backbone':
            return self._pick(detector.backbone(inputs))
        with self.recording(detector) as found:
            detector.extract_feat(inputs)
        return found[0]

    def _pick(self, outputs: Any) -> Tensor:
        """The map of this name.

        Raises:
            ValueError: If there are not as many.
        """
        maps = outputs if isinstance(outputs, (list, tuple)) else (outputs,)
        if self.index >= len(maps):
            raise ValueError(
                f'feature {self.name!r} of the discriminator: the {self.part} has '
                f'{len(maps)} outputs, counted from 0'
            )
        return maps[self.index]
