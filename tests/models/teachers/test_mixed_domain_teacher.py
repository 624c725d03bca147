"""MixedDomainTeacher: how it is built, its phases, every term of its loss."""

from __future__ import annotations

import math

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.structures import InstanceData

from mmmix.engine.hooks.find_mixers import find_batch_mixers
from mmmix.models.teachers import TeacherProgress
from mmmix.models.teachers.domain_train_settings import DomainTrainSettings
from tests.models.teachers import domain, semi

from .test_mix_teacher_terms import gradients, views

ADAPTATION = TeacherProgress(iteration=7, burn_in=3)


def terms_of(losses):
    return {name.split('_')[0] for name in losses if 'loss' in name}


# --- building ---------------------------------------------------------------


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
        (dict(disc_ramp_up=-1), ValueError, 'disc_ramp_up must be >= 0, got -1'),
        (dict(disc_ramp_up=1.5), TypeError, 'disc_ramp_up must be an integer, got 1.5'),
        (dict(cls_pseudo_thr=2), ValueError, 'cls_pseudo_thr.*2'),
    ],
)
def test_settings_it_refuses(settings, error, message):
    with pytest.raises(error, match=message):
        DomainTrainSettings.build(settings)


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


# --- warm-up ----------------------------------------------------------------


@pytest.mark.parametrize('name', ['SSD', 'YOLOv3', 'RetinaNet'])
def test_warm_up(name):
    """Eq. 15, λ_mss L_mss + λ_nst L_nst, by hand (identity 32)."""
    weights = dict(lambda_mss=0.5, lambda_nst=2.0)
    model = domain.configure(
        name, 'LossMix', domain.mixers(), domain.WARM_UP, **weights
    )
    inputs, samples = semi.batch(domain.SOURCE, 2)
    model.teacher.predict = _fail
    handle = model.teacher.backbone.register_forward_pre_hook(_fail)
    try:
        for view in (inputs, samples):
            del view['unsup_teacher']
        losses = model.loss(inputs, samples)
    finally:
        handle.remove()
    assert terms_of(losses) == {'mss', 'nst', 'disc'}
    assert losses['disc_loss'].item() == 0
    source = (inputs['sup'], views(domain.SOURCE, 'l'))
    mss = domain.mixer_of('mss', semi.mixer(lam_per='batch'))(*source)
    assert all('mix_weights' in sample for sample in mss[1])
    expected = model.student.loss(*mss)
    semi.assert_same(semi.named(losses, 'mss'), expected, 0.5)
    target = (inputs['unsup_student'], views([semi.objects(0, 0)] * 2))
    nst = domain.mixer_of('nst', domain.NOISE).mix_pair(*source, *target)
    apart = (nst[0] - source[0]) / (target[0] - source[0])
    assert 0 < apart.median() < 0.1
    expected = model.student.loss(nst[0], views(domain.SOURCE, 'l'))
    semi.assert_same(semi.named(losses, 'nst'), expected, 2.0)


def test_nothing_but_pixels_comes_from_the_target():
    """Identity 31: labels of the target do not matter, its pixels do a little."""
    found = []
    for change in ('nothing', 'labels', 'no labels', 'pixels'):
        model = domain.configure(
            'SSD', 'LossMix', domain.mixers(), progress=domain.WARM_UP
        )
        inputs, samples = semi.batch(domain.SOURCE, 2)
        for sample in samples['unsup_student']:
            if change == 'labels':
                sample.gt_instances = semi.objects(4, 33)
                sample.ignored_instances = semi.objects(2, 34)
            elif change == 'no labels':
                del sample.gt_instances, sample.ignored_instances
        if change == 'pixels':
            inputs['unsup_student'] += 1
        found.append(semi.flat(model.loss(inputs, samples)))
    same, labels, none, pixels = found
    for name, value in same.items():
        assert torch.equal(labels[name], value)
        assert torch.equal(none[name], value)
        assert torch.equal(pixels[name], value) == (not name.startswith('nst'))


