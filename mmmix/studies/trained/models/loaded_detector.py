"""Trained detectors for studies: named, loaded once, fed with given images."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from mmdet.registry import TRANSFORMS
from mmdet.structures import DetDataSample
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmmix.models.teachers.branches import plain_preprocessor
from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.images.truth import objects_of
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.detection_scores import DetectionScores, Scores

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
        main_metrics: Names of the metrics that a study shows.
    """

    main_metrics: ClassVar[tuple[str, ...]] = MAIN_METRICS

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
        return plain_preprocessor(self.model.data_preprocessor)

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

        Raises:
            ValueError: If the pipeline skips the image as unreadable; it may also raise
                what its decoder raises.
        """
        loaded = self._load(dict(info))
        if loaded is None:
            raise ValueError(f'{info["img_path"]} cannot be read; get the file again')
        return loaded['img']

    def in_own_order(self, image: np.ndarray) -> np.ndarray:
        """A BGR image with its channels as :meth:`read_image` has them, or back."""
        return image

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

    def scores(self, metainfo: Mapping[str, Any]) -> Scores:
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
        return DecodedImages(self, dataset, budget)
