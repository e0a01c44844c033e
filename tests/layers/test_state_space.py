"""The diagonal state-space layer against the recurrence that it is, step by step with complex numbers."""

from __future__ import annotations

import torch

from nasturtium.layers import DiagonalStateSpace, StateSpace, build
from nasturtium.modules.state_space import DiagonalStateSpace as Module
from nasturtium.space.infer import cost_of, infer
from nasturtium.space.signal import sequence


def by_recurrence(module: Module, x: torch.Tensor) -> torch.Tensor:
    """h becomes exp(A dt) h + (exp(A dt) - 1) / A x; y is 2 Re(C h) + D x, for one step after another."""
    a = torch.complex(-module.decay.exp(), module.frequency)  # (C, N)
    moved = torch.exp(a * module.steps.exp().unsqueeze(1))
    entered = (moved - 1) / a
    c = torch.view_as_complex(module.weight.contiguous())
    state = torch.zeros(x.shape[0], *a.shape, dtype=a.dtype)
    outputs = []
    for step in x.unbind(1):  # (B, C)
        state = moved * state + entered * step.unsqueeze(-1)
        outputs.append(2 * (c * state).sum(-1).real + module.skip * step)
    return torch.stack(outputs, 1)


def test_the_convolution_is_the_recurrence():
    torch.manual_seed(0)
    module = Module(5, states=6)
    with torch.no_grad():
        module.steps.uniform_(-3.0, 0.0)  # long steps too
    x = torch.randn(3, 40, 5)
    torch.testing.assert_close(module(x), by_recurrence(module, x), rtol=1e-4, atol=1e-4)


def test_padding_changes_nothing():
    torch.manual_seed(0)
    signal = sequence(None, 4, mask=True)
    module = build(StateSpace(3), signal)
    x, mask = torch.randn(2, 9, 4), torch.arange(9) < torch.tensor([[9], [5]])
    longer = torch.cat((x, torch.full((2, 6, 4), 50.0)), 1), torch.cat((mask, torch.zeros(2, 6, dtype=torch.bool)), 1)
    one, kept = module(x, mask)
    other, _ = module(*longer)
    torch.testing.assert_close(other[:, :9][kept], one[kept])


def test_it_costs_what_its_parameters_and_its_recurrence_say():
    signal = sequence(7, 6)
    layer = DiagonalStateSpace(4)
    module = build(layer, signal)
    assert infer(layer, signal) == signal
    cost = cost_of(layer, (signal,))
    assert cost.params == sum(parameter.numel() for parameter in module.parameters()) == 6 * (2 + 4 * 4)
    assert cost.flops == 7 * 6 * (4 * 8 + 2)  # a complex product (6), its sum into the output (2) a state; skip (2)
    module(torch.randn(2, 7, 6)).square().sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())


def test_it_remembers_what_a_window_has_forgotten():
    """Which of two marks came first, thirty steps ago: only a long memory can tell."""
    torch.manual_seed(0)
    first = torch.randint(2, (256,))
    x = torch.zeros(256, 32, 2)
    x[torch.arange(256), 0, first] = 1
    x[torch.arange(256), 1, 1 - first] = 1
    model = build(StateSpace(8), sequence(32, 2))
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        last = model(x)[:, -1]
        loss = torch.nn.functional.cross_entropy(last, first)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert torch.equal(last.argmax(1), first)
