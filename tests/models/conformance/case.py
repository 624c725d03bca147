"""What the conformance suite asks of a mix-aware head; a new head brings a Case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.structures import Annotations
from tests.helpers import annotations, total, with_supervision

Heads = tuple[Any, Any]
"""A stock head and its mix-aware twin, of the same settings."""


class FreeLogits(NamedTuple):
    """Logits that an optimiser may choose, for one object in each component.

    Attributes:
        head: The mix-aware head.
        sides: Its two batches, of one image with one object.
        preds: Predictions that the logits are, or lead to.
        leaves: The logits.
        terms: Names of the losses that depend on them.
        probability: Takes a component; (n,) probabilities of its object's label
            where the object was assigned to.
        given: Takes a component; (n,) probabilities that λ must not move from 1.
    """

    head: Any
    sides: list[Annotations]
    preds: Any
    leaves: list[Tensor]
    terms: tuple[str, ...]
    probability: Callable[[int], Tensor]
    given: Callable[[int], Tensor] = lambda component: torch.ones(0)


class Case(ABC):
    """How a head is built, fed and checked.

    Attributes:
        name: In the ids of the tests.
        size: Side of the images.
        cls: Names of the classification losses, all terms but box regression.
        reg: Names of the box regression losses.
        samplers: Settings of ``build`` with which two heads draw alike under a seed.
        unmixed: Settings of ``build`` with which unmixed batches are compared.
        rules: Rules of the positives; those with exact limits are ``limits``.
        references: Settings of ``build`` that ``reference`` understands, too.
        ignoring: Settings of ``build`` for heads that heed boxes to ignore, as far as
            stock heads do.
        one_sample: Settings of ``build`` for which BoxMix and LossMix share their
            samples and normaliser; None where there are none.
        has_classes: Whether labels matter.
        rtol: Of the comparison with ``reference``.
        steady: Whether λ in (0, 1) leaves the samples of BoxMix, their order and
            normaliser alone.
        exact: Whether unmixed batches have the stock losses bit for bit; else a
            vectorised sum has another order, and they agree to 1e-6.
    """

    name: ClassVar[str]
    size: ClassVar[int]
    cls: ClassVar[tuple[str, ...]]
    reg: ClassVar[tuple[str, ...]]
    samplers: ClassVar[Mapping[str, dict]] = {'all': {}}
    unmixed: ClassVar[Mapping[str, dict]] = {'all': {}}
    rules: ClassVar[tuple[str, ...]] = ('dominant',)
    limits: ClassVar[tuple[str, ...]] = ('dominant',)
    references: ClassVar[Mapping[str, dict]] = {'all': {}}
    ignoring: ClassVar[Mapping[str, dict]] = {}
    one_sample: ClassVar[dict | None] = None
    has_classes: ClassVar[bool] = True
    rtol: ClassVar[float] = 2e-5
    steady: ClassVar[bool] = False
    exact: ClassVar[bool] = True

    @abstractmethod
    def _build(self, **settings: Any) -> Heads:
        """A stock and a mix-aware head."""

    @abstractmethod
    def predictions(self, num_images: int = 3, seed: int = 0) -> Any:
        """Random predictions, or what they are made of, that take gradients."""

    @abstractmethod
    def one(self, preds: Any, index: int) -> Any:
        """Those of a single image, cut off."""

    @abstractmethod
    def leaves(self, preds: Any) -> list[Tensor]:
        """The tensors that take gradients, images first."""

    @abstractmethod
    def reference(
        self,
        head: Any,
        preds: Any,
        sides: Sequence[Annotations],
        lams: Sequence[float],
        ignored: np.ndarray | None = None,
        **settings: Any,
    ) -> dict[str, float]:
        """Named losses of BoxMix, written out slowly.

        Args:
            head: The mix-aware head.
            preds: Predictions.
            sides: Both components.
            lams: One per image.
            ignored: A box of component 1, which has no object where it has one.
            **settings: One of ``references``.
        """

    @abstractmethod
    def counts(
        self,
        head: Any,
        preds: Any,
        sides: Sequence[Annotations],
        lams: Sequence[float] | None = None,
    ) -> list[int] | None:
        """What each image adds to the normaliser of the default head.

        Args:
            head: The mix-aware head.
            preds: Predictions.
            sides: One component, or both of BoxMix.
            lams: One per image if there are two.

        Returns:
            One count per image; None if there is no normaliser.
        """

    @abstractmethod
    def regressed(
        self, head: Any, preds: Any, batch: Annotations, side: Annotations
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per image, which offsets the box losses of a batch move, and should.

        Args:
            head: The mix-aware head.
            preds: Predictions.
            batch: A mixed batch.
            side: The component whose objects should be regressed.
        """

    @abstractmethod
    def free_logits(self) -> FreeLogits:
        """Logits to optimise for one object in each component."""

    @abstractmethod
    def autocast(self, head: Any) -> tuple[Any, Any, torch.dtype]:
        """Predictions under autocast, the same in float32, and the former's dtype."""

    def build(self, **settings: Any) -> Heads:
        """A stock head and its mix-aware twin."""
        init_default_scope('mmdet')
        return self._build(**settings)

    def boxmix(self, head: Any, rule: str = 'dominant') -> Any:
        """The head under BoxMix, with a rule of the positives if it has some."""
        positives = rule if len(self.rules) > 1 else None
        return with_supervision(head, positives=positives, type='BoxMix')

    def draws(self, head: Any) -> bool:
        """Whether a head chooses its samples at random."""
        samplers = (getattr(head, name, None) for name in ('sampler', 'bbox_sampler'))
        return any(getattr(sampler, 'num', 10**6) < 10**6 for sampler in samplers)

    def batch(self, counts: Sequence[int], seed: int) -> Annotations:
        """An unmixed batch with ``counts[i]`` boxes on image i."""
        return annotations(counts, seed=seed, size=self.size)

    def sides(self) -> tuple[Annotations, Annotations]:
        """The two components of most tests."""
        return self.batch((3, 1, 4), 1), self.batch((2, 5, 1), 2)

    def losses(
        self, head: Any, preds: Any, batch: Annotations, seed: int | None = 0
    ) -> dict[str, Any]:
        """Losses as the head gives them, under a seed; None goes on drawing."""
        if seed is not None:
            torch.manual_seed(seed)
        return self._losses(head, preds, batch)

    def _losses(self, head: Any, preds: Any, batch: Annotations) -> dict[str, Any]:
        return head.loss_by_feat(*preds, *batch)

    def totals(
        self, head: Any, preds: Any, batch: Annotations, seed: int | None = 0
    ) -> dict[str, Tensor]:
        """Sum of each named loss."""
        return total(self.losses(head, preds, batch, seed))

    def gradients(
        self,
        head: Any,
        preds: Any,
        batch: Annotations,
        terms: Sequence[str] | None = None,
    ) -> list[Tensor]:
        """Gradient of the losses by the predictions, flat, one tensor per image."""
        leaves = self.leaves(preds)
        losses = self.totals(head, preds, batch)
        loss = sum(losses[name] for name in terms or (*self.cls, *self.reg))
        levels = torch.autograd.grad(loss, leaves)
        return [
            torch.cat([level[i].flatten() for level in levels])
            for i in range(len(levels[0]))
        ]


