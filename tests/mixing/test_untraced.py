"""A compiled step: λ and its draws are in no graph."""

from __future__ import annotations

import pytest
import torch
from mmengine.logging import MessageHub
from torch import nn

from mmmix.mixing.untraced import untraced
from mmmix.models import MixBatch
from mmmix.models.prior_targets import factors_of
from mmmix.models.supervisions import build_supervision, supervise
from mmmix.models.teachers.mix_teacher import MixTeacher
from mmmix.models.teachers.semi_train_settings import SemiTrainSettings
from mmmix.models.teachers.teacher_progress import TeacherProgress
from mmmix.models.teachers.term_factors import term_factors
from mmmix.structures import MIX_SUPERVISION
from tests.helpers import SIZE, annotations, mixed, predictions, samples_of

CALLS = 4


@pytest.fixture
def traced():
    """How many functions dynamo traced since it was asked last."""
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    seen = [counters['frames']['total']]

    def since() -> int:
        seen.append(counters['frames']['total'])
        return seen[-1] - seen[-2]

    yield since
    torch._dynamo.reset()


def mixed_batch(kind, seed):
    """Two mixed images with λ of their own, and a stamp."""
    stamp = build_supervision(dict(type=kind))
    lams = (0.1 + 0.2 * seed, 0.9 - 0.15 * seed)
    counts = (2 + seed, seed % 2), (1, 3 - seed)
    parts = (annotations(of_component, seed=seed) for of_component in counts)
    batch = mixed(*parts, lams)
    return batch._replace(metas=[{**m, MIX_SUPERVISION: stamp} for m in batch.metas])


def check_traced_once(step, calls, traced):
    """A compiled step gives the numbers of an eager one; only its first call traces."""
    compiled = torch.compile(step, backend='eager')
    counts = []
    for call in calls:
        got = compiled(*call)
        counts.append(traced())
        torch.testing.assert_close(got, step(*call), rtol=0, atol=0)
    assert counts[0] > 0
    assert counts[1:] == [0] * (len(calls) - 1)


def test_a_mixer_is_called_as_it_is(traced):
    mixers = [MixBatch(ratio=dict(type='Beta', alpha=1.0)) for _ in range(2)]

    def step(mixer, inputs, samples):
        inputs, samples = mixer(inputs, samples)
        return inputs * 2, samples

    compiled, counts, lams = torch.compile(step, backend='eager'), [], []
    for iteration in range(CALLS):
        MessageHub.get_current_instance().update_info('iter', iteration)
        inputs = torch.randn(3, 3, SIZE, SIZE)
        samples = samples_of(annotations((2, 0, 3), seed=iteration))
        got = compiled(mixers[0], inputs, samples)
        counts.append(traced())
        want = step(mixers[1], inputs, samples)
        torch.testing.assert_close(got[0], want[0], rtol=0, atol=0)
        assert [s.mix_weights for s in got[1]] == [s.mix_weights for s in want[1]]
        lams += mixers[0].recent[-1][1]
    assert len(set(lams)) == 3 * CALLS
    assert counts[0] > 0
    assert counts[1:] == [0] * (CALLS - 1)


def test_factors_are_in_a_tensor(traced):
    def step(values, batch):
        factors = factors_of(supervise(batch, None).parts, values)
        return (values * factors).sum()

    values = torch.randn(2, 2, 2)
    batches = [mixed_batch('LossMix', seed) for seed in range(CALLS)]
    check_traced_once(step, [(values, batch) for batch in batches], traced)


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['LossMix', 'BoxMix'])
def test_the_loss_of_a_head(kind, heads, traced):
    _, head = heads
    maps = predictions(2)

    def step(instances, metas):
        return head.loss_by_feat(*maps, instances, metas)

    batches = [mixed_batch(kind, seed) for seed in range(CALLS)]
    calls = [(batch.gt_instances, batch.metas) for batch in batches]
    check_traced_once(step, calls, traced)


def test_the_iterations_of_a_teacher_are_in_no_graph(traced):
    """Nor is what follows from them, the ramp-up of terms with pseudo-labels."""
    model = MixTeacher.__new__(MixTeacher)
    nn.Module.__init__(model)
    settings = SemiTrainSettings.build(dict(ramp_up=20, empty_batch='background'))
    model.settings = settings

    def step(value):
        if model._burns_in():
            return value * 2
        return value * term_factors(model.settings, model.progress, [])['ramp']

    compiled, values, counts = torch.compile(step, backend='eager'), [], []
    for iteration in range(8):
        model.set_progress(TeacherProgress(iteration, burn_in=3))
        values.append(compiled(torch.ones(())).item())
        counts.append(traced())
    ramps = [settings.ramp(n) for n in range(5)]
    assert values == pytest.approx([2.0] * 3 + ramps)
    # of the burn-in, and of what follows; there once more for a ramp that changes
    assert (counts[1:3], counts[5:]) == ([0, 0], [0, 0, 0])


def test_what_is_untraced_is_otherwise_itself():
    @untraced
    def doubled(value: int) -> int:
        """Twice the value."""
        return 2 * value

    assert doubled(value=4) == 8
    assert (doubled.__name__, doubled.__doc__) == ('doubled', 'Twice the value.')
