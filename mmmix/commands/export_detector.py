"""Write a detector as mmdet's own tools read it: stock config, weights of one model.

python tools/model_converters/export_detector.py CONFIG CHECKPOINT

writes CHECKPOINT_detector.pth, and beside it CHECKPOINT_detector.py, its config. Of a
semi-supervised checkpoint it takes the teacher, CHECKPOINT_teacher.pth, or

python tools/model_converters/export_detector.py CONFIG CHECKPOINT --which student

Mix-aware heads, loaders and metrics become the stock ones they derive from, so that
the files need mmdet alone; only EfficientNet-Lite0, which mmdet lacks, needs mmmix
there. Test them by tools/test.py, or

    from mmdet.apis import DetInferencer
    inferencer = DetInferencer('CHECKPOINT_detector.py', 'CHECKPOINT_detector.pth')

With --backbone it takes the backbone out of a classifier's checkpoint instead:

python tools/model_converters/export_detector.py --backbone CHECKPOINT --out FILE.pth

Before anything is written, the detector is built from the new config and has to take
all of the weights.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from mmmix.apis.arguments import Options
from mmmix.apis.checkpoints.fit import saved_metainfo
from mmmix.apis.checkpoints.loading import add_trust_argument, install_safe_loading
from mmmix.apis.checkpoints.resume import existing_checkpoint
from mmmix.apis.configs.config_reading import config_name, read_config
from mmmix.apis.configs.plain_config import has_teacher, plain_config, plain_config_text
from mmmix.apis.run_command import run_command
from mmmix.commands import export_backbone
from mmmix.engine.hooks.teachers.unstarted_teacher import teacher_started
from mmmix.engine.whole_files import save_whole, write_whole
from mmmix.layouts.writing import check_writable

ROLES = ('teacher', 'student')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('config', help='config of the training, or mmmix::NAME.py')
    add('checkpoint', help='checkpoint of the training')
    add(
        '--which',
        choices=ROLES,
        help='of a semi-supervised checkpoint; default: teacher',
    )
    add(
        '--out',
        type=Path,
        metavar='FILE.pth',
        help='where the checkpoint goes, and with the ending .py its config (default: '
        'beside CHECKPOINT)',
    )
    add('--cfg-options', nargs='+', action=Options, metavar='KEY=VALUE')
    add_trust_argument(parser)
    args = parser.parse_args(argv)
    if args.out is not None and args.out.suffix != '.pth':
        parser.error(f'--out expects a file that ends in .pth: {args.out}')
    return args


def role_of(which: str | None, cfg: Config) -> str:
    """Which detector to take: 'teacher', 'student', or the only one, 'detector'.

    Raises:
        ValueError: If one of two is asked for where there is one.
    """
    if has_teacher(cfg):
        return which or 'teacher'
    if which is not None:
        raise ValueError(
            f'--which {which}: {cfg.filename} is the config of one detector, without '
            'teacher and student; leave --which out'
        )
    return 'detector'


def weights_of(role: str, checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The weights of :func:`role_of`, under the names of a plain detector.

    Raises:
        ValueError: If there are none, or the teacher was never started.
    """
    state = checkpoint.get('state_dict', checkpoint)
    prefix = '' if role == 'detector' else f'{role}.'
    weights = {
        name.removeprefix('module.').removeprefix(prefix): value
        for name, value in state.items()
        if name.removeprefix('module.').startswith(prefix)
    }
    if not weights:
        raise ValueError(
            f'the checkpoint has no {role}: expected names that begin with {prefix!r}, '
            f'got {sorted(state)[:3]}, ...; export a plain detector with its own config'
        )
    meta = checkpoint.get('meta', {})
    if role == 'teacher' and not teacher_started(checkpoint):
        raise ValueError(
            f'the checkpoint of iteration {meta.get("iter")} was saved during burn-in, '
            'its teacher has random weights; take a later one, or --which student'
        )
    return weights


def dataset_meta(checkpoint: Mapping[str, Any], cfg: Config) -> dict[str, Any]:
    """Classes and palette: those trained on, else those of the test data."""
    saved = saved_metainfo(checkpoint.get('meta', {}))
    if saved:
        return dict(saved)
    dataset = cfg.test_dataloader.dataset
    stock = getattr(DATASETS.get(dataset.type), 'METAINFO', {})
    return {**stock, **cfg.to_dict()['test_dataloader']['dataset'].get('metainfo', {})}


def check_fit(cfg: Config, weights: Mapping[str, torch.Tensor]) -> None:
    """Build the plain detector and load the weights.

    Raises:
        ValueError: If they do not fit.
    """
    detector = MODELS.build(Config(cfg.to_dict()).model)
    try:
        detector.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]]
        raise ValueError(
            f'config and checkpoint do not belong together: {" ".join(reasons[:3])}'
        ) from error


def write(out: Path, checkpoint: Mapping[str, Any], text: str) -> None:
    """Write both files, each in one step."""
    out.parent.mkdir(parents=True, exist_ok=True)
    save_whole(out, checkpoint)
    write_whole(out.with_suffix('.py'), text.encode())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Raises:
        FileNotFoundError: If the config or the checkpoint is missing.
        OSError: If ``--out`` cannot be written.
        ValueError: If they do not fit, or the checkpoint is unsafe.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    if '--backbone' in argv:
        argv.remove('--backbone')
        export_backbone.main(argv)
        return
    args = parse_args(argv)
    cfg = read_config(args.config, args.cfg_options)
    role = role_of(args.which, cfg)
    stem = Path(args.checkpoint).with_suffix('')
    out = args.out or stem.with_name(f'{stem.name}_{role}.pth')
    check_writable([out, out.with_suffix('.py')])
    path = existing_checkpoint(args.checkpoint)
    with install_safe_loading(args.trust_checkpoint):
        loaded = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    weights = weights_of(role, loaded)
    plain = plain_config(cfg)
    check_fit(plain, weights)
    source = f'{config_name(args.config)}, {Path(path).name}'
    text = plain_config_text(plain, f'The {role} of {source}.')
    meta = dict(dataset_meta=dataset_meta(loaded, cfg), cfg=text, exported_from=source)
    write(out, dict(meta=meta, state_dict=weights), text)
    print(f'{role}: {out} and {out.with_suffix(".py")}')


def run() -> None:
    """Run the command as a program."""
    run_command(main, quiet=True)


if __name__ == '__main__':
    run()
