"""``mix`` and ``supervision`` of a config against what was built."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from mmdet.models.detectors import SemiBaseDetector
from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config, ConfigDict
from mmengine.logging import MMLogger
from mmengine.model import BaseModule
from torch import nn

from mmmix.apis.checks import check_mixing
from mmmix.models.supervisions import build_supervision

BASELINE = """
model = dict(
    data_preprocessor=dict(type='DetDataPreprocessor'),
    rpn_head=dict(type='Head'),
    bbox_head=dict(type='Head'))
train_dataloader = dict(batch_size=2)
"""
MIX = """
mix = dict(type='MixBatch', ratio=dict(type='Beta', alpha=0.2))
supervision = dict(type='BoxMix')
"""
LEAF = """
_base_ = ['./baseline.py', './mix.py']
model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
    bbox_head=dict(supervision=_base_.supervision))
"""
IMAGE_MIX = """
mix = dict(type='MixImage', pad='black', ratio=dict(type='Constant', value=0.5))
"""


class Head(BaseModule):
    def __init__(self, supervision=None, type='Head'):
        super().__init__()
        self.supervision = build_supervision(supervision)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'baseline.py').write_text(BASELINE)
    (tmp_path / 'mix.py').write_text(MIX)
    (tmp_path / 'leaf.py').write_text(LEAF)
    return tmp_path


def build(folder, child, pipeline=(), base='./leaf.py', options=None):
    """What a Runner of a child config offers the check."""
    path = folder / 'child.py'
    path.write_text(f'_base_ = [{base!r}]\n{child}\n')
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options or {})
    model = nn.Module()
    preprocessor = ConfigDict(cfg.model.data_preprocessor)
    model.data_preprocessor = MODELS.build(preprocessor)
    model.rpn_head = Head(**cfg.model.rpn_head)
    model.bbox_head = Head(**cfg.model.bbox_head)
    dataset = SimpleNamespace(
        dataset=SimpleNamespace(
            datasets=[
                SimpleNamespace(
                    pipeline=SimpleNamespace(
                        transforms=[TRANSFORMS.build(step) for step in pipeline]
                    )
                )
            ]
        )
    )
    loader = SimpleNamespace(dataset=dataset)
    return SimpleNamespace(cfg=cfg, model=model, train_dataloader=loader)


@pytest.fixture
def logged(caplog):
    """The warnings of mmengine's logger."""
    logger = MMLogger.get_current_instance()
    caplog.handler.setLevel(logging.WARNING)
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_consistent_configs_pass(folder):
    check_mixing(build(folder, ''))
    check_mixing(build(folder, '', base='./baseline.py'))


@pytest.mark.parametrize(
    'child',
    [
        "model = dict(bbox_head=dict(supervision=dict(_delete_=True, type='LossMix')))",
        'model = dict(bbox_head=dict(supervision=None))',
        'model = dict(data_preprocessor=dict(batch_augments=None))',
        "model = dict(data_preprocessor=dict(batch_augments=[dict(type='MixBatch', "
        "ratio=dict(type='Constant', value=0.5))]))",
        'mix = None\nmodel = dict(data_preprocessor=dict(batch_augments=None))',
        "mix = dict(align='corner')\nmodel = dict(data_preprocessor=dict("
        "batch_augments=[dict(type='MixBatch', align='corner', "
        "ratio=dict(type='Beta', alpha=0.2))]))",
    ],
)
def test_changes_in_place_pass(child, folder):
    check_mixing(build(folder, child))


def test_redefined_supervision_is_named_with_its_fix(folder):
    child = "supervision = dict(_delete_=True, type='LossMix', reg=False)"
    with pytest.raises(ValueError, match='`supervision` was redefined') as caught:
        check_mixing(build(folder, child))
    message = str(caught.value)
    assert str(folder / 'child.py') in message
    assert 'model.bbox_head.supervision is still BoxMix(' in message
    fix = message.partition(', set ')[2]
    assert fix == (
        'model=dict(bbox_head=dict(supervision=dict(_delete_=True, '
        "type='LossMix', reg=False)))"
    )
    check_mixing(build(folder, f'{child}\n{fix}'))


