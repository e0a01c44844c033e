"""Each proxy beside its formula on networks small enough for pencil and paper, or numpy alone."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.proxies import PROXIES, score


def linear(weight):
    """A linear map without bias, with these weights."""
    weight = torch.tensor(weight)
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data.copy_(weight)
    return layer


@pytest.fixture
def regression():
    """Rows, targets and a linear model whose loss is mean((x w - t)^2)."""
    rng = np.random.default_rng(0)
    x, w, t = rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=6)
    model = linear([w.tolist()])
    return model, torch.tensor(x).float(), torch.tensor(t).float()[:, None], (x, w, t)


def test_gradients_and_curvature_of_a_quadratic_loss(regression):
    model, inputs, targets, (x, w, t) = regression
    gradient = 2 / 6 * x.T @ (x @ w - t)
    hessian = 2 / 6 * x.T @ x
    found = score(model, inputs, targets, ["grad_norm", "snip", "plain", "grasp", "l2_norm", "params", "flops"])
    assert found["grad_norm"] == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    assert found["snip"] == pytest.approx(np.abs(w * gradient).sum(), rel=1e-5)
    assert found["plain"] == pytest.approx(w @ gradient, rel=1e-5)
    assert found["grasp"] == pytest.approx(-w @ hessian @ gradient, rel=1e-5)
    assert found["l2_norm"] == pytest.approx(np.linalg.norm(w), rel=1e-6)
    assert (found["params"], found["flops"]) == (3, 6)


def test_fisher_is_weighted_by_the_weights_of_a_channel(regression):
    model, inputs, targets, (x, w, t) = regression
    output = x @ w
    slope = 2 / 6 * (output - t)  # of the loss by each output
    expected = 3 * 0.5 * ((output * slope) ** 2).mean()
    assert score(model, inputs, targets, "fisher")["fisher"] == pytest.approx(expected, rel=1e-5)


def test_gradients_of_halves_and_of_rows(regression):
    model, inputs, targets, (x, w, t) = regression
    rows = 2 * (x @ w - t)[:, None] * x  # gradient of each row's loss
    halves = np.stack([rows[:3].mean(0), rows[3:].mean(0)])
    ratio = (np.abs(halves).mean(0) / halves.std(0)).sum()
    found = score(model, inputs, targets, ["zico", "gradsign"])
    assert found["zico"] == pytest.approx(math.log(ratio), rel=1e-4)
    assert found["gradsign"] == pytest.approx(np.abs(np.sign(rows).sum(0)).sum())


def test_norms_are_summed_by_layer_and_fisher_over_places():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(48, 4))
    x, y = torch.randn(5, 2, 4, 4), torch.tensor([0, 1, 2, 3, 1])
    hidden = model[0](x)
    hidden.retain_grad()
    logits = model[3](hidden.relu().flatten(1))
    logits.retain_grad()
    nn.functional.cross_entropy(logits, y).backward()
    channel = 0.5 * (hidden.detach() * hidden.grad).sum((2, 3)).square().mean(0).sum() * 18
    last = 0.5 * (logits.detach() * logits.grad).square().mean(0).sum() * 48
    norms = [model[0].weight.grad.norm(), model[3].weight.grad.norm()]
    model.zero_grad()
    found = score(model, x, y, ["fisher", "grad_norm", "flops"])
    assert found["fisher"] == pytest.approx(float(channel + last), rel=1e-5)
    assert found["grad_norm"] == pytest.approx(float(sum(norms)), rel=1e-5)
    assert found["flops"] == 2 * (16 * 3 * 18 + 48 * 4)


def test_jacobians_of_rows_correlate_as_numpy_says():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(7, 9), nn.Tanh(), nn.Linear(9, 3))
    x, y = torch.randn(8, 7), torch.tensor([0, 0, 1, 1, 1, 2, 2, 2])
    first, last = model[0].weight.detach().double().numpy(), model[2].weight.detach().double().numpy()
    hidden = np.tanh(x.double().numpy() @ first.T + model[0].bias.detach().double().numpy())
    jacobian = ((1 - hidden**2) * last.sum(0)) @ first
    values = np.linalg.eigvalsh(np.corrcoef(jacobian)) + 1e-5
    classes = [np.log(np.abs(np.corrcoef(jacobian[y.numpy() == each])) + 1e-5).sum() for each in range(3)]
    found = score(model, x, y, ["jacob_cov", "epe_nas"])
    assert found["jacob_cov"] == pytest.approx(-(np.log(values) + 1 / values).sum(), rel=1e-3)
    assert found["epe_nas"] == pytest.approx(np.abs(classes).sum(), rel=1e-4)


def test_epe_nas_compares_classes_where_there_are_many():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(7, 9), nn.ReLU(), nn.Linear(9, 150))
    x, y = torch.randn(6, 7), torch.tensor([0, 0, 0, 149, 149, 149])
    jacobian = torch.autograd.functional.jacobian(lambda rows: model(rows).sum(1), x).diagonal(dim1=0, dim2=1).T
    one, other = (
        np.log(np.abs(np.corrcoef(rows.double().numpy())) + 1e-5).sum() / 3 for rows in (jacobian[:3], jacobian[3:])
    )
    assert score(model, x, y, "epe_nas")["epe_nas"] == pytest.approx(2 * abs(one - other) / 2, rel=1e-3)


def test_nwot_counts_equal_codes():
    model = nn.Sequential(linear([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.0]]), nn.ReLU(), nn.Linear(4, 2))
    x = torch.tensor([[1.0, 1.0], [1.0, -3.0], [-1.0, 2.0]])
    codes = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [0, 1, 1, 1]])
    kernel = codes @ codes.T + (1 - codes) @ (1 - codes).T
    assert kernel.tolist() == [[4, 2, 2], [2, 4, 0], [2, 0, 4]]
    assert score(model, x, torch.tensor([0, 1, 0]), "nwot")["nwot"] == pytest.approx(math.log(np.linalg.det(kernel)))


def test_synflow_of_two_layers_is_twice_what_flows():
    model = nn.Sequential(linear([[1.0, -2.0], [3.0, 0.5]]), nn.BatchNorm1d(2), nn.ReLU(), linear([[-1.0, 4.0]]))
    flow = 1 * (1 + 2) + 4 * (3 + 0.5)
    found = score(model, torch.randn(4, 2), torch.randn(4, 1), "synflow")
    assert found["synflow"] == pytest.approx(math.log(2 * flow))


def test_synflow_stays_finite_where_single_precision_does_not():
    model = nn.Sequential(*[linear([[1e10]]) for _ in range(6)])
    assert score(model, torch.ones(2, 1), torch.ones(2, 1), "synflow")["synflow"] == pytest.approx(
        math.log(6) + 60 * math.log(10)
    )


@pytest.mark.parametrize("normed", [False, True])
def test_zen_of_a_wide_linear_map_has_the_expected_size(normed):
    """Of W n with independent normal numbers each is normal with variance ``inputs``."""
    inputs, features = 400, 300
    body = [nn.Linear(inputs, features), *([nn.BatchNorm1d(features)] if normed else [])]
    model = nn.Sequential(*body, nn.Linear(features, 2))
    moved = 0.01 * features * math.sqrt(2 / math.pi) * (1 if normed else math.sqrt(inputs))
    scale = 0.5 * math.log(0.81 + 0.19 * inputs) if normed else 0
    found = score(model, torch.zeros(200, inputs), torch.zeros(200, dtype=torch.long), "zen")
    assert found["zen"] == pytest.approx(math.log(moved) + scale, abs=0.02)


def test_the_table_names_every_proxy_with_what_it_needs():
    assert len(PROXIES) == 15
    for proxy in PROXIES.values():
        assert proxy.compute.__doc__
        assert proxy.summary