@pytest.mark.parametrize('target', [1, 3])
def test_each_source_image_gets_noise_once(target):
    model = domain.configure(
        'SSD', mixers=dict(nst=semi.mixer(0.9, keep='dominant')), lambda_mss=0.0
    )
    model.progress = domain.WARM_UP
    inputs, samples = semi.batch(domain.SOURCE, target)
    losses = model.loss(inputs, samples)
    noise = inputs['unsup_student'][[0, 1 % target]]
    images = 0.9 * inputs['sup'] + (1 - 0.9) * noise
    expected = model.student.loss(images, views(domain.SOURCE, 'l'))
    semi.assert_same(semi.named(losses, 'nst'), expected)
    assert terms_of(losses) == {'nst', 'disc'}


def _fail(*args, **kwargs):
    raise AssertionError('the teacher was asked')


# --- adaptation -------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'supervision'),
    [('SSD', 'LossMix'), ('YOLOv3', 'BoxMix'), ('RetinaNet', 'LossMix')],
)
def test_adaptation(name, supervision):
    """Eq. 16 by hand, with pseudo-boxes that teach regression, for simplicity."""
    weights = dict(lambda_mss=0.5, lambda_mtt=2.0, lambda_mst=0.25, lambda_disc=0.3)
    model = domain.configure(
        name,
        supervision,
        domain.mixers(),
        ADAPTATION,
        regress_pseudo=True,
        **weights,
    )
    losses, inputs = domain.losses_of(model)
    assert terms_of(losses) == {'mss', 'mtt', 'mst', 'disc'}
    assert losses['pseudo_count'].item() == 1.5
    source = (inputs['sup'], views(domain.SOURCE, 'l'))
    target = (inputs['unsup_student'], views(domain.PSEUDO))
    mixer = semi.mixer(lam_per='batch')
    mss = domain.mixer_of('mss', mixer)(*source)
    mtt = domain.mixer_of('mtt', mixer)(*target)
    for term, batch, factor in (
        ('mss', mss, 0.5),
        ('mtt', mtt, 2.0),
        ('mst', domain.mixer_of('mst', mixer).mix_pair(*source, *target), 0.25),
    ):
        expected = model.student.loss(*batch)
        semi.assert_same(semi.named(losses, term), expected, factor)
    maps = [_feature(model, name, images) for images in (mss[0], mtt[0])]
    expected = model.discriminator.loss(*maps)
    semi.assert_same(semi.named(losses, 'disc'), expected, 0.3)


def _feature(model, name, images):
    """What the discriminator sees of some images."""
    part, index = domain.FEATURES[name][0].split('.')
    maps = model.student.backbone(images)
    if part == 'neck':
        maps = model.student.neck(maps)
    return maps[int(index)]


@pytest.mark.parametrize('name', [*semi.DETECTORS, 'RetinaNet'])
def test_pseudo_boxes_teach_no_regression(name):
    """Identity 29; those of the source do, in mss and in mst."""
    model = domain.configure(name, 'LossMix', domain.mixers(), ADAPTATION)
    torch.manual_seed(0)
    losses, _ = domain.losses_of(model)
    for term, expected in (('mss', True), ('mtt', False), ('mst', True)):
        found = gradients(model, semi.named(losses, term), name)
        assert any(bool(gradient.any()) for gradient in found) == expected


@pytest.mark.parametrize(
    ('off', 'left'),
    [
        (('mss',), {'mtt', 'mst', 'disc'}),
        (('mtt',), {'mss', 'mst', 'disc'}),
        (('mst',), {'mss', 'mtt', 'disc'}),
        (('mtt', 'mst'), {'mss', 'disc'}),
        (('mss', 'mtt', 'mst'), {'disc'}),
    ],
)
def test_terms_are_switched_off_by_their_weight(off, left):
    """The others stay as they are, but for the features of the discriminator."""
    whole, _ = domain.losses_of(
        domain.configure('SSD', 'LossMix', domain.mixers(), ADAPTATION)
    )
    zeros = {f'lambda_{term}': 0.0 for term in off}
    model = domain.configure('SSD', 'LossMix', domain.mixers(), ADAPTATION, **zeros)
    calls = []
    handle = model.student.backbone.register_forward_hook(
        lambda *args: calls.append(args[1][0])
    )
    try:
        losses, inputs = domain.losses_of(model)
    finally:
        handle.remove()
    assert terms_of(losses) == left
    for term in left - {'disc'}:
        semi.assert_same(semi.named(losses, term), semi.named(whole, term))
    computed = {('mss', 'sup'), ('mtt', 'unsup_student')}
    for term, view in computed:
        seen = any(torch.equal(images, inputs[view]) for images in calls)
        assert seen == (term in off)
    assert ('pseudo_count' in losses) == bool(left & {'mtt', 'mst'})
    assert len(calls) == len(left - {'disc'}) + len(set(off) & {'mss', 'mtt'})


