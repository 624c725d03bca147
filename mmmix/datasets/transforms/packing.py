"""Packing a sample that a mixer of images may have mixed."""

from __future__ import annotations

from mmdet.datasets.transforms import PackDetInputs
from mmdet.registry import TRANSFORMS

from mmmix.structures import (
    MIX_IDS,
    MIX_SUPERVISION,
    MIX_VISIBILITY,
    MIX_WEIGHTS,
)

GT_MIX_IDS = f'gt_{MIX_IDS}'
"""Key of the boxes' components in the results dict of a pipeline."""

GT_MIX_VISIBILITY = f'gt_{MIX_VISIBILITY}'
"""Key of the visible shares of clipped boxes there."""


@TRANSFORMS.register_module()
class PackMixInputs(PackDetInputs):
    """``PackDetInputs`` that also packs the mixing fields.

    ``gt_mix_ids`` and ``gt_mix_visibility`` become ``mix_ids`` and
    ``mix_visibility`` of ``gt_instances`` and ``ignored_instances``;
    ``mix_weights`` and ``mix_supervision`` join the metainfo. A sample that met no
    mixer is packed as by ``PackDetInputs``.
    """

    mapping_table = {
        **PackDetInputs.mapping_table,
        GT_MIX_IDS: MIX_IDS,
        GT_MIX_VISIBILITY: MIX_VISIBILITY,
    }

    def transform(self, results: dict) -> dict:
        """Pack one sample.

        Raises:
            ValueError: If a transform between the mixer and this one changed
                the number of boxes, so that nobody knows any more which box
                belongs to which component.
        """
        if GT_MIX_IDS in results:
            expected, got = len(results[GT_MIX_IDS]), len(results['gt_bboxes'])
            if expected != got:
                raise ValueError(
                    f'{results.get("img_path")}: the mixer left {expected} boxes, but '
                    f'{got} arrived at PackMixInputs. A transform after the mixer '
                    'drops or adds boxes (RandomCrop, FilterAnnotations, …); move it '
                    'before MixImage (or CutMixImage).'
                )
        packed = super().transform(results)
        packed['data_samples'].set_metainfo(
            {
                key: results[key]
                for key in (MIX_WEIGHTS, MIX_SUPERVISION)
                if key in results
            }
        )
        return packed
