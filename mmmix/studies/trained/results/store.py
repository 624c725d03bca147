"""Results of long studies, kept part by part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmix.apis.reporting import write_json
from mmmix.layouts.writing import check_writable

LATER = ('annotations', 'files')
"""Settings that files from before they were recorded lack, which is no difference."""


class ResultStore(dict[str, Any]):
    """A JSON file of finished parts, by key; a study that is started again goes on.

    Args:
        path: The file. Its folder is made when the first part is finished.
        settings: What the results depend on besides their key, such as the number
            of images; JSON types.

    Raises:
        OSError: If the file cannot be written.
        ValueError: If the file has results of other settings, or is no such file.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any]) -> None:
        self.path = Path(path)
        check_writable([self.path])
        # What JSON makes of it, tuples become lists, to compare with what was read.
        self.settings = json.loads(json.dumps(dict(settings)))
        super().__init__(self._read() if self.path.exists() else {})

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding='utf-8'))
            settings, parts = content['settings'], content['parts']
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{self.path} is no file of results of this tool; use another --out'
            ) from error
        changed = [
            f'{key}: {settings.get(key)!r} there, {self.settings.get(key)!r} now'
            for key in {**settings, **self.settings}
            if settings.get(key) != self.settings.get(key)
            and (key in settings or key not in LATER)
        ]
        if changed:
            raise ValueError(
                f'{self.path} has results of other settings ({"; ".join(changed)}); '
                'use another --out, or remove the file'
            )
        return parts

    def __setitem__(self, key: str, part: Any) -> None:
        """Keep a finished part, on the disk too, in one step."""
        super().__setitem__(key, part)
        write_json(self.path, {'settings': self.settings, 'parts': self})