def test_terms_with_pseudo_labels_rise():
    """Four iterations into a ramp of eight: exp(-5 (1 - 1/2)²)."""
    whole, ramped = (
        domain.losses_of(
            domain.configure('SSD', 'LossMix', domain.mixers(), ADAPTATION, ramp_up=n)
        )[0]
        for n in (0, 8)
    )
    for term in ('mss', 'mtt', 'mst', 'disc'):
        factor = math.exp(-1.25) if term in ('mtt', 'mst') else 1.0
        expected = semi.named(whole, term)
        semi.assert_same(semi.named(ramped, term), expected, factor)


def test_no_adversary():
    model = domain.configure(
        'SSD', 'LossMix', domain.mixers(), ADAPTATION, lambda_disc=0.0
    )
    losses, _ = domain.losses_of(model)
    assert {name for name in losses if name.startswith('disc')} == {'disc_loss'}
    model = domain.build(discriminator=None, mixers=domain.mixers())
    losses, _ = domain.losses_of(model.train())
    assert terms_of(losses) == {'mss', 'mtt', 'mst'}
    model.set_progress(domain.WARM_UP)
    losses, _ = domain.losses_of(model)
    assert terms_of(losses) == {'mss', 'nst'}


def test_without_mixers_it_is_a_teacher_with_an_adversary():
    model = domain.configure('SSD', progress=ADAPTATION)
    losses, inputs = domain.losses_of(model)
    assert terms_of(losses) == {'mss', 'mtt', 'disc'}
    expected = model.student.loss(inputs['sup'], views(domain.SOURCE, 'l'))
    semi.assert_same(semi.named(losses, 'mss'), expected)
    model.progress = domain.WARM_UP
    losses, _ = domain.losses_of(model)
    assert terms_of(losses) == {'mss', 'disc'}


def test_source_and_target_of_different_canvases():
    """mst puts the source into the middle of the target; mss is not touched."""
    mixers = dict(mst=semi.mixer(1.0), nst=semi.mixer(1.0, keep='dominant'))
    size = (128, 160)
    image = torch.zeros(2, 3, *size)
    for progress, term in ((ADAPTATION, 'mst'), (domain.WARM_UP, 'nst')):
        model = domain.configure('SSD', 'LossMix', mixers, progress)
        semi.script(model, *domain.SEEN)
        inputs, samples = semi.batch(domain.SOURCE, 2, size)
        losses = model.loss(inputs, samples)
        image[:, :, 16:112, 32:128] = inputs['sup']
        moved = [
            InstanceData(
                bboxes=one.bboxes + torch.tensor([32.0, 16.0, 32.0, 16.0]),
                labels=one.labels,
            )
            for one in domain.SOURCE
        ]
        samples = [semi.sample(one, size=size) for one in moved]
        expected = model.student.loss(image, samples)
        semi.assert_same(semi.named(losses, term), expected)


# --- the discriminator ------------------------------------------------------


def backbone_gradient(model, losses):
    """Gradient of the first weights of the student for the discriminator's loss."""
    total = losses['disc_loss_source'] + losses['disc_loss_target']
    weight = next(p for p in model.student.backbone.parameters() if p.requires_grad)
    return torch.autograd.grad(total, weight, retain_graph=True)[0]


