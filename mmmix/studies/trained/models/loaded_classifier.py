"""Trained classifiers for the studies that are made for detectors."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset, Compose
from mmengine.registry import TRANSFORMS
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.studies.trained.models.detection_scores import Scores
from mmmix.studies.trained.models.loaded_detector import LoadedDetector


class LoadedClassifier(LoadedDetector):
    """A classifier of mmpretrain, seen as the studies see a detector.

    What is measured stays theirs. Of a classifier, an image's score is the largest
    probability of a class (CutMix suppl. E.2), the loss that FGSM follows is the head's
    on the label, without any mixing (E.1), and a set of images is judged by the metrics
    of its config, top-1 accuracy among them.
    """

    main_metrics = ('accuracy/top1',)

    def __post_init__(self) -> None:
        steps = list(self.cfg.test_dataloader.dataset.pipeline)
        # CIFAR's data set holds its images decoded.
        loads = bool(steps) and 'LoadImage' in str(steps[0]['type'])
        self._load = TRANSFORMS.build(steps.pop(0)) if loads else None
        self._steps = Compose(steps)

    @property
    def bgr_to_rgb(self) -> bool:
        """Whether the preprocessor swaps the channels of what is loaded."""
        return bool(self.model.data_preprocessor.to_rgb)

    def read_image(self, info: Mapping[str, Any]) -> np.ndarray:
        """Decode an image, ``(H, W, 3)`` uint8, in the order of its loader."""
        if self._load is None:
            return np.array(info['img'])
        return super().read_image(info)

    def in_own_order(self, image: np.ndarray) -> np.ndarray:
        """A BGR image as the data set has its own, which is RGB if held decoded."""
        return image if self._load else np.ascontiguousarray(image[..., ::-1])

    def pack(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Pass a decoded image through the test pipeline; see the parent.

        An image whose info says ``prepared`` has been through it and is only packed.
        """
        shape = image.shape[:2]
        results = copy.deepcopy(dict(info))
        results.update(img=image, img_shape=shape, ori_shape=shape)
        if results.pop('prepared', False):
            return self._steps.transforms[-1](results)
        return self._steps(results)

    def target(self, sample: Any, info: Mapping[str, Any]) -> Any:
        """The sample itself: the pipeline has packed its label."""
        return sample

    def losses(self, inputs: Tensor, targets: Sequence[Any]) -> dict[str, Tensor]:
        """The head's losses on plain labels, whatever the model mixes in training."""
        features = self.model.extract_feat(inputs)
        return self.model.head.loss(features, targets)

    def scores(self, metainfo: Mapping[str, Any]) -> Scores:
        """Collects predictions, and judges them by the metrics of the config."""
        return Scores(self.cfg.test_evaluator, metainfo)

    def top_score(self, sample: Any) -> float:
        """The largest probability of a class."""
        return float(sample.pred_score.max())

    def detections(self, sample: Any) -> InstanceData:
        """The predicted class, as one detection of the whole image."""
        height, width = sample.img_shape[:2]
        return InstanceData(
            bboxes=torch.tensor([[0.0, 0.0, width, height]]),
            scores=sample.pred_score.max()[None],
            labels=sample.pred_label,
        )

    def images_of_pairs(self, dataset: BaseDataset, budget: float) -> PreparedImages:
        """The images of a data set as the network sees them, all of one size."""
        return PreparedImages(self, dataset)


class PreparedImages:
    """A data set's images after the test pipeline; the object is the whole image.

    CutMix suppl. E.1 mixes what the network sees, crops of one size.

    Args:
        classifier: With the pipeline.
        dataset: The data set.

    Attributes:
        prepared: Whether images have been through the test pipeline.
    """

    prepared = True

    def __init__(self, classifier: LoadedClassifier, dataset: BaseDataset) -> None:
        self._classifier, self._dataset = classifier, dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> tuple[np.ndarray, dict[str, Any]]:
        """``(H, W, 3)`` uint8 and its info.

        Raises:
            ValueError: If it has not one label.
        """
        info = self._dataset.get_data_info(index)
        if np.size(info['gt_label']) != 1:
            raise ValueError(
                f'{info.get("img_path")} has the labels {info["gt_label"]}, and one '
                'class of each is looked for between images: give a classifier of one'
            )
        image = self._classifier.read_image(info)
        packed = self._classifier.pack(image, info)['inputs']
        image = packed.permute(1, 2, 0).contiguous().numpy()
        height, width = image.shape[:2]
        label = int(np.reshape(info['gt_label'], ()))
        whole = dict(bbox=[0, 0, width, height], bbox_label=label)
        return image, dict(img_id=index, instances=[whole])
