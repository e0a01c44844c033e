"""Masked modules against torch's own on each sequence without its padding, and against sums by hand."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nasturtium.modules import (
    AddedTimeWaves,
    ChannelDropout,
    DropPath,
    LearnedPositions,
    MaskedBatchNorm,
    Recurrent,
    SequenceConv1d,
    SequenceGroupNorm,
    SequencePool,
    SinusoidalPositions,
    TimeWaves,
    WindowPool,
)
from nasturtium.modules.recurrence import Blend

LENGTHS = torch.tensor([11, 4, 1, 7])


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def x():
    return torch.randn(4, 11, 6)


@pytest.fixture
def mask():
    return torch.arange(11) < LENGTHS.unsqueeze(1)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_equals_packed_sequences(kind, bidirectional, x, mask):
    ours = Recurrent(kind, 6, 5, bidirectional)
    theirs = {"gru": nn.GRU, "lstm": nn.LSTM}[kind](6, 5, batch_first=True, bidirectional=bidirectional)
    state = dict(ours.onward.state_dict())
    if bidirectional:
        state |= {f"{key}_reverse": value for key, value in ours.reverse.state_dict().items()}
    theirs.load_state_dict(state)
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(theirs(packed)[0], batch_first=True, total_length=11)[0]
    torch.testing.assert_close(ours(x, mask)[mask], expected[mask])
    torch.testing.assert_close(ours(x), theirs(x)[0])


@pytest.mark.parametrize(("kernel", "stride", "dilation", "groups"), [(3, 1, 1, 1), (5, 2, 1, 2), (3, 1, 2, 6)])
def test_convolution_equals_torch_on_each_sequence(kernel, stride, dilation, groups, x, mask):
    left = dilation * (kernel - 1) // 2
    ours = SequenceConv1d(6, 6, kernel, stride, dilation, groups, left=left)
    result, kept = ours(x, mask)
    for index, length in enumerate(LENGTHS.tolist()):
        alone = x[index : index + 1, :length].transpose(1, 2)
        expected = F.conv1d(alone, ours.weight, ours.bias, stride, left, dilation, groups)[0].t()
        assert kept[index].sum() == len(expected)
        torch.testing.assert_close(result[index][kept[index]], expected)


@pytest.mark.parametrize(("kernel", "stride", "left"), [(2, 2, 0), (3, 2, 1), (4, 1, 2), (3, 1, 1), (5, 3, 1)])
@pytest.mark.parametrize("kind", ["max", "mean"])
def test_window_pool_is_max_or_mean_of_real_steps(kind, kernel, stride, left, x, mask):
    result, kept = WindowPool(kind, kernel, stride, left)(x, mask)
    without, full = WindowPool(kind, kernel, stride, left)(x), math.ceil(11 / stride)
    torch.testing.assert_close(without[0], result[0])
    assert without.shape == (4, full, 6)
    for index, length in enumerate(LENGTHS.tolist()):
        assert kept[index].sum() == math.ceil(length / stride)
        for place in range(math.ceil(length / stride)):
            start = place * stride - left
            window = x[index, max(start, 0) : min(start + kernel, length)]
            expected = window.amax(0) if kind == "max" else window.mean(0)
            torch.testing.assert_close(result[index, place], expected)
        assert (result[index][~kept[index]] == 0).all()


@pytest.mark.parametrize("kind", ["mean", "max", "mixed", "last"])
def test_sequence_pool_is_a_sum_by_hand(kind, x, mask):
    by_hand = {
        "mean": lambda steps: steps.mean(0),
        "max": lambda steps: steps.amax(0),
        "mixed": lambda steps: (steps.mean(0) + steps.amax(0)) / 2,
        "last": lambda steps: steps[-1],
    }[kind]
    expected = torch.stack([by_hand(x[i, :length]) for i, length in enumerate(LENGTHS.tolist())])
    torch.testing.assert_close(SequencePool(kind)(x, mask), expected)
    torch.testing.assert_close(SequencePool(kind)(x), torch.stack([by_hand(steps) for steps in x]))
    assert (SequencePool(kind)(x, torch.zeros_like(mask)) == 0).all()


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_uses_real_steps_alone(affine, x, mask):
    ours, theirs = MaskedBatchNorm(6, affine=affine), nn.BatchNorm1d(6, affine=affine)
    if affine:
        nn.init.normal_(ours.weight)
        theirs.load_state_dict(ours.state_dict())
    for _ in range(3):
        torch.testing.assert_close(ours(x, mask)[mask], theirs(x[mask]))
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value)
    real = x[mask]
    by_hand = (real - real.mean(0)) / (real.var(0, unbiased=False) + 1e-5).sqrt()
    expected = by_hand * ours.weight + ours.bias if affine else by_hand
    torch.testing.assert_close(ours(x, mask)[mask], expected)
    theirs(x[mask])
    torch.testing.assert_close(ours.eval()(x, mask)[mask], theirs.eval()(x[mask]))
    torch.testing.assert_close(ours(x).reshape(-1, 6), theirs(x.reshape(-1, 6)))


@pytest.mark.parametrize("steps", [0, 1])
def test_batch_norm_survives_a_batch_with_hardly_a_step(steps, x):
    norm = MaskedBatchNorm(6)
    mask = torch.zeros(4, 11, dtype=torch.bool)
    mask[0, :steps] = True
    assert torch.isfinite(norm(x, mask)).all()
    assert (norm.running_mean == 0).all()


def test_group_norm_equals_torch_on_each_sequence(x, mask):
    ours, theirs = SequenceGroupNorm(3, 6), nn.GroupNorm(3, 6)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    result = ours(x, mask)
    for index, length in enumerate(LENGTHS.tolist()):
        expected = theirs(x[index : index + 1, :length].transpose(1, 2)).transpose(1, 2)[0]
        torch.testing.assert_close(result[index, :length], expected)
    torch.testing.assert_close(ours(x), theirs(x.transpose(1, 2)).transpose(1, 2))


@pytest.mark.parametrize("channels", [1, 5, 8])
def test_sinusoidal_positions_follow_the_paper(channels):
    added = SinusoidalPositions(channels)(torch.zeros(1, 50, channels))[0]
    pairs = (channels + 1) // 2
    for step in (0, 1, 17, 49):
        for channel in range(channels):
            angle = step / 10000 ** (channel // 2 / pairs)
            expected = math.sin(angle) if channel % 2 == 0 else math.cos(angle)
            assert added[step, channel].item() == pytest.approx(expected, abs=1e-5)


def test_time_waves_of_whole_numbers_are_positions(x):
    steps = torch.arange(11.0).view(1, 11, 1).expand(4, 11, 1)
    positions = SinusoidalPositions(6)(torch.zeros(4, 11, 6))
    torch.testing.assert_close(TimeWaves(6, 10_000.0)(steps), positions)
    torch.testing.assert_close(AddedTimeWaves(6, 10_000.0)(x, steps), x + positions)


def test_learned_positions_add_their_rows(x):
    learned = LearnedPositions(20, 6)
    torch.testing.assert_close(learned(x) - x, learned.table[:11].expand(4, 11, 6))


@pytest.mark.parametrize(("module", "shape"), [(ChannelDropout(0.25), (8000, 1, 6)), (DropPath(0.25), (8000, 1, 1))])
def test_dropped_as_one_and_scaled(module, shape):
    ones = torch.ones(8000, 5, 6)
    dropped = module(ones)
    kept = dropped[:, : shape[1], : shape[2]]
    assert (dropped == kept).all()
    torch.testing.assert_close(kept.unique(), torch.tensor([0.0, 4 / 3]))
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.03)
    assert module.eval()(ones) is ones


def test_a_gate_between_values_of_different_precision_blends_them():
    z, x, y = torch.rand(3, 4, 5).unbind()
    torch.testing.assert_close(Blend()(z, x, y), torch.lerp(y, x, z))
    mixed = Blend()(z, x.bfloat16(), y)
    torch.testing.assert_close(mixed, torch.lerp(y, x, z), atol=0.01, rtol=0.01)
