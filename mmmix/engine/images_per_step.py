"""The images of one step of the optimizer: processes x images x passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mmengine.config import Config

IMAGES_PER_STEP = 'images_per_step'
"""The key of a checkpoint's ``meta``."""


@dataclass(frozen=True)
class ImagesPerStep:
    """Whose product is the number of images of a step.

    Args:
        processes: One for each GPU.
        batch: Images of a process in one pass.
        passes: Whose gradients a step adds up.
    """

    processes: int
    batch: int
    passes: int

    @property
    def images(self) -> int:
        """The product."""
        return self.processes * self.batch * self.passes

    def text(self) -> str:
        """Such as ``8 processes x 4 images = 32``."""
        passes = f' x {self.passes} passes' if self.passes > 1 else ''
        return (
            f'{self.processes} processes x {self.batch} images{passes} = {self.images}'
        )

    def to_dict(self) -> dict[str, int]:
        """Plain numbers, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Any) -> ImagesPerStep | None:
        """What :meth:`to_dict` gave; None for anything else."""
        names = ('processes', 'batch', 'passes')
        if not isinstance(content, Mapping):
            return None
        values = [content.get(name) for name in names]
        if not all(isinstance(value, int) and value > 0 for value in values):
            return None
        return cls(*values)


def images_per_step(cfg: Config, processes: int) -> ImagesPerStep | None:
    """What a config makes of so many processes; None if it does not say.

    Args:
        cfg: With ``train_dataloader.batch_size``; accumulated gradients, as in
            ``optim_wrapper.accumulative_counts``, are counted.
        processes: Number of processes.
    """
    loader = cfg.get('train_dataloader')
    batch = loader.get('batch_size') if isinstance(loader, Mapping) else None
    if not isinstance(batch, int):
        return None
    wrapper = cfg.get('optim_wrapper')
    passes = 1
    if isinstance(wrapper, Mapping):
        passes = int(wrapper.get('accumulative_counts') or 1)
    return ImagesPerStep(processes, batch, passes)
