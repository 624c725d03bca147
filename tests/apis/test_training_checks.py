"""Mixers of a built model against its heads, and ``mix`` of a config against both."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from mmdet.models.detectors import SemiBaseDetector
from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config, ConfigDict
from torch import nn

from mmmix.apis.training_checks import check_mixing

from .check_cases import Head, mix_batch, runner_of

BASELINE = """
model = dict(
    data_preprocessor=dict(type='DetDataPreprocessor'),
    rpn_head=dict(),
    bbox_head=dict())
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=[]))
"""
MIX = """
mix = dict(
    type='MixBatch',
    ratio=dict(type='Beta', alpha=0.2),
    supervision=dict(type='BoxMix'))
"""
LEAF = """
_base_ = ['./baseline.py', './mix.py']
model = dict(data_preprocessor=dict(batch_augments=[_base_.mix]))
"""
IMAGE_MIX = """
mix = dict(
    type='MixImage',
    pad='black',
    ratio=dict(type='Constant', value=0.5),
    supervision=dict(type='LossMix'))
"""
IN_PLACE = 'model.data_preprocessor.batch_augments'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'baseline.py').write_text(BASELINE)
    (tmp_path / 'mix.py').write_text(MIX)
    (tmp_path / 'leaf.py').write_text(LEAF)
    return tmp_path


def build(folder, child, base='./leaf.py', options=None):
    """What a Runner of a child config offers the check."""
    path = folder / 'child.py'
    path.write_text(f'_base_ = [{base!r}]\n{child}\n')
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options or {})
    model = nn.Module()
    model.data_preprocessor = MODELS.build(ConfigDict(cfg.model.data_preprocessor))
    model.rpn_head = Head(**cfg.model.rpn_head)
    model.bbox_head = Head(**cfg.model.bbox_head)
    steps = [TRANSFORMS.build(s) for s in cfg.train_dataloader.dataset.pipeline]
    pipeline = SimpleNamespace(transforms=steps)
    inner = SimpleNamespace(datasets=[SimpleNamespace(pipeline=pipeline)])
    loader = SimpleNamespace(dataset=SimpleNamespace(dataset=inner))
    return SimpleNamespace(cfg=cfg, model=model, train_dataloader=loader)


def test_consistent_configs_pass(folder):
    check_mixing(build(folder, ''))
    check_mixing(build(folder, '', base='./baseline.py'))


@pytest.mark.parametrize(
    'child',
    [
        "model = dict(bbox_head=dict(supervision=dict(type='LossMix')))",
        'model = dict(data_preprocessor=dict(batch_augments=[dict(_base_.mix, '
        "supervision=dict(type='LossMix'))]))",
        "model = dict(data_preprocessor=dict(batch_augments=[dict(type='MixBatch', "
        "ratio=dict(type='Constant', value=0.5))]))",
        'mix = None\nmodel = dict(data_preprocessor=dict(batch_augments=None))',
        "mix = dict(align='corner')\nmodel = dict(data_preprocessor=dict("
        "batch_augments=[dict(_base_.mix, align='corner')]))",
    ],
)
def test_changes_in_place_pass(child, folder):
    check_mixing(build(folder, child))


@pytest.mark.parametrize('by_option', [True, False])
def test_redefined_mix_is_named_with_its_fix(by_option, folder):
    child = '' if by_option else 'mix = dict(ratio=dict(alpha=1.5))'
    options = {'mix.ratio.alpha': 1.5} if by_option else None
    with pytest.raises(ValueError, match='`mix` was redefined') as caught:
        check_mixing(build(folder, child, options=options))
    message = str(caught.value)
    assert str(folder / 'child.py') in message
    assert "'alpha': 0.2" in message
    fix = message.partition(', set ')[2]
    assert fix == (
        "model=dict(data_preprocessor=dict(batch_augments=[dict(type='MixBatch', "
        "ratio=dict(type='Beta', alpha=1.5), supervision=dict(type='BoxMix'))]))"
    )
    check_mixing(build(folder, f'{child}\n{fix}', options=options))


def test_another_supervision_of_mix_is_a_redefinition_too(folder):
    child = "mix = dict(supervision=dict(_delete_=True, type='LossMix', reg=False))"
    with pytest.raises(ValueError, match='`mix` was redefined') as caught:
        check_mixing(build(folder, child))
    fix = str(caught.value).partition(', set ')[2]
    assert "supervision=dict(type='LossMix', reg=False)" in fix
    check_mixing(build(folder, f'{child}\n{fix}'))


def test_redefinition_in_the_middle_of_a_chain(folder):
    (folder / 'middle.py').write_text(
        "_base_ = ['./leaf.py']\nmix = dict(align='corner')\n"
    )
    with pytest.raises(ValueError, match='`mix` was redefined'):
        check_mixing(build(folder, '', base='./middle.py'))


def test_a_method_built_on_another_can_be_changed_in_place(folder):
    """Its own ``mix`` is no redefinition: nothing was in place yet."""
    (folder / 'light.py').write_text(
        "_base_ = './mix.py'\nmix = dict(ratio=dict(alpha=0.1))\n"
    )
    (folder / 'leaf.py').write_text(LEAF.replace('mix.py', 'light.py'))
    options = {f'{IN_PLACE}.0.ratio.alpha': 0.5}
    check_mixing(build(folder, ''))
    check_mixing(build(folder, '', options=options))
    with pytest.raises(ValueError, match='`mix` was redefined'):
        check_mixing(build(folder, '', options={'mix.ratio.alpha': 0.5}))


def test_mix_that_nothing_uses(folder):
    (folder / 'both.py').write_text("_base_ = ['./baseline.py', './mix.py']")
    with pytest.raises(ValueError, match='`mix`, but nothing uses it') as caught:
        check_mixing(build(folder, '', base='./both.py'))
    place = 'model=dict(data_preprocessor=dict(batch_augments=[_base_.mix]))'
    assert f'Put it in place: {place};' in str(caught.value)
    check_mixing(build(folder, place, base='./both.py'))
    check_mixing(build(folder, 'mix = None', base='./both.py'))
    gone = 'model = dict(data_preprocessor=dict(batch_augments=None))'
    with pytest.raises(ValueError, match='nothing uses it'):
        check_mixing(build(folder, gone))


def test_transform_is_looked_for_in_the_pipeline(folder):
    (folder / 'mix.py').write_text(IMAGE_MIX)
    (folder / 'both.py').write_text("_base_ = ['./baseline.py', './mix.py']")
    place = 'train_dataloader = dict(dataset=dict(pipeline=[_base_.mix]))'
    check_mixing(build(folder, place, './both.py'))
    completed = place.replace('_base_.mix', 'dict(_base_.mix, prob=0.5)')
    check_mixing(build(folder, completed, './both.py'))
    with pytest.raises(ValueError, match='nothing uses it'):
        check_mixing(build(folder, '', './both.py'))
    options = {'mix.align': 'corner'}
    with pytest.raises(ValueError, match='`mix` was redefined'):
        check_mixing(build(folder, place, './both.py', options))
    deaf = f'{place}\nmodel = dict(bbox_head=dict(aware=False))'
    with pytest.raises(ValueError, match=r'model\.bbox_head, a Head, does not read'):
        check_mixing(build(folder, deaf, './both.py'))
    check_mixing(build(folder, deaf, './both.py'), training=False)


@pytest.mark.parametrize('head', ['rpn_head', 'bbox_head'])
def test_every_head_that_would_not_read_the_stamp_is_refused(head, folder):
    child = f'model = dict({head}=dict(aware=False))'
    with pytest.raises(ValueError, match=f'model.{head}, a Head, does not read') as e:
        check_mixing(build(folder, child))
    message = str(e.value)
    assert message.startswith('MixBatch stamps its samples with BoxMix()')
    for way_out in ('MixSSDHead', "type='LossMixDetector'", '--mix NAME'):
        assert way_out in message


def test_union_needs_no_reader(folder):
    child = """
