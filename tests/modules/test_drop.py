"""Dropout with 16 random bits a value against torch's own."""

import pytest
import torch
from torch import nn

from nasturtium.modules import QuickDropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_and_mean_are_those_of_torch(rate):
    torch.manual_seed(0)
    rows = torch.ones(400, 500)
    quick, plain = QuickDropout(rate)(rows), nn.Dropout(rate)(rows)
    assert float((quick == 0).float().mean()) == pytest.approx(rate, abs=4e-3)  # 3 sd are 3.4e-3 at most
    assert float(quick.mean()) == pytest.approx(float(plain.mean()), abs=5e-2)
    kept = quick[quick != 0]
    assert torch.allclose(kept, torch.full_like(kept, 1 / (1 - rate)), rtol=1e-3)
    neighbours = torch.corrcoef(torch.stack((quick[:, 1:].flatten(), quick[:, :-1].flatten())))[0, 1]
    assert abs(float(neighbours)) < 0.01  # values that share a draw of 64 bits are independent


def test_gradient_is_what_was_kept():
    x = torch.randn(7, 5, 3, requires_grad=True)
    y = QuickDropout(0.3)(x)
    y.sum().backward()
    assert torch.equal(y.detach(), x.detach() * x.grad)


def test_the_same_seed_drops_the_same():
    drop, rows = QuickDropout(0.5), torch.ones(33)
    torch.manual_seed(3)
    first = drop(rows)
    torch.manual_seed(3)
    assert torch.equal(first, drop(rows))


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_ends_of_the_range_are_as_in_torch(rate):
    rows = torch.randn(4, 4)
    assert torch.equal(QuickDropout(rate)(rows), nn.Dropout(rate)(rows))


def test_nothing_is_dropped_in_use_and_types_stay():
    rows = torch.randn(9, dtype=torch.bfloat16)
    drop = QuickDropout(0.5)
    assert drop(rows).dtype == torch.bfloat16
    assert torch.equal(drop.eval()(rows), rows)
    assert drop.train()(torch.zeros(0, 4)).shape == (0, 4)
