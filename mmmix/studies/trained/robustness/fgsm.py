"""Adversarial images by one gradient step (CutMix paper, E.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.models.detectors import SemiBaseDetector
from mmdet.structures import DetDataSample
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmmix.mixing.counters import counted_anew
from mmmix.studies.trained.models.loaded_detector import LoadedDetector


def predict_attacked(
    detector: LoadedDetector,
    images: Sequence[np.ndarray],
    infos: Sequence[Mapping[str, Any]],
    epsilon: float,
    seed: int = 0,
) -> list[DetDataSample]:
    """Detect on images that are attacked with the detector's own gradient.

    One image at a time: the loss of a detector of two stages draws samples for one
    image after the other, and weighs its terms by what all images of a batch have.

    Args:
        detector: The detector.
        images: Each ``(H, W, 3)``, BGR, values in [0, 255].
        infos: Their entries of the data set, with annotations.
        epsilon: Size of the step in grey levels of 255; 8 in the paper.
        seed: Seed of what the loss draws, such as its samples of proposals, for each
            image anew.

    Returns:
        As :func:`mmmix.studies.trained.models.prediction.predict`.
    """
    samples: list[DetDataSample] = []
    for image, info in zip(images, infos):
        batch = pseudo_collate([detector.pack(image, info)])
        data = detector.model.data_preprocessor(batch, False)
        inputs, (sample,) = data['inputs'], data['data_samples']
        target = detector.target(sample, info).to(inputs.device)
        inputs = attack(detector, inputs, [target], epsilon, seed)
        with torch.no_grad():
            found = detector.model(inputs, data['data_samples'], mode='predict')
        samples += [sample.cpu() for sample in found]
    return samples


def attack(
    detector: LoadedDetector,
    inputs: Tensor,
    targets: list[DetDataSample],
    epsilon: float,
    seed: int = 0,
) -> Tensor:
    """Attack images: x + ε sign(∂L/∂x), L the sum of all losses, clipped to pixels.

    The model stays in eval mode: batch norm keeps its statistics. Padding is not
    part of an image and stays as it is.

    Args:
        detector: The detector.
        inputs: ``(N, 3, H, W)``, normalised.
        targets: From the detector's ``target``, in pixels of ``inputs``.
        epsilon: In grey levels of 255, at least 0.
        seed: Seed of what the loss draws.

    Returns:
        The attacked images, as ``inputs``.

    Raises:
        ValueError: If ``epsilon`` is negative, or the model is a teacher with its
            student, whose loss is one of two kinds of batches.
    """
    if isinstance(detector.model, SemiBaseDetector):
        raise ValueError(
            f'{detector.spec} is a teacher with its student and has no loss of a '
            'plain batch; export it: mmmix export CONFIG CHECKPOINT'
        )
    if not epsilon >= 0:
        raise ValueError(f'expected epsilon >= 0, got {epsilon}')
    gradient = _gradient(detector, inputs, targets, seed)
    mean = detector.mean.view(3, 1, 1).to(inputs.device)
    std = detector.std.view(3, 1, 1).to(inputs.device)
    moved = inputs + epsilon / std * gradient.sign()
    moved = moved.clamp((0 - mean) / std, (255 - mean) / std)
    attacked = inputs.clone()
    for image, source, target in zip(attacked, moved, targets):
        height, width = target.metainfo['img_shape'][:2]
        image[:, :height, :width] = source[:, :height, :width]
    return attacked


def _gradient(
    detector: LoadedDetector, inputs: Tensor, targets: list[DetDataSample], seed: int
) -> Tensor:
    """Gradient of the sum of all losses with respect to the inputs."""
    leaf = inputs.detach().clone().requires_grad_()
    devices = [inputs.device] if inputs.device.type == 'cuda' else []
    fork = torch.random.fork_rng(devices)
    with torch.enable_grad(), fork, counted_anew(seed):
        torch.manual_seed(seed)
        losses = detector.losses(leaf, targets)
        loss, _ = detector.model.parse_losses(losses)
        return torch.autograd.grad(loss, leaf)[0]
