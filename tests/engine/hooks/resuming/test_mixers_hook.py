"""How a run mixes, in its checkpoints and when it goes on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from mmmix.apis.cli import build_runner
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.configs.train_options import keep_course
from mmmix.datasets.transforms import MixImage
from mmmix.engine import MixersHook
from mmmix.engine.described_mixers import described_mixers

DEMO = 'mmmix::demo/ssd_digits.py'


def test_mixers_are_described_wherever_they_are():
    cfg = Config(
        dict(
            model=dict(
                type='SomeDetector',
                mixers=dict(sup=dict(type='mmdet.MixBatch', prob=0.5, fill=(1, 2))),
            ),
            train_dataloader=dict(
                dataset=[dict(pipeline=[dict(type='Resize', ratio=1)])]
            ),
            val_dataloader=dict(dataset=dict(pipeline=[dict(type='MixImage')])),
        )
    )
    assert described_mixers(cfg) == ['MixBatch(fill=[1, 2], prob=0.5)']
    step = dict(ratio=dict(type='Beta', alpha=1.0), type=MixImage)
    cfg.train_dataloader.dataset[0].pipeline.append(step)
    assert described_mixers(cfg)[1] == 'MixImage(ratio=Beta(alpha=1.0))'
    assert described_mixers(read_config(DEMO)) == []


@pytest.fixture
def resume(tmp_path, capsys):
    """What is said when a run with one method goes on with another."""

    def resumed(before, now):
        checkpoint = dict(meta={}, state_dict={}, optimizer={})
        if before is not None:
            runner = SimpleNamespace(cfg=before)
            MixersHook().before_save_checkpoint(runner, checkpoint)
        path = str(tmp_path / 'iter_1.pth')
        torch.save(checkpoint, path)
        now.resume, now.load_from = True, path
        capsys.readouterr()
        keep_course(now)
        return capsys.readouterr().out

    return resumed


def test_another_method_is_warned_of(resume):
    union, boxmix = (read_config(f'{DEMO}+{name}') for name in ('union', 'boxmix'))
    said = resume(union, boxmix)
    assert 'MixBatch(' in said
    assert 'goes on with MixBatch(' in said
    assert 'a run with no mixer, which goes on' in resume(read_config(DEMO), boxmix)
    weaker = read_config(f'{DEMO}+boxmix', mix_options={'prob': 0.5})
    assert 'prob=0.5' in resume(boxmix, weaker)


def test_the_same_method_and_older_checkpoints_are_not(resume):
    boxmix = read_config(f'{DEMO}+boxmix')
    assert resume(boxmix, read_config(f'{DEMO}+boxmix')) == ''
    assert resume(None, boxmix) == ''


def test_building_a_run_leaves_the_description_as_it_is(tmp_path):
    cfg = read_config(f'{DEMO}+lossmix')
    cfg.work_dir = str(tmp_path)
    before = described_mixers(cfg)
    assert len(before) == 1
    assert described_mixers(build_runner(cfg).cfg) == before