def flat(maps: Sequence[Tensor], channels: int) -> Tensor:
    """Maps of (N, k * channels, H, W) as (N, A, channels), in the anchors' order."""
    return torch.cat(
        [m.permute(0, 2, 3, 1).reshape(len(m), -1, channels) for m in maps], 1
    )


def arrays(tensor: Tensor) -> np.ndarray:
    """In double precision."""
    return tensor.detach().double().numpy()


def shares_inside(priors: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Part of each prior's area inside a box, one prior after the other."""
    shares = []
    for x1, y1, x2, y2 in priors.tolist():
        width = min(x2, float(box[2])) - max(x1, float(box[0]))
        height = min(y2, float(box[3])) - max(y1, float(box[1]))
        shares.append(max(width, 0) * max(height, 0) / ((x2 - x1) * (y2 - y1)))
    return np.array(shares)


def ignoring(
    batch: Annotations, box: Sequence[float], component: int | None = None
) -> Annotations:
    """The batch with a box to ignore on every image, of a component if it is mixed."""
    ignored = InstanceData(bboxes=torch.tensor([box]), labels=torch.tensor([0]))
    if component is not None:
        ignored.mix_ids = torch.tensor([component])
    return batch._replace(ignored=[ignored] * len(batch.metas))


def close(got: dict, want: dict, skip: Sequence[str] = (), **tolerance: float) -> None:
    """Every named loss agrees."""
    assert got.keys() == want.keys()
    for name in want.keys() - set(skip):
        value = torch.as_tensor(want[name], dtype=got[name].dtype)
        torch.testing.assert_close(got[name], value, **tolerance)


def approximates(got: dict, want: dict, rtol: float) -> None:
    """Every named loss is that of a reference in double precision."""
    assert got.keys() == want.keys()
    for name in want:
        value = torch.as_tensor(want[name], dtype=torch.float64)
        torch.testing.assert_close(got[name].double(), value, rtol=rtol, atol=1e-12)


def identical(got: dict, want: dict, exact: bool = True) -> None:
    """All losses agree, bit for bit or to 1e-6, in the same order."""
    assert list(got) == list(want)
    tolerance = dict(rtol=0, atol=0) if exact else dict(rtol=1e-6, atol=1e-9)
    for name in want:
        sides = [
            v if isinstance(v, (list, tuple)) else [v] for v in (got[name], want[name])
        ]
        if len(sides[0]) == 1 and not exact:
            sides[1] = [sum(sides[1])]  # one number instead of one a level
        for g, w in zip(*sides, strict=True):
            torch.testing.assert_close(g, w, **tolerance)


def weighted(parts: Sequence[dict], weights: Sequence[float]) -> dict[str, Any]:
    """Σ_k w_k of named losses."""
    return {n: sum(w * p[n] for w, p in zip(weights, parts)) for n in parts[0]}
