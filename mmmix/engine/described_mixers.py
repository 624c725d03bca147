"""The mixers of a config in words, to tell whether two runs mix alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config

from mmmix.datasets.transforms import ImageMixer
from mmmix.models.batch_augments import BatchMixer
from mmmix.registry import is_a

MIXERS = 'mixers'
"""The key of a checkpoint's ``meta``."""


def described_mixers(cfg: Config) -> list[str]:
    """The mixers of a training with their settings, such as ``MixBatch(prob=0.5)``.

    Args:
        cfg: Of the run; mixers are looked for in the model and the training data.
    """
    parts = (cfg.get('model'), cfg.get('train_dataloader'))
    return [text for part in parts for text in _found(part)]


def _found(node: Any) -> Iterator[str]:
    if is_a(node, BatchMixer, MODELS) or is_a(node, ImageMixer, TRANSFORMS):
        yield _text(node)
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _found(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _found(value)


def _text(value: Any) -> str:
    """A setting in words, whatever order its keys have."""
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(map(_text, value))}]'
    if not isinstance(value, Mapping):
        return repr(value)
    kind = value.get('type', 'dict')
    name = kind.__name__ if isinstance(kind, type) else str(kind).rpartition('.')[2]
    settings = [f'{k}={_text(value[k])}' for k in sorted(value) if k != 'type']
    return f'{name}({", ".join(settings)})'
