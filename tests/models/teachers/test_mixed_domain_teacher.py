"""MixedDomainTeacher: how it is built, its phases, every term of its loss."""

from __future__ import annotations

import math

import pytest
import torch
from mmengine.structures import InstanceData

from mmmix.models.teachers import TeacherProgress
from tests.models.teachers import domain, semi

from .terms import gradients, views

ADAPTATION = TeacherProgress(iteration=7, burn_in=3)


def terms_of(losses):
    return {name.split('_')[0] for name in losses if 'loss' in name}


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
    maps = [domain.feature(model, name, images) for images in (mss[0], mtt[0])]
    expected = model.discriminator.loss(*maps)
    semi.assert_same(semi.named(losses, 'disc'), expected, 0.3)


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
