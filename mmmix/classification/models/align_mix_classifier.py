"""AlignMixup for image classifiers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmix.classification.aligning import PUBLISHED, mix_aligned
from mmmix.functional.blending import blend
from mmmix.functional.sinkhorn import check_plan
from mmmix.mixing.checks import check_choice, check_unit
from mmmix.mixing.counters import CallCounter, Stream
from mmmix.mixing.draws import PAIRINGS, draw_lam, draw_partners
from mmmix.mixing.ratios import build_ratio

Samples = Sequence[DataSample]


class Drawn(NamedTuple):
    """What is drawn for a batch.

    Attributes:
        partners: ``(N,)`` indices, the partner of each image.
        lam: λ in [0, 1], the weight of the image itself.
        by_pixels: Whether pixels are blended instead of maps.
        keep_own: Whether an image keeps its own geometry, else its partner's.
    """

    partners: Tensor
    lam: float
    by_pixels: bool
    keep_own: bool


@MODELS.register_module()
class AlignMixClassifier(ImageClassifier):
    """An image classifier that mixes pixels or aligned features (AlignMixup).

    In each training step one λ ~ Beta(2, 2) and one partner of each image are drawn for
    the batch. By a coin the pixels are blended, as in mixup, or the maps of the
    backbone's last stage are: those of one image, by another coin, are carried to the
    cells of the other by optimal transport and mixed in there. Labels are
    λ y + (1 - λ) y' either way. Predictions are those of ``ImageClassifier``, whose
    parameters and state-dict keys it has.

    Defaults are the authors' (see :data:`mmmix.classification.aligning.PUBLISHED`).
    Their ``tolerance`` reads a number back from the device in each iteration of
    Sinkhorn; ``plan=dict(tolerance=None, iterations=20)`` never waits.

    Args:
        ratio: Distribution of λ; ``dict(type='Beta', alpha=2.0)`` if None.
        input_prob: Probability that pixels are blended instead.
        own_prob: Probability that an image keeps its own geometry.
        pairing: ``'permutation'``, as the authors' code, where an image may meet
            itself, or another of :data:`mmmix.mixing.draws.PAIRINGS`.
        plan: What differs from the published settings of Sinkhorn, by the names of
            :func:`mmmix.functional.sinkhorn.transport_plan`.
        **settings: Arguments of ``ImageClassifier``, without batch augmentations.

    Raises:
        TypeError, ValueError, KeyError: If a setting is unknown or out of range,
            ``train_cfg`` has batch augmentations too, or neither the head nor the
            preprocessor knows the number of classes.
    """

    def __init__(
        self,
        *,
        ratio: dict | None = None,
        input_prob: float = 0.5,
        own_prob: float = 0.5,
        pairing: str = 'permutation',
        plan: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        unknown = set(plan or ()) - set(PUBLISHED)
        if unknown:
            raise KeyError(f'plan expects {sorted(PUBLISHED)}, got {sorted(unknown)}')
        super().__init__(**settings)
        if getattr(self.data_preprocessor, 'batch_augments', None) is not None:
            raise ValueError(
                'AlignMixClassifier mixes by itself: leave the augments of train_cfg '
                '(or data_preprocessor.batch_augments) out'
            )
        self.ratio = build_ratio(
            dict(type='Beta', alpha=2.0) if ratio is None else ratio
        )
        self.input_prob = check_unit('input_prob', input_prob)
        self.own_prob = check_unit('own_prob', own_prob)
        self.pairing = check_choice('pairing', pairing, PAIRINGS)
        self.plan = {**PUBLISHED, **(plan or {})}
        if self.plan['tolerance'] is None and 'check_every' not in (plan or {}):
            self.plan['check_every'] = None
        names = ('epsilon', 'iterations', 'tolerance', 'check_every')
        check_plan(*(self.plan[name] for name in names))
        self._classes = self._count_classes()
        self._draws = CallCounter(Stream.ALIGN_MIX_CLASSIFIER)

    def _count_classes(self) -> int:
        """The number of classes, which some heads (``CSRAClsHead``) do not keep.

        Raises:
            ValueError: If the preprocessor does not have it either.
        """
        for part in (self.head, self.data_preprocessor):
            if getattr(part, 'num_classes', None):
                return part.num_classes
        raise ValueError(
            f'AlignMixClassifier mixes labels, and {type(self.head).__name__} keeps no '
            'num_classes: set model.data_preprocessor.num_classes'
        )

    def loss(self, inputs: Tensor, data_samples: Samples) -> dict[str, Tensor]:
        """Losses of the mixed batch, under the head's names.

        Args:
            inputs: ``(N, C, H, W)``, normalised.
            data_samples: N samples with ``gt_label``, of one class or several, or
                ``gt_score``; their ``gt_score`` becomes the mixed label. A batch of one
                is not mixed, with a warning.

        Raises:
            ValueError: If a setting of the plan is out of range, or the backbone gives
                no maps.
            RuntimeError: If a label is no class.
        """
        if len(inputs) == 1:
            warnings.warn(
                'AlignMixClassifier has nothing to mix in a batch of one', stacklevel=2
            )
            return super().loss(inputs, data_samples)
        partners, lam, by_pixels, keep_own = self.draw(inputs)
        if by_pixels:
            inputs = blend(inputs, inputs[partners], lam)
        features = self.extract_feat(inputs, stage='backbone')
        if self.input_prob < 1:  # whatever the coin said: not some steps later
            self.check_maps(features[-1])
        if not by_pixels:
            mixed = mix_aligned(features[-1], partners, lam, keep_own, **self.plan)
            features = (*features[:-1], mixed)
        if self.with_neck:
            features = self.neck(features)
        scores = self._scores(data_samples)
        for sample, score in zip(data_samples, blend(scores, scores[partners], lam)):
            sample.set_gt_score(score)
        return self.head.loss(features, data_samples)

    def draw(self, inputs: Tensor) -> Drawn:
        """Draw for a batch; once more in an iteration gives other draws."""
        rng = self._draws.rng()
        partners = torch.from_numpy(draw_partners(rng, len(inputs), self.pairing))
        return Drawn(
            partners.to(inputs.device),
            float(draw_lam(rng, 1, self.ratio)[0]),
            by_pixels=bool(rng.random() < self.input_prob),
            keep_own=bool(rng.random() < self.own_prob),
        )

    def check_maps(self, maps: Any) -> None:
        """Make sure that the backbone gives what can be aligned.

        Raises:
            ValueError: If it gives tokens or a vector, with what to set.
        """
        if isinstance(maps, Tensor) and maps.dim() == 4:
            return
        found = tuple(maps.shape) if isinstance(maps, Tensor) else type(maps).__name__
        raise ValueError(
            'AlignMixClassifier aligns the cells of maps (N, C, h, w), and '
            f'{type(self.backbone).__name__} gives {found}; set '
            "model.backbone.out_type='featmap' if it has that, or model.input_prob=1, "
            'which blends pixels alone'
        )

    def _scores(self, samples: Samples) -> Tensor:
        """Labels as weights of classes, ``(N, classes)``; 1 for each of several."""
        if 'gt_score' in samples[0]:
            return torch.stack([sample.gt_score for sample in samples]).float()
        labels = torch.cat([sample.gt_label for sample in samples])
        # Does not wait for the device, as F.one_hot would.
        torch._assert_async(
            torch.all((labels >= 0) & (labels < self._classes)),
            f'AlignMixClassifier expects labels from 0 to {self._classes - 1}: '
            'correct the annotations, or num_classes of model.head and '
            'model.data_preprocessor',
        )
        counts = torch.tensor([len(sample.gt_label) for sample in samples])
        rows = torch.arange(len(samples)).repeat_interleave(counts)
        scores = torch.zeros(len(samples), self._classes, device=labels.device)
        scores[rows.to(labels.device), labels] = 1.0
        return scores
