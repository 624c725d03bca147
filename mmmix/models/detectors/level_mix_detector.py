"""SSD trained with mixing on some anchor levels only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.models.detectors import SingleStageDetector
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from mmmix.models.batch_augments import MixBatch
from mmmix.models.dense_heads import LevelMixSSDHead
from mmmix.models.supervisions.supervision import Losses


@MODELS.register_module()
class LevelMixDetector(SingleStageDetector):
    """A detector that sees mixed images on the levels that its head names.

    BoxMix paper, sec. 4.4 and Table 5: each iteration runs a forward pass on the
    original and on the mixed batch. Predictions of the head's ``mix_levels`` come
    from the mixed batch, all others from the original one, and one loss takes them
    together. BatchNorm layers see both passes. State-dict keys, and predictions,
    are those of ``SingleStageDetector``.

    Args:
        *args: As ``SingleStageDetector``, with a ``LevelMixSSDHead``.
        mixer: Config of ``MixBatch``, with ``align='resize'``: an image must lie in
            the same place whether it is mixed or not. ``batch_augments`` of the
            data preprocessor stay without a mixer.
        **kwargs: As ``SingleStageDetector``.

    Raises:
        TypeError: If mixer or head are others.
        ValueError: If the mixer may move an image, or leaves no component.
    """

    def __init__(self, *args: Any, mixer: dict, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mixer = MODELS.build(mixer)
        for name, part, kind in (
            ('mixer', self.mixer, MixBatch),
            ('bbox_head', self.bbox_head, LevelMixSSDHead),
        ):
            if not isinstance(part, kind):
                raise TypeError(
                    f'{name} of LevelMixDetector must be a {kind.__name__}, got '
                    f'{type(part).__name__}'
                )
        settings = self.mixer.settings
        supervision = self.bbox_head.supervision or self.mixer.supervision
        if (settings.align, settings.keep) != ('resize', 'all'):
            raise ValueError(
                "mixer of LevelMixDetector needs align='resize' and keep='all', got "
                f'{settings}'
            )
        if not supervision.joint:
            raise ValueError(
                'LevelMixDetector mixes the targets of anchors: its mixer needs '
                f"supervision=dict(type='BoxMix'), got {supervision}"
            )

    def loss(
        self, batch_inputs: Tensor, batch_data_samples: Sequence[DetDataSample]
    ) -> Losses:
        """Losses of a batch, some of whose levels are mixed.

        Args:
            batch_inputs: ``(N, 3, H, W)``, all images of one size.
            batch_data_samples: N unmixed samples.

        Raises:
            TypeError, ValueError: If the samples cannot be mixed.
        """
        levels = self.bbox_head.mix_levels
        mixed_inputs, samples = batch_inputs, batch_data_samples
        if levels:
            mixed_inputs, samples = self.mixer(batch_inputs, batch_data_samples)
        if samples is batch_data_samples:
            return super().loss(batch_inputs, batch_data_samples)
        own = self.bbox_head(self.extract_feat(batch_inputs))
        mixed = self.bbox_head(self.extract_feat(mixed_inputs))
        maps = [
            [pair[level in levels] for level, pair in enumerate(zip(*kinds))]
            for kinds in zip(own, mixed)
        ]
        gt_instances, ignored, metas = unpack_gt_instances(samples)
        return self.bbox_head.loss_by_feat(*maps, gt_instances, metas, ignored)
