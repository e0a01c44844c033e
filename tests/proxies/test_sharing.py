"""One by one or together, proxies are the same, and the network stays as it was."""

import copy

import pytest
import torch
from torch import nn

from nasturtium import spaces
from nasturtium.proxies import PROXIES, SUITE_ZERO, score


class Awkward(nn.Module):
    """In-place and functional activations, dropout, a counting buffer, frozen and unused weights."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.5)
        self.frozen = nn.Conv2d(8, 8, 1).requires_grad_(False)
        self.unused = nn.Linear(3, 3)
        self.last = nn.Linear(8, 4)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        x = torch.relu_(self.norm(self.first(x)))
        x = nn.functional.relu(self.frozen(x) + 0.1)
        return self.last(self.drop(x.mean((2, 3))))


def awkward():
    torch.manual_seed(0)
    model = Awkward()
    model.norm.eval()
    model.last.weight.grad = torch.ones_like(model.last.weight)
    return model, torch.randn(12, 3, 6, 6), torch.randint(0, 4, (12,))


def cells():
    torch.manual_seed(0)
    space = spaces.make("nasbench201", (3, 8, 8), 5, channels=4, cells=1)
    return space.member("NATS-SSS").build(), torch.randn(16, 3, 8, 8), torch.randint(0, 5, (16,))


@pytest.mark.parametrize("network", [awkward, cells])
def test_together_they_are_what_they_are_one_by_one(network):
    model, x, y = network()
    together = score(model, x, y)
    alone = {name: score(model, x, y, name)[name] for name in PROXIES}
    assert dict(together) == pytest.approx(alone, rel=1e-6)
    assert not together.reasons
    assert score(model, x, y) == together


@pytest.mark.parametrize("name", [*PROXIES, "all"])
def test_the_network_is_left_as_it_was(name):
    model, x, y = awkward()
    before = copy.deepcopy(model)
    state, given = torch.get_rng_state(), x.clone()
    score(model, x, y, name)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(x, given)
    assert not x.requires_grad
    for one, other in zip(model.state_dict().values(), before.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(model.modules(), before.modules(), strict=True):
        assert one.training == other.training
        assert not one._forward_hooks
        assert not one._forward_pre_hooks
    for one, other in zip(model.parameters(), before.parameters(), strict=True):
        assert one.requires_grad == other.requires_grad
        assert one.grad is None or one is model.last.weight
    assert torch.equal(model.last.weight.grad, torch.ones_like(model.last.weight))


def test_a_network_that_fails_is_left_as_it_was_too():
    model, _, y = awkward()
    before = copy.deepcopy(model.state_dict())
    found = score(model, torch.randn(12, 5, 6, 6), y, "grad_norm,nwot")
    assert set(found.reasons) == {"grad_norm", "nwot"}
    assert "channels" in found.reasons["nwot"]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.first._forward_hooks


def test_it_works_where_gradients_are_off():
    model, x, y = cells()
    with torch.no_grad():
        off = score(model, x, y, SUITE_ZERO)
    with torch.inference_mode():
        inference = score(model, x, y, SUITE_ZERO)
    assert off == inference == score(model, x, y, SUITE_ZERO)


def test_one_forward_pass_serves_all_that_need_no_more():
    model, x, y = cells()
    passes = []
    model.register_forward_pre_hook(lambda module, given: passes.append(len(given[0])))
    score(model, x, y, "fisher,flops,grad_norm,grasp,jacob_cov,epe_nas,nwot,plain,snip,l2_norm,params")
    assert passes == [16]
