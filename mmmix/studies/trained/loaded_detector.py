"""Trained detectors for studies: named, loaded once, fed with given images."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATASETS, MODELS, TRANSFORMS
from mmdet.structures import DetDataSample
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmmix.apis.checkpoint import install_safe_loading
from mmmix.apis.checkpoint_fit import ForeignCheckpointError
from mmmix.apis.config_reading import read_config
from mmmix.apis.resume import existing_checkpoint
from mmmix.studies.trained.evaluation import DetectionScores
from mmmix.studies.trained.model_arguments import ModelSpec
from mmmix.studies.trained.truth import objects_of
from mmmix.visualization import class_names

MAIN_METRICS = ('pascal_voc/mAP', 'coco/AP')
"""What studies show of detectors."""


@dataclass
class LoadedDetector:
    """A detector in eval mode with what it needs to see images.

    Attributes:
        name: Name of the method.
        spec: Where it comes from.
        cfg: Its config.
        model: The detector, in eval mode on its device, without gradients of its
            parameters.
        classes: Class names, by label.
    """

    name: str
    spec: ModelSpec
    cfg: Config
    model: nn.Module
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        load, *steps = get_test_pipeline_cfg(self.cfg)
        kind = getattr(load['type'], '__name__', load['type'])
        if 'LoadImage' not in kind:
            raise ValueError(
                f'{self.spec.config}: the test pipeline must start by loading the '
                f'image, as CheckedLoadImageFromFile does; it starts with {kind}'
            )
        self._load = TRANSFORMS.build(load)
        self._steps = Compose(steps)

    @property
    def preprocessor(self) -> nn.Module:
        """The ``DetDataPreprocessor``; a teacher's inner one."""
        outer = self.model.data_preprocessor
        return getattr(outer, 'data_preprocessor', outer)

    @property
    def mean(self) -> Tensor:
        """Subtracted from the pixels: ``(3,)`` in the model's channel order."""
        channels = getattr(self.preprocessor, 'mean', torch.zeros(3))
        return channels.flatten().cpu()

    @property
    def std(self) -> Tensor:
        """Divides the pixels: ``(3,)`` in the model's channel order."""
        return getattr(self.preprocessor, 'std', torch.ones(3)).flatten().cpu()

    @property
    def bgr_to_rgb(self) -> bool:
        """Whether the model sees RGB, made from the BGR of OpenCV."""
        return bool(getattr(self.preprocessor, '_channel_conversion', False))

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def read_image(self, info: Mapping[str, Any]) -> np.ndarray:
        """Decode the image of a sample, as the test pipeline does.

        Args:
            info: From ``dataset.get_data_info(index)``.

        Returns:
            ``(H, W, 3)`` uint8, BGR.
        """
        return self._load(dict(info))['img']

    @property
    def main_metrics(self) -> tuple[str, ...]:
        """Names of the metrics that a study shows."""
        return MAIN_METRICS

    def pack(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Pass an image that is already decoded through the test pipeline.

        Args:
            image: ``(H, W, 3)``, BGR, values in [0, 255].
            info: Its entry of the data set; it is left as it is.

        Returns:
            ``inputs`` and ``data_samples``, as the pipeline packs them; the
            sample's metainfo also has ``instances``, which ``CocoStyleMetric``
            reads.
        """
        shape = image.shape[:2]
        results = copy.deepcopy(dict(info))
        results.update(img=image, img_shape=shape, ori_shape=shape)
        packed = self._steps(results)
        truth = {'instances': info.get('instances', [])}
        packed['data_samples'].set_metainfo(truth)
        return packed

    def target(self, sample: Any, info: Mapping[str, Any]) -> Any:
        """What the loss is computed on: an image's objects, scaled as the image was.

        Args:
            sample: As the pipeline packed it.
            info: Its entry of the data set.
        """
        objects, ignored = objects_of(info)
        scale = torch.tensor(sample.metainfo.get('scale_factor', (1.0, 1.0))).repeat(2)
        target = DetDataSample(metainfo=sample.metainfo)
        fields = (('gt_instances', objects), ('ignored_instances', ignored))
        for field, instances in fields:
            instances.bboxes = instances.bboxes * scale
            setattr(target, field, instances)
        return target

    def losses(self, inputs: Tensor, targets: Sequence[Any]) -> dict[str, Any]:
        """The losses of a batch of :meth:`target`, by name."""
        return self.model(inputs, targets, mode='loss')

    def scores(self, metainfo: Mapping[str, Any]) -> Any:
        """Collects detections, and judges them."""
        return DetectionScores(self.cfg, metainfo)

    def top_score(self, sample: Any) -> float:
        """The highest score of a detection; 0 without one."""
        return max(sample.pred_instances.scores.tolist(), default=0.0)

    def detections(self, sample: Any) -> InstanceData:
        """What was detected, in pixels of the image."""
        return sample.pred_instances

    def images_of_pairs(self, dataset: BaseDataset, budget: float) -> Any:
        """The images of a data set that pairs are made of.

        Args:
            dataset: The data set.
            budget: Bytes of decoded images to keep.
        """
        from mmmix.studies.trained.perturbed_images import DecodedImages

        return DecodedImages(self, dataset, budget)


def load_detector(
    spec: ModelSpec,
    device: str | torch.device = 'cpu',
    cfg_options: Mapping[str, Any] | None = None,
    trust: bool = False,
) -> LoadedDetector:
    """Build a config's detector and load its checkpoint.

    Args:
        spec: The model.
        device: Where to put it.
        cfg_options: Changes of the config, by dotted key.
        trust: Load a checkpoint that could run code.

    Raises:
        FileNotFoundError: If config or checkpoint is missing.
        ValueError: If the checkpoint is unsafe, damaged, or one of another model.
    """
    cfg = read_config(spec.config, dict(cfg_options or {}) or None)
    path = existing_checkpoint(spec.checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    with install_safe_loading(trust):
        try:
            checkpoint = load_checkpoint(
                model, path, map_location='cpu', strict=True, logger='silent'
            )
        except ForeignCheckpointError as error:
            raise ForeignCheckpointError(f'{spec.config}: {error}') from error
    model.to(device).eval().requires_grad_(False)
    kind = LoadedDetector
    if cfg.get('default_scope') == 'mmpretrain':
        from mmmix.studies.trained.loaded_classifier import LoadedClassifier

        kind = LoadedClassifier
    return kind(spec.name, spec, cfg, model, _classes(cfg, checkpoint))


def load_detectors(args: argparse.Namespace) -> list[LoadedDetector]:
    """Load all models of a command line.

    Args:
        args: With the models and options of
            :func:`mmmix.studies.trained.model_arguments.add_model_arguments`.

    Raises:
        ValueError: If they do not detect the same classes.
    """
    detectors = [
        load_detector(spec, args.device, args.cfg_options, args.trust_checkpoint)
        for spec in args.models
    ]
    for detector in detectors[1:]:
        if detector.classes != detectors[0].classes:
            raise ValueError(
                'models are compared on one data set and must detect the same '
                f'classes; {detectors[0].spec} has {detectors[0].classes}, '
                f'{detector.spec} has {detector.classes}'
            )
    return detectors


def _classes(cfg: Config, checkpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """Class names that the checkpoint keeps, else those of the config's data."""
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    parts = meta if isinstance(meta, list) else [meta]  # of a ConcatDataset
    names = class_names(
        [{str(key).lower(): value for key, value in part.items()} for part in parts]
    )
    if names is not None:
        return names
    data = cfg.test_dataloader.dataset
    while 'dataset' in data:
        data = data.dataset
    kind = DATASETS.get(data.type) if isinstance(data.type, str) else data.type
    return tuple(
        {**getattr(kind, 'METAINFO', {}), **data.get('metainfo', {})}['classes']
    )
