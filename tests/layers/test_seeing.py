"""What is seen of wrapped modules: their FLOPs on any device and length, and whether padding matters in training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nasturtium.errors import Mismatch
from nasturtium.layers import Attention, wrap
from nasturtium.layers.seeing import seen
from nasturtium.space.infer import cost_of, infer
from nasturtium.space.signal import sequence


class Attending(nn.Module):
    """Self-attention; with ``looks`` it looks at values, so that it cannot run on tensors without content."""

    def __init__(self, channels, looks=False):
        super().__init__()
        self.looks = looks
        self.inner = nn.MultiheadAttention(channels, 4, batch_first=True)

    def forward(self, x):
        if self.looks and float(x.sum()) < -1e9:
            return x
        return self.inner(x, x, x)[0]


class Remembering(nn.Module):
    def __init__(self, channels, looks=False):
        super().__init__()
        self.looks = looks
        self.inner = nn.LSTM(channels, 8, batch_first=True)

    def forward(self, x):
        if self.looks and float(x.sum()) < -1e9:
            return x
        return self.inner(x)[0]


SeenAttending = wrap(Attending, name="SeenAttending", channels="channels")
SeenRemembering = wrap(Remembering, name="SeenRemembering", channels="channels")


def test_flops_on_a_cpu_are_those_without_content():
    steps = sequence(10, 16)
    products = 2 * 10 * 4 * 16 * 16 + 2 * 2 * 10 * 10 * 16  # four maps of each step; scores, and what they weigh
    for looks in (False, True):
        assert cost_of(SeenAttending(looks=looks), (steps,)).flops == products
        assert cost_of(SeenRemembering(looks=looks), (steps,)).flops == 10 * 2 * 4 * 8 * (16 + 8)


def test_the_switches_for_counting_are_turned_back():
    fast, dense = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled
    cost_of(SeenAttending(looks=True), (sequence(7, 16),))
    assert (torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled) == (fast, dense)


@pytest.mark.parametrize("looks", [False, True])
def test_an_unknown_length_counts_as_one_step(looks):
    layer = SeenAttending(looks=looks)
    assert cost_of(layer, (sequence(None, 16),)).flops == cost_of(layer, (sequence(1, 16),)).flops
    assert cost_of(layer, (sequence(None, 16),)).flops == cost_of(Attention(4), (sequence(None, 16),)).flops


def test_modules_that_need_more_steps_than_one_are_counted_by_their_share():
    class Far(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 4)

        def forward(self, x):
            if x.shape[1] < 3:
                raise ValueError("too short")
            return self.inner(x)

    layer = wrap(Far, name="SeenFar")
    assert seen(layer(), (sequence(None, 4),)).cost.flops == 2 * 4 * 4


class Statistics(nn.Module):
    """Normalised over batch and steps in training."""

    def __init__(self, norm=True):
        super().__init__()
        self.norm = nn.BatchNorm1d(4) if norm else nn.Dropout(0.5)

    def forward(self, x):
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


@pytest.mark.parametrize("length", [9, None])
def test_statistics_of_the_padding_are_refused_too(length):
    layer = wrap(Statistics, name="SeenStatistics")
    with pytest.raises(Mismatch, match=r"depends in training.* on the padding .*mask=True"):
        infer(layer(), sequence(length, 4, mask=True))
    assert infer(layer(), sequence(length, 4)) == sequence(length, 4)
    # dropout draws other numbers in each run, but not here
    assert infer(layer(norm=False), sequence(length, 4, mask=True)) == sequence(length, 4, mask=True)


def test_a_module_that_is_tried_stays_as_it_was():
    module = Statistics().eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    layer = wrap(lambda: module, name="SeenLent")
    with pytest.raises(Mismatch, match="in training"):
        infer(layer(), sequence(9, 4, mask=True))
    assert not any(each.training for each in module.modules())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
