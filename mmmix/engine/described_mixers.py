"""The mixers of a config: where they are, and in words, to tell two runs apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.registry import Registry

from mmmix.datasets.transforms import ImageMixer
from mmmix.models.batch_augments import BatchMixer
from mmmix.registry import is_a, is_classifier

from .find_mixers import ALIGNED

_OF_ALIGNED = ('ratio', 'input_prob', 'own_prob', 'pairing', 'plan')

MIXERS = 'mixers'
"""The key of a checkpoint's ``meta``."""


def described_mixers(cfg: Config) -> list[str]:
    """The mixers of a training with their settings, such as ``MixBatch(prob=0.5)``.

    Args:
        cfg: Of the run; mixers are looked for in the model and the training data.
    """
    texts = [str(mixer) for mixer in placed_mixers(cfg)]
    return texts + _of_classifier(cfg) if is_classifier(cfg) else texts


class PlacedMixer(NamedTuple):
    """A mixer of a config.

    Attributes:
        place: Where it is, as a key.
        settings: Its config.
        registry: Which builds it.
    """

    place: str
    settings: Mapping[str, Any]
    registry: Registry

    def __str__(self) -> str:
        """In words, such as ``MixBatch(prob=0.5)``."""
        return _text(self.settings)


def placed_mixers(cfg: Config) -> Iterator[PlacedMixer]:
    """The mixers in the model and the training data of a config."""
    for part in ('model', 'train_dataloader'):
        yield from _found(cfg.get(part), part)


def _of_classifier(cfg: Config) -> list[str]:
    """The mixers of a classifier, which mmpretrain builds."""
    model = cfg.get('model') or {}
    preprocessor = model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    texts = []
    if str(model.get('type')).endswith(ALIGNED):
        own = {key: model[key] for key in _OF_ALIGNED if key in model}
        texts.append(_text(dict(own, type=ALIGNED)))
    for holder in (model.get('train_cfg'), preprocessor.get('batch_augments')):
        if not isinstance(holder, Mapping):
            continue
        augments, probs = (holder.get(key) for key in ('augments', 'probs'))
        augments = [augments] if isinstance(augments, Mapping) else augments or ()
        share = f' with probs={_text(probs)}' if probs else ''
        texts += [f'{_text(augment)}{share}' for augment in augments]
    return texts


def _found(node: Any, place: str) -> Iterator[PlacedMixer]:
    if is_a(node, BatchMixer, MODELS):
        yield PlacedMixer(place, node, MODELS)
    elif is_a(node, ImageMixer, TRANSFORMS):
        yield PlacedMixer(place, node, TRANSFORMS)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _found(value, f'{place}.{key}')
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from _found(value, f'{place}[{index}]')


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
