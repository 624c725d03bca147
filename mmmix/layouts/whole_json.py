"""JSON files of annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """The content of a file, which may begin with a byte-order mark.

    Raises:
        ValueError: If it is not whole.
    """
    try:
        return json.loads(path.read_text(encoding='utf-8-sig'))
    except ValueError as error:
        raise ValueError(
            f'{path} is not whole JSON: {error}; export it again'
        ) from error