def test_each_head_left_behind_is_named(folder):
    model = 'model = dict(rpn_head=dict(supervision=dict(type="BoxMix")))'
    child = f"{model}\nsupervision = dict(positives='any')"
    with pytest.raises(ValueError, match='has no effect') as caught:
        check_mixing(build(folder, child))
    assert 'model=dict(rpn_head=dict(supervision=' in str(caught.value)
    assert 'model=dict(bbox_head=dict(supervision=' in str(caught.value)


@pytest.mark.parametrize('by_option', [True, False])
def test_redefined_mix_is_named_with_its_fix(by_option, folder):
    child = '' if by_option else 'mix = dict(ratio=dict(alpha=1.5))'
    options = {'mix.ratio.alpha': 1.5} if by_option else None
    with pytest.raises(ValueError, match='`mix` was redefined') as caught:
        check_mixing(build(folder, child, options=options))
    message = str(caught.value)
    assert 'model.data_preprocessor.batch_augments.0 is still MixBatch(' in message
    fix = message.partition(', set ')[2]
    assert fix == (
        'model=dict(data_preprocessor=dict(batch_augments=[dict('
        "type='MixBatch', ratio=dict(type='Beta', alpha=1.5))]))"
    )
    check_mixing(build(folder, f'{child}\n{fix}', options=options))


@pytest.mark.parametrize(
    ('name', 'place'),
    [
        ('mix', 'model=dict(data_preprocessor=dict(batch_augments=[_base_.mix]))'),
        ('supervision', 'model=dict(bbox_head=dict(supervision=_base_.supervision))'),
    ],
)
def test_base_that_nothing_uses(name, place, folder):
    other = 'supervision' if name == 'mix' else 'mix'
    (folder / 'both.py').write_text("_base_ = ['./baseline.py', './mix.py']")
    with pytest.raises(ValueError, match=f'`{name}`, but nothing uses it') as caught:
        check_mixing(build(folder, f'{other} = None', base='./both.py'))
    assert place in str(caught.value)
    check_mixing(build(folder, f'{place}\n{other} = None', base='./both.py'))


def test_transform_is_looked_for_in_the_pipeline(folder):
    (folder / 'mix.py').write_text(IMAGE_MIX)
    (folder / 'both.py').write_text("_base_ = ['./baseline.py', './mix.py']")
    step = dict(type='MixImage', pad='black', ratio=dict(type='Constant', value=0.5))
    check_mixing(build(folder, '', [step], './both.py'))
    with pytest.raises(ValueError, match='nothing uses it') as caught:
        check_mixing(build(folder, '', [], './both.py'))
    assert "pipeline=[_base_.mix, dict(type='PackMixInputs')]" in str(caught.value)
    with pytest.raises(ValueError, match='`mix` was redefined') as caught:
        check_mixing(build(folder, "mix = dict(align='corner')", [step], './both.py'))
    place = 'train_dataloader.dataset.dataset.datasets[0].pipeline.transforms[0]'
    assert f'{place} is still MixImage(' in str(caught.value)
    check_mixing(build(folder, '', [], './both.py'), training=False)


def test_mixer_that_the_leaf_completes(folder):
    text = IMAGE_MIX.replace("pad='black', ", '')
    (folder / 'mix.py').write_text(text)
    (folder / 'both.py').write_text("_base_ = ['./baseline.py', './mix.py']")
    step = dict(type='MixImage', mean=[1, 2, 3], ratio=dict(type='Constant', value=0.5))
    check_mixing(build(folder, '', [step], './both.py'))
    with pytest.raises(ValueError, match='nothing uses it'):
        check_mixing(build(folder, '', [], './both.py'))


