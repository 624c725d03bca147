"""LossMix for every detector of mmdet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.detectors import DetectionTransformer
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmmix.models.loss_terms import regression_names
from mmmix.models.supervisions import (
    Losses,
    LossMix,
    Supervision,
    build_override,
    image_factors,
    sum_losses,
    supervise,
)
from mmmix.structures import (
    LOSS_FACTORS,
    MIX_IDS,
    MIX_SUPERVISION,
    MIX_WEIGHTS,
    REGRESSION_WEIGHTS,
    Annotations,
    Factors,
    is_mixed,
)

from .detector_wrapper import DetectorWrapper
from .remembered_calls import remembered_calls

# Mix-aware heads, if there are some inside, are not to supervise a second time.
_TRACES = (LOSS_FACTORS, MIX_SUPERVISION, MIX_WEIGHTS)


@MODELS.register_module()
class LossMixDetector(DetectorWrapper):
    """Any detector, trained with Σ_k w_k L(f(x̃), y_k) (LossMix, eq. 4-6).

    It is what the class of the detector builds, with another ``loss``: same
    submodules, same state-dict keys, same data preprocessor, same predictions,
    and an instance of that class for hooks and tools. Take it where the
    detector has no mix-aware head. A config inherits the detector and names its
    class, ``_delete_`` is not needed::

        _base_ = ['./fcos_r50_voc.py', './_base_/mixes/lossmix.py']
        model = dict(
            type='LossMixDetector',
            detector='FCOS',
            data_preprocessor=dict(
                batch_augments=[dict(_base_.mix, lam_per='batch')]))

    Features, what a dense head or an RPN predicts from them, its proposals and what
    a transformer encodes are computed once, as annotations do not matter for them;
    then the detector's own loss runs once per component, on samples that
    hold only that component's annotations, masks included. Whole losses are
    weighted, so all mixed images of a batch must share their weights:
    ``lam_per='batch'``. An unmixed image among them has its own annotation in
    every pass and so counts in full. The number of passes does not depend on
    what was drawn.

    RoI heads and decoders run once per component. What they draw (samples,
    denoising queries, dropout) they draw in each pass, and their BatchNorm
    layers update their statistics in each pass. Entries that are not losses,
    such as ``acc``, are the weighted mean of the passes.

    Args:
        detector: Class of the detector, or its whole config.
        supervision: Config of a supervision that replaces the mixer's: ``LossMix``
            with its switches ``cls`` and ``reg``, or ``Union``. None takes that of
            the mixer, and ``LossMix`` for mixed samples without a stamp.
        **settings: Arguments of the detector. They replace those in ``detector``.

    Raises:
        TypeError: If ``detector`` is no detector.
        KeyError: If the detector's type is not registered.
        ValueError: If the supervision needs a mix-aware head.
    """

    def __init__(
        self,
        detector: str | type | dict,
        supervision: dict | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(detector, **settings)
        self.supervision = build_override(supervision)
        if self.supervision is not None:
            self.check_weighs(self.supervision)

    @staticmethod
    def check_weighs(supervision: Supervision) -> None:
        """Refuse a supervision that weighs more than whole losses.

        Raises:
            ValueError: If it does.
        """
        if supervision.joint or supervision.weighs == 'boxes':
            raise ValueError(
                "LossMixDetector takes supervision=dict(type='LossMix') or "
                f"dict(type='Union'), got {supervision}, which weighs single "
                'anchors or boxes and needs a mix-aware head such as MixSSDHead'
            )

    def loss(
        self, batch_inputs: Tensor, batch_data_samples: Sequence[DetDataSample]
    ) -> Losses:
        """Losses of a batch, mixed or not, under the detector's names.

        Args:
            batch_inputs: ``(N, 3, H, W)``.
            batch_data_samples: N samples.

        Raises:
            TypeError, ValueError: If the mixing fields are invalid, the supervision
                needs a mix-aware head, or mixed images differ in their weights.
        """
        parts = self._parts(batch_data_samples)
        methods = [(self, 'extract_feat')]
        for head in self.children():
            if isinstance(head, BaseDenseHead):
                methods += [(head, 'forward'), (head, 'predict_by_feat')]
        if isinstance(self, DetectionTransformer):
            methods += [(self, 'pre_transformer'), (self, 'forward_encoder')]
        with remembered_calls(*methods):
            return sum_losses(
                [
                    self._part_loss(batch_inputs, batch_data_samples, part)
                    for part in parts
                ]
            )

    def _parts(self, samples: Sequence[DetDataSample]) -> list[Annotations]:
        """The parts of a batch, all of them weighted as wholes."""
        batch = Annotations(
            [sample.gt_instances for sample in samples],
            [sample.metainfo for sample in samples],
            [sample.get('ignored_instances') for sample in samples],
        )
        supervised = supervise(batch, self.supervision, LossMix())
        if supervised.supervision is not None:
            self.check_weighs(supervised.supervision)
        return supervised.parts

    def _part_loss(
        self,
        batch_inputs: Tensor,
        samples: Sequence[DetDataSample],
        part: Annotations,
    ) -> Losses:
        """The detector's own loss of a part, times its factors."""
        factors = Factors(1.0, 1.0)
        if image_factors(part) is not None:
            factors = _shared_factors(part, samples)
        if any(name in meta for meta in part.metas for name in _TRACES):
            samples = [_part_sample(*image) for image in zip(samples, *part)]
        losses = super().loss(batch_inputs, samples)
        weight = factors.reg * _regression_weight(samples)
        return _scaled_terms(self, losses, factors._replace(reg=weight))


