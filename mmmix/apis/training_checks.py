"""Whether a run trains at all, and mixes and supervises as its config says."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmdet.models.detectors import SemiBaseDetector
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from mmmix.apis.classifier_mixing import check_mixed_labels
from mmmix.apis.configs.written import written
from mmmix.apis.data_checks import (
    check_batches,
    check_epochs_end,
    warn_of_plain_draws,
)
from mmmix.datasets.samplers import check_source_batches
from mmmix.engine.described_mixers import placed_mixers
from mmmix.engine.find_mixers import (
    find_batch_mixers,
    find_image_mixers,
    label_mixers,
)
from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.models.alignmix import AlignMix, PairBatch
from mmmix.models.batch_augments import BatchMixer
from mmmix.models.detectors import LossMixDetector
from mmmix.models.loss_terms import check_separable
from mmmix.models.loss_weights import counting_parts

from .mixer_fit import check_own, check_packed, check_parts


def check_training(runner: Runner) -> None:
    """Refuse what a training would find out late, or never.

    Args:
        runner: A Runner that is about to train; this builds its data loaders.

    Raises:
        ValueError: If data never end or make no batch, or mixers and heads do not fit;
            with the key to set.
    """
    check_epochs_end(runner, ('train', 'val'))
    check_batches(runner)
    check_source_batches(runner.train_loop.dataloader)
    warn_of_plain_draws(runner)
    check_mixing(runner)


def check_mixing(runner: Runner, training: bool = True) -> None:
    """Compare the mixers of a built model with its heads, and ``mix`` with both.

    Args:
        runner: A Runner built from a config.
        training: Whether the run trains. Then mixers are also looked for in the
            training data, which this builds, and a batch of one is warned about.

    Raises:
        ValueError: If a head would not read what a mixer stamps, or wants other boxes
            than it leaves, a classifier's would lose λ, a pipeline packs without λ,
            or ``mix`` is used by nothing or was redefined without effect; with the
            key to set.
    """
    model = unwrapped_model(runner)
    mixers = find_batch_mixers(model)
    if training:
        check_mixed_labels(model)
        mixers = [*mixers, *find_image_mixers(runner.train_dataloader.dataset)]
    detector = model.student if isinstance(model, SemiBaseDetector) else model
    if mixers:
        check_parts(detector, mixers)
    for mixer in mixers:
        _check_read(detector, mixer, runner.cfg)
    owned = _check_owned(detector, mixers)
    if training and (owned or any(m.supervision.weighs == 'images' for m in mixers)):
        _warn_of_counts(detector)
    if training and (owned or any(m.supervision.weighs != 'nothing' for m in mixers)):
        check_packed(runner.train_dataloader.dataset)
    if runner.cfg.get('mix') is not None:
        _check_mix(runner.cfg)
    if training and find_batch_mixers(model):
        _warn_batch_of_one(runner.cfg, ', or mix in the dataset with MixImage')
    elif training and label_mixers(model):
        _warn_batch_of_one(runner.cfg)


def _check_read(detector: nn.Module, mixer: Any, cfg: Config) -> None:
    """Make sure that what a mixer stamps is read by every head with a loss.

    Raises:
        ValueError: With the head, and what to take instead.
    """
    supervision = mixer.supervision
    name = type(mixer).__name__
    if isinstance(mixer, PairBatch) and not isinstance(detector, AlignMix):
        raise ValueError(
            f'{name} leaves pixels alone, for AlignMix to mix features, and the '
            f'detector is a {type(detector).__name__}; wrap it, or take MixBatch'
        )
    if supervision.weighs == 'nothing':
        return
    if isinstance(detector, LossMixDetector):
        detector.check_weighs(supervision)
        _check_shared(mixer, cfg)
        if supervision.separates:
            check_separable(detector)
        return
    for key, head in list(_loss_heads(detector)) or [('model', detector)]:
        if not getattr(head, 'honours_box_weights', False):
            raise ValueError(
                f'{name} stamps its samples with {supervision}, and {key}, a '
                f'{type(head).__name__}, does not read it: it would train on the union '
                'of all boxes. Take the mix-aware head (MixSSDHead, MixRetinaHead, '
                'MixRPNHead, MixStandardRoIHead with MixShared2FCBBoxHead, '
                'MixYOLOV3Head), or wrap the detector: '
                "model=dict(type='LossMixDetector', detector=...); --mix NAME does "
                'either by itself'
            )
        if hasattr(head, 'check_weighs') and head.supervision is None:
            head.check_weighs(supervision)


def _warn_of_counts(detector: nn.Module) -> None:
    """Say so where passes of components change what the next one's loss is."""
    counting = counting_parts(detector)
    if counting:
        print_log(
            f'{" and ".join(counting)}: they go by counts of what they have seen, to '
            'which each component of a mixed image adds in full, whatever it weighs. '
            'The loss differs from the weighted sum by it, most at the start',
            logger='current',
            level=logging.WARNING,
        )


