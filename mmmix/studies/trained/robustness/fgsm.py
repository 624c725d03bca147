"""Adversarial images by one gradient step (CutMix paper, E.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.models.detectors import SemiBaseDetector
from mmdet.structures import DetDataSample
from torch import Tensor

from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.prediction import batches


def predict_attacked(
    detector: LoadedDetector,
    images: Sequence[np.ndarray],
    infos: Sequence[Mapping[str, Any]],
    epsilon: float,
    batch_size: int = 16,
    seed: int = 0,
) -> list[DetDataSample]:
    """Detect on images that are attacked with the detector's own gradient.

    Args:
        detector: The detector.
        images: Each ``(H, W, 3)``, BGR, values in [0, 255].
        infos: Their entries of the data set, with annotations.
        epsilon: Size of the step in grey levels of 255; 8 in the paper.
        batch_size: Images at a time.
        seed: Seed of what the loss draws, such as its samples of proposals.

    Returns:
        As :func:`mmmix.studies.trained.models.prediction.predict`.
    """
    samples: list[DetDataSample] = []
    for part in batches(len(images), batch_size):
        packed = [detector.pack(images[i], infos[i]) for i in part]
        data = {key: [item[key] for item in packed] for key in packed[0]}
        data = detector.model.data_preprocessor(data, False)
        inputs = data['inputs']
        targets = [
            detector.target(sample, infos[i]).to(inputs.device)
            for sample, i in zip(data['data_samples'], part)
        ]
        inputs = attack(detector, inputs, targets, epsilon, seed)
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
    with torch.enable_grad(), torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        losses = detector.losses(leaf, targets)
        loss, _ = detector.model.parse_losses(losses)
        return torch.autograd.grad(loss, leaf)[0]
