"""How containers are put together: names, weights, masks, groups, shortcuts, export."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from nasturtium import layers as L
from nasturtium.errors import Mismatch, SpaceError
from nasturtium.modules import Wired
from nasturtium.space import Architecture, Space, choice
from nasturtium.space.infer import cost_of, infer
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal, group, image, sequence, tokens, vector


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_children()]


def test_a_plain_chain_is_a_sequential():
    model = L.build(L.Sequential(L.Linear(4), L.ReLU(), L.Sequential(L.Linear(2))), vector(3))
    assert type(model) is nn.Sequential
    assert [type(child) for child in model] == [nn.Linear, nn.ReLU, nn.Sequential]
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]


def test_what_needs_no_mask_is_built_without_one():
    masked = sequence(9, 8, mask=True)
    model = L.build(L.Sequential(L.Residual(L.FeedForward()), L.GRU(), L.GlobalPool()), masked)
    assert type(model) is Wired
    residual = model.get_submodule("0")
    assert len(residual.inputs) == 1
    assert type(residual.body) is nn.Sequential
    assert names(residual.body) == ["linear", "activation", "linear_2"]
    assert names(residual) == ["body", "add"]


def test_a_whole_model_takes_and_returns_every_mask(tensors_for):
    masked = sequence(9, 8, mask=True)
    for part in (L.Linear(3), L.Sequential(L.Linear(3)), L.GRU(3), L.Sequential(L.Conv1d(3))):
        x, mask = tensors_for(masked)
        values, kept = L.build(part, masked)(x, mask)
        assert values.shape == (3, 9, 3)
        assert torch.equal(kept, mask)


def test_later_visits_have_weights_of_their_own():
    model = L.build(L.Branch(L.Clone(3), L.Linear(4), join=L.Concat()), vector(2))
    assert names(model) == ["split", "0", "0_2", "0_3", "join"]
    weights = [model.get_submodule(name).weight for name in ("0", "0_2", "0_3")]
    assert not torch.equal(weights[0], weights[1])
    assert cost_of(L.Branch(L.Clone(3), L.Linear(4), join=L.Concat()), (vector(2),)) == Cost(3 * 12, 3 * 16)
    assert names(L.build(L.Repeat(3, L.Linear(2)), vector(2))) == ["0", "0_2", "0_3"]


def test_shortcut_projects_only_where_shapes_differ():
    same = L.build(L.Residual(L.Conv2d()), image(8, 8, 8))
    assert names(same) == ["body", "add"]
    other = L.build(L.Residual(L.Conv2d(16, stride=2)), image(8, 7, 8))
    assert names(other) == ["body", "conv2d", "batchnorm", "add"]
    x = torch.randn(2, 8, 7, 8)
    torch.testing.assert_close(other(x), other.body(x) + other.batchnorm(other.conv2d(x)))
    assert names(L.build(L.Residual(L.Conv1d(4, stride=3)), sequence(9, 8))) == ["body", "conv1d", "add"]
    assert names(L.build(L.Residual(L.Linear(3)), sequence(9, 8))) == ["body", "linear", "add"]
    own = L.build(L.Residual(L.Linear(3), skip=L.Linear(3)), vector(4))
    assert names(own) == ["body", "skip", "add"]


def test_branch_computes_what_it_says():
    model = L.build(L.Branch(L.Chunk(2), L.Linear(3), L.Identity(), join=L.Concat()), vector(5))
    x = torch.randn(4, 5)
    expected = torch.cat((model.get_submodule("0")(x[:, :3]), x[:, 3:]), 1)
    torch.testing.assert_close(model(x), expected)
    gate = L.Branch(L.Clone(2), L.Identity(), L.Sequential(L.GlobalPool(), L.Sigmoid()), join=L.Multiply())
    x = torch.randn(4, 5, 3, 3)
    torch.testing.assert_close(L.build(gate, image(5, 3, 3))(x), x * x.mean((2, 3), keepdim=True).sigmoid())


class PairUp(Layer):
    """Two signals as one group."""

    def signal(self, *inputs: Signal) -> Signal:
        return group(left=inputs[0], right=inputs[1])

    def module(self, *inputs: Signal) -> Any:
        return _Together()


class Part2(Layer):
    """One member of a group."""

    name: str
    uses_mask = True

    def signal(self, *inputs: Signal) -> Signal:
        return inputs[0].member(self.name)._replace(mask=False)

    def module(self, *inputs: Signal) -> Any:
        return _Pick(2 if self.name == "right" else 0)


class _Together(nn.Module):
    def forward(self, *tensors):
        return tensors


class _Pick(nn.Module):
    def __init__(self, index):
        super().__init__()
        self.index = index

    def forward(self, *tensors):
        return tensors[self.index]


def test_groups_travel_as_the_tensors_of_their_members(tensors_for):
    paired = group(left=sequence(4, 2, mask=True), right=vector(3))
    two = L.Branch(L.Clone(2), Part2("left"), Part2("right"), join=PairUp())
    x, mask, y = *tensors_for(sequence(4, 2, mask=True)), torch.randn(3, 3)
    model = L.build(two, paired)
    values, other = model(x, mask, y)
    assert torch.equal(values, x)
    assert torch.equal(other, y)


@pytest.mark.parametrize(
    ("part", "signal", "message"),
    [
        (L.Linear(3), image(3, 8, 8), "Linear works on .* not on image 3x8x8; GlobalPool or Flatten"),
        (L.Conv1d(), tokens(9, 5), "Embedding makes a sequence"),
        (L.Conv2d(groups=3), image(4, 8, 8), "3 groups do not divide 4"),
        (L.Conv2d(6, groups="depthwise"), image(4, 8, 8), "4 groups do not divide 4 and 6"),
        (L.Conv2d(kernel=5, padding=0), image(4, 4, 4), "window of 5 does not fit into 4"),
        (L.GroupNorm(3), vector(8), "3 groups do not divide the 8"),
        (L.Attention(3), sequence(5, 8), "3 heads do not divide the 8"),
        (L.PositionalEncoding("learned"), sequence(None, 8), "needs longest"),
        (L.PositionalEncoding("learned", longest=4), sequence(5, 8), "too few"),
        (L.Flatten(), sequence(None, 8), "known sizes"),
        (L.Reshape((3, -1)), vector(8), "cannot give vector 8 the shape"),
        (L.Permute((0, 2)), sequence(3, 8), "does not order the 2 axes"),
        (L.Unflatten(), sequence(3, 8), "was an image"),
        (L.Chunk(3, equal=True), vector(8), "into 3 equal parts"),
        (L.Chunk(2, axis=0), sequence(8, 8, mask=True), "padding would stand inside"),
        (L.Conv1d(stride=2), sequence(None, 8), "needs a known length"),
        (L.TimeEncoding(), sequence(9, 1), "needs channels"),
        (L.Residual(L.Flatten()), image(2, 3, 3), "cannot add vector 18 to image 2x3x3"),
        (
            L.Branch(L.Clone(2), L.Linear(2), L.Linear(3)),
            vector(2),
            "needs equal shapes, not vector 2 and vector 3",
        ),
        (L.Branch(L.Clone(3), L.Linear(2), L.Linear(3)), vector(2), "2 paths for the 3 parts"),
        (L.Dropout(of="steps"), vector(2), "finds no steps"),
        (L.Add(), tokens(4, 5), "does not work on"),
        (L.Embedding(3), Signal("tokens", (4,)), r"tokens\(length, vocabulary\)"),
    ],
)
def test_mismatches_say_which_layer_and_why(part, signal, message):
    with pytest.raises(Mismatch, match=message):
        infer(part, signal)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (L.Activation("gleu"), "no activation 'gleu'; did you mean 'gelu'"),
        (L.ConvBlock(norm="bacth"), "did you mean 'batch'"),
        (L.GlobalPool("men"), "did you mean 'mean'"),
        (L.Conv2d(0), "whole number from 1, not 0"),
        (L.Conv2d(kernel=0), "start at 1"),
        (L.Dropout(1.0), "rate from 0 up to 1"),
        (L.Conv2d(groups="dephtwise"), "'depthwise'"),
        (L.Conv2d(padding=-1), "padding starts at 0"),
        (L.FeedForward(-3), "positive ratio"),
        (L.FeedForward(dropout=-3), "dropout from 0 up to 1"),
        (L.Residual(3), "3, which is no layer"),
        (L.Residual(nn.ReLU()), "torch module, ReLU; nt.layers.wrap"),
    ],
)
def test_values_that_can_never_work_are_errors(part, message):
    with pytest.raises(SpaceError, match=message):
        infer(part, image(4, 8, 8))


def test_costs_by_hand():
    assert cost_of(L.LSTM(64), (sequence(10, 32),)) == Cost(4 * 64 * (32 + 64) + 8 * 64, 10 * 2 * 4 * 64 * 96)
    attention = 2 * 10 * (4 * 32 * 32) + 2 * 2 * 10 * 10 * 32
    assert cost_of(L.Attention(4), (sequence(10, 32),)) == Cost(4 * 32 * 33, attention)
    assert cost_of(L.Conv2d(16, kernel=3, stride=2), (image(3, 8, 8),)) == Cost(16 * 28, 2 * 16 * 27 * 16)
    assert cost_of(L.GRU(4), (sequence(None, 4),)) == cost_of(L.GRU(4), (sequence(1, 4),))


def _network(*last):
    attention = L.Residual(L.Sequential(L.LayerNorm(), L.Attention(2)))
    block = L.Sequential(attention, L.Residual(L.Sequential(L.LayerNorm(), L.FeedForward())))
    start = (L.Linear(8), L.PositionalEncoding(), L.Repeat(2, block), L.ConvBlock(8))
    return L.Sequential(*start, *last, L.GlobalPool("mixed"), L.Linear(3))


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_masked_network_exports_with_any_batch_and_length(recurrent, tensors_for):
    """Torch unrolls recurrent layers when it exports, which fixes the length; not so the batch."""
    signal = sequence(None, 5, mask=True)
    model = L.build(_network(*[L.GRU(4, bidirectional=True)] * recurrent), signal).eval()
    sizes = {0: torch.export.Dim("batch", min=2, max=64)}
    if not recurrent:
        sizes[1] = torch.export.Dim("length", min=2, max=64)
    inputs = tuple(tensors_for(signal, batch=3, length=9))
    exported = torch.export.export(model, inputs, dynamic_shapes=((sizes, sizes),)).module()
    x, mask = tensors_for(signal, batch=5, length=9 if recurrent else 12)
    torch.testing.assert_close(exported(x, mask), model(x, mask))


def test_an_image_network_exports():
    blocks = L.Sequential(L.ConvBlock(8), L.Residual(L.ConvBlock(16, stride=2)), L.GlobalPool(), L.Linear(4))
    model = L.build(blocks, image(3, 9, 9)).eval()
    x = torch.randn(2, 3, 9, 9)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), model(x))


def test_half_precision_stays_finite_and_near(tensors_for):
    signal = sequence(9, 5, mask=True)
    torch.manual_seed(0)
    part = L.Sequential(L.ConvBlock(8), L.MaxPool(3, stride=1), _network(L.LSTM(4, bidirectional=True)))
    model = L.build(part, signal)
    inputs = tensors_for(signal)
    expected = model(*inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(*inputs)
    torch.testing.assert_close(found.float(), expected, rtol=0.1, atol=0.1)


def test_importing_the_layers_imports_no_torch():
    code = "import sys, nasturtium.layers; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_table_names_every_layer():
    assert all(name == layer.__name__ for name, layer in L.LAYERS.items())
    exported = {
        name for name in L.__all__ if isinstance(getattr(L, name), type) and issubclass(getattr(L, name), Layer)
    }
    assert set(L.LAYERS) == exported - {"Container"}


@pytest.mark.parametrize("split", [L.Chunk(1), L.Clone(1)])
def test_a_split_into_one_part_is_that_part(split):
    signal = sequence(5, 4)
    net = L.Sequential(split, L.ReLU())
    assert infer(net, signal) == signal
    x = torch.randn(2, 5, 4)
    assert torch.equal(L.build(net, signal)(x), x.relu())
    branch = L.Branch(split, L.Linear(4), join=L.Add())
    assert L.build(branch, signal)(x).shape == x.shape


def test_an_architecture_of_one_layer_takes_masks_and_members_apart():
    x, mask = torch.randn(2, 5, 3), torch.arange(5) < torch.tensor([[2], [5]])
    model = Architecture(L.Linear(4), input=sequence(None, 3, mask=True)).build()
    values, passed = model(x, mask)
    assert values.shape == (2, 5, 4)
    assert torch.equal(passed, mask)
    added = Architecture(L.Add(), input=(sequence(None, 3, mask=True),) * 2).build()
    torch.testing.assert_close(added(x, mask, 2 * x, mask)[0], 3 * x)
    space = Space(L.Linear(choice(4, 6)), input=sequence(None, 3, mask=True))
    assert space.architecture((1,)).build()(x, mask)[0].shape == (2, 5, 6)
    assert type(Architecture(L.Linear(4), input=(3,)).build()) is nn.Linear


@pytest.mark.parametrize("causal", [0, 1, False, True])
def test_flags_may_be_numbers(causal):
    model = L.build(L.Attention(2, causal=causal), sequence(6, 4, mask=True))
    x, mask = torch.randn(2, 6, 4), torch.arange(6) < torch.tensor([[2], [6]])
    first, _ = model(x, mask)
    second, _ = model(torch.cat((x[:, :4], x[:, 4:] + 1), 1), mask)
    assert torch.allclose(first[1, :4], second[1, :4], atol=1e-6) == bool(causal)
