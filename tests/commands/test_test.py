"""What the options of ``test`` make of a config."""

from __future__ import annotations

import pytest
from mmdet.engine.hooks import DetVisualizationHook
from mmengine.config import Config

from mmmix.commands.test import apply_options, parse_args

KEPT = dict(logger=dict(type='LoggerHook'))
OWN = dict(type='OwnHook', draw=False)


@pytest.mark.parametrize(
    ('hooks', 'kind'),
    [
        (None, 'DetectionPicturesHook'),
        (KEPT, 'DetectionPicturesHook'),
        (dict(KEPT, visualization=dict(type=DetVisualizationHook)), None),
        (dict(visualization=dict(type='mmdet.DetVisualizationHook')), None),
        (dict(visualization=OWN), 'OwnHook'),
    ],
)
def test_pictures_are_drawn_whatever_the_hooks(hooks, kind, tmp_path):
    checkpoint = tmp_path / 'x.pth'
    checkpoint.touch()
    cfg = Config({} if hooks is None else dict(default_hooks=hooks))
    apply_options(cfg, parse_args(['c.py', str(checkpoint), '--show-dir', 'pictures']))
    found = cfg.default_hooks.to_dict()
    assert found.pop('visualization') == dict(
        type=kind or 'DetectionPicturesHook', draw=True, test_out_dir='pictures'
    )
    assert found == {key: hook for key, hook in KEPT.items() if key in (hooks or {})}
