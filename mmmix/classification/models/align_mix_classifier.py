"""AlignMixup for image classifiers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmix.classification.aligning import PUBLISHED, mix_aligned
from mmmix.functional.blending import blend
from mmmix.functional.soft_losses import one_hot
from mmmix.mixing.checks import check_choice, check_unit
from mmmix.mixing.counters import CallCounter, Stream
from mmmix.mixing.draws import PAIRINGS, draw_lam, draw_partners
from mmmix.mixing.ratios import build_ratio

Samples = Sequence[DataSample]


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
        TypeError, ValueError, KeyError: If a setting is unknown or out of range, or
            ``train_cfg`` has batch augmentations too.
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
        self._draws = CallCounter(Stream.ALIGN_MIX_CLASSIFIER)

    def loss(self, inputs: Tensor, data_samples: Samples) -> dict[str, Tensor]:
        """Losses of the mixed batch, under the head's names.

        Args:
            inputs: ``(N, C, H, W)``, normalised.
            data_samples: N samples with ``gt_label`` or ``gt_score``; their
                ``gt_score`` becomes the mixed label. A batch of one is not mixed, with
                a warning.

        Raises:
            ValueError: If a setting of the plan is out of range.
        """
        if len(inputs) == 1:
            warnings.warn(
                'AlignMixClassifier has nothing to mix in a batch of one', stacklevel=2
            )
            return super().loss(inputs, data_samples)
        rng = self._draws.rng()
        partners = torch.from_numpy(draw_partners(rng, len(inputs), self.pairing))
        partners = partners.to(inputs.device)
        lam = float(draw_lam(rng, 1, self.ratio)[0])
        by_pixels = rng.random() < self.input_prob
        keep_own = bool(rng.random() < self.own_prob)
        if by_pixels:
            inputs = blend(inputs, inputs[partners], lam)
        features = self.extract_feat(inputs, stage='backbone')
        if not by_pixels:
            mixed = mix_aligned(features[-1], partners, lam, keep_own, **self.plan)
            features = (*features[:-1], mixed)
        if self.with_neck:
            features = self.neck(features)
        scores = self._scores(data_samples)
        for sample, score in zip(data_samples, blend(scores, scores[partners], lam)):
            sample.set_gt_score(score)
        return self.head.loss(features, data_samples)

    def _scores(self, samples: Samples) -> Tensor:
        """Labels as weights of classes, ``(N, classes)``."""
        if 'gt_score' in samples[0]:
            return torch.stack([sample.gt_score for sample in samples]).float()
        labels = torch.cat([sample.gt_label for sample in samples])
        return one_hot(labels, self.head.num_classes).float()
