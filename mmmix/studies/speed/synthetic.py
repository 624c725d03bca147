"""Random detection batches, so that a step can be timed without a data set."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from mmdet.registry import TRANSFORMS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.registry import is_a

_BOX_SIDE = (0.1, 0.6)


class SyntheticBatches:
    """Batches as a training dataloader would yield them, of random content.

    A few batches are made once and handed out in turn as fresh copies, since a
    training step edits its batch.

    Args:
        size: Height and width of the images in pixels.
        batch_size: Images per batch.
        boxes: Boxes per image, with sides of 0.1 to 0.6 of the image's.
        num_classes: Labels are drawn from ``[0, num_classes)``.
        pool: How many different batches there are.
        seed: Seed of the content.

    Raises:
        ValueError: If a number is below 1 (``boxes``: below 0).
    """

    def __init__(
        self,
        size: tuple[int, int],
        batch_size: int,
        boxes: int,
        num_classes: int,
        pool: int = 4,
        seed: int = 0,
    ) -> None:
        if min(*size, batch_size, num_classes, pool) < 1 or boxes < 0:
            raise ValueError(
                'expected sizes, batch_size, num_classes and pool >= 1 and boxes '
                f'>= 0; got {size}, {batch_size}, {num_classes}, {pool}, {boxes}'
            )
        self._size = size
        self._boxes = boxes
        self._num_classes = num_classes
        self._rng = torch.Generator().manual_seed(seed)
        self._pool = [self._batch(batch_size) for _ in range(pool)]

    def __call__(self, index: int) -> dict[str, list]:
        """A copy of batch ``index`` modulo the pool's size."""
        return copy.deepcopy(self._pool[index % len(self._pool)])

    def _batch(self, batch_size: int) -> dict[str, list]:
        shape = (3, *self._size)
        images = [
            torch.randint(256, shape, generator=self._rng, dtype=torch.uint8)
            for _ in range(batch_size)
        ]
        samples = [self._sample(index) for index in range(batch_size)]
        return {'inputs': images, 'data_samples': samples}

    def _sample(self, index: int) -> DetDataSample:
        sample = DetDataSample(
            metainfo={
                'img_id': index,
                'img_path': f'synthetic_{index}.png',
                'ori_shape': self._size,
                'img_shape': self._size,
                'scale_factor': (1.0, 1.0),
                'flip': False,
                'flip_direction': None,
            }
        )
        sample.gt_instances = self._instances(self._boxes)
        sample.ignored_instances = self._instances(0)
        return sample

    def _instances(self, count: int) -> InstanceData:
        canvas = torch.tensor([self._size[1], self._size[0]], dtype=torch.float32)
        low, high = _BOX_SIDE
        sides = low + (high - low) * self._uniform(count)
        corners = (1 - sides) * self._uniform(count)
        boxes = torch.cat([corners * canvas, (corners + sides) * canvas], dim=1)
        labels = torch.randint(self._num_classes, (count,), generator=self._rng)
        return InstanceData(bboxes=HorizontalBoxes(boxes), labels=labels)

    def _uniform(self, count: int) -> Tensor:
        return torch.rand(count, 2, generator=self._rng)


def input_size(pipeline: list[Mapping[str, Any]]) -> tuple[int, int]:
    """Height and width that the last ``Resize`` of a pipeline scales to.

    With ``keep_ratio`` it is the largest image that the scale allows.

    Raises:
        ValueError: If there is no ``Resize`` with a fixed scale.
    """
    scales = [
        step['scale']
        for step in pipeline
        if is_a(step, 'Resize', TRANSFORMS) and step.get('scale') is not None
    ]
    if not scales:
        types = [_name(step) for step in pipeline]
        raise ValueError(
            "expected a transform dict(type='Resize', scale=(width, height)) in the "
            f'training pipeline, got {types}; give the size by --size HEIGHT WIDTH'
        )
    scale = scales[-1]
    width, height = (scale, scale) if isinstance(scale, int) else scale
    return int(height), int(width)


def _name(step: Mapping[str, Any]) -> str:
    """The type of a transform without its scope; types may be classes, too."""
    kind = step.get('type', '')
    return getattr(kind, '__name__', str(kind)).rpartition('.')[2]


def values_of(config: Any, key: str) -> Iterator[Any]:
    """All values of ``key`` in a nest of dicts and lists, outermost first."""
    if isinstance(config, Mapping):
        if key in config:
            yield config[key]
        for value in config.values():
            yield from values_of(value, key)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from values_of(value, key)
