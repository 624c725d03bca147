"""Whether a mixer, the data it is in and a detector make one method together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.datasets.transforms import PackDetInputs
from torch import nn

from mmmix.datasets.nested import pipelines
from mmmix.datasets.transforms import ImageMixer, PackMixInputs
from mmmix.models.alignmix import AlignMix, PairBatch
from mmmix.models.dense_heads import LevelMixSSDHead
from mmmix.models.detectors import LevelMixDetector
from mmmix.structures import MIX_WEIGHTS


def check_own(key: str, own: Any, mixer: Any) -> None:
    """Refuse a head's own supervision that wants other boxes than the mixer leaves.

    CutMix clips boxes for the supervision that it carries, or keeps them whole. A
    sample does not tell which, so that another supervision would teach in full what
    is hidden.

    Args:
        key: The setting's, in the config.
        own: The head's supervision.
        mixer: A mixer of batches or images.

    Raises:
        ValueError: With both of them.
    """
    name, carried = type(mixer).__name__, mixer.supervision
    if mixer.cuts and (own.clips != carried.clips or not own.pastes):
        boxes = 'clips boxes' if carried.clips else 'keeps boxes whole'
        raise ValueError(
            f'{key}={own} does not go with {name}, which {boxes} for its own '
            f'supervision, {carried}. Leave {key} out and give {name} the supervision'
        )
    if not mixer.cuts and not own.blends:
        raise ValueError(
            f'{key}={own} weighs boxes by what is visible of them, and {name} hides '
            f'nothing. Leave {key} out, or take CutMixBatch (or CutMixImage)'
        )


def check_parts(detector: nn.Module, mixers: Sequence[Any]) -> None:
    """Refuse parts of a method whose other part is not there.

    Args:
        detector: The detector.
        mixers: All that mix for it, at least one.

    Raises:
        ValueError: With what lacks.
    """
    names = ', '.join(type(mixer).__name__ for mixer in mixers)
    paired = any(isinstance(mixer, PairBatch) for mixer in mixers)
    if isinstance(detector, AlignMix) and not paired:
        raise ValueError(
            'AlignMix mixes the features of pairs, which PairBatch makes, and has '
            f'{names}: its settings would have no effect. Take '
            "mix=dict(type='PairBatch', ratio=...), or the detector without AlignMix"
        )
    head = getattr(detector, 'bbox_head', None)
    if not isinstance(head, LevelMixSSDHead) or isinstance(detector, LevelMixDetector):
        return
    raise ValueError(
        f'model.bbox_head.mix_levels={list(head.mix_levels)} of a LevelMixSSDHead '
        f'alone have mixed targets, and {names} mixes what all levels see; take '
        "model=dict(type='LevelMixDetector', mixer=...), or MixSSDHead"
    )


def check_packed(dataset: Any, key: str = 'train_dataloader.dataset') -> None:
    """Refuse pipelines that pack mixed images without their weights.

    mmdet's ``PackDetInputs`` leaves them out, so that an image would be taken for an
    unmixed one with the boxes of both.

    Args:
        dataset: A built data set, or one that wraps some.
        key: Its key in the config.

    Raises:
        ValueError: Naming the mixer, and the transform to take instead.
    """
    for steps in pipelines(dataset):
        mixer = next((step for step in steps if isinstance(step, ImageMixer)), None)
        bad = next((step for step in steps if _drops_weights(step)), None)
        if mixer is not None and bad is not None:
            name = type(mixer).__name__
            raise ValueError(
                f'{key}: {type(bad).__name__} packs what {name} mixed, and leaves λ '
                'out: every head would train on the union of all boxes. Take '
                f"dict(type='PackMixInputs') after {name}"
            )


def _drops_weights(step: Any) -> bool:
    """Whether a transform packs as mmdet does, without ``mix_weights``."""
    return (
        isinstance(step, PackDetInputs)
        and type(step).transform is PackDetInputs.transform
        and not isinstance(step, PackMixInputs)
        and MIX_WEIGHTS not in step.meta_keys
    )
