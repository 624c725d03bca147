"""One batch of a config through its model, as a training would do it."""

from __future__ import annotations

import copy
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint
from mmengine.runner.checkpoint import load_from_local
from torch import nn

from mmmix.apis.checkpoints.fit import watched
from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.apis.checkpoints.pretrained import drop_pretrained, named_weights
from mmmix.apis.cli import build_runner
from mmmix.apis.configs.building_errors import told_with_key
from mmmix.apis.plain_errors import text_of
from mmmix.apis.training_checks import check_training
from mmmix.engine.find_mixers import ALIGNED, find_batch_mixers, label_mixers
from mmmix.engine.hooks import ClassCountHook, MixTeacherHook
from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.models.teachers import TeacherProgress
from mmmix.structures import MIX_WEIGHTS

from .finding import FAULT, OK, RAISED, WARNING, Finding
from .words import Words, words_of

try:
    import resource
except ModuleNotFoundError:  # on Windows
    resource = None


def build_model(cfg: Config, folder: str) -> tuple[Runner | None, list[Finding]]:
    """Build the Runner of a config with random weights, as a training would draw them.

    A layer may leave its weights to ``init_weights``, SSD's ``L2Norm`` for one: until
    then they are what its memory last held.

    Args:
        cfg: Stays as it is.
        folder: Takes the log.
    """
    cfg = copy.deepcopy(cfg)
    drop_pretrained(cfg, warn=False)
    cfg.work_dir = folder
    cfg.log_level, cfg.resume = 'ERROR', False
    if isinstance(cfg.get('visualizer'), dict):
        # One of the same name would write to the folder of an earlier Runner.
        cfg.visualizer.name = folder
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(key):
            cfg[key].num_workers, cfg[key].persistent_workers = 0, False
            cfg[key].pop('prefetch_factor', None)
    try:
        with told_with_key(cfg):
            runner = build_runner(cfg)
        model = unwrapped_model(runner)
        if hasattr(model, 'init_weights'):
            model.init_weights()
        return runner, []
    except RAISED as error:
        return None, [Finding(FAULT, 'config', text_of(error))]


def check_batch(runner: Runner) -> Iterator[Finding]:
    """Load one batch, mix it, and compute the loss and its gradient once.

    With a teacher twice: as its training begins, and with all that comes after the
    burn-in.
    """
    start = time.perf_counter()
    try:
        ClassCountHook().before_train_epoch(runner)
        check_training(runner)
        runner.model.train()
        data = next(iter(runner.train_loop.dataloader))
        teachers = [hook for hook in runner.hooks if isinstance(hook, MixTeacherHook)]
        for hook in teachers:  # a teacher's loss asks how far it is
            hook.before_train(runner)
            hook.before_train_iter(runner, 0, data)
        data = runner.model.data_preprocessor(data, True)
        terms = {'loss': _step(runner.model, copy.deepcopy(data))}
        for hook in teachers:
            if hook.burn_in:
                unwrapped_model(runner).set_progress(
                    TeacherProgress(hook.burn_in, hook.burn_in)
                )
                name = f'loss, from iteration {hook.burn_in} on'
                terms[name] = _step(runner.model, copy.deepcopy(data))
    except RAISED as error:
        yield Finding(FAULT, 'batch', text_of(error))
        return
    took = time.perf_counter() - start
    for name, values in terms.items():
        yield from _losses(name, values, words_of(runner.cfg))
    yield from _mixed(runner.model, data)
    yield Finding(OK, 'batch', f'{took:.1f} s for one{_memory()}')


