"""LossMix for every detector of mmdet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.supervisions import LossMix, Union, build_supervision
from mmmix.models.supervisions.lossmix import is_regression
from mmmix.models.supervisions.supervision import Losses
from mmmix.structures import (
    COMPONENT_WEIGHT,
    MIX_IDS,
    MIX_WEIGHTS,
    REGRESSION_WEIGHTS,
    Annotations,
    get_mix_weights,
    is_mixed,
)

from .detector_wrapper import DetectorWrapper
from .remembered_calls import remembered_calls


@MODELS.register_module()
class LossMixDetector(DetectorWrapper):
    """Any detector, trained with Σ_k w_k L(f(x̃), y_k) (LossMix, eq. 4-6).

    It is what the class of the detector builds, with another ``loss``: same
    submodules, same state-dict keys, same data preprocessor, same predictions,
    and an instance of that class for hooks and tools. Take it where the
    detector has no mix-aware head. A config inherits the detector and names its
    class, ``_delete_`` is not needed::

        _base_ = ['./retinanet_r50_voc.py', './_base_/mixes/lossmix.py']
        model = dict(
            type='LossMixDetector',
            detector='RetinaNet',
            supervision=_base_.supervision,
            data_preprocessor=dict(
                batch_augments=[dict(_base_.mix, lam_per='batch')]))

    Features, and what a dense head or an RPN predicts from them, are computed
    once; then the detector's own loss runs once per component, on samples that
    hold only that component's annotations, masks included. Whole losses are
    weighted, so all mixed images of a batch must share their weights:
    ``lam_per='batch'``. An unmixed image among them has its own annotation in
    every pass and so counts in full.

    RoI heads and transformers run once per component. What they draw (samples,
    denoising queries, dropout) they draw in each pass, and their BatchNorm
    layers update their statistics in each pass. Entries that are not losses,
    such as ``acc``, are the weighted mean of the passes.

    Args:
        detector: Class of the detector, or its whole config.
        supervision: ``dict(type='LossMix')``, which is the default, with its
            switches ``cls`` and ``reg``; or ``dict(type='Union')``.
        **settings: Arguments of the detector. They replace those in ``detector``.

    Raises:
        TypeError: If ``detector`` is no detector.
        KeyError: If its type is not registered.
        ValueError: If the supervision needs a mix-aware head.
    """

    def __init__(
        self,
        detector: str | type | dict,
        supervision: dict | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(detector, **settings)
        if supervision is None:
            supervision = dict(type='LossMix')
        self.supervision = build_supervision(supervision)
        if not isinstance(self.supervision, (LossMix, Union)):
            raise ValueError(
                "LossMixDetector takes supervision=dict(type='LossMix') or "
                f"dict(type='Union'), got {self.supervision}, which weighs single "
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
            TypeError, ValueError: If the mixing fields are invalid, or mixed
                images differ in their weights.
        """
        batch = Annotations(
            [sample.gt_instances for sample in batch_data_samples],
            [sample.metainfo for sample in batch_data_samples],
            [sample.get('ignored_instances') for sample in batch_data_samples],
        )
        if isinstance(self.supervision, LossMix):
            _check_shared_weights(batch)

        def stock_loss(*annotations: Any) -> Losses:
            return self._pass_loss(batch_inputs, batch_data_samples, *annotations)

        heads = [m for m in self.children() if isinstance(m, BaseDenseHead)]
        with remembered_calls(
            (self, 'extract_feat'), *((head, 'forward') for head in heads)
        ):
            return self.supervision.loss(batch, stock_loss)

    def _pass_loss(
        self,
        batch_inputs: Tensor,
        samples: Sequence[DetDataSample],
        gt_instances: list[InstanceData],
        metas: list[dict[str, Any]],
        ignored: list[InstanceData | None],
    ) -> Losses:
        """The detector's own loss, weighted if the annotations are a component."""
        weights = [
            meta[COMPONENT_WEIGHT]
            for meta, sample in zip(metas, samples)
            if COMPONENT_WEIGHT in meta and is_mixed(sample.metainfo)
        ]
        if not weights:
            return _regression_weighted(super().loss(batch_inputs, samples), samples)
        parts = [
            _component_sample(*annotation)
            for annotation in zip(samples, gt_instances, metas, ignored)
        ]
        losses = _regression_weighted(super().loss(batch_inputs, parts), parts)
        return {name: _scaled(value, weights[0]) for name, value in losses.items()}


def _check_shared_weights(batch: Annotations) -> None:
    """Make sure that all mixed images of a batch have the same weights.

    Raises:
        ValueError: If they differ.
    """
    found = {get_mix_weights(meta) for meta in batch.metas if is_mixed(meta)}
    if len(found) > 1:
        raise ValueError(
            'LossMixDetector weighs whole losses, so the mixed images of a batch '
            f'must share their {MIX_WEIGHTS}, got {sorted(found)}; set '
            "lam_per='batch' in MixBatch"
        )


def _component_sample(
    sample: DetDataSample,
    gt_instances: InstanceData,
    meta: dict[str, Any],
    ignored: InstanceData | None,
) -> DetDataSample:
    """A sample with one component's annotations and no trace of mixing."""
    part = sample.new(
        metainfo={key: value for key, value in meta.items() if key != COMPONENT_WEIGHT}
    )
    part.gt_instances = _without_ids(gt_instances)
    if ignored is not None:
        part.ignored_instances = _without_ids(ignored)
    return part


def _without_ids(instances: InstanceData) -> InstanceData:
    """A copy without ``mix_ids``."""
    instances = instances.new()
    instances.pop(MIX_IDS, None)
    return instances


def _regression_weighted(losses: Losses, samples: Sequence[DetDataSample]) -> Losses:
    """Losses whose box regression has the weight that the boxes of a pass carry.

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
    if found in ([], [1.0]):
        return losses
    return {
        name: _scaled(value, found[0]) if is_regression(name) else value
        for name, value in losses.items()
    }


def _scaled(value: Tensor | list[Tensor], weight: float) -> Tensor | list[Tensor]:
    """A loss times a weight; mmdet gives lists per image or per level."""
    if isinstance(value, (list, tuple)):
        return [_scaled(part, weight) for part in value]
    return value * weight
