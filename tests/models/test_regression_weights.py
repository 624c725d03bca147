"""``regression_weights`` scale the box regression of their boxes, nothing else."""

from __future__ import annotations

import pytest
import torch

from mmmix.structures import REGRESSION_WEIGHTS, Annotations
from tests import helpers
from tests.models.conformance.cases import CASES

COUNTS = (3, 1, 4), (2, 5, 1)
LAMS = (0.8, 0.3, 0.6)


@pytest.fixture(scope='module', params=CASES, ids=lambda case: case.name)
def case(request):
    """Two components and a function to named totals of a head's losses."""
    case = request.param
    head, preds = case.build()[1], case.predictions()

    def totals(supervision, batch):
        with torch.no_grad():
            supervised = helpers.with_supervision(head, type=supervision)
            return case.totals(supervised, preds, batch)

    return [case.batch(counts, seed) for seed, counts in enumerate(COUNTS)], totals


def weighed(batch: Annotations, weight) -> Annotations:
    """A batch whose boxes carry these weights: a number, or one per image."""
    gt_instances = []
    for i, instances in enumerate(batch.gt_instances):
        instances = instances.new()
        value = weight[i] if isinstance(weight, list) else weight
        instances[REGRESSION_WEIGHTS] = torch.ones(len(instances)) * value
        gt_instances.append(instances)
    return batch._replace(gt_instances=gt_instances)


def split(losses):
    """Classification and regression terms; the accuracy is neither."""
    terms = {name: value for name, value in losses.items() if 'loss' in name}
    boxes = {name for name in terms if helpers.is_regression(name)}
    return (
        {name: value for name, value in terms.items() if name not in boxes},
        {name: terms[name] for name in terms if name in boxes},
    )


def assert_scaled(got, want, factor):
    """Classification as it was, regression times ``factor``."""
    for name, value in split(want)[0].items():
        torch.testing.assert_close(split(got)[0][name], value, rtol=1e-6, atol=1e-7)
    assert split(want)[1]
    for name, value in split(want)[1].items():
        assert value > 0
        torch.testing.assert_close(split(got)[1][name], factor * value)


KINDS = ['Union', 'WeightedUnion', 'LossMix', 'BoxMix']


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('factor', [1.0, 0.25, 0.0])
def test_one_weight_scales_the_regression_terms(case, kind, factor):
    (a, b), totals = case
    want = totals(kind, helpers.mixed(a, b, LAMS))
    got = totals(kind, helpers.mixed(weighed(a, factor), weighed(b, factor), LAMS))
    assert_scaled(got, want, factor)
    assert_scaled(totals(kind, weighed(a, factor)), totals(kind, a), factor)


@pytest.mark.parametrize('kind', KINDS)
def test_the_weights_of_boxes_add_up(case, kind):
    """Regression of A's boxes alone plus that of B's alone is that of all."""
    (a, b), totals = case
    only = [
        totals(kind, helpers.mixed(weighed(a, x), weighed(b, y), LAMS))
        for x, y in ((1.0, 0.0), (0.0, 1.0))
    ]
    want = totals(kind, helpers.mixed(a, b, LAMS))
    for name, value in split(want)[1].items():
        assert only[0][name] > 0
        assert only[1][name] > 0
        torch.testing.assert_close(only[0][name] + only[1][name], value)


def test_lossmix_regresses_the_labelled_component_with_its_weight(case):
    """Σ_k over the components with weight 1, here A: λ L_reg(A)."""
    (a, b), totals = case
    lam = 0.7
    got = totals('LossMix', helpers.mixed(weighed(a, 1.0), weighed(b, 0.0), [lam] * 3))
    alone = totals('Union', a)
    if 'acc' in alone:  # RoIs added for A's boxes, as in the component's own pass
        alone = totals('LossMix', helpers.mixed(a, b, [1.0] * 3))
    for name, value in split(alone)[1].items():
        torch.testing.assert_close(got[name], lam * value)


def test_boxmix_regresses_nothing_where_the_dominant_boxes_have_weight_0(case):
    (a, b), totals = case
    b = weighed(b, 0.0)
    want = totals('BoxMix', helpers.mixed(weighed(a, 1.0), b, LAMS))
    # Image 1 is B's: A's boxes there have no say.
    got = totals('BoxMix', helpers.mixed(weighed(a, [1.0, 0.0, 1.0]), b, LAMS))
    assert_scaled(got, want, 1.0)
    none = totals('BoxMix', helpers.mixed(weighed(a, 1.0), b, [0.2] * 3))
    assert all(value == 0 for value in split(none)[1].values())


def test_each_box_has_its_own_weight(case):
    (a, _), totals = case
    parts = [
        totals('Union', weighed(a, [1.0 * (i == k) for i in range(3)]))
        for k in range(3)
    ]
    first = weighed(a, [torch.eye(len(x))[0] for x in a.gt_instances])
    rest = weighed(a, [1 - torch.eye(len(x))[0] for x in a.gt_instances])
    for name, value in split(totals('Union', a))[1].items():
        torch.testing.assert_close(sum(part[name] for part in parts), value)
        halves = [totals('Union', batch)[name] for batch in (first, rest)]
        assert all(half > 0 for half in halves)
        torch.testing.assert_close(sum(halves), value)
