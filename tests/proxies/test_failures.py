"""Networks that are not finite, or do not run on a batch: NaN with the true reason, and never an error."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nasturtium.proxies import PROXIES, score

UNMOVED = {"params", "flops", "l2_norm"}
"""Proxies that ask nothing of the outputs."""


class Altered(nn.Module):
    """A small network whose outputs, or inputs, something is done to."""

    def __init__(self, after=lambda x: x, before=lambda x: x):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(5, 16), nn.Linear(16, 3)
        self.after, self.before = after, before

    def forward(self, x):
        return self.after(self.last(torch.relu(self.before(self.first(x)))))


def batch(rows=8):
    torch.manual_seed(1)
    return torch.randn(rows, 5), torch.arange(rows) % 3


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_outputs_that_are_not_finite_leave_no_score_that_was_measured_on_them(value):
    found = score(Altered(after=lambda x: x + value), *batch())
    assert {name for name in PROXIES if math.isfinite(found[name])} == UNMOVED
    for name in ("nwot", "jacob_cov", "epe_nas", "snip", "grasp", "fisher"):
        assert found.reasons[name] == "the outputs of the network are not finite"
    for name in ("zico", "gradsign", "zen", "synflow"):
        assert "not finite" in found.reasons[name]
    assert not found.lowest


def test_a_bias_that_is_nan_is_no_value_and_said():
    model = Altered()
    model.last.bias.data[0] = math.nan
    found = score(model, *batch(), "gradsign,nwot,zico,synflow,epe_nas,zen")
    assert set(found.reasons) == {"gradsign", "nwot", "zico", "synflow", "epe_nas"}
    assert found.reasons["synflow"] == "for ones and absolute weights, the outputs are not finite"
    assert math.isfinite(found["zen"])  # which draws weights of its own


def test_the_input_of_an_activation_that_is_nan_has_no_code():
    class Hidden(Altered):
        def forward(self, x):
            torch.relu(x / 0.0 * 0.0)  # of no use to what follows
            return super().forward(x)

    found = score(Hidden(), *batch(), "nwot,snip")
    assert found.reasons == {"nwot": "the input of an activation is not finite"}
    masked = torch.ones(8, 4, dtype=torch.bool)
    masked[:, 2:] = False

    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(5, 32), nn.Linear(32, 3)

        def forward(self, x, mask):
            hidden = torch.relu(self.first(x).masked_fill(~mask[..., None], math.nan))
            return self.last(hidden.masked_fill(~mask[..., None], 0).sum(1))

    torch.manual_seed(0)
    assert not score(Padded(), (torch.randn(8, 4, 5), masked), torch.arange(8) % 3, "nwot").reasons


def test_gradients_that_are_not_finite_are_no_value_and_said():
    class Root(torch.autograd.Function):
        """The square root of the size, whose slope at 0 is infinite."""

        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, slope):
            return slope * math.nan

    found = score(Altered(after=Root.apply), *batch(), "grad_norm,plain,fisher,gradsign,zico,jacob_cov,nwot")
    for name in ("grad_norm", "plain", "fisher"):
        assert found.reasons[name] == "gradients of the loss by the weights are not finite"
    for name in ("gradsign", "zico"):
        assert found.reasons[name] == "gradients of the loss of a part of the batch are not finite"
    assert "gradient by the inputs is not finite" in found.reasons["jacob_cov"]
    assert math.isfinite(found["nwot"])


def test_what_is_minus_infinity_is_told_from_what_failed():
    same = score(Altered(), torch.randn(1, 5).expand(8, 5), torch.arange(8) % 3, "nwot,snip")
    assert (set(same.reasons), same.lowest) == ({"nwot"}, {"nwot"})
    dead = Altered(before=lambda x: x * 0)
    assert score(dead, *batch(), "synflow,zen,jacob_cov").lowest == {"synflow", "zen"}
    linear = score(nn.Linear(5, 3), *batch(), "nwot,epe_nas")
    assert "no activation" in linear.reasons["nwot"]
    assert not linear.lowest


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: {"logits": x}, "gives a dict"),
        (lambda x: None, "gives nothing (None)"),
        (lambda x: (), "gives a tuple"),
        (lambda x: "logits", "gives nothing"),
        (lambda x: x.no_such_thing, "AttributeError: 'Tensor' object has no attribute"),
        (lambda x: {}["key"], "KeyError: 'key'"),
    ],
)
def test_an_answer_that_is_no_tensor_is_a_reason(answer, said):
    found = score(Altered(after=answer), *batch())
    assert {name for name in PROXIES if math.isfinite(found[name])} == {"params", "l2_norm"}
    assert all(said in reason for reason in found.reasons.values())


def test_inputs_that_a_network_cannot_take_are_a_reason():
    tokens = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 3))
    targets = torch.arange(8) % 3
    beyond = score(tokens, torch.full((8, 3), 10), targets, "snip,zen,gradsign,synflow")
    assert all("IndexError: index out of range" in reason for reason in beyond.reasons.values())
    assert len(beyond.reasons) == 4
    x = torch.randn(8, 5)
    for given in ((x, x), ()):
        found = score(Altered(), given, targets, "nwot,jacob_cov,params")
        assert all("TypeError" in found.reasons[name] for name in ("nwot", "jacob_cov"))
        assert math.isfinite(found["params"])
    outside = score(Altered(), x, targets + 1, "snip,nwot,zico")
    assert set(outside.reasons) == {"snip", "zico"}
    assert "Target 3 is out of bounds" in outside.reasons["snip"]

    def refused(x):
        raise AssertionError("only squares")

    assert score(Altered(before=refused), x, targets, "snip").reasons == {"snip": "AssertionError: only squares"}


def test_synflow_takes_weights_that_are_kept_as_plain_tensors():
    class Kept(nn.Module):
        def __init__(self, weight):
            super().__init__()
            self.weight = weight

        def forward(self, x):
            return nn.functional.prelu(x, self.weight)

    def network(weight):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 16), Kept(weight), nn.Linear(16, 3))

    plain = torch.tensor([-0.25])
    found = score(network(plain), *batch(), "synflow")
    assert found["synflow"] == score(network(nn.Parameter(plain.clone())), *batch(), "synflow")["synflow"]
    assert torch.equal(plain, torch.tensor([-0.25]))
