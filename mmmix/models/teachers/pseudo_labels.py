"""Labels that a teacher predicts, as annotations of the student's images.

The teacher looks at a weakly augmented view of an image and the student learns
from a strongly augmented one. Both know how they came from the image by their
``homography_matrix``, so boxes go straight from the one view to the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox_project, get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmmix.structures import REGRESSION_WEIGHTS

from .semi_train_settings import SemiTrainSettings

_FIELDS = ('bboxes', 'labels', 'scores')


@torch.no_grad()
def predict_labels(
    teacher: nn.Module,
    inputs: Tensor,
    samples: Sequence[DetDataSample],
    batch_size: int | None = None,
) -> list[InstanceData]:
    """What a detector sees, in the pixels of its input.

    Args:
        teacher: A detector of mmdet, in eval mode.
        inputs: ``(N, C, H, W)``.
        samples: N samples; only their metainfo is read.
        batch_size: Predict so many images at once; all if None.

    Returns:
        N ``InstanceData`` with ``bboxes``, ``labels`` and ``scores``.
    """
    step = batch_size or max(len(samples), 1)
    views = [_bare(sample) for sample in samples]
    predicted = []
    for start in range(0, len(views), step):
        part = slice(start, start + step)
        predicted += teacher.predict(inputs[part], views[part], rescale=False)
    return [
        InstanceData(**{name: sample.pred_instances[name] for name in _FIELDS})
        for sample in predicted
    ]


def confident(instances: InstanceData, threshold: float) -> InstanceData:
    """The instances whose score is above the threshold."""
    return instances[instances.scores > threshold]


def doubtful(instances: InstanceData, low: float, high: float) -> InstanceData:
    """The instances whose score is above ``low`` and not above ``high``."""
    scores = instances.scores
    return instances[(scores > low) & (scores <= high)]


def project(
    instances: InstanceData,
    source: DetDataSample,
    target: DetDataSample,
    min_size: tuple[float, float],
) -> InstanceData:
    """Instances of one view of an image as they are in another view.

    Args:
        instances: Instances with ``bboxes`` in pixels of the source.
        source: The view that they are seen in.
        target: The view to bring them to; its ``img_shape`` clips them.
        min_size: Drop boxes that are not wider and higher than this.

    Raises:
        ValueError: If a view has no ``homography_matrix``.
    """
    boxes = get_box_tensor(instances.bboxes).float()
    matrix = _homography(target) @ np.linalg.inv(_homography(source))
    boxes = bbox_project(boxes, boxes.new_tensor(matrix), target.img_shape[:2])
    projected = instances.new()
    projected.bboxes = boxes
    sizes = boxes[:, 2:] - boxes[:, :2]
    return projected[(sizes > sizes.new_tensor(min_size)).all(dim=1)]


def annotated(
    sample: DetDataSample,
    instances: InstanceData,
    ignored: InstanceData | None = None,
) -> DetDataSample:
    """A sample of the same image with these instances and no other annotation.

    What an unlabelled image brings along, boxes to ignore for one, is not for use.

    Args:
        sample: Only its metainfo is read.
        instances: Its objects.
        ignored: What is neither object nor background; nothing if None.
    """
    result = _bare(sample)
    result.gt_instances = instances
    if ignored is not None:
        result.ignored_instances = ignored
    return result


def sorted_out(
    sample: DetDataSample, instances: InstanceData, settings: SemiTrainSettings
) -> DetDataSample:
    """A sample with the confident predictions as its objects.

    With ``ignore_pseudo_thr``, doubtful ones are its boxes to ignore.
    """
    low, high = settings.ignore_pseudo_thr, settings.cls_pseudo_thr
    ignored = None if low is None else doubtful(instances, low, high)
    return annotated(sample, confident(instances, high), ignored)


def pair_views(
    sources: Sequence[DetDataSample], targets: Sequence[DetDataSample]
) -> list[tuple[DetDataSample, DetDataSample]]:
    """The two views of each image.

    Raises:
        ValueError: If there are more of the one than of the other.
    """
    if len(sources) != len(targets):
        raise ValueError(
            'unsup_teacher and unsup_student must be two views of the same '
            f'images, got {len(sources)} and {len(targets)} images'
        )
    return list(zip(sources, targets))


def projected(
    source: DetDataSample, target: DetDataSample, min_size: tuple[float, float]
) -> DetDataSample:
    """A view of an image, with the annotations of another; see :func:`project`."""
    views = (source, target, min_size)
    ignored = source.get('ignored_instances')
    if ignored is not None:
        ignored = project(ignored, *views)
    return annotated(target, project(source.gt_instances, *views), ignored)


def mixable(sample: DetDataSample, regression_weight: float | None) -> DetDataSample:
    """A sample with boxes and labels only, in ``gt_`` and ``ignored_instances``.

    Samples must have the same fields to be mixed with each other.

    Args:
        sample: A labelled or pseudo-labelled sample.
        regression_weight: Weight of its boxes in the box regression; None leaves
            the field out.
    """
    labels = _boxes_and_labels(sample.gt_instances)
    ignored = _boxes_and_labels(sample.get('ignored_instances', labels[:0]))
    if regression_weight is not None:
        weights = labels.bboxes.new_full((len(labels),), regression_weight)
        labels[REGRESSION_WEIGHTS] = weights
    result = annotated(sample, labels)
    result.ignored_instances = ignored
    return result


def label_statistics(
    instances: Sequence[InstanceData], inputs: Tensor
) -> dict[str, Tensor]:
    """How many pseudo-labels there are, and how sure the teacher is of them.

    Args:
        instances: The pseudo-labels of each image, with ``scores``.
        inputs: Tells the device.

    Returns:
        ``pseudo_count``, the mean number per image, and ``pseudo_score``, the
        mean score or 0; scalars, computed without waiting for the device.
    """
    count = sum(map(len, instances))
    scores = torch.cat([labels.scores for labels in instances]).float()
    return dict(
        pseudo_count=inputs.new_full((), count / len(instances), dtype=torch.float32),
        pseudo_score=scores.sum() / max(count, 1),
    )


def _bare(sample: DetDataSample) -> DetDataSample:
    """A sample of the same image without any annotation."""
    return type(sample)(metainfo=sample.metainfo)


def _boxes_and_labels(instances: InstanceData) -> InstanceData:
    boxes = get_box_tensor(instances.bboxes)
    return InstanceData(bboxes=boxes, labels=instances.labels)


def _homography(sample: DetDataSample) -> np.ndarray:
    """The matrix that maps the image to this view, ``(3, 3)`` float64."""
    matrix = sample.get('homography_matrix')
    if matrix is None:
        raise ValueError(
            f"{sample.get('img_path', 'an image')} has no 'homography_matrix', which "
            "carries the teacher's boxes over to the student's view. Add it to "
            'meta_keys of PackDetInputs in the pipelines of unsup_teacher and '
            'unsup_student, and have a transform in both that records it, such as '
            'Resize'
        )
    return np.asarray(matrix, dtype=np.float64)
