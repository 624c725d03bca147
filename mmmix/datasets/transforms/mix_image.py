"""Blending in the dataset, for a batch of one or a pipeline of one's own."""

from __future__ import annotations

from mmdet.registry import TRANSFORMS

from .image_mixer import ImageMixer


@TRANSFORMS.register_module()
class MixImage(ImageMixer):
    """Blend an image with another one of the dataset, as ``MixBatch`` does.

    The result is a float32 image, because rounding to integers would bias the
    blend::

        dict(
            type='MultiImageMixDataset',
            dataset=...,
            pipeline=[
                dict(
                    type='MixImage',
                    ratio=dict(type='Beta', alpha=0.2),
                    supervision=dict(type='BoxMix'),
                    pad='black'),
                dict(type='PackMixInputs')])

    It takes the settings of :class:`ImageMixer`, all but ``min_visibility``.
    """
