"""Telling models apart by their content."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

from mmmix.studies.digests import blocks, digest
from mmmix.studies.trained.models.loaded_detector import LoadedDetector


def fingerprint(detector: LoadedDetector) -> str:
    """A digest of a model's config and checkpoint: other contents, other digest."""
    content = detector.cfg.to_dict()
    content.pop('work_dir', None)
    text = json.dumps(content, sort_keys=True, default=str).encode()
    path = Path(detector.spec.checkpoint).expanduser()
    held = blocks(path) if path.is_file() else [str(path).encode()]
    return digest(chain([text], held))
