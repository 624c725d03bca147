"""Labels that a teacher predicts, as annotations of the student's images.

The teacher looks at a weakly augmented view of an image and the student learns
from a strongly augmented one. Both know how they came from the image by their
``homography_matrix``, so boxes go straight from the one view to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmmix.models.ignored_boxes import filled
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
    found = [
        InstanceData(**{name: sample.pred_instances[name] for name in _FIELDS})
        for sample in predicted
    ]
    for instances in found:
        # An RPN that finds nothing, and CrowdDet, give labels of the scores' type.
        instances.labels = instances.labels.long()
    return found


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
    samples: Sequence[DetDataSample],
    predictions: Sequence[InstanceData],
    settings: SemiTrainSettings,
) -> list[DetDataSample]:
    """Samples with the confident predictions as their objects.

    Those have a score above ``cls_pseudo_thr``. With ``ignore_pseudo_thr``, doubtful
    ones, between the two, are boxes to ignore. One value is read for all images.

    Args:
        samples: N samples; only their metainfo is read.
        predictions: Of each of them, with ``scores``.
        settings: The thresholds.
    """
    low, high = settings.ignore_pseudo_thr, settings.cls_pseudo_thr
    scores = torch.cat([instances.scores for instances in predictions])
    groups = (~(scores > high)).long()  # a score that is no number is above none
    if low is not None:
        groups += ~(scores > low)
    sure, doubtful = _grouped(predictions, groups, 1 if low is None else 2)
    return [annotated(*image) for image in zip(samples, sure, doubtful)]


def projected(
    sources: Sequence[DetDataSample],
    targets: Sequence[DetDataSample],
    min_size: tuple[float, float],
) -> list[DetDataSample]:
    """Views of images, with the annotations of other views of them.

    One value is read for all images, and one for their boxes to ignore.

    Args:
        sources: N samples with ``gt_instances``, some with ``ignored_instances``.
        targets: The views to bring these to; their ``img_shape`` clips them.
        min_size: Drop boxes that are not wider and higher than this; of boxes to
            ignore all stay of which anything is seen.

    Raises:
        ValueError: If there are more of the one than of the other, or a view has no
            ``homography_matrix``.
    """
    if len(sources) != len(targets):
        raise ValueError(
            'unsup_teacher and unsup_student must be two views of the same '
            f'images, got {len(sources)} and {len(targets)} images'
        )
    views = [(_matrix(*pair), pair[1].img_shape[:2]) for pair in zip(sources, targets)]
    objects = [source.gt_instances for source in sources]
    ignored = [source.get('ignored_instances') for source in sources]
    there = [i for i, instances in enumerate(ignored) if instances is not None]
    seen = [views[i] for i in there]
    moved = _project([ignored[i] for i in there], seen, (0.0, 0.0))
    ignored = dict(zip(there, moved))
    return [
        annotated(target, instances, ignored.get(i))
        for i, (target, instances) in enumerate(
            zip(targets, _project(objects, views, min_size))
        )
    ]


def _project(
    instances: Sequence[InstanceData],
    views: Sequence[tuple[np.ndarray, tuple[int, int]]],
    min_size: tuple[float, float],
) -> list[InstanceData]:
    """Instances of images, with their boxes moved, and without those too small then.

    Args:
        instances: With ``bboxes``.
        views: Of each image the matrix that moves them, and (height, width).
        min_size: Least width and height.
    """
    if not instances:
        return []
    boxes = torch.cat([get_box_tensor(one.bboxes).float() for one in instances])
    # Of each image: its matrix, its sides and the least ones, sent at once.
    rows = [[*m.ravel(), *reversed(shape), *min_size] for m, shape in views]
    table = boxes.new_tensor(np.array(rows))[_images(instances, boxes)]
    corners = torch.stack([boxes[:, [0, 2, 0, 2]], boxes[:, [1, 1, 3, 3]]], dim=-1)
    corners = torch.cat([corners, torch.ones_like(corners[..., :1])], dim=-1)
    # Autocast would round pixels, in bfloat16 to multiples of 4 just below 1000.
    with torch.autocast(boxes.device.type, enabled=False):
        corners = corners @ table[:, :9].unflatten(1, (3, 3)).transpose(1, 2)
    corners = corners[..., :2] / corners[..., 2:]
    sides = table[:, None, 9:11].clamp(min=0)
    corners = corners.clamp(min=0).minimum(sides)
    least, most = corners.amin(dim=1), corners.amax(dim=1)
    moved, start = [], 0
    for one in instances:
        own = one.new()
        span = slice(start, start + len(one))
        own.bboxes = torch.cat([least[span], most[span]], dim=1)
        moved.append(own)
        start += len(one)
    large = (most - least > table[:, 11:]).all(dim=1)
    return _grouped(moved, (~large).long(), 1)[0]


def _grouped(
    instances: Sequence[InstanceData], groups: Tensor, count: int
) -> tuple[list[Any], list[Any]]:
    """Instances of images by group, in their order; their numbers are read at once.

    Args:
        instances: Of N images, n in all.
        groups: ``(n,)`` int64; those of ``count`` and more are left out.
        count: Number of groups, 1 or 2.

    Returns:
        Two lists of N; the second is of None if there is one group.
    """
    places = _images(instances, groups) * count + groups.clamp(max=count)
    places = torch.where(groups < count, places, len(instances) * count)
    found = groups.new_zeros(len(instances) * count + 1)
    numbers = found.scatter_add_(0, places, torch.ones_like(places)).tolist()
    merged = InstanceData.cat(list(instances))[places.argsort(stable=True)]
    ends = np.cumsum(numbers[:-1]).tolist()
    pieces = [merged[end - n : end] for end, n in zip(ends, numbers)]
    return pieces[::count], pieces[1::2] if count == 2 else [None] * len(instances)


def _images(instances: Sequence[InstanceData], like: Tensor) -> Tensor:
    """Number of the image of each instance, ``(n,)`` int64."""
    numbers = [i for i, one in enumerate(instances) for _ in range(len(one))]
    return torch.tensor(numbers, dtype=torch.int64).to(like.device, non_blocking=True)


def mixable(sample: DetDataSample, regression_weight: float | None) -> DetDataSample:
    """A sample with boxes and labels only, in ``gt_`` and ``ignored_instances``.

    Samples must have the same fields to be mixed with each other.

    Args:
        sample: A labelled or pseudo-labelled sample.
        regression_weight: Weight of its boxes in the box regression; None leaves
            the field out.
    """
    labels = _boxes_and_labels(sample.gt_instances)
    ignored = filled(sample.get('ignored_instances'))
    ignored = _boxes_and_labels(labels[:0] if ignored is None else ignored)
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
    """Boxes and labels alone; boxes to ignore may have no labels."""
    fields = dict(bboxes=get_box_tensor(instances.bboxes))
    if 'labels' in instances:
        fields['labels'] = instances.labels
    return InstanceData(**fields)


def _matrix(source: DetDataSample, target: DetDataSample) -> np.ndarray:
    """The matrix that maps one view of an image to another, ``(3, 3)`` float64."""
    return _homography(target) @ np.linalg.inv(_homography(source))


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
