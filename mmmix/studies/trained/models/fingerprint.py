"""Telling models apart by their content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mmmix.studies.trained.models.loaded_detector import LoadedDetector

_BLOCK = 1 << 20


def fingerprint(detector: LoadedDetector) -> str:
    """A digest of a model's config and checkpoint: other contents, other digest."""
    content = detector.cfg.to_dict()
    content.pop('work_dir', None)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode())
    path = Path(detector.spec.checkpoint).expanduser()
    if not path.is_file():
        digest.update(str(path).encode())
        return digest.hexdigest()[:16]
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:16]