def _check_owned(detector: nn.Module, mixers: Sequence[Any]) -> bool:
    """Check supervisions of heads against all mixers; whether one of them weighs.

    Raises:
        ValueError: With the head's key.
    """
    heads = [('model', detector)]
    if not isinstance(detector, LossMixDetector):
        heads = list(_loss_heads(detector))
    owned = [
        (f'{key}.supervision', head.supervision)
        for key, head in heads
        if getattr(head, 'supervision', None) is not None
    ]
    for key, own in owned:
        for mixer in mixers:
            check_own(key, own, mixer)
    return any(own.weighs != 'nothing' for _, own in owned)


def _loss_heads(detector: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The parts of a detector that have a loss, with their keys in the config."""
    for key, part in detector.named_children():
        parts = part if isinstance(part, nn.ModuleList) else [part]
        for index, one in enumerate(parts):
            if hasattr(one, 'loss'):
                yield f'model.{key}' if one is part else f'model.{key}[{index}]', one


def _check_shared(mixer: Any, cfg: Config) -> None:
    """A wrapped detector weighs whole losses.

    Raises:
        ValueError: If images of a batch may differ in their weights.
    """
    in_batches = isinstance(mixer, BatchMixer)
    if in_batches and mixer.lam_per == 'batch':
        return
    if not in_batches and _batch_size(cfg) == 1:
        return
    name = type(mixer).__name__
    fix = f"set lam_per='batch' in {name}"
    if not in_batches:
        fix = (
            f'{name} draws λ for each image, so take '
            f"type='{name.replace('Image', 'Batch')}' with lam_per='batch' in "
            'model.data_preprocessor.batch_augments, or train_dataloader.batch_size=1'
        )
    raise ValueError(
        'LossMixDetector weighs whole losses, so the images of a batch must share '
        f'their weights: {fix}'
    )


def _batch_size(cfg: Config) -> int:
    """Images of a step of one process."""
    return cfg.get('train_dataloader', {}).get('batch_size', 1)


def _check_mix(cfg: Config) -> None:
    """Raise if ``mix`` was never placed, or was redefined without effect.

    A place may hold something else than the base says; that is how it is changed.

    Raises:
        ValueError: With the line that puts it in place.
    """
    placed = [mixer.settings for mixer in placed_mixers(cfg)]
    fix = 'model=dict(data_preprocessor=dict(batch_augments=[_base_.mix]))'
    if not placed:
        raise ValueError(
            f'the config defines `mix`, but nothing uses it. Put it in place: {fix}; '
            'or set mix = None'
        )
    if any(_holds(mixer, cfg.mix) for mixer in placed) or not _in_vain(cfg):
        return
    raise ValueError(
        f'`mix` was redefined in {cfg.filename} or by --cfg-options, which has no '
        f'effect: the mixer in place is {dict(placed[0])}. Do not redefine it, set '
        f'{fix.replace("_base_.mix", written(cfg.mix, width=math.inf))}'
    )


def _holds(mixer: Mapping, mix: Mapping) -> bool:
    """Whether a mixer has all settings of ``mix``, and perhaps more."""
    return all(mixer.get(key) == value for key, value in mix.items())


def _in_vain(cfg: Config) -> bool:
    """Whether options or a file changed ``mix`` and left what is in place."""
    if not cfg.filename:
        return False
    written = Config.fromfile(cfg.filename).get('mix')
    return written != cfg.mix or _file_in_vain(cfg.filename)


def _file_in_vain(path: str) -> bool:
    """The same for a config file and all of its bases.

    A base without a model, such as one method built on another, places nothing.
    """
    cfg = Config.fromfile(path)
    if cfg.get('mix') is None:
        return False
    bases = [
        Config._get_cfg_path(base, path)[0] for base in Config._get_base_files(path)
    ]
    if any(_file_in_vain(base) for base in bases):
        return True
    before = [found for base in bases if (found := Config.fromfile(base).get('mix'))]
    placed = [mixer.settings for mixer in placed_mixers(cfg)]
    changed = bool(before) and cfg.mix not in before
    return changed and bool(placed) and not any(_holds(m, cfg.mix) for m in placed)


def _warn_batch_of_one(cfg: Config, other: str = '') -> None:
    """A batch of one has nothing to mix with."""
    if _batch_size(cfg) == 1:
        print_log(
            'A mixer mixes within a batch, and train_dataloader.batch_size is 1: '
            f'nothing will be mixed. Raise it{other}',
            logger='current',
            level=logging.WARNING,
        )
