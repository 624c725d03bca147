"""``--track``: backends of mmengine, and packages that are not there."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import mmengine.visualization
import pytest
from mmengine.config import Config

from mmmix.apis import tracking
from mmmix.apis.tracking import TRACKERS, track
from mmmix.commands.train import main, parse_args
from tests.toy_run import write_config


@pytest.fixture
def installed(monkeypatch):
    """As if all packages were there."""
    util = SimpleNamespace(find_spec=lambda name: name)
    monkeypatch.setattr(tracking, 'importlib', SimpleNamespace(util=util))


@pytest.mark.usefixtures('installed')
@pytest.mark.parametrize('name', TRACKERS)
def test_backends_are_added(name):
    backend = TRACKERS[name]
    assert hasattr(mmengine.visualization, backend)
    cfg = Config(dict(visualizer=dict(type='V', vis_backends=[dict(type='Own')])))
    track(cfg, name)
    track(cfg, name)
    assert [b.type for b in cfg.visualizer.vis_backends] == ['Own', backend]
    bare = Config(dict())
    track(bare, name)
    kept = ['LocalVisBackend', backend]
    assert [b.type for b in bare.visualizer.vis_backends] == kept


def test_a_missing_package_is_named_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = importlib.util.find_spec

    def without(name):
        return None if name == 'clearml' else found(name)

    monkeypatch.setattr(importlib.util, 'find_spec', without)
    with pytest.raises(ModuleNotFoundError, match='python -m pip install clearml'):
        main([write_config(tmp_path), '--track', 'clearml'])
    assert not (tmp_path / 'work_dirs').exists()


def test_an_unknown_tracker(capsys):
    with pytest.raises(SystemExit):
        parse_args(['config.py', '--track', 'paper'])
    assert 'tensorboard' in capsys.readouterr().err
