r"""Save pictures of what AlignMix carries from one image to another.

Loads training batches of a config with AlignMix and passes them through its
preprocessor, backbone and neck. A row of a picture is a pair: the image with some of
its cells marked, its partner with the cells that their content comes from, the
partner's pixels carried to the image's grid, and both mixed, with the share of the
partner's objects in red. The model itself mixes features, not pixels; the pixels
show where they come from.

Of a classifier (AlignMixClassifier) the maps of the backbone's last stage are aligned.
The marked cells lie all over the image then, and nothing is red: a label is of a whole
image.

A checkpoint of any method of the same model will do, since AlignMix has its
state-dict keys. Without one the weights are random, and so are the features.

Example:
    python tools/analysis_tools/browse_alignment.py \
        configs/demo/ssd_digits_alignmix.py \
        --checkpoint work_dirs/ssd_digits/epoch_30.pth
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.logging import MessageHub
from mmengine.model import revert_sync_batchnorm
from mmengine.runner import load_checkpoint, set_random_seed
from torch import nn

from mmmix.apis.arguments import COUNT, SEED, Options, add_device_argument
from mmmix.apis.checkpoints.loading import add_trust_argument, install_safe_loading
from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.run_command import run_command
from mmmix.engine.find_mixers import ALIGNED, is_called
from mmmix.layouts.writing import check_writable
from mmmix.models import AlignMix
from mmmix.models.alignmix.fields import MIX_PARTNER, MIX_SIZES, TRANSPORT
from mmmix.structures import get_mix_weights
from mmmix.studies.speed.training_step import ConfigBatches
from mmmix.visualization import DrawingGuard
from mmmix.visualization.draw_alignment import AlignedImages, draw_alignment
from mmmix.visualization.draw_mix import three_channels


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('config', help='path of a config with AlignMix, or mmmix::NAME.py')
    add('--checkpoint', help='trained weights; random ones without it')
    add(
        '--out',
        type=Path,
        help="default: browse_alignment in the config's work_dir",
    )
    add('--num-batches', type=COUNT, default=2, help='(default: %(default)s)')
    add('--max-images', type=COUNT, default=4, help='of each batch (default: 4)')
    add('--probes', type=COUNT, default=4, help='marked cells per image (default: 4)')
    add('--batch-size', type=COUNT, help="default: the config's own")
    add('--seed', type=SEED, default=0, help='(default: %(default)s)')
    add_device_argument(parser)
    add_trust_argument(parser)
    add('--cfg-options', nargs='+', action=Options, metavar='KEY=VALUE')
    return parser.parse_args(argv)


def build_model(cfg: Any, args: argparse.Namespace) -> nn.Module:
    """The config's detector, or classifier, with its weights, in eval mode.

    Raises:
        ValueError: If the config has another model.
    """
    drop_pretrained(cfg, warn=False)
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    if not isinstance(model, AlignMix) and not is_called(model, ALIGNED):
        raise ValueError(
            f"{args.config} expects model.type='AlignMix', got {type(model).__name__} "
            f'(of a classifier {ALIGNED!r}); take a config whose name ends in '
            '_alignmix'
        )
    model.init_weights()
    if args.checkpoint:
        with install_safe_loading(args.trust_checkpoint):
            load_checkpoint(model, args.checkpoint, map_location='cpu', strict=True)
    return model.to(args.device).eval()


@torch.no_grad()
def align_batch(model: AlignMix, data: dict[str, Any]) -> list[AlignedImages]:
    """The pairs of a preprocessed batch, with their plans and RGB pixels."""
    inputs, samples = data['inputs'], data['data_samples']
    size = tuple(inputs.shape[2:])
    aligned = model.align(model.extract_feat(inputs), samples, size)
    preprocessor = model.data_preprocessor
    pixels = (inputs * preprocessor.std + preprocessor.mean).cpu() / 255
    pixels = three_channels(pixels)
    if not getattr(preprocessor, '_channel_conversion', False):
        pixels = pixels.flip(1)
    result = []
    for index, sample in enumerate(aligned.transports(samples, size)):
        meta, instances = sample.metainfo, sample.gt_instances
        if TRANSPORT not in meta:
            continue
        boxes = [instances.bboxes[instances.mix_ids == k].cpu() for k in range(2)]
        own, other = (
            image[:, : shape[0], : shape[1]]
            for image, shape in zip(
                (pixels[index], pixels[meta[MIX_PARTNER]]), meta[MIX_SIZES]
            )
        )
        result.append(_on_one_canvas(own, other, boxes, meta, size))
    return result


def _on_one_canvas(
    own: torch.Tensor,
    other: torch.Tensor,
    boxes: list[torch.Tensor],
    meta: dict[str, Any],
    size: tuple[int, int],
) -> AlignedImages:
    """Both images in the frame of the batch, white outside."""
    frames = []
    for image in (own, other):
        frame = torch.ones(3, *size)
        frame[:, : image.shape[1], : image.shape[2]] = image
        frames.append(frame)
    transport = meta[TRANSPORT]
    transport = transport._replace(plan=transport.plan.cpu())
    return AlignedImages(
        tuple(frames), tuple(boxes), get_mix_weights(meta)[0], transport
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the pairs of the first batches of a config."""
    args = parse_args(argv)
    cfg = read_config(args.config, args.cfg_options)
    check_dataset_paths(cfg, ('train',))
    folder = args.out or Path(cfg.work_dir, 'browse_alignment')
    check_writable([folder / 'picture'])
    folder.mkdir(parents=True, exist_ok=True)
    set_random_seed(args.seed)
    model = build_model(cfg, args)
    batches = ConfigBatches(cfg, args.batch_size, seed=args.seed)
    hub = MessageHub.get_current_instance()
    hub.update_info('seed', args.seed)
    guard = DrawingGuard('browse_alignment')
    align = _aligner(model, cfg)
    for index in range(args.num_batches):
        hub.update_info('iter', index)
        data = model.data_preprocessor(batches(index), training=True)
        path = folder / f'batch_{index}.png'
        drawn = guard(save_picture, align, data, args, path)
        print(f'[{index + 1}/{args.num_batches}] {path if drawn else "not drawn"}')


def _aligner(
    model: nn.Module, cfg: Any
) -> Callable[[dict[str, Any]], list[AlignedImages]]:
    """What gives the pairs of a preprocessed batch."""
    if isinstance(model, AlignMix):
        return partial(align_batch, model)
    # Here and not above: this needs mmpretrain, and the command's --help does not.
    from mmmix.classification.aligned_images import align_images

    # What a data set holds decoded, as CIFAR's do, is RGB; files are read as BGR.
    held = 'LoadImage' not in str(cfg.train_dataloader)
    return partial(align_images, model, rgb=model.data_preprocessor.to_rgb or held)


def save_picture(
    align: Callable[[dict[str, Any]], list[AlignedImages]],
    data: dict[str, Any],
    args: argparse.Namespace,
    path: Path,
) -> None:
    """Draw the pairs of a preprocessed batch."""
    pairs = align(data)[: args.max_images]
    draw_alignment(pairs, args.probes).savefig(path, dpi=130)


def run() -> None:
    """Run the command as a program."""
    run_command(main, quiet=True)


if __name__ == '__main__':
    run()
