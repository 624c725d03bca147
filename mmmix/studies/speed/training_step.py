"""One optimizer step of a config, timed, with its peak memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner, set_random_seed
from torch import nn

from mmmix.engine.find_mixers import find_batch_mixers
from mmmix.structures import is_mixed
from mmmix.studies.speed.benchmark import Measurement
from mmmix.studies.speed.peak_memory import peak_allocated
from mmmix.studies.speed.synthetic import values_of

Fetch = Callable[[int], Mapping[str, Any]]
"""Yields the raw batch of a round, as a dataloader would."""

_LR_SCALE = 1e-3


class TrainingStep:
    """A config's model and optimizer; calling it makes and times one step.

    A step is what a Runner does per iteration: preprocess (and mix), forward,
    loss, backward, optimizer step, through the model's ``train_step``. Weights
    are random. The learning rate is scaled by 1e-3, as at the start of a
    warm-up, so that an untrained net stays finite; it does not change the time.

    Args:
        cfg: A training config, without pretrained weights to load.
        fetch: Where its batches come from.
        device: Device to train on.
        seed: Seed of the weights; configs of one architecture start alike.
        clock: Tells the time in seconds.

    Raises:
        KeyError: If the config lacks ``model`` or ``optim_wrapper``.
    """

    def __init__(
        self,
        cfg: Config,
        fetch: Fetch,
        device: torch.device,
        seed: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        for key in ('model', 'optim_wrapper'):
            if key not in cfg:
                raise KeyError(f'{cfg.filename} has no {key!r}; it cannot be trained')
        set_random_seed(seed)
        self.model = MODELS.build(cfg.model)
        self.model.init_weights()
        self.model.to(device).train()
        self.optim_wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        for group in self.optim_wrapper.optimizer.param_groups:
            group['lr'] *= _LR_SCALE
        self._fetch = fetch
        self._device = device
        self._clock = clock
        self._seen = self._mixed = 0
        self.model.data_preprocessor.register_forward_hook(self._count)

    def _count(self, module: nn.Module, args: tuple, output: dict) -> None:
        samples = output['data_samples']
        branches = samples.values() if isinstance(samples, dict) else [samples]
        for branch in branches:
            self._seen += len(branch)
            self._mixed += sum(is_mixed(sample.metainfo) for sample in branch)

    @property
    def leaves_no_record(self) -> bool:
        """Whether a mixer keeps the dominant boxes only, and so marks no sample."""
        mixers = find_batch_mixers(self.model)
        return any(mixer.settings.keep == 'dominant' for mixer in mixers)

    def __call__(self, index: int) -> Measurement:
        """Make one step.

        Args:
            index: Number of the round. Mixers draw from it, so that all configs
                of a round draw alike.

        Returns:
            ``data_s`` and ``step_s`` in seconds, ``samples`` and ``mixed``, how
            many samples the step saw and how many of them were mixed.

        Raises:
            FloatingPointError: If the loss is not finite.
        """
        self._seen = self._mixed = 0
        start = self._now()
        batch = self._fetch(index)
        fetched = self._now()
        losses = self.train(batch, index)
        done = self._now()
        loss = losses['loss'].item()
        if not math.isfinite(loss):
            raise FloatingPointError(
                f'the loss of round {index} is {loss}; a step of a diverged net is '
                'not representative. Lower optim_wrapper.optimizer.lr'
            )
        return {
            'data_s': fetched - start,
            'step_s': done - fetched,
            'samples': self._seen,
            'mixed': self._mixed,
        }

    def train(self, batch: Mapping[str, Any], index: int) -> dict[str, Any]:
        """Train on a raw batch.

        Args:
            batch: As a dataloader yields it; the step may edit it.
            index: Number of the iteration, from which mixers draw.

        Returns:
            The losses, as the model's ``train_step`` returns them.
        """
        MessageHub.get_current_instance().update_info('iter', index)
        return self.model.train_step(batch, self.optim_wrapper)

    def _now(self) -> float:
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        return self._clock()

    def peak_memory(self) -> int:
        """Bytes held at the peak of one more, untimed step.

        The sum of what persists (parameters, buffers, optimizer state) and the
        highest total of what the step itself allocates (activations, gradients,
        temporaries); see :func:`mmmix.studies.speed.peak_memory.peak_allocated`.
        """
        tensors = [*self.model.parameters(), *self.model.buffers()]
        for state in self.optim_wrapper.optimizer.state.values():
            tensors.extend(v for v in state.values() if isinstance(v, torch.Tensor))
        held = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return held + peak_allocated(lambda: self(0), self._device)


class ConfigBatches:
    """The batches of a config's own ``train_dataloader``, without end.

    Loaded in this process by default: then the time to fetch a batch is all the
    work it takes, and no worker loads ahead while another config is timed.

    Args:
        cfg: A training config.
        batch_size: Replaces the config's.
        workers: Number of loading processes.
        seed: Seed of the order of samples.

    Raises:
        ValueError: If the loader yields no batch.
    """

    def __init__(
        self,
        cfg: Config,
        batch_size: int | None = None,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        settings = {**cfg.train_dataloader, 'num_workers': workers}
        settings['persistent_workers'] = workers > 0
        if batch_size is not None:
            settings['batch_size'] = batch_size
        self._loader = Runner.build_dataloader(settings, seed=seed)
        if len(self._loader) == 0:
            raise ValueError(
                f'the train_dataloader of {cfg.filename} yields no batch of '
                f'{settings.get("batch_size")}'
            )
        again = chain.from_iterable(repeat(self._loader))
        self._batches = chain(iter(self._loader), again)

    @property
    def metainfo(self) -> Any:
        """Metainfo of the dataset, such as ``classes``; a list where parts differ."""
        return getattr(self._loader.dataset, 'metainfo', {})

    def __call__(self, index: int) -> Mapping[str, Any]:
        """The next batch."""
        return next(self._batches)


def num_classes(cfg: Config) -> int:
    """The smallest ``num_classes`` that any head of the model states.

    Raises:
        KeyError: If there is none.
    """
    counts = [count for count in values_of(cfg.model, 'num_classes') if count]
    if not counts:
        raise KeyError(f'no head of {cfg.filename} states num_classes')
    return min(counts)
