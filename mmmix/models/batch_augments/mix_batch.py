"""Blending a stacked batch with a permutation of itself, on its device."""

from __future__ import annotations

from mmdet.registry import MODELS

from .batch_mixer import BatchMixer


@MODELS.register_module()
class MixBatch(BatchMixer):
    """Blend every sample of a batch with another sample of the same batch.

    Goes into ``data_preprocessor.batch_augments``. No extra image is loaded,
    no dataset wrapper is needed and no worker restarts when mixing is switched.
    λ is drawn here, per pair, and only read afterwards: from
    ``metainfo['mix_weights']`` and ``gt_instances.mix_ids``. λ is the weight of
    the sample itself (component 0), 1 - λ that of its partner::

        mix = dict(
            type='MixBatch',
            ratio=dict(type='Beta', alpha=0.2),
            supervision=dict(type='BoxMix'))

    It takes the settings of :class:`BatchMixer`, all but ``min_visibility``.
    """