def _step(model: nn.Module, data: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The terms of the loss of a batch, of which the gradient is computed, too."""
    total, terms = model.parse_losses(model(**data, mode='loss'))
    total.backward()
    return terms


def _losses(
    name: str, terms: dict[str, torch.Tensor], words: Words
) -> Iterator[Finding]:
    """Whether all terms are finite, and one is not 0."""
    text = ', '.join(f'{term} {value.item():.3g}' for term, value in terms.items())
    if not any(bool(value.any()) for value in terms.values()):
        yield Finding(
            WARNING,
            name,
            f'exactly 0, so that nothing is learned: {text}',
            words.zero_loss,
        )
    elif all(bool(torch.isfinite(value).all()) for value in terms.values()):
        yield Finding(OK, name, text)
    else:
        yield Finding(
            FAULT,
            name,
            f'not finite in the first batch: {text}',
            words.infinite_loss,
        )


def _mixed(model: nn.Module, data: dict[str, Any]) -> Iterator[Finding]:
    """How many samples were mixed."""
    samples = data['data_samples']
    if not find_batch_mixers(model):
        yield Finding(OK, 'mixing', _mixed_labels(model, samples))
        return
    if isinstance(samples, dict):
        yield Finding(OK, 'mixing', 'a teacher mixes inside its own step')
        return
    # Not in the preprocessor, but in the loss, whose batch nobody else sees.
    if not find_batch_mixers(model.data_preprocessor):
        text = f'{type(model).__name__} mixes inside its own step'
        yield Finding(OK, 'mixing', text)
        return
    count = sum(MIX_WEIGHTS in sample.metainfo for sample in samples)
    yield Finding(
        OK if count else WARNING,
        'mixing',
        f'{count} of {len(samples)} samples of the first batch are mixed',
        ''
        if count
        else 'look at prob and fraction of the mixer, and at the batch size',
    )


def _mixed_labels(model: nn.Module, samples: Any) -> str:
    """What mixes in a model without a mixer of detectors; a classifier has others."""
    names = label_mixers(model)
    if names == [ALIGNED]:
        return f'{ALIGNED} mixes inside its own step'
    if not names:
        return 'no mixer of batches in this config'
    scores = [sample.gt_score for sample in samples if 'gt_score' in sample]
    count = sum(int((score > 0).sum()) > 1 for score in scores)
    some = f'{count} of {len(samples)} labels are of several classes'
    return f'{", ".join(names)}: {some}'


def check_weights(cfg: Config, runner: Runner | None) -> Iterator[Finding]:
    """Whether the weights that a config starts from are there and fit."""
    lacking = False
    for place, file in named_weights(cfg.get('model')):
        if reason := _unloadable(file):
            lacking = True
            fix = f'correct the init_cfg of {place}, or train with --no-pretrained'
            yield Finding(FAULT, 'weights', f'{place}: {reason}', fix)
    path = os.path.expanduser(cfg.get('load_from') or '')
    if not path:
        yield from () if lacking else [_without_load_from(cfg)]
    elif reason := _unloadable(path):
        fix = 'correct the path, or load_from = None'
        yield Finding(FAULT, 'weights', f'load_from: {reason}', fix)
    elif not os.path.isfile(path):
        yield Finding(OK, 'weights', f'{path} will be fetched')
    elif runner is not None:
        yield _fit(path, runner)


def _unloadable(file: str) -> str:
    """What keeps weights from being loaded, as far as this machine can tell.

    Args:
        file: A path, an address, or a name that a loader of its own looks up.
    """
    path = os.path.expanduser(file)
    if '://' in file or os.path.isfile(path):
        return ''
    loader = CheckpointLoader._get_checkpoint_loader(file)
    if loader is load_from_local:
        return f'there is no file {os.path.abspath(path)}'
    try:
        loader(file, 'cpu')
    except RAISED as error:
        return text_of(error)
    return ''


def _without_load_from(cfg: Config) -> Finding:
    """What a model starts from that loads no checkpoint as a whole."""
    named = [f'{place} from {file}' for place, file in named_weights(cfg.get('model'))]
    if named:
        return Finding(OK, 'weights', f'load_from is None: {", ".join(named)}')
    text = 'load_from is None, and no init_cfg names weights: random ones'
    return Finding(WARNING, 'weights', text, words_of(cfg).weights)


def _fit(path: str, runner: Runner) -> Finding:
    """How much of a checkpoint fits; one of which nothing does is not loaded."""
    try:
        with install_safe_loading(False), watched(runner.model) as fit:
            load_checkpoint(runner.model, path, map_location='cpu', logger='silent')
    except RAISED as error:
        return Finding(FAULT, 'weights', text_of(error))
    own, fitting = len(fit.own), len(fit.fitting)
    text = f'{fitting} of {own} tensors of the model are in {Path(path).name}'
    if fitting > own / 2:
        return Finding(OK, 'weights', text)
    return Finding(WARNING, 'weights', text, 'take the checkpoint of this model')


def _memory() -> str:
    """The most memory that was used, where the system tells."""
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated()
        return f', {peak / 2**30:.1f} GiB of GPU memory at most'
    if resource is None:
        return ''
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == 'darwin' else 1024
    return f', {peak / 2**30:.1f} GiB of memory at most'
