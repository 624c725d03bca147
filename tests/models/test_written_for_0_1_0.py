"""Configs written for 0.1.0, where a head names its supervision beside a mixer."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

import mmmix
from mmmix.apis.configs.config_reading import read_config
from mmmix.models.supervisions import build_supervision
from mmmix.structures import MIX_SUPERVISION
from tests.models.detectors import zoo
from tests.models.teachers import semi

OTHERS = {
    'SSD': ('Union', 'WeightedUnion', 'LossMix', 'BoxMix'),
    'YOLOv3': ('Union', 'WeightedUnion', 'LossMix', 'BoxMix'),
    'FasterRCNN': ('Union', 'WeightedUnion', 'LossMix', 'BoxMix'),
    'RetinaNet': ('Union', 'LossMix'),
}
CASES = [(name, kind) for name, kinds in OTHERS.items() for kind in kinds]


def detector(name: str, own: str | None) -> ConfigDict:
    """A small detector as 0.1.0 wrote it, or, without ``own``, as it is written now."""
    cfg = semi.detector(name, own or ('LossMix' if name == 'RetinaNet' else None))
    if own is None:
        cfg.pop('supervision', None)
    return cfg


def mixer(stamp: str | None) -> dict[str, Any]:
    """A mixer without a supervision, as in 0.1.0, or with one."""
    carried = {} if stamp is None else dict(supervision=dict(type=stamp))
    return semi.mixer(0.3, lam_per='batch', **carried)


def seeded(act: Any) -> Any:
    """What a function gives when all draws start anew."""
    torch.manual_seed(0)
    np.random.seed(0)
    return act()


def built(cfg: Any) -> Any:
    """A model in training mode, always with the same weights."""
    init_default_scope('mmdet')
    model = seeded(lambda: MODELS.build(ConfigDict(cfg)))
    seeded(model.init_weights)
    return model.train()


def losses_of(name: str, own: str | None, stamp: str | None) -> dict[str, Any]:
    """The losses of a batch that the model's own preprocessor mixed."""
    cfg = detector(name, own)
    cfg.setdefault('data_preprocessor', dict(type='DetDataPreprocessor'))
    cfg.data_preprocessor.batch_augments = [mixer(stamp)]
    model = built(cfg)
    samples = [semi.sample(semi.objects(2 + i, i)) for i in range(3)]
    data = dict(inputs=list(50 * semi.images(3, 0)), data_samples=samples)
    data = model.data_preprocessor(data, training=True)
    found = {repr(s.metainfo[MIX_SUPERVISION]) for s in data['data_samples']}
    assert found == {repr(build_supervision(dict(type=stamp or 'Union')))}
    return seeded(lambda: zoo.flat(model(**data, mode='loss')))


def check_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    """Two sets of losses are the same to the bit."""
    assert list(one) == list(other)
    for name in one:
        assert torch.equal(one[name], other[name]), name


@pytest.mark.parametrize(('name', 'kind'), CASES)
def test_a_head_with_its_own_supervision_trains_the_same(name, kind):
    old = losses_of(name, own=kind, stamp=None)
    check_equal(old, losses_of(name, own=None, stamp=kind))
    if kind != 'Union':
        union = losses_of(name, own=None, stamp='Union')
        assert any(not torch.equal(old[key], union[key]) for key in old)


@pytest.mark.parametrize('name', ['SSD', 'RetinaNet'])
def test_a_student_with_its_own_supervision_trains_the_same(name):
    def losses(own: str | None, stamp: str | None) -> dict[str, torch.Tensor]:
        mixers = {term: mixer(stamp) for term in ('sup', 'unsup', 'cross')}
        settings = dict(cls_pseudo_thr=semi.THRESHOLD, regress_pseudo=True)
        cfg = semi.config(detector(name, own), mixers=mixers, semi_train_cfg=settings)
        model = built(cfg)
        labels = [semi.scored(semi.objects(2, 9 + i), (0.9, 0.95)) for i in range(2)]
        semi.script(model, *labels)
        inputs, samples = semi.batch([semi.objects(2, i) for i in range(2)], 2)
        return seeded(lambda: semi.flat(model.loss(inputs, copy.deepcopy(samples))))

    old = losses(own='LossMix', stamp=None)
    check_equal(old, losses(own=None, stamp='LossMix'))
    union = losses(own=None, stamp='Union')
    assert any(not torch.equal(old[key], union[key]) for key in old)


RATIO = dict(type='Beta', alpha=1.0)


@pytest.mark.parametrize('kind', ['MixBatch', 'CutMixBatch', 'PairBatch'])
@pytest.mark.parametrize(
    ('setting', 'advice'),
    [
        (dict(mode='cutmix'), "type='CutMixBatch' or 'CutMixImage' pastes a region"),
        (dict(mode='pair'), "type='PairBatch' pairs for AlignMix"),
        (dict(boxes='clip'), r"write supervision=dict\(type='Visible'\)"),
        (dict(boxes='keep'), r"dict\(type='LossMix'\) or another that weighs by λ"),
    ],
)
def test_settings_of_a_mixer_that_are_gone(kind, setting, advice):
    with pytest.raises(TypeError, match=advice):
        MODELS.build(dict(type=kind, ratio=RATIO, **setting))


def test_positives_became_a_setting_of_the_head():
    with pytest.raises(TypeError, match=r"bbox_head=dict\(mix_positives='any'\)"):
        build_supervision(dict(type='BoxMix', positives='any'))


def test_a_base_has_no_supervision_any_more(tmp_path):
    base = mmmix.config_path('ssd300_voc.py')
    mix = mmmix.config_path('_base_/mixes/boxmix.py')
    path = tmp_path / 'mine.py'
    path.write_text(
        f'_base_ = [{base!r}, {mix!r}]\n'
        'model = dict(\n'
        '    data_preprocessor=dict(batch_augments=[_base_.mix]),\n'
        '    bbox_head=dict(supervision=_base_.supervision))\n'
    )
    with pytest.raises(
        AttributeError, match='Leave supervision=_base_.supervision out'
    ):
        read_config(str(path))
    path.write_text(path.read_text().replace('_base_.supervision', 'None'))
    read_config(str(path))
    path.write_text(f'_base_ = [{mix!r}]\nx = _base_.other')
    with pytest.raises(AttributeError, match="attribute 'other'"):
        read_config(str(path))
