"""The discriminator within MixedDomainTeacher, and when its phases begin."""

from __future__ import annotations

import math

import pytest
import torch
from mmengine.logging import MessageHub

from mmmix.models.teachers import TeacherProgress, mixed_domain_teacher
from tests.models.teachers import domain, semi

from .terms import views

ADAPTATION = TeacherProgress(iteration=7, burn_in=3)


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
        maps = domain.feature(model, name, images)
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
    maps = [
        domain.feature(model, 'SSD', inputs[v]) for v in ('sup_weak', 'unsup_teacher')
    ]
    expected = model.discriminator.loss(*maps)
    semi.assert_same(semi.named(losses, 'disc'), expected, 0.1)


def test_a_ramp_needs_the_hook():
    model = domain.configure('SSD', disc_ramp_up=5)
    with pytest.raises(ValueError, match='disc_ramp_up=5 needs.*MixTeacherHook'):
        domain.losses_of(model)


def test_processes_with_seeds_of_their_own_draw_one_discriminator(monkeypatch):
    """That of the first process, also where ``diff_rank_seed`` adds the rank."""

    def broadcast(data):
        data[:] = [5]

    monkeypatch.setattr(mixed_domain_teacher, 'broadcast_object_list', broadcast)
    MessageHub.get_current_instance().update_info('seed', 6)
    model, expected = domain.build(), domain.build()
    model.set_progress(TeacherProgress(4, burn_in=4))
    expected.discriminator.reset(5)
    for one, other in zip(
        model.discriminator.parameters(), expected.discriminator.parameters()
    ):
        assert torch.equal(one, other)


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
