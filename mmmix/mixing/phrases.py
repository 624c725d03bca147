"""Labels that count phrases of the text of their image, in grounding detectors."""

from __future__ import annotations

import reprlib
from typing import Any

PHRASES = ('text', 'tokens_positive')
"""Says which phrase a label stands for: metainfo of a sample, or key of a result."""


def check_same_phrases(one: Any, other: Any) -> None:
    """Refuse to mix images whose labels mean different things.

    The mixed image has the text of component 0, by which component 1's labels would be
    read.

    Args:
        one: Component 0, a sample or a results dict.
        other: Component 1, likewise.

    Raises:
        ValueError: With the images, and what differs.
    """
    for key in PHRASES:
        values = one.get(key), other.get(key)
        if values[0] != values[1]:
            names = [item.get('img_path', 'an image') for item in (one, other)]
            texts = ' and '.join(map(reprlib.repr, values))
            raise ValueError(
                f'{names[0]} and {names[1]} cannot be mixed: their labels count the '
                f'phrases of {key!r}, which must be the same in all images, got '
                f'{texts}. Give all images the names of all classes '
                '(CocoDataset(return_classes=True)), without RandomSamplingNegPos, or '
                'do not mix'
            )
