"""Save pictures of the mixed batches that a config really trains on.

Loads batches with the config's own train_dataloader and passes them through its
data preprocessor, so mixers in the pipeline and in batch_augments both show.
Boxes are coloured by component (green: the image itself, red: its partner) and
carry the component's weight. Batches of several branches, as teachers have, are
drawn branch by branch; what a teacher mixes later is shown by TeacherPreviewHook.
Boxes that CutMix clipped carry the share of them that is visible.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmcv
from mmdet.registry import MODELS
from mmengine.logging import MessageHub
from mmengine.runner import set_random_seed
from torch import nn

from mmmix.apis.arguments import COUNT, SEED, Options
from mmmix.apis.cli import add_mix_arguments, check_complete
from mmmix.apis.configs.config_reading import check_detects, read_config
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.run_command import run_command
from mmmix.studies.speed.synthetic import values_of
from mmmix.studies.speed.training_step import ConfigBatches
from mmmix.visualization import DrawingGuard, class_names, draw_branches


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of a config, or mmmix::NAME.py')
    parser.add_argument(
        '--output-dir',
        help="default: browse_mix in the config's work_dir",
    )
    parser.add_argument(
        '--num-batches', type=COUNT, default=4, help='(default: %(default)s)'
    )
    parser.add_argument(
        '--max-images',
        type=COUNT,
        default=8,
        help='of each batch (default: %(default)s)',
    )
    parser.add_argument('--seed', type=SEED, default=0, help='(default: %(default)s)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='change settings of the config, e.g. train_dataloader.batch_size=4',
    )
    add_mix_arguments(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the first batches of a config."""
    args = parse_args(argv)
    cfg = read_config(args.config, args.cfg_options, args.mix, args.mix_options)
    check_detects(
        cfg,
        'mmmix check counts the labels of a batch that are mixed, mmmix alignment '
        'draws what AlignMixup carries, mmmix cams where a classifier looks',
    )
    check_complete(cfg, ['train_dataloader'])
    check_dataset_paths(cfg, ('train',))
    folder = Path(args.output_dir or f'{cfg.work_dir}/browse_mix')
    # The model itself is not needed, and may want weights to be downloaded.
    preprocessor = MODELS.build(next(values_of(cfg.model, 'data_preprocessor')))
    # LevelMixDetector mixes after its preprocessor.
    mixer = MODELS.build(cfg.model.mixer) if 'mixer' in cfg.model else None
    # Augmentations draw from the global generators, mixers from the counters below.
    set_random_seed(args.seed)
    batches = ConfigBatches(cfg, seed=args.seed)
    hub = MessageHub.get_current_instance()
    hub.update_info('seed', args.seed)
    guard = DrawingGuard('browse_mix')
    for index in range(args.num_batches):
        hub.update_info('iter', index)
        data = preprocessor(batches(index), training=True)
        if mixer is not None:
            mixed = mixer(data['inputs'], data['data_samples'])
            data = dict(zip(('inputs', 'data_samples'), mixed))
        if not guard(save_pictures, preprocessor, data, batches, args, folder, index):
            print(f'[{index + 1}/{args.num_batches}] could not be drawn')


def save_pictures(
    preprocessor: nn.Module,
    data: dict[str, Any],
    batches: ConfigBatches,
    args: argparse.Namespace,
    folder: Path,
    index: int,
) -> None:
    """Draw a batch, each of its branches, and say where the pictures are."""
    pictures = draw_branches(
        preprocessor,
        data,
        classes=class_names(batches.metainfo),
        max_images=args.max_images,
    )
    for name, picture in pictures.items():
        path = folder / f'batch_{index}{"_" * bool(name)}{name}.png'
        mmcv.imwrite(mmcv.rgb2bgr(picture), str(path))
        print(f'[{index + 1}/{args.num_batches}] {path}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
