"""Classification outputs of a detector, level by level, over many images."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.models.dense_heads import YOLOV3Head
from mmdet.models.detectors import SemiBaseDetector
from mmengine.dataset import pseudo_collate
from numpy.typing import NDArray
from torch import Tensor, nn

from mmmix.studies.trained.flattening import gram_matrix
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.prediction import batches


def classification_maps(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Class logits of all anchors, before softmax or sigmoid.

    They are those of the ``bbox_head`` of a dense detector, or of the RPN of a
    two-stage one. Of YOLOv3, whose maps also hold boxes and objectness, the classes
    alone.

    Args:
        model: A detector; of a teacher, the part that predicts.
        inputs: ``(N, 3, H, W)``, normalised.

    Returns:
        Per level ``(N, channels, h, w)``, or ``(N, anchors, classes, h, w)`` of
        YOLOv3; the finest level, of the smallest anchors, first.

    Raises:
        ValueError: If the detector has no head with a map per level.
    """
    if isinstance(model, SemiBaseDetector):
        model = getattr(model, model.semi_test_cfg.get('predict_on', 'teacher'))
    head = getattr(model, 'bbox_head', None) or getattr(model, 'rpn_head', None)
    outputs = head(model.extract_feat(inputs)) if head is not None else [None]
    maps = outputs[0]
    if not isinstance(maps, (list, tuple)) or any(part.dim() != 4 for part in maps):
        raise ValueError(
            'flattening needs a detector whose bbox_head or rpn_head gives a map of '
            f'class logits per level, such as SSD; got {type(model).__name__} with '
            f'{type(head).__name__}'
        )
    if isinstance(head, YOLOV3Head):
        maps = [part.unflatten(1, (-1, head.num_attrib))[:, :, 5:] for part in maps]
    return sorted(maps, key=lambda part: part.shape[-2] * part.shape[-1], reverse=True)


def level_grams(
    detector: LoadedDetector,
    count: int,
    image: Callable[[int], tuple[np.ndarray, Any]],
    batch_size: int,
    on_progress: Callable[[int], None],
) -> list[NDArray[np.float64]]:
    """Inner products of all images' logits, for each level.

    Logits go through a temporary file: of SSD300 on VOC it takes 0.7 MB an image.

    Args:
        detector: The model.
        count: n images.
        image: Gives an image and its info by index.
        batch_size: Images at a time.
        on_progress: Called with the number of images of each batch.

    Returns:
        Per level ``(n, n)``, see :func:`mmmix.studies.trained.flattening.gram_matrix`.

    Raises:
        ValueError: If images differ in the size in which they reach the detector.
    """
    levels: list[np.memmap] = []
    sizes: set[tuple[int, ...]] = set()
    with tempfile.TemporaryDirectory() as folder:
        for part in batches(count, batch_size):
            packed = [detector.pack(*image(index)) for index in part]
            sizes |= {tuple(item['inputs'].shape[-2:]) for item in packed}
            _check_one(sizes)
            data = detector.model.data_preprocessor(pseudo_collate(packed), False)
            with torch.no_grad():
                maps = classification_maps(detector.model, data['inputs'])
            maps = [m.flatten(1).float() for m in maps]
            if not levels:
                levels = _files(Path(folder), count, [m.shape[1] for m in maps])
            for level, values in zip(levels, maps):
                level[part.start : part.stop] = values.cpu().numpy()
            on_progress(len(part))
        grams = [gram_matrix(level) for level in levels]
        del level, levels  # closed before the folder goes
    return grams


def _files(folder: Path, count: int, widths: Sequence[int]) -> list[np.memmap]:
    return [
        np.memmap(folder / f'{index}.bin', np.float32, 'w+', shape=(count, width))
        for index, width in enumerate(widths)
    ]


def _check_one(sizes: set[tuple[int, ...]]) -> None:
    # Of the images, not of their maps: in a batch all are padded to one size, and the
    # logits of padding would count.
    if len(sizes) > 1:
        raise ValueError(
            'all images must reach the detector in one size, for their logits are '
            'compared anchor by anchor: expected one (height, width), got '
            f'{sorted(sizes)}; give --size WIDTH HEIGHT'
        )
