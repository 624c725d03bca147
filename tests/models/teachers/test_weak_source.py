"""Strong and weak views of the source in one batch."""

from __future__ import annotations

import pytest
import torch

from mmmix.models.teachers import TeacherProgress
from tests.models.teachers import domain, semi

from .terms import views

ADAPTATION = TeacherProgress(iteration=7, burn_in=3)


@pytest.mark.parametrize('progress', [ADAPTATION, domain.WARM_UP])
def test_the_weak_view_of_the_source_is_learned_from_too(progress):
    """One batch of strong and weak views; the noise of nst is in strong ones."""
    model = domain.configure(
        'SSD', None, dict(nst=domain.NOISE), progress, weak_source=True
    )
    losses, inputs = domain.losses_of(model, weak_source=True)
    images = torch.cat([inputs['sup'], inputs['sup_weak']])
    expected = model.student.loss(images, views([*domain.SOURCE, *domain.SOURCE]))
    semi.assert_same(semi.named(losses, 'mss'), expected)
    if progress is domain.WARM_UP:
        plain = domain.configure('SSD', None, dict(nst=domain.NOISE), progress)
        expected = semi.named(domain.losses_of(plain, weak_source=True)[0], 'nst')
        semi.assert_same(semi.named(losses, 'nst'), expected)


def test_the_weak_view_must_be_there_and_fit():
    model = domain.configure('SSD', None, None, ADAPTATION, weak_source=True)
    with pytest.raises(KeyError, match='sup_weak'):
        domain.losses_of(model)
    inputs, samples = semi.batch(domain.SOURCE, 2)
    inputs['sup_weak'] = semi.images(2, 4, (64, 96))
    samples['sup_weak'] = samples['sup']
    semi.script(model, *domain.SEEN)
    with pytest.raises(ValueError, match=r'one canvas.*\(96, 96\).*\(64, 96\)'):
        model.loss(inputs, samples)
