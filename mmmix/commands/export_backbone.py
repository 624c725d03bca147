"""Take the backbone out of a classifier's checkpoint, for detectors to start from.

mmmix export --backbone work_dirs/r50_imagenet_cutmix/epoch_300.pth \
    --out checkpoints/resnet50_cutmix.pth

writes a state dict with torchvision's names, which the *_cutmix-pretrained configs load
from that place, and any config of mmdet by

    model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint=FILE

It needs no mmpretrain.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import CheckpointLoader

from mmmix.apis.checkpoints.loading import add_trust_argument, install_safe_loading
from mmmix.apis.checkpoints.resume import existing_checkpoint
from mmmix.engine.whole_files import save_whole
from mmmix.layouts.writing import check_writable

PREFIX = 'backbone.'

NAMES = ('conv1.weight', 'bn1.weight', 'layer1.0.conv1.weight', 'layer4.0.bn1.weight')
"""Some of the names that a ResNet has in torchvision, mmpretrain and mmdet alike."""

_SHARED = re.compile(
    r'(conv1|bn1|layer[1-4]\.\d+\.(conv[123]|bn[123]|downsample\.[012]))\.[a-z_]+'
)
_STEM = 7
"""Side of the first convolution of detectors' ResNets."""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmmix export --backbone',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('checkpoint', type=Path, help='of a classifier with a ResNet')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE.pth',
        help='default: CHECKPOINT_backbone.pth',
    )
    add_trust_argument(parser)
    args = parser.parse_args(argv)
    if args.out is None:
        name = f'{args.checkpoint.stem}_backbone.pth'
        args.out = args.checkpoint.with_name(name)
    if args.out.suffix != '.pth':
        parser.error(f'--out expects a file that ends in .pth: {args.out}')
    return args


def backbone_weights(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The weights of a classifier's backbone, under the backbone's own names.

    Args:
        checkpoint: With ``state_dict``, or a state dict itself.

    Raises:
        ValueError: If there is no backbone, or it is no ResNet whose names detectors
            share.
    """
    state = checkpoint.get('state_dict', checkpoint)
    plain = {name.removeprefix('module.'): value for name, value in state.items()}
    weights = {
        name.removeprefix(PREFIX): value
        for name, value in plain.items()
        if name.startswith(PREFIX)
    }
    if not weights:
        raise ValueError(
            f'the checkpoint has no backbone: expected names with {PREFIX!r} before '
            f'them, got {sorted(plain)[:3]}, ...; take one of mmpretrain'
        )
    missing = [name for name in NAMES if name not in weights]
    if missing:
        raise ValueError(
            f'the backbone has no {missing[0]} and is no ResNet as detectors have it '
            f'(it has {sorted(weights)[:3]}, ...): detectors could not load it. Export '
            'a classifier with mmpretrain.ResNet, such as r50_imagenet_cutmix'
        )
    _check_shared(weights)
    return weights


def _check_shared(weights: Mapping[str, torch.Tensor]) -> None:
    """Make sure that detectors have a place for each weight of a ResNet.

    They drop what they have no place for, with no more than a line in the log.

    Raises:
        ValueError: If they have not, as for SEResNet and ResNet_CIFAR.
    """
    odd = [name for name in weights if not _SHARED.fullmatch(name)]
    if odd:
        raise ValueError(
            f'the backbone has {odd[0]} ({len(odd)} such weights), which the ResNet of '
            'detectors has not: they would drop it, and compute other features. Export '
            'a classifier with mmpretrain.ResNet, such as r50_imagenet_cutmix'
        )
    shape = tuple(weights['conv1.weight'].shape)
    if shape[2:] != (_STEM, _STEM) and not _is_regnet(weights):
        raise ValueError(
            f'conv1.weight of the backbone is {shape}, and that of detectors has '
            f'{_STEM} x {_STEM} cells: they would drop it. Export a classifier with '
            'mmpretrain.ResNet, not ResNet_CIFAR'
        )


def _is_regnet(weights: Mapping[str, torch.Tensor]) -> bool:
    """Whether weights are those of a RegNet, which detectors have with the same names.

    Its blocks end as wide as they begin, where those of a ResNet end four times so.
    """
    first, last = (weights.get(f'layer1.0.conv{k}.weight') for k in (1, 3))
    return first is not None and last is not None and len(first) == len(last)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        OSError: If ``--out`` cannot be written.
        ValueError: If it is unsafe or damaged, or has no such backbone.
    """
    args = parse_args(argv)
    check_writable([args.out])
    path = existing_checkpoint(str(args.checkpoint))
    with install_safe_loading(args.trust_checkpoint):
        loaded = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    weights = backbone_weights(loaded)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    meta = dict(exported_from=Path(path).name)
    save_whole(args.out, dict(meta=meta, state_dict=weights))
    print(f'backbone of {len(weights)} tensors: {args.out}')