mix = None
model = dict(
    bbox_head=dict(aware=False),
    data_preprocessor=dict(batch_augments=[
        dict(_base_.mix, supervision=dict(type='Union'))]))
"""
    check_mixing(build(folder, child))


class Semi(SemiBaseDetector):
    """The parts of a semi-supervised detector that the check sees."""

    def __init__(self, aware):
        nn.Module.__init__(self)
        self.mixers = nn.ModuleDict({'unsup': MODELS.build(mix_batch('BoxMix'))})
        for name in ('student', 'teacher'):
            setattr(self, name, nn.Module())
            getattr(self, name).bbox_head = Head(aware=aware)


def test_the_student_of_a_teacher_must_read_the_stamp():
    check_mixing(runner_of(Semi(aware=True)), training=False)
    with pytest.raises(ValueError, match='model.bbox_head, a Head, does not read'):
        check_mixing(runner_of(Semi(aware=False)), training=False)


@pytest.mark.parametrize('place', ['mixers=dict(unsup=_base_.mix)', 'mixer=_base_.mix'])
def test_mix_in_a_teacher_or_in_a_detector_is_in_place(place, folder):
    (folder / 'both.py').write_text(
        f"_base_ = ['./baseline.py', './mix.py']\nmodel = dict({place})\n"
    )
    check_mixing(build(folder, '', base='./both.py'))
    with pytest.raises(ValueError, match='`mix` was redefined'):
        check_mixing(build(folder, 'mix = dict(prob=0.5)', base='./both.py'))


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
