"""The gradient reversal layer."""

from __future__ import annotations

import pytest
import torch

from mmmix.functional import reverse_gradient


@pytest.mark.parametrize('factor', [1.0, 0.25, 0.0])
def test_values_stay_and_gradients_turn(factor):
    features = torch.randn(2, 3, 4, 5, requires_grad=True)
    weight = torch.randn(2, 3, 4, 5)
    reversed_ = reverse_gradient(features, factor)
    assert torch.equal(reversed_, features)
    (reversed_ * weight).sum().backward()
    torch.testing.assert_close(features.grad, -factor * weight, rtol=0, atol=0)


def test_twice_is_once_again():
    features = torch.randn(5, requires_grad=True)
    reverse_gradient(reverse_gradient(features)).square().sum().backward()
    torch.testing.assert_close(features.grad, 2 * features.detach())
