"""The fields a mixed sample carries, and their checks.

K components make one mixed sample (K = 2 in every paper). ``mix_weights`` is
metainfo: a tuple of K floats in [0, 1] that sum to 1; component 0 is the
sample's own image. ``mix_ids`` sits beside the boxes, in ``gt_instances`` and
``ignored_instances``: the component in [0, K) that each box came from. An
unmixed sample carries neither.

``mix_supervision`` is metainfo, too: the built supervision that the mixer was
configured with. While a mixer is on, every sample of its batch carries it, mixed or
not, so that all processes make the same passes whatever they drew.

``mix_counts`` is metainfo that the mixers of batches add: by field, how many boxes
each component has, so that nobody has to ask the device. Where it is missing or does
not fit the boxes that are there, ``mix_ids`` is read.

CutMix, whose images hide parts of each other, adds ``mix_visibility`` beside boxes
that it clipped: the visible share of each in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

MIX_WEIGHTS = 'mix_weights'
MIX_IDS = 'mix_ids'
MIX_SUPERVISION = 'mix_supervision'
MIX_VISIBILITY = 'mix_visibility'
MIX_COUNTS = 'mix_counts'

_SUM_TOLERANCE = 1e-6


def is_mixed(img_meta: Mapping[str, Any]) -> bool:
    """Whether the image with this metainfo was mixed."""
    return img_meta.get(MIX_WEIGHTS) is not None


def get_mix_weights(img_meta: Mapping[str, Any]) -> tuple[float, ...]:
    """Component weights of one image; ``(1.0,)`` if it was not mixed.

    Raises:
        TypeError, ValueError: See :func:`check_mix_weights`.
    """
    if not is_mixed(img_meta):
        return (1.0,)
    return check_mix_weights(img_meta[MIX_WEIGHTS])


def check_mix_weights(weights: Any) -> tuple[float, ...]:
    """Return ``weights`` as a tuple of floats, or say what is wrong.

    Raises:
        TypeError: If it is no sequence of numbers.
        ValueError: If a weight is NaN or outside [0, 1], or the sum is not
            1 ± 1e-6.
    """
    if isinstance(weights, (str, bytes)) or not isinstance(weights, Sequence):
        raise TypeError(
            f'{MIX_WEIGHTS} must be a tuple of floats, got {type(weights).__name__}: '
            f'{weights!r}'
        )
    try:
        values = tuple(float(weight) for weight in weights)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f'{MIX_WEIGHTS} must hold numbers only, got {weights!r}'
        ) from error
    if not values or not all(0.0 <= value <= 1.0 for value in values):
        raise ValueError(
            f'{MIX_WEIGHTS} must hold one weight in [0, 1] per component, got {values}'
        )
    if not math.isclose(sum(values), 1.0, rel_tol=0.0, abs_tol=_SUM_TOLERANCE):
        raise ValueError(
            f'{MIX_WEIGHTS} must sum to 1 ± {_SUM_TOLERANCE:g}, got {values}, '
            f'which sum to {sum(values):g}'
        )
    return values


def check_mix_ids(mix_ids: Any, num_boxes: int, num_components: int) -> Tensor:
    """Return ``mix_ids`` or say what is wrong with it.

    Args:
        mix_ids: Expected to be a LongTensor of shape ``(num_boxes,)`` with
            values in ``[0, num_components)``.
        num_boxes: Number of boxes beside it.
        num_components: K, the number of component weights of the image.

    Raises:
        TypeError: If it is no integer tensor.
        ValueError: If its shape or a value is wrong.
    """
    if not isinstance(mix_ids, Tensor) or mix_ids.dtype != torch.int64:
        got = mix_ids.dtype if isinstance(mix_ids, Tensor) else type(mix_ids).__name__
        raise TypeError(f'{MIX_IDS} must be a torch.int64 tensor, got {got}')
    if mix_ids.shape != (num_boxes,):
        raise ValueError(
            f'{MIX_IDS} must have shape ({num_boxes},), one entry per box; '
            f'got {tuple(mix_ids.shape)}'
        )
    if num_boxes:
        low, high = (int(bound) for bound in torch.aminmax(mix_ids))
        if low < 0 or high >= num_components:
            raise ValueError(
                f'{MIX_IDS} must lie in [0, {num_components}) because {MIX_WEIGHTS} '
                f'has {num_components} weights; got values from {low} to {high}'
            )
    return mix_ids


def check_mix_visibility(mix_visibility: Any, num_boxes: int) -> Tensor:
    """Return ``mix_visibility`` or say what is wrong with it.

    Args:
        mix_visibility: Expected to be a floating point tensor of shape
            ``(num_boxes,)`` with values in [0, 1].
        num_boxes: Number of boxes beside it.

    Raises:
        TypeError: If it is no floating point tensor.
        ValueError: If its shape or a value is wrong.
    """
    if not isinstance(mix_visibility, Tensor) or not mix_visibility.is_floating_point():
        got = getattr(mix_visibility, 'dtype', type(mix_visibility).__name__)
        raise TypeError(f'{MIX_VISIBILITY} must be a floating point tensor, got {got}')
    if mix_visibility.shape != (num_boxes,):
        raise ValueError(
            f'{MIX_VISIBILITY} must have shape ({num_boxes},), one entry per box; '
            f'got {tuple(mix_visibility.shape)}'
        )
    if not ((mix_visibility >= 0) & (mix_visibility <= 1)).all():
        raise ValueError(
            f'{MIX_VISIBILITY} must lie in [0, 1], got {mix_visibility.tolist()}'
        )
    return mix_visibility
