"""Second derivatives of convolutions and batch norms against torch's own and against finite differences."""

import pytest
import torch
import torch.nn.functional as F

from nasturtium.proxies.network import weights
from nasturtium.proxies.passes import gradients
from nasturtium.proxies.twice import Twice


def numbers(*shape, seed=0):
    made = torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))
    return made.requires_grad_()


def replaced(call):
    def run(*tensors):
        with Twice():
            return call(*tensors)

    return run


CALLS = {
    "image": (lambda x, w, b: F.conv2d(x, w, b, 2, 1), [(2, 4, 5, 5), (4, 4, 3, 3), (4,)]),
    "grouped, dilated": (lambda x, w: F.conv2d(x, w, None, 1, (2, 0), 2, 2), [(2, 4, 5, 5), (6, 2, 3, 1)]),
    "sequence": (lambda x, w, b: F.conv1d(x, w, b, padding=1), [(3, 2, 6), (4, 2, 3), (4,)]),
    "norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [(3, 2, 4, 3), (2,), (2,)]),
    "norm of vectors": (lambda x: F.batch_norm(x, None, None, training=True, eps=0.1), [(5, 3)]),
}


@pytest.mark.parametrize("name", CALLS)
def test_both_derivatives_are_those_of_finite_differences(name):
    call, shapes = CALLS[name]
    given = [numbers(*shape, seed=place) for place, shape in enumerate(shapes)]
    assert torch.equal(replaced(call)(*given), call(*given))
    assert type(replaced(call)(*given).grad_fn).__name__ != type(call(*given).grad_fn).__name__
    assert torch.autograd.gradcheck(replaced(call), given)
    assert torch.autograd.gradgradcheck(replaced(call), given)


def test_a_second_derivative_is_that_of_torch():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
        torch.nn.Conv2d(4, 4, 3, stride=2, groups=2), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(36, 3),
    ).double()  # fmt: skip
    x, y = torch.randn(8, 3, 8, 8, dtype=torch.double), torch.arange(8) % 3

    def curvature():
        loss = F.cross_entropy(model(x), y)
        found = gradients(loss, weights(model), twice=True)
        return gradients(sum((each * each.detach()).sum() for each in found), weights(model))

    torch.testing.assert_close(replaced(curvature)(), curvature())


def test_what_torch_refuses_or_runs_otherwise_it_does_still():
    x, w = numbers(1, 2), numbers(3, 2, 3)
    with Twice(), pytest.raises(ValueError, match="more than 1 value"):
        F.batch_norm(x, None, None, training=True)
    with Twice():
        same = F.conv1d(numbers(2, 2, 5), w, padding="same")
    torch.testing.assert_close(same, F.conv1d(numbers(2, 2, 5), w, padding=1))


def test_gradients_by_inputs_alone_leave_those_by_weights_out():
    x, w = numbers(2, 2, 5), numbers(3, 2, 3)
    with Twice() as mode:
        left = F.conv1d(x, w).square().sum()
    whole = torch.autograd.grad(left, (x, w), retain_graph=True)
    with mode.inputs_alone():
        by_x, by_w = torch.autograd.grad(left, (x, w), allow_unused=True)
    assert by_w is None
    torch.testing.assert_close(by_x, whole[0])
