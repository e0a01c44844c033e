"""Wired against a plain interpreter on random programs; copies, export, memory."""

from __future__ import annotations

import copy
import gc
import weakref

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nasturtium.modules import Add, Chunk, Clone, Wired


class Mix(nn.Module):
    """A weighted sum of its inputs, given ``outputs`` times with other weights."""

    def __init__(self, weights, outputs):
        super().__init__()
        self.weights, self.outputs = weights, outputs

    def forward(self, *tensors):
        total = sum(weight * tensor for weight, tensor in zip(self.weights, tensors, strict=True))
        return total if self.outputs == 1 else tuple(total + index for index in range(self.outputs))


@st.composite
def programs(draw):
    values = list(range(draw(st.integers(1, 3))))
    inputs, steps, children = tuple(values), [], {}
    for index in range(draw(st.integers(0, 12))):
        sources = tuple(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3)))
        count = draw(st.integers(1, 3))
        targets = tuple(range(len(values), len(values) + count))
        values += targets
        children[f"m{index}"] = Mix([draw(st.integers(-3, 3)) for _ in sources], count)
        steps.append((f"m{index}", sources, targets))
    outputs = tuple(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3)))
    return children, steps, inputs, outputs


@settings(max_examples=200, deadline=None)
@given(programs())
def test_random_programs_equal_a_plain_interpreter(program):
    children, steps, inputs, outputs = program
    tensors = [torch.full((2,), float(value + 1), dtype=torch.float64) for value in inputs]
    known = dict(zip(inputs, tensors, strict=True))
    for name, sources, targets in steps:
        left = children[name](*[known[source] for source in sources])
        known.update(zip(targets, left if isinstance(left, tuple) else (left,), strict=True))
    result = Wired(children, steps, inputs, outputs)(*tensors)
    result = result if isinstance(result, tuple) else (result,)
    assert len(result) == len(outputs)
    for tensor, output in zip(result, outputs, strict=True):
        assert torch.equal(tensor, known[output])


def _residual():
    children = {"split": Clone(2), "body": nn.Linear(4, 4), "join": Add()}
    steps = [("split", (0,), (1, 2)), ("body", (1,), (3,)), ("join", (3, 2), (4,))]
    return Wired(children, steps, (0,), (4,))


def test_prints_its_program_and_names_its_children():
    model = _residual()
    assert [name for name, _ in model.named_parameters()] == ["body.weight", "body.bias"]
    assert "v3 = body(v1)" in repr(model)
    assert "return v4" in repr(model)


def test_copies_are_independent_and_replaced_children_are_used():
    model = _residual()
    x = torch.randn(3, 4)
    torch.testing.assert_close(model(x), model.body(x) + x)
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.body.weight.zero_()
    assert not torch.equal(model(x), other(x))
    model.body = nn.Identity()
    torch.testing.assert_close(model(x), 2 * x)


def test_exports():
    model, x = _residual(), torch.randn(3, 4)
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(model, (x,), dynamic_shapes=((({0: batch}),),)).module()
    other = torch.randn(5, 4)
    torch.testing.assert_close(exported(other), model(other))


def test_values_are_freed_once_read():
    seen: list[weakref.ref] = []

    class Watch(nn.Module):
        def forward(self, x):
            gc.collect()
            alive = sum(ref() is not None for ref in seen)
            made = x + 1
            seen.append(weakref.ref(made))
            assert alive <= 2
            return made

    children = {f"w{index}": Watch() for index in range(8)}
    steps = [(f"w{index}", (index,), (index + 1,)) for index in range(8)]
    result = Wired(children, steps, (0,), (8,))(torch.zeros(3))
    assert torch.equal(result, torch.full((3,), 8.0))


def test_chunk_of_unequal_sizes():
    parts = Chunk((3, 2), 1)(torch.arange(10).view(2, 5))
    assert [part.tolist() for part in parts] == [[[0, 1, 2], [5, 6, 7]], [[3, 4], [8, 9]]]