def test_batch_of_one_is_warned_about(folder, logged):
    one = 'train_dataloader = dict(batch_size=1)'
    check_mixing(build(folder, one), training=False)
    check_mixing(build(folder, one, base='./baseline.py'))
    check_mixing(build(folder, ''))
    assert not logged.records
    check_mixing(build(folder, one))
    (record,) = logged.records
    assert record.levelno == logging.WARNING
    assert 'batch_size is 1' in record.getMessage()
    assert 'MixImage' in record.getMessage()


def test_mix_of_unknown_type(folder):
    with pytest.raises(ValueError, match="'Mixx'"):
        check_mixing(build(folder, "mix = dict(type='Mixx')"))


def detector_runner(folder, child, model):
    """What a Runner offers the check, of a config with another model."""
    path = folder / 'child.py'
    path.write_text(f"_base_ = ['./mix.py']\n{child}\n")
    return SimpleNamespace(model=model, cfg=Config.fromfile(path))


def test_a_supervision_of_the_detector_itself(folder):
    """As LossMixDetector has it."""
    model = Head(dict(type='BoxMix'))
    child = (
        'mix = None\n'
        "model = dict(supervision=dict(type='BoxMix'))\n"
        "supervision = dict(positives='any')"
    )
    with pytest.raises(ValueError, match='has no effect: model.supervision is still'):
        check_mixing(detector_runner(folder, child, model), training=False)
    with pytest.raises(ValueError, match=r'set model=dict\(supervision=dict\(_delete_'):
        check_mixing(detector_runner(folder, child, model), training=False)


class Semi(SemiBaseDetector):
    """The parts of a semi-supervised detector that the check sees."""

    def __init__(self):
        nn.Module.__init__(self)
        mix = dict(type='MixBatch', ratio=dict(type='Beta', alpha=0.2))
        self.mixers = nn.ModuleDict({'unsup': MODELS.build(mix)})
        for name in ('student', 'teacher'):
            setattr(self, name, nn.Module())
            getattr(self, name).bbox_head = Head(dict(type='BoxMix'))


@pytest.mark.parametrize(
    ('child', 'place', 'fix'),
    [
        (
            "mix = None\nsupervision = dict(positives='any')",
            'model.detector.bbox_head.supervision',
            'set model=dict(detector=dict(bbox_head=dict(supervision=dict(_delete_',
        ),
        (
            'supervision = None\nmix = dict(ratio=dict(alpha=1.5))',
            'model.mixers.unsup',
            'set model=dict(mixers=dict(unsup=dict(type=',
        ),
    ],
)
def test_the_detector_of_a_teacher_is_named_as_in_its_config(folder, child, place, fix):
    model = """model = dict(
        detector=dict(bbox_head=dict(supervision=dict(type='BoxMix'))),
        mixers=dict(unsup=dict(type='MixBatch')))"""
    runner = detector_runner(folder, f'{model}\n{child}', Semi())
    with pytest.raises(ValueError, match='has no effect') as caught:
        check_mixing(runner, training=False)
    assert f'{place} is still ' in str(caught.value)
    assert fix in str(caught.value)
    assert 'model.teacher' not in str(caught.value)


def detector_with_a_mixer(folder, child=''):
    """A config whose detector itself holds the mixer, as LevelMixDetector does."""
    (folder / 'level.py').write_text(
        "_base_ = ['./baseline.py', './mix.py']\n"
        'model = dict(mixer=_base_.mix, '
        'bbox_head=dict(supervision=_base_.supervision))\n'
    )
    runner = build(folder, child, base='./level.py')
    runner.model.mixer = MODELS.build(runner.cfg.model.mixer)
    return runner


def test_a_mixer_in_the_detector_is_found(folder):
    check_mixing(detector_with_a_mixer(folder))
    stale = detector_with_a_mixer(folder, 'mix = dict(ratio=dict(alpha=0.5))')
    with pytest.raises(ValueError, match=r'set model=dict\(mixer=dict\(type='):
        check_mixing(stale)
