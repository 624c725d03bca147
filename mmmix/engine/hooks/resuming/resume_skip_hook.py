"""A resume that need not load what was trained on before."""

from __future__ import annotations

from itertools import chain, repeat

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner


@HOOKS.register_module()
class ResumeSkipHook(Hook):
    """Let a resumed iteration-based run start at once.

    ``IterBasedTrainLoop`` of mmengine 0.10.7 loads and discards all batches that
    were trained on before. If the sampler has ``skip(num_samples)``, this hook
    has it leave out their samples instead, and makes the loop's discarding free.
    Later versions do the same by themselves, with the same method; there, without
    a resume, in epoch-based runs and for samplers without ``skip`` the hook does
    nothing.

    ``skip`` takes the number of samples, counted from the start of this process's
    stream, as ``InfiniteSampler.skip`` of those versions does.
    """

    # After the hooks that prepare the loader for the coming iterations.
    priority = 'LOWEST'

    def before_train_epoch(self, runner: Runner) -> None:
        """Skip, just before the loop would discard."""
        loop = runner.train_loop
        if not isinstance(loop, IterBasedTrainLoop) or runner.iter == 0:
            return
        batches, loader = loop.dataloader_iterator, loop.dataloader
        if hasattr(batches, 'skip_iter') or loader.batch_size is None:
            return
        skip = getattr(loader.sampler, 'skip', None)
        if skip is None:
            return
        skip(runner.iter * loader.batch_size)
        # Made anew: the workers of the first one have loaded from the beginning.
        # The loop discards what costs nothing.
        loop.dataloader_iterator = chain(
            repeat(None, runner.iter), type(batches)(loader)
        )
        if is_main_process():
            runner.logger.info(
                f'The sampler skipped {runner.iter} batches; none of them is loaded.'
            )
