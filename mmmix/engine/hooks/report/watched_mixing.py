"""What the mixers of a run do, read without touching them."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.runner import Runner
from torch import nn

from mmmix.engine.find_mixers import find_batch_mixers, find_image_mixers
from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.structures import get_mix_weights


class WatchedMixing:
    """Counts images and λ, of mixers of batches or of images.

    Mixers of batches say what they did. Those of images work in the data loader's
    processes: what they did is read off the samples, where the Noise baseline leaves
    no trace.

    Args:
        runner: A run that is about to train.
    """

    def __init__(self, runner: Runner) -> None:
        model = unwrapped_model(runner)
        self._mixers = find_batch_mixers(model)
        self._images, self._lams = 0, []
        if not self._mixers and find_image_mixers(runner.train_dataloader.dataset):
            # A compiled step calls it as it is.
            listen = torch.compiler.disable(self._listen)
            model.data_preprocessor.register_forward_hook(listen)
        for mixer in self._mixers:
            mixer.recent.clear()

    def take(self) -> None:
        """Count what mixers of batches did since the last call."""
        for mixer in self._mixers:
            while mixer.recent:
                images, lams = mixer.recent.popleft()
                self._images += images
                self._lams.extend(lams)

    def taken(self) -> tuple[int, list[float]]:
        """The number of images, and λ of those that were mixed, since the last call."""
        taken = self._images, self._lams
        self._images, self._lams = 0, []
        return taken

    def _listen(self, module: nn.Module, _: Any, output: Any) -> None:
        """Count the samples of a training batch."""
        if not module.training:
            return
        samples = output['data_samples']
        branches = samples.values() if isinstance(samples, dict) else [samples]
        for branch in branches:
            for sample in branch or ():
                weights = get_mix_weights(sample.metainfo)
                self._images += 1
                if len(weights) > 1:
                    self._lams.append(weights[0])
