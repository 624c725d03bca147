"""AlignMix: features of two images, aligned and then mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.dist import get_rank
from torch import Tensor, nn

from mmmix.functional.boxes import Size
from mmmix.functional.sinkhorn import check_plan, transport_plan
from mmmix.mixing.checks import check_unit
from mmmix.mixing.counters import Stream, counter_rng, runner_counter
from mmmix.models.dense_heads import MixRPNHead, MixSSDHead
from mmmix.models.detectors.detector_wrapper import DetectorWrapper
from mmmix.models.roi_heads import MixStandardRoIHead
from mmmix.models.supervisions import Losses

from .aligned_pairs import AlignedPairs, Pairs, blended, valid_cells
from .fields import MIX_PARTNER
from .pair_batch import PairBatch
from .roi_head import AlignMixRoIHead
from .rpn_head import AlignMixRPNHead
from .ssd_head import AlignMixSSDHead

Samples = Sequence[DetDataSample]

_TWINS = (
    (MixSSDHead, AlignMixSSDHead),
    (MixRPNHead, AlignMixRPNHead),
    (MixStandardRoIHead, AlignMixRoIHead),
)


@MODELS.register_module()
class AlignMix(DetectorWrapper):
    """A detector that mixes the features of two images where they correspond.

    AlignMixup (https://arxiv.org/abs/2103.15375) carried over to detectors. After
    the neck, an optimal transport plan between the two images' cells is made at one
    coarse level and lifted to the others; the partner's features are carried to the
    image's own grid and mixed in with weight 1 - λ. So the image keeps its geometry
    and takes on an appearance: boxes are regressed for the image itself at every λ,
    and its anchors are classified as λ p + (1 - λ) Σ_j r_ij p'_j, with labels that
    travelled through the plan like the features. An identity plan gives BoxMix's
    classification. The plan has no gradient, the features of both images have.

    In two-stage detectors the RPN sees the mixed features, so anchors and proposals
    do. A RoI takes the labels that its shape has at the cells that its centre takes
    its content from.

    It is what the class of the detector builds: same submodules, state-dict keys and
    predictions; its mix-aware heads become those of this package. Needs
    ``PairBatch``, which leaves pixels alone and brings the supervision::

        model = dict(
            type='AlignMix',
            detector='SingleStageDetector',
            level=2,
            data_preprocessor=dict(batch_augments=[_base_.mix]))

    Args:
        detector: Class of the detector, or its whole config.
        level: Which of the neck's maps the plan is made at.
        epsilon: ε of the plan, relative to the mean cost.
        iterations: Sinkhorn iterations, at most if ``tolerance`` is given.
        absolute: Take ε in the units of the cost instead. AlignMixup's code has
            ``epsilon=0.1, absolute=True, tolerance=0.1, check_every=1``.
        tolerance: Stop where the potentials change by less; see
            :func:`mmmix.functional.transport_plan`.
        check_every: Iterations between two looks at that; needs ``tolerance``.
        input_prob: Share of the batches whose pixels are blended instead, as with
            BoxMix; ½ is what AlignMixup's code does.
        **settings: Arguments of the detector.

    Raises:
        TypeError: If ``detector`` or its heads do not fit.
        ValueError: If a setting is out of range, a head has its own supervision, or
            the RoI head's assigner matches boxes of low quality.
        KeyError: If the detector's type is not registered.
    """

    def __init__(
        self,
        detector: str | type | dict,
        level: int,
        epsilon: float = 0.05,
        iterations: int = 100,
        absolute: bool = False,
        tolerance: float | None = None,
        check_every: int | None = None,
        input_prob: float = 0.0,
        **settings: Any,
    ) -> None:
        check_plan(epsilon, iterations, tolerance, check_every)
        if isinstance(detector, Mapping):
            settings = {**detector, **settings}
            detector = settings.pop('type')
        super().__init__(detector, **{k: _twin(v) for k, v in settings.items()})
        if isinstance(level, bool) or not isinstance(level, int) or level < 0:
            raise ValueError(f"level must be an index of the neck's maps, got {level}")
        _check_order(getattr(self.data_preprocessor, 'batch_augments', None) or ())
        self.level = level
        self.plan = dict(
            epsilon=epsilon,
            iterations=iterations,
            absolute=absolute,
            tolerance=tolerance,
            check_every=check_every,
        )
        self.input_prob = check_unit('input_prob', input_prob)
        self._features: tuple[Tensor, ...] | None = None
        for name, head in _heads(self):
            if head.supervision is not None:
                raise ValueError(
                    f'{name}: AlignMix carries labels for the supervision BoxMix that '
                    f'PairBatch brings; leave supervision out, got {head.supervision}'
                )
            _check_assigner(name, getattr(head, 'bbox_assigner', None))

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Features of the neck; while the loss is computed, the mixed ones."""
        if self._features is not None:
            return self._features
        return super().extract_feat(batch_inputs)

    def loss(self, batch_inputs: Tensor, batch_data_samples: Samples) -> Losses:
        """Losses of a batch, under the detector's names.

        Args:
            batch_inputs: ``(N, 3, H, W)``.
            batch_data_samples: N samples; those that ``PairBatch``
                paired get mixed features.

        Raises:
            TypeError, ValueError: If mixing fields are invalid, or a level of the
                neck cannot be lifted.
        """
        paired = [MIX_PARTNER in sample.metainfo for sample in batch_data_samples]
        if not any(paired):
            return super().loss(batch_inputs, batch_data_samples)
        if self._draws_inputs():
            return super().loss(*blended(batch_inputs, batch_data_samples))
        features = super().extract_feat(batch_inputs)
        size = tuple(batch_inputs.shape[2:])
        aligned = self.align(features, batch_data_samples, size)
        self._features = tuple(aligned.mix(level) for level in features)
        try:
            return super().loss(
                batch_inputs, aligned.transports(batch_data_samples, size)
            )
        finally:
            self._features = None

    def align(
        self, features: Sequence[Tensor], samples: Samples, size: Size
    ) -> AlignedPairs:
        """Match the cells of the paired images of a batch.

        Cells in the padding of an image take no part and stand for themselves.

        Args:
            features: The neck's maps, ``(N, C, H, W)`` each.
            samples: N samples, some of them paired.
            size: (height, width) of the batch in pixels.

        Raises:
            ValueError: If the neck has no such level.
        """
        if self.level >= len(features):
            raise ValueError(
                f'level of AlignMix is {self.level}, but the neck gives '
                f'{len(features)} maps, counted from 0'
            )
        coarse = features[self.level].detach()
        pairs, grid = Pairs.of(samples, coarse), tuple(coarse.shape[2:])
        paired = [samples[i] for i in pairs.images]
        valid = tuple(
            valid_cells(paired, k, size, grid, coarse.device) for k in range(2)
        )
        maps = coarse.flatten(2)
        plans = transport_plan(
            maps[pairs.own], maps[pairs.partners], valid=valid, **self.plan
        )
        itself = torch.eye(plans.shape[1], device=plans.device)
        plans = torch.where(valid[0][:, :, None], plans, itself)
        return AlignedPairs(pairs, plans, grid)

    def _draws_inputs(self) -> bool:
        """Whether this iteration blends pixels, from counters as the mixers."""
        counters = (runner_counter('seed'), get_rank(), runner_counter('iter'))
        rng = counter_rng(*counters, Stream.ALIGN_MIX_INPUTS)
        return rng.random() < self.input_prob


def _check_order(augments: Sequence[nn.Module]) -> None:
    """Refuse whatever resizes images after their sizes were noted."""
    if any(isinstance(augment, PairBatch) for augment in list(augments)[:-1]):
        kinds = [type(augment).__name__ for augment in augments]
        raise ValueError(
            'PairBatch notes the sizes of the images that it pairs and has to be the '
            f'last of data_preprocessor.batch_augments, got {kinds}'
        )


def _check_assigner(name: str, assigner: Any) -> None:
    """Refuse an assigner that asks which of all RoIs fits a box best.

    A RoI takes the labels of RoIs of its shape, one at each cell. Those that nothing
    is taken of would be among them. Anchors are assigned where they are.

    Raises:
        ValueError: If it is one, or does not tell.
    """
    if assigner is not None and getattr(assigner, 'match_low_quality', True):
        raise ValueError(
            f'{name}: AlignMix assigns each RoI by itself; its train_cfg.rcnn.assigner '
            'must be a MaxIoUAssigner with match_low_quality=False, as in Faster '
            f'R-CNN, got {type(assigner).__name__} with match_low_quality='
            f'{getattr(assigner, "match_low_quality", None)}'
        )


def _twin(cfg: Any) -> Any:
    """The config of a mix-aware head, as one that carries labels."""
    kind = cfg.get('type') if isinstance(cfg, Mapping) else None
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    for head, twin in _TWINS:
        if kind is head:
            return {**cfg, 'type': twin}
    return cfg


def _heads(model: nn.Module) -> list[tuple[str, Any]]:
    """The heads of a detector that classify, by name.

    Raises:
        TypeError: If they are not those that can carry labels.
    """
    kinds = dict(rpn_head=AlignMixRPNHead, roi_head=AlignMixRoIHead)
    if not hasattr(model, 'rpn_head'):
        kinds = dict(bbox_head=AlignMixSSDHead)
    heads = [(name, getattr(model, name, None)) for name in kinds]
    for (name, head), kind in zip(heads, kinds.values()):
        if not isinstance(head, kind):
            raise TypeError(
                'AlignMix takes detectors with a MixSSDHead, or with a MixRPNHead and '
                f'a MixStandardRoIHead; {name} is {type(head).__name__}'
            )
    return heads
