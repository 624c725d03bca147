"""Loading one data set with each way of mixing, to compare their speed."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from mmdet.registry import DATASETS, MODELS, TRANSFORMS
from mmengine.dataset import pseudo_collate, worker_init_fn
from mmengine.runner import set_random_seed
from torch.utils.data import DataLoader, RandomSampler

from mmmix.registry import is_a
from mmmix.structures import is_mixed
from mmmix.studies.speed.benchmark import Measurement
from mmmix.studies.speed.synthetic import input_size

METHODS = ('mixbatch', 'miximage', 'mixup', 'mixup-yolox', 'none')
AUGMENTS = ('ssd', 'minimal', 'config')

_RATIO = {'type': 'Beta', 'alpha': 1.0}
_LOAD = [
    {'type': 'LoadImageFromFile'},
    {'type': 'LoadAnnotations', 'with_bbox': True},
]
_FLIP = {'type': 'RandomFlip', 'prob': 0.5}
_PACK = {'type': 'PackDetInputs'}


def augmentation(
    dataset: Mapping[str, Any], augment: str, size: tuple[int, int]
) -> list[dict[str, Any]]:
    """A pipeline from loading to the last augmentation, without packing.

    Args:
        dataset: A training data set's config.
        augment: ``'minimal'``: resize and flip. ``'ssd'``: SSD's expand, crop,
            resize, flip and colour distortion. ``'config'``: the data set's own.
        size: Height and width to resize to; not used by ``'config'``.

    Raises:
        ValueError: If ``augment`` is unknown or the data set's pipeline does not
            end with packing.
    """
    resize = {'type': 'Resize', 'scale': (size[1], size[0]), 'keep_ratio': False}
    if augment == 'minimal':
        return [*_LOAD, resize, _FLIP]
    if augment == 'ssd':
        # SSD's settings are the defaults of these transforms.
        before = [{'type': 'Expand'}, {'type': 'MinIoURandomCrop'}]
        return [*_LOAD, *before, resize, _FLIP, {'type': 'PhotoMetricDistortion'}]
    if augment != 'config':
        raise ValueError(f'expected augment among {AUGMENTS}, got {augment!r}')
    *steps, last = _parts(_leaf(dataset))[0]['pipeline']
    if not is_a(last, _PACK['type'], TRANSFORMS):
        raise ValueError(
            f'expected a pipeline that ends with {_PACK["type"]}, got {last["type"]}'
        )
    return steps


def dataset_config(
    dataset: Mapping[str, Any], method: str, pipeline: list[dict[str, Any]]
) -> dict[str, Any]:
    """The data set of a method.

    ``mixbatch`` and ``none`` share a plain data set. ``miximage`` and ``mixup``
    wrap the same pipeline in ``MultiImageMixDataset``, so that both images of a
    pair are augmented, as they are in a batch. ``mixup-yolox`` does less: like
    mmdet's YOLOX config, it mixes the image after its geometric augmentation with
    a partner that was only loaded, and that ``MixUp`` rescales by itself.

    Args:
        dataset: A training data set's config; wrappers are taken off.
        method: One of :data:`METHODS`.
        pipeline: From :func:`augmentation`.

    Raises:
        ValueError: If ``method`` is unknown or the pipeline has no ``Resize``.
    """
    height, width = input_size(pipeline)
    # img_scale and ratio_range as in mmdet's YOLOX configs.
    mixup = {'type': 'MixUp', 'img_scale': (width, height), 'ratio_range': (0.8, 1.6)}
    if method in ('mixbatch', 'none'):
        return _with_pipeline(dataset, [*pipeline, _PACK])
    if method == 'miximage':
        mix = {'type': 'MixImage', 'ratio': _RATIO, 'pad': 'black'}
        return _wrapped(dataset, pipeline, [mix, {'type': 'PackMixInputs'}])
    if method == 'mixup':
        return _wrapped(dataset, pipeline, [mixup, _PACK])
    if method != 'mixup-yolox':
        raise ValueError(f'expected method among {METHODS}, got {method!r}')
    loaded = _places(pipeline, 'LoadAnnotations')[0] + 1
    resized = _places(pipeline, 'Resize')[-1] + 1
    outer = [*pipeline[loaded:resized], mixup, *pipeline[resized:], _PACK]
    return _wrapped(dataset, pipeline[:loaded], outer)


def _places(pipeline: list[dict[str, Any]], kind: str) -> list[int]:
    """Where the steps of a type are in a pipeline.

    Raises:
        ValueError: If there is none.
    """
    found = [i for i, step in enumerate(pipeline) if is_a(step, kind, TRANSFORMS)]
    if not found:
        raise ValueError(f'expected a training pipeline with {kind}, got {pipeline}')
    return found


def _leaf(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The data set inside all wrappers."""
    leaf = copy.deepcopy(dict(dataset))
    while 'dataset' in leaf:
        leaf = leaf['dataset']
    return leaf


