"""Layers of event sequences against formulas by hand, torch's own functions and its counter."""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import Mismatch
from nasturtium.layers import AttentionPool, Sequential, build
from nasturtium.layers.events import (
    FirstInput,
    GapEncoding,
    LearnedQueries,
    Members,
    MixtureOfHeads,
    ScaledTimeEncoding,
    SplitChannels,
)
from nasturtium.space.signal import group, sequence, tokens


def _by_hand(module, x, memory, heads, width):
    """One head after another, as the paper has it."""
    outs = []
    for head in range(heads):
        rows = slice(head * width, (head + 1) * width)
        query = x @ module.query.weight[rows].T + module.query.bias[rows]
        keys, values = (
            memory @ module.key_value.weight[start:][rows].T + module.key_value.bias[start:][rows]
            for start in (0, heads * width)
        )
        weights = (query @ keys.transpose(1, 2) / math.sqrt(width)).softmax(-1)
        outs.append(weights @ values * module.scale[head])
    return module.output(module.norm(torch.cat(outs, -1)))


@pytest.mark.parametrize("own", [True, False])
def test_mixture_of_heads_by_hand(own):
    torch.manual_seed(0)
    signals = (sequence(5, 6),) if own else (sequence(5, 6), sequence(9, 4))
    module = MixtureOfHeads(3, 7).module(*signals)
    with torch.no_grad():
        module.scale.copy_(torch.tensor([0.5, 1.0, -2.0]))
    inputs = [torch.randn(2, *signal.shape) for signal in signals]
    expected = _by_hand(module, inputs[0], inputs[-1], 3, 7)
    assert torch.allclose(module(*inputs), expected, atol=1e-5)


@pytest.mark.parametrize(
    "signals", [(sequence(5, 6),), (sequence(5, 6), sequence(9, 4)), (sequence(5, 6, True), sequence(9, 4, True))]
)
def test_mixture_of_heads_costs_what_torch_counts(signals):
    layer = MixtureOfHeads(3, 8)
    module = build(layer, *signals)
    assert layer.cost(*signals).params == sum(parameter.numel() for parameter in module.parameters())
    inputs = []
    for signal in signals:
        inputs.append(torch.empty(1, *signal.shape, device="meta"))
        inputs += [torch.empty(1, signal.length, dtype=torch.bool, device="meta")] * signal.mask
    with FlopCounterMode(display=False) as counter:
        module.to("meta")(*inputs)
    assert layer.cost(*signals).flops == counter.get_total_flops()


def test_mixture_of_heads_sees_no_padding():
    torch.manual_seed(0)
    module = MixtureOfHeads(2, 4).module(sequence(3, 5), sequence(None, 5, mask=True))
    queries, memory = torch.randn(2, 3, 5), torch.randn(2, 8, 5)
    mask = torch.arange(8) < torch.tensor([[6], [0]])
    memory[0, 6:] = float("nan")
    memory[1] = float("nan")
    memory = torch.where(mask.unsqueeze(-1), memory, torch.full_like(memory, 1e6))
    out = module(queries, memory, mask)
    assert torch.allclose(out[:1], module(queries[:1], memory[:1, :6], mask[:1, :6]), atol=1e-5)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("channels", [5, 6])
def test_scaled_times_by_hand(channels):
    torch.manual_seed(0)
    signals = sequence(4, channels, mask=True), sequence(4, 1, mask=True)
    module = build(ScaledTimeEncoding(span=3.0), *signals)
    x, mask = torch.randn(2, 4, channels), torch.tensor([[True, True, True, False], [True, True, True, True]])
    times = torch.tensor([[10.0, 11.0, 14.0, 1e9], [2.0, 2.0, 2.0, 2.0]]).unsqueeze(-1)
    out, kept = module(x, mask, times, mask)
    scaled = 3.0 * torch.tensor([[0.0, 0.25, 1.0], [0.0, 0.0, 0.0]])
    for pair in range(3):
        angle = scaled * 10_000 ** (-2 * pair / 6)
        assert torch.allclose(out[:, :3, 2 * pair] - x[:, :3, 2 * pair], angle.sin(), atol=1e-5)
        if 2 * pair + 1 < channels:
            assert torch.allclose(out[:, :3, 2 * pair + 1] - x[:, :3, 2 * pair + 1], angle.cos(), atol=1e-5)
    assert kept is mask
    assert torch.isfinite(out).all()


