"""Pictures of detections of several models on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from mmengine.structures import InstanceData

from mmmix.studies.trained.calibration import find_right
from mmmix.studies.trained.images.decoded import Info
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.results.figures import grid
from mmmix.studies.trained.robustness.perturbations import CLEAN, Perturbation
from mmmix.studies.trained.robustness.perturbed_images import PerturbedImages


class Column(NamedTuple):
    """What one picture of a row shows.

    Attributes:
        boxes: ``(n, 4)`` in pixels of the image.
        labels: ``(n,)``.
        scores: ``(n,)``, or None for objects of the data set.
        right: ``(n,)`` bool: a solid frame; dashed otherwise.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None
    right: np.ndarray


class Row(NamedTuple):
    """An image with the columns beside each other.

    Attributes:
        image: ``(H, W, 3)`` uint8 BGR.
        name: Written below the first picture.
        columns: What to draw on its copies.
    """

    image: np.ndarray
    name: str
    columns: list[Column]


def truth_column(objects: InstanceData, ignored: InstanceData) -> Column:
    """The objects of an image; those to ignore have a dashed frame."""
    both = InstanceData.cat([objects, ignored])
    right = np.arange(len(both)) < len(objects)
    return Column(both.bboxes.numpy(), both.labels.numpy(), None, right)


def detection_column(
    detections: InstanceData,
    truth: tuple[InstanceData, InstanceData] | None,
    score_thr: float,
) -> Column:
    """The detections above a score.

    Args:
        detections: ``bboxes``, ``scores`` and ``labels`` on the CPU.
        truth: Objects, and those to ignore; None where they are not known.
        score_thr: Least score.

    Returns:
        Wrong detections, among them second ones of an object, are marked as wrong;
        without the truth none is, and neither are detections of ignored objects.
    """
    shown = detections[detections.scores >= score_thr]
    right = np.ones(len(shown), dtype=bool)
    if truth is not None:
        found, counted = find_right(shown, *truth)
        right = found | ~counted
    boxes, labels, scores = shown.bboxes, shown.labels, shown.scores
    return Column(boxes.numpy(), labels.numpy(), scores.numpy(), right)


def draw(rows: Sequence[Row], titles: Sequence[str], classes: Sequence[str]) -> Figure:
    """Draw images as rows and what was found in them as columns.

    Args:
        rows: The images.
        titles: One per column.
        classes: Names of the labels.
    """
    figure, axes = grid(len(rows), len(titles), 3.2, 3.0)
    for row, panels in zip(rows, axes):
        for panel, column in zip(panels, row.columns):
            panel.imshow(row.image[..., ::-1])
            panel.set(xticks=[], yticks=[])
            _frames(panel, column, classes)
        panels[0].set_xlabel(row.name, fontsize='small')
    for panel, title in zip(axes[0], titles):
        panel.set_title(title)
    return figure


def _frames(panel: Axes, column: Column, classes: Sequence[str]) -> None:
    palette = colormaps['tab10' if len(classes) <= 10 else 'tab20'].colors
    for index, (box, label) in enumerate(zip(column.boxes, column.labels)):
        color = palette[label % len(palette)]
        style = '-' if column.right[index] else '--'
        x1, y1, x2, y2 = box.tolist()
        panel.add_patch(
            Rectangle(
                (x1, y1), x2 - x1, y2 - y1, fill=False, ec=color, ls=style, lw=1.6
            )
        )
        text = classes[label]
        if column.scores is not None:
            text += f' {column.scores[index]:.2f}'
        # Below a wrong one, which often lies on a right one.
        y, side = (y1, 'bottom') if column.right[index] else (y2, 'top')
        panel.text(
            max(x1, 0),
            max(y, 0),
            text,
            fontsize=7,
            color='white',
            va=side,
            bbox=dict(facecolor=color, edgecolor='none', pad=0.8, alpha=0.85),
            clip_on=True,
        )


def perturb(
    images: Sequence[tuple[np.ndarray, Info]],
    perturbations: Sequence[Perturbation],
    detector: LoadedDetector,
) -> list[tuple[np.ndarray, Info, str]]:
    """Each image with each perturbation, as this model's preprocessor has them.

    Args:
        images: ``(H, W, 3)`` uint8 BGR, with their infos.
        perturbations: Those that transform images, which FGSM does not.
        detector: Its mean and standard deviation count where the perturbation is
            one of normalised pixels.

    Returns:
        Images, their infos and what to write below them.
    """
    rows = []
    for image, info in images:
        for perturbation in perturbations:
            made = PerturbedImages([image], [info], perturbation, 0, 'mean')
            name = str(info['img_id'])
            if perturbation != CLEAN:
                name += f', {perturbation}'
            rows.append((made.for_model(detector)[0], info, name))
    return rows


def most_different(right: np.ndarray, count: int) -> list[int]:
    """The images on which models differ most.

    Args:
        right: ``(models, images)`` numbers, such as of right detections.
        count: How many images to take.

    Returns:
        Indices by decreasing range of the numbers, of equal ones the first first.
    """
    spread = right.max(axis=0) - right.min(axis=0)
    return np.argsort(-spread, kind='stable')[:count].tolist()


def numbered(names: Sequence[str]) -> list[str]:
    """The names, with a number behind those that are there several times."""
    return [
        f'{name} #{names[: place + 1].count(name)}' if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]
