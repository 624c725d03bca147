"""Save pictures of where a classifier looks, with boxes.

python tools/analysis_tools/browse_cam.py CONFIG@CHECKPOINT --out work_dirs/cams

A picture is an image as the network sees it, and its class activation map on it, of the
predicted class: annotated boxes in green, the box of the map in red. Its name has the
predicted and the true class. It takes configs with CAMHead, on any of their data.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
import torch

from mmmix.apis.arguments import COUNT, add_device_argument, argument
from mmmix.apis.checkpoints.loading import add_trust_argument
from mmmix.apis.run_command import run_command
from mmmix.layouts.writing import check_writable
from mmmix.studies.trained.images.splits import SPLITS, build_split
from mmmix.studies.trained.models.arguments import parse_model
from mmmix.studies.trained.models.loaded_classifier import LoadedClassifier
from mmmix.studies.trained.models.loading import load_detector


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('model', type=argument(parse_model), metavar='CONFIG@CHECKPOINT')
    add('--out', type=Path, required=True, metavar='DIR', help='folder of the pictures')
    add('--split', choices=SPLITS, default='test', help='default: test')
    add('--count', type=COUNT, default=20, help='evenly over the images (default: 20)')
    add('--sigma', type=float, default=0.15, help='of the maximum (default: 0.15)')
    add_device_argument(parser)
    add_trust_argument(parser)
    args = parser.parse_args(argv)
    if not 0 <= args.sigma < 1:
        parser.error(f'--sigma must lie in [0, 1), got {args.sigma}')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Raises:
        FileNotFoundError: If the config, the checkpoint or the data are missing.
        OSError: If ``--out`` cannot be written to.
        ValueError: If the model is no classifier with ``CAMHead``.
    """
    args = parse_args(argv)
    check_writable([args.out / 'picture'])
    model = load_detector(args.model, args.device, trust=args.trust_checkpoint)
    if not isinstance(model, LoadedClassifier):
        raise ValueError(f'{args.model} is a detector; give a classifier with CAMHead')
    # Here and not above: this needs mmpretrain, and the command's --help does not.
    from mmmix.classification.localization.draw_cam import draw_cam
    from mmmix.classification.models.cam_head import PRED_CAM

    dataset = build_split(model, args.split)
    classes = model.classes or dataset.metainfo['classes']
    count = min(args.count, len(dataset))
    args.out.mkdir(parents=True, exist_ok=True)
    for index in np.linspace(0, len(dataset) - 1, count).round().astype(int):
        info = dataset.get_data_info(int(index))
        packed = model.pack(model.read_image(info), info)
        batch = {key: [value] for key, value in packed.items()}
        with torch.no_grad():
            (sample,) = model.model.test_step(batch)
        if PRED_CAM not in sample:
            raise ValueError(
                f"{args.model.config} keeps no maps: give it head=dict(type='CAMHead') "
                'and neck=None'
            )
        pixels = packed['inputs'].permute(1, 2, 0).contiguous().numpy()
        cam = sample.get(PRED_CAM).cpu().numpy()
        picture = draw_cam(pixels, cam, sample.get('gt_bboxes'), args.sigma)
        names = [classes[int(label)] for label in (sample.pred_label, info['gt_label'])]
        mmcv.imwrite(
            picture, str(args.out / f'{index:05}_{names[0]}_is_{names[1]}.png')
        )
    print(f'{count} pictures: {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