def test_positions_stand_for_times():
    module = build(ScaledTimeEncoding(), sequence(5, 2))
    out = module(torch.zeros(1, 5, 2))
    assert torch.allclose(out[0, :, 0], torch.linspace(0, 1, 5).sin(), atol=1e-6)
    assert torch.isfinite(build(ScaledTimeEncoding(), sequence(1, 2))(torch.zeros(1, 1, 2))).all()


@pytest.mark.parametrize(("channels", "count"), [(64, 3), (7, 2), (160, 3), (5, 3)])
def test_parts_are_those_of_torch(channels, count):
    x = torch.randn(2, 3, channels)
    parts = SplitChannels(count).module(sequence(3, channels))(x)
    assert all(torch.equal(*pair) for pair in zip(parts, x.chunk(count, -1), strict=True))
    assert [signal.channels for signal in SplitChannels(count).signal(sequence(3, channels))] == [
        part.shape[-1] for part in parts
    ]


def test_too_few_channels_for_the_parts():
    with pytest.raises(Mismatch, match="cannot cut the 4 channels"):
        SplitChannels(3).signal(sequence(3, 4))  # torch gives two


def test_members_of_a_group_come_with_its_mask():
    signal = group(kind=tokens(None, 4), when=sequence(None, 1))._replace(mask=True)
    assert Members().signal(signal) == (tokens(None, 4, mask=True), sequence(None, 1, mask=True))
    kinds, times, mask = torch.ones(2, 3, dtype=torch.int64), torch.randn(2, 3, 1), torch.ones(2, 3, dtype=torch.bool)
    out = build(Sequential(Members(), FirstInput()), signal)(kinds, times, mask)
    assert torch.equal(out[0], kinds)
    assert torch.equal(out[1], mask)
    alone = group(x=sequence(3, 2))
    assert torch.equal(build(Members(), alone)(kinds), kinds)
    with pytest.raises(Mismatch, match="one mask for the whole group"):
        Members().signal(group(x=sequence(3, 2, mask=True)))


def test_queries_are_the_same_for_every_example():
    module = build(LearnedQueries(3), sequence(None, 4))
    for batch in (1, 5):
        out = module(torch.randn(batch, 7, 4))
        assert out.shape == (batch, 3, 4)
        assert torch.equal(out, out[:1].expand(batch, -1, -1))
    assert LearnedQueries(3).cost(sequence(None, 4)).params == 12


@pytest.mark.parametrize("kind", ["log", "learned"])
def test_gaps_are_encoded_by_hand(kind):
    torch.manual_seed(0)
    module = GapEncoding(kind, 5).module(sequence(4, 6), sequence(4, 1))
    times = torch.tensor([[0.0, 1.0, 1.0, 9.0]]).unsqueeze(-1)
    said = torch.tensor([[0.0, math.log(2), 0.0, math.log(9)]]).unsqueeze(-1)
    if kind == "learned":
        inside = said * module.inside.weight[:, 0] + module.inside.bias
        said = torch.cat((inside[..., :1], torch.sin(inside[..., 1:])), -1)
    expected = said @ module.outside.weight.T + module.outside.bias
    assert torch.allclose(module(torch.zeros(1, 4, 6), times), expected, atol=1e-6)


def test_gaps_survive_half_precision():
    module = GapEncoding().module(sequence(4, 6), sequence(4, 1))
    late = torch.tensor([1000.0, 1001.0, 1002.0, 1004.0]).view(1, 4, 1)
    exact = module(torch.zeros(1, 4, 6), late)
    rough = module(torch.zeros(1, 4, 6, dtype=torch.bfloat16), late)
    assert torch.allclose(rough.float(), exact, rtol=0.02, atol=0.01)


def test_attention_pooling_by_hand_and_of_padding_alone():
    torch.manual_seed(0)
    module = AttentionPool().module(sequence(5, 3, mask=True))
    x, mask = torch.randn(2, 5, 3), torch.tensor([[True, True, True, False, False], [False] * 5])
    weights = torch.softmax(x[0, :3] @ module.score.weight[0], 0)
    expected = weights @ x[0, :3]
    assert torch.allclose(module(x, mask), torch.stack((expected, torch.zeros(3))), atol=1e-6)


def test_gaps_need_times():
    with pytest.raises(Mismatch, match="takes a sequence and its times"):
        GapEncoding().signal(sequence(4, 6))
    with pytest.raises(Mismatch, match="needs times"):
        GapEncoding().signal(sequence(4, 6), sequence(4, 2))