@pytest.mark.parametrize('name', ['SSD', 'FasterRCNN'])
def test_the_student_gets_the_reversed_gradient(name):
    """Identity 30, in the whole model: -0.1 times the plain one, ramp included."""
    model = domain.configure(name, 'LossMix', domain.mixers(), ADAPTATION)
    torch.manual_seed(0)
    losses, inputs = domain.losses_of(model)
    found = backbone_gradient(model, losses)
    mixer = semi.mixer(lam_per='batch')
    source = domain.mixer_of('mss', mixer)(inputs['sup'], views(domain.SOURCE))[0]
    target = domain.mixer_of('mtt', mixer)(
        inputs['unsup_student'], views(domain.PSEUDO)
    )[0]
    plain = 0
    for images, label in ((source, 0.0), (target, 1.0)):
        # twice reversed is not reversed
        maps = _feature(model, name, images)
        logits = model.discriminator(maps, reversal=-1.0)
        truth = torch.full_like(logits, label)
        plain += torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)
    weight = next(p for p in model.student.backbone.parameters() if p.requires_grad)
    (expected,) = torch.autograd.grad(plain, weight)
    assert expected.abs().max() > 1e-6
    close = dict(rtol=1e-4, atol=1e-4 * found.abs().max().item())
    torch.testing.assert_close(found, -0.1 * expected, **close)

    model = domain.configure(name, 'LossMix', domain.mixers(), ADAPTATION)
    model.lambdas = model.lambdas._replace(disc_ramp_up=8)
    torch.manual_seed(0)
    ramped = backbone_gradient(model, domain.losses_of(model)[0])
    share = math.exp(-1.25)
    torch.testing.assert_close(ramped, share * found, **close)


def test_the_discriminator_sees_weak_views_if_there_are_any():
    model = domain.configure('SSD', 'LossMix', domain.mixers(), ADAPTATION)
    losses, inputs = domain.losses_of(model, weak_source=True)
    maps = [_feature(model, 'SSD', inputs[v]) for v in ('sup_weak', 'unsup_teacher')]
    expected = model.discriminator.loss(*maps)
    semi.assert_same(semi.named(losses, 'disc'), expected, 0.1)


def test_a_ramp_needs_the_hook():
    model = domain.configure('SSD', disc_ramp_up=5)
    with pytest.raises(ValueError, match='disc_ramp_up=5 needs.*MixTeacherHook'):
        domain.losses_of(model)


def test_the_discriminator_is_fresh_when_adaptation_begins():
    model = domain.build()
    first = [p.clone() for p in model.discriminator.parameters()]
    for iteration in range(6):
        model.set_progress(TeacherProgress(iteration, burn_in=4))
        now = [p.clone() for p in model.discriminator.parameters()]
        assert all(torch.equal(a, b) for a, b in zip(first, now)) == (iteration < 4)
        if iteration == 4:
            fresh = now
            with torch.no_grad():
                for parameter in model.discriminator.parameters():
                    parameter.add_(1.0)
        if iteration == 5:
            assert all(torch.equal(a + 1, b) for a, b in zip(fresh, now))
    model.set_progress(TeacherProgress(4, burn_in=4))
    assert all(
        torch.equal(a, b) for a, b in zip(fresh, model.discriminator.parameters())
    )


def test_phases_are_announced_once(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'mmmix.models.teachers.mixed_domain_teacher.print_log',
        lambda text, logger: lines.append(text),
    )
    model = domain.configure('SSD', 'LossMix', domain.mixers(), lambda_mst=0.5)
    for iteration in range(5):
        model.set_progress(TeacherProgress(iteration, burn_in=3))
    model = domain.configure('SSD')
    model.set_progress(TeacherProgress(9, burn_in=3))
    assert lines == [
        'Warm-up, iteration 0 to 2: L = 1 L_mss + 1 L_nst',
        'Adaptation, iteration 3 and on: '
        'L = 1 L_mss + 1 L_mtt + 0.5 L_mst + 0.1 L_disc',
        'Adaptation, iteration 3 and on: L = 1 L_mss + 1 L_mtt + 0.1 L_disc',
    ]


@pytest.mark.parametrize('progress', [domain.WARM_UP, ADAPTATION])
@pytest.mark.parametrize('name', list(semi.DETECTORS))
def test_every_weight_gets_a_gradient(name, progress):
    """So no process of a distributed training waits for one, in either phase."""
    model = domain.configure(name, 'LossMix', domain.mixers(), progress)
    losses, _ = domain.losses_of(model)
    loss, _ = model.parse_losses(losses)
    loss.backward()
    lacking = [
        parameter_name
        for parameter_name, parameter in model.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    assert lacking == []