def _parts(leaf: dict[str, Any]) -> list[dict[str, Any]]:
    """The data sets that a ``ConcatDataset`` joins, or the one there is."""
    return leaf.get('datasets', [leaf])


def _with_pipeline(dataset: Mapping[str, Any], pipeline: list) -> dict[str, Any]:
    leaf = _leaf(dataset)
    for part in _parts(leaf):
        part['pipeline'] = copy.deepcopy(pipeline)
    return leaf


def _wrapped(dataset: Mapping[str, Any], inner: list, outer: list) -> dict[str, Any]:
    leaf = _with_pipeline(dataset, inner)
    return {'type': 'MultiImageMixDataset', 'dataset': leaf, 'pipeline': outer}


class LoadingRound:
    """Loads, mixes and preprocesses a fixed number of batches, timed.

    Every call runs its workers from an empty queue until they are idle again, so
    nothing is loaded ahead outside the time that is taken, and workers of other
    methods rest meanwhile.

    Args:
        dataset: A training data set's config.
        preprocessor: Its model's ``DetDataPreprocessor`` config; batch augments
            are replaced.
        method: One of :data:`METHODS`.
        pipeline: From :func:`augmentation`.
        batch_size: Images per batch.
        batches: Batches per call.
        workers: Loading processes.
        device: Where batches are preprocessed and mixed.
        seed: Seed of the order of samples, and of the workers.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any],
        preprocessor: Mapping[str, Any],
        method: str,
        pipeline: list[dict[str, Any]],
        batch_size: int = 8,
        batches: int = 32,
        workers: int = 2,
        device: str = 'cpu',
        seed: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._device = torch.device(device)
        self._clock = clock
        self._seed = seed
        augments = [{'type': 'MixBatch', 'ratio': _RATIO}]
        settings = copy.deepcopy(dict(preprocessor))
        settings['batch_augments'] = augments if method == 'mixbatch' else None
        self._preprocess = MODELS.build(settings).to(self._device)
        data = DATASETS.build(dataset_config(dataset, method, pipeline))
        order = torch.Generator().manual_seed(seed)
        self._loader = DataLoader(
            data,
            batch_size,
            sampler=RandomSampler(
                data, num_samples=batch_size * batches, generator=order
            ),
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=pseudo_collate,
            worker_init_fn=partial(
                worker_init_fn, num_workers=workers, rank=0, seed=seed
            ),
        )

    def __call__(self, index: int) -> Measurement:
        """Load all batches.

        Args:
            index: Number of the round.

        Returns:
            ``seconds``, ``samples``, and ``mixed``: how many carry weights.
        """
        # All methods see the same images of a round, augmented alike as far as
        # they draw alike; workers are in step by themselves.
        set_random_seed(self._seed + index)
        samples = []
        start = self._clock()
        for batch in self._loader:
            samples += self._preprocess(batch, training=True)['data_samples']
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        elapsed = self._clock() - start
        mixed = sum(is_mixed(sample.metainfo) for sample in samples)
        return {'seconds': elapsed, 'samples': len(samples), 'mixed': mixed}