def _shared_factors(part: Annotations, samples: Sequence[DetDataSample]) -> Factors:
    """The factors of a part; unmixed images have none of their own.

    Raises:
        ValueError: If mixed images differ in them.
    """
    found = [
        meta[LOSS_FACTORS]
        for meta, sample in zip(part.metas, samples)
        if is_mixed(sample.metainfo)
    ]
    if len(set(found)) > 1:
        weights = {sample.metainfo.get(MIX_WEIGHTS) for sample in samples}
        raise ValueError(
            'LossMixDetector weighs whole losses, so the mixed images of a batch '
            f'must share their {MIX_WEIGHTS}, got {sorted(weights - {None})}; set '
            "lam_per='batch' in MixBatch"
        )
    return found[0] if found else part.metas[0][LOSS_FACTORS]


def _part_sample(
    sample: DetDataSample,
    gt_instances: InstanceData,
    meta: dict[str, Any],
    ignored: InstanceData | None,
) -> DetDataSample:
    """A sample with a part's annotations and no trace of mixing."""
    clean = sample.new(
        metainfo={key: value for key, value in meta.items() if key not in _TRACES}
    )
    clean.gt_instances = _without_ids(gt_instances)
    if ignored is not None:
        clean.ignored_instances = _without_ids(ignored)
    return clean


def _without_ids(instances: InstanceData) -> InstanceData:
    """A copy without ``mix_ids``."""
    instances = instances.new()
    instances.pop(MIX_IDS, None)
    return instances


def _regression_weight(samples: Sequence[DetDataSample]) -> float:
    """The weight of the box regression that the boxes of a pass carry.

    Raises:
        ValueError: If the boxes differ in it; a stock loss cannot tell them apart.
    """
    weights = [
        sample.gt_instances[REGRESSION_WEIGHTS]
        for sample in samples
        if REGRESSION_WEIGHTS in sample.gt_instances
    ]
    found = torch.cat(weights).unique().tolist() if weights else []
    if len(found) > 1:
        raise ValueError(
            'LossMixDetector weighs whole losses, so all boxes of a pass must share '
            f'their {REGRESSION_WEIGHTS}, got {found}; with pseudo-labels, mix all '
            'samples of a batch (prob=1.0, no fraction), or regress pseudo-boxes too'
        )
    return found[0] if found else 1.0


def _scaled_terms(detector: nn.Module, losses: Losses, factors: Factors) -> Losses:
    """The losses of a detector, box regression and all else times their factors.

    Raises:
        ValueError: If the factors differ and it is not known which loss is which.
    """
    if factors == (1.0, 1.0):
        return losses
    boxes = losses if factors.cls == factors.reg else regression_names(detector, losses)
    return {
        name: _scaled(value, factors.reg if name in boxes else factors.cls)
        for name, value in losses.items()
    }


def _scaled(value: Tensor | list[Tensor], weight: float) -> Tensor | list[Tensor]:
    """A loss times a weight; mmdet gives lists per image or per level."""
    if isinstance(value, (list, tuple)):
        return [_scaled(part, weight) for part in value]
    return value * weight
