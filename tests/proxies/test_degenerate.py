"""Networks and batches for which a proxy has no value: NaN and why, never a number that stands for it."""

import math

import pytest
import torch
from torch import nn

from nasturtium import spaces
from nasturtium.proxies import PROXIES, ProxyError, score


def mlp(activation=nn.ReLU, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), activation(), nn.Linear(16, outputs))


def classes(rows):
    return torch.arange(rows) % 3


def missing(found, *names):
    """Check that these have no value, a reason each, and that no other lacks one."""
    assert set(found.reasons) == set(names), found.reasons
    assert all(math.isnan(found[name]) for name in names)
    assert [name for name, valid in found.valid.items() if not valid] == [name for name in found if name in names]


def test_a_network_without_activations_has_no_codes():
    model = nn.Sequential(nn.Linear(5, 16), nn.Linear(16, 3))
    found = score(model, torch.randn(8, 5), classes(8))
    missing(found, "nwot", "jacob_cov", "epe_nas") if "jacob_cov" in found.reasons else missing(found, "nwot")
    assert "no activation" in found.reasons["nwot"]


def test_a_network_without_weights_has_parameters_and_flops_only():
    found = score(nn.Sequential(nn.Flatten(), nn.ReLU()), torch.randn(8, 5), classes(8), list(PROXIES))
    assert (found["params"], found["flops"]) == (0, 0)
    for name in ("l2_norm", "grad_norm", "snip", "plain", "fisher", "synflow", "zico", "gradsign"):
        assert math.isnan(found[name])
        assert found.reasons[name]


def test_a_single_row_is_compared_with_nothing():
    found = score(mlp(), torch.randn(1, 5), classes(1))
    missing(found, "jacob_cov", "epe_nas", "zico")
    assert found["nwot"] == pytest.approx(math.log(16))


def test_a_single_row_that_batch_norm_cannot_take():
    model = nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    found = score(model, torch.randn(1, 5), classes(1))
    assert "more than 1 value" in found.reasons["grad_norm"]
    assert math.isfinite(found["synflow"])
    assert math.isfinite(found["l2_norm"])


def test_identical_rows_make_the_determinant_vanish():
    found = score(mlp(), torch.randn(1, 5).expand(8, 5), classes(8), "nwot,jacob_cov,grad_norm")
    missing(found, "nwot")
    assert "determinant is 0" in found.reasons["nwot"]
    assert math.isfinite(found["jacob_cov"])


def test_constant_jacobians_correlate_with_nothing():
    model = nn.Linear(5, 3, bias=False)
    model.weight.data.fill_(1.0)
    found = score(model, torch.randn(8, 5), classes(8), "jacob_cov,epe_nas,grad_norm")
    missing(found, "jacob_cov", "epe_nas")


def test_epe_nas_needs_classes():
    missing(score(mlp(nn.Tanh, 2), torch.randn(8, 5), torch.randn(8, 2)), "epe_nas")


def test_a_network_whose_output_is_cut_from_its_input():
    space = spaces.make("nasbench201", (3, 8, 8), 5, channels=4, cells=1)
    cut = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    found = score(space.read(cut).build(), torch.randn(8, 3, 8, 8), classes(8))
    for name in ("jacob_cov", "epe_nas", "nwot", "zen"):
        assert math.isnan(found[name])
        assert found.reasons[name]
    assert all(math.isfinite(value) for name, value in found.items() if name not in found.reasons)


def test_what_is_not_finite_is_no_value():
    model = mlp()
    model[2].weight.data.fill_(math.inf)
    found = score(model, torch.randn(8, 5), classes(8), "l2_norm,snip,grad_norm,params")
    missing(found, "l2_norm", "snip", "grad_norm")


@pytest.mark.parametrize("kind", ["module", "in place", "functional"])
def test_all_forms_of_an_activation_are_seen(kind):
    class Functional(nn.Module):
        def forward(self, x):
            return torch.relu(x)

    made = {"module": nn.ReLU, "in place": lambda: nn.ReLU(inplace=True), "functional": Functional}[kind]
    torch.manual_seed(1)
    x, y = torch.randn(8, 5), classes(8)
    expected = score(mlp(), x, y, "nwot,fisher,grasp")
    assert dict(score(mlp(made), x, y, "nwot,fisher,grasp")) == pytest.approx(dict(expected))


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


SIGNED = {
    "celu": nn.CELU, "celu in place": lambda: nn.CELU(inplace=True), "rrelu": nn.RReLU,
    "rrelu in place": lambda: nn.RReLU(inplace=True), "log-sigmoid": nn.LogSigmoid, "hard shrink": nn.Hardshrink,
    "soft shrink": nn.Softshrink, "threshold": lambda: nn.Threshold(0.5, 0.0), "selu": nn.SELU, "relu6": nn.ReLU6,
    "clamp": lambda: Does(lambda x: x.clamp(min=0)), "clamp in place": lambda: Does(lambda x: x.clamp_(0, 6)),
    "clamp_min": lambda: Does(lambda x: torch.clamp_min(x, 0.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNED)
def test_the_codes_of_other_activations_are_those_of_relu(name):
    torch.manual_seed(1)
    x, y = torch.randn(8, 5), classes(8)
    expected = score(mlp(), x, y, "nwot")["nwot"]
    assert score(mlp(SIGNED[name]), x, y, "nwot")["nwot"] == expected
    assert math.isfinite(expected)


def test_the_gates_of_a_glu_have_codes_and_a_guard_has_none():
    def gated(activation):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 32), activation, nn.Linear(16, 3))

    torch.manual_seed(1)
    x, y = torch.randn(8, 5), classes(8)
    by_hand = gated(Does(lambda x: x[:, :16] * torch.sigmoid(x[:, 16:])))
    assert score(gated(nn.GLU()), x, y, "nwot") == score(by_hand, x, y, "nwot")
    guarded = score(mlp(lambda: Does(lambda x: x.clamp(min=1e-6))), x, y, "nwot")
    assert "no activation" in guarded.reasons["nwot"]


def test_what_cannot_be_used_is_said():
    x, y = torch.randn(8, 5), classes(8)
    with pytest.raises(ProxyError, match="did you mean 'synflow'"):
        score(mlp(), x, y, "synflo")
    with pytest.raises(ProxyError, match=r"\[6, 8\] rows"):
        score(mlp(), x, y[:6])
    with pytest.raises(ProxyError, match="no proxy is named"):
        score(mlp(), x, y, [])
