"""How MixedDomainTeacher is built, and what it refuses."""

from __future__ import annotations

import math

import pytest
from mmdet.registry import MODELS

from mmmix.engine.find_mixers import find_batch_mixers
from mmmix.models.teachers import semi_checks
from mmmix.models.teachers.domain_train_settings import DomainTrainSettings
from tests.models.teachers import domain, semi


def test_settings_by_default_are_the_papers():
    settings = DomainTrainSettings.build(None)
    names = ('mss', 'nst', 'mtt', 'mst', 'disc')
    assert [settings.weight(name) for name in names] == [1, 1, 1, 1, 0.1]
    assert settings.pseudo.cls_pseudo_thr == 0.8
    assert not settings.pseudo.regress_pseudo
    assert settings.reversal(0) == 1.0
    changed = DomainTrainSettings.build(
        dict(cls_pseudo_thr=0.7, regress_pseudo=True, ramp_up=4, disc_ramp_up=8)
    )
    assert (changed.pseudo.cls_pseudo_thr, changed.pseudo.regress_pseudo) == (0.7, True)
    assert changed.reversal(4) == pytest.approx(math.exp(-1.25))
    assert (changed.reversal(8), changed.pseudo.ramp(4)) == (1.0, 1.0)


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(lambda_mts=1.0), ValueError, 'lambda_mts.*expected.*lambda_mst'),
        (dict(sup_weight=1.0), ValueError, "unknown settings \\['sup_weight'\\]"),
        (dict(lambda_disc=-0.1), ValueError, 'lambda_disc must not be negative.*-0.1'),
        (dict(lambda_mss=math.inf), ValueError, 'lambda_mss.*inf'),
        (dict(lambda_nst='1'), TypeError, "lambda_nst must be a number, got '1'"),
        (dict(weak_source=1), TypeError, 'weak_source must be True or False, got 1'),
        (
            dict(disc_ramp_up=-1),
            ValueError,
            'disc_ramp_up must not be negative',
        ),
        (dict(disc_ramp_up=1.5), TypeError, 'disc_ramp_up must be an integer, got 1.5'),
        (dict(cls_pseudo_thr=2), ValueError, 'cls_pseudo_thr.*2'),
    ],
)
def test_settings_it_refuses(settings, error, message):
    with pytest.raises(error, match=message):
        DomainTrainSettings.build(settings)


def test_a_ramp_of_a_discriminator_that_is_not_there_is_warned_of(monkeypatch):
    said = []
    monkeypatch.setattr(semi_checks, 'print_log', lambda text, **_: said.append(text))
    ramp = dict(semi_train_cfg=dict(disc_ramp_up=4))
    domain.build(**ramp)
    domain.build(discriminator=None)
    assert said == []
    domain.build(discriminator=None, **ramp)
    (text,) = said
    assert text.startswith(
        'semi_train_cfg.disc_ramp_up=4 has no effect without discriminator'
    )


def test_it_tells_all_its_settings_as_other_teachers_do():
    """Those by default too, such as the threshold, which the page of a run reads."""
    given = dict(lambda_mst=0.5, ramp_up=3)
    found = domain.build(semi_train_cfg=given).semi_train_cfg
    assert DomainTrainSettings.build(found) == DomainTrainSettings.build(given)
    assert (found.cls_pseudo_thr, found.regress_pseudo) == (0.8, False)
    assert (found.lambda_mst, found.lambda_disc, found.ramp_up) == (0.5, 0.1, 3)


NOISE = {**domain.NOISE}


@pytest.mark.parametrize(
    ('mixers', 'error', 'message'),
    [
        (dict(sup=semi.mixer()), ValueError, "unknown terms \\['sup'\\].*'mst'"),
        (
            dict(mtt=dict(type='DetDataPreprocessor')),
            TypeError,
            'mixers.mtt.*MixBatch.*got DetDataPreprocessor',
        ),
        (dict(mst=semi.mixer(pairing='reverse')), ValueError, "mst.*'reverse'.*leave"),
        (dict(nst={**NOISE, 'keep': 'all'}), ValueError, "mixers.nst.*keep='dominant'"),
        (dict(nst=semi.mixer(0.5, keep='dominant')), ValueError, 'always above 0.5'),
        (dict(nst=semi.mixer(keep='dominant')), ValueError, 'Beta'),
    ],
)
def test_mixers_it_refuses(mixers, error, message):
    with pytest.raises(error, match=message):
        domain.build(mixers=mixers)


def test_what_it_is_built_of():
    cfg = dict(lambda_mst=0.5, cls_pseudo_thr=0.7, freeze_teacher=True)
    mixers = domain.mixers(mtt=None)
    model = domain.build(semi_train_cfg=cfg, mixers=mixers)
    assert (model.lambdas.lambda_mst, model.settings.cls_pseudo_thr) == (0.5, 0.7)
    assert list(model.mixers) == ['mss', 'nst', 'mst']
    assert find_batch_mixers(model) == list(model.mixers.values())
    assert not any(p.requires_grad for p in model.teacher.parameters())
    assert not any(module.training for module in model.train().teacher.modules())
    disc = {k for k in model.state_dict() if not k.startswith(('student.', 'teacher.'))}
    assert disc == {
        f'discriminator.convs.{i}.{kind}' for i in (0, 1) for kind in ('weight', 'bias')
    }
    plain = MODELS.build(semi.detector('SSD')).state_dict()
    found = model.load_state_dict(plain, strict=False)
    assert set(found.missing_keys) == disc
    assert not found.unexpected_keys


def test_mst_needs_losses_that_tell_boxes_apart():
    for kind in (None, 'Union'):
        with pytest.raises(ValueError, match='mixers.mst.*regress_pseudo=True'):
            domain.build('RetinaNet', kind, mixers=domain.mixers())
    domain.build('RetinaNet', mixers=domain.mixers(mst=None))
