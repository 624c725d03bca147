"""Detectors and mixers for the check of mixers against heads."""

from __future__ import annotations

from types import SimpleNamespace

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.model import BaseModule
from torch import nn

from mmmix.models.supervisions import build_override

RATIO = dict(type='Constant', value=0.5)


class Head(BaseModule):
    """A head as far as the check sees one, mix-aware unless told otherwise."""

    def __init__(self, supervision=None, aware=True):
        super().__init__()
        self.supervision = build_override(supervision)
        self.honours_box_weights = aware

    def loss(self):
        """Never called."""


def runner_of(model, mixer=None, **cfg):
    """What a Runner of a built detector offers the check."""
    if mixer is not None:
        model.data_preprocessor.batch_augments = nn.ModuleList([MODELS.build(mixer)])
    return SimpleNamespace(model=model, cfg=Config(dict(model=dict(), **cfg)))


def mix_batch(supervision, **settings):
    """A mixer's config."""
    return dict(
        type='MixBatch', ratio=RATIO, supervision=dict(type=supervision), **settings
    )
