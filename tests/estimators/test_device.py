"""Which precision and layout a network gets, and that the random state comes back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nasturtium.errors import TrainingError
from nasturtium.estimators import device as module
from nasturtium.estimators.device import Mode, choose_mode, own_device, resolve_device, seeded, strides_over_the_edge
from nasturtium.modules import SelfAttention
from nasturtium.space import Architecture

CPU = torch.device("cpu")
LARGE = 10_000_000
CONVOLUTION = nn.Conv2d(1, 1, 3)


@pytest.mark.parametrize(
    ("model", "flops", "mode"),
    [
        (nn.Sequential(CONVOLUTION, nn.BatchNorm2d(1)), LARGE, Mode(True, True)),
        (nn.Sequential(CONVOLUTION), 1000, Mode(False, True)),
        (nn.Sequential(CONVOLUTION, nn.GroupNorm(1, 1)), LARGE, Mode(False, True)),
        (nn.Sequential(nn.Conv1d(1, 1, 3)), LARGE, Mode(True, False)),
        (nn.Sequential(nn.Conv1d(1, 1, 3), nn.GRU(1, 1)), LARGE, Mode(False, False)),
        (nn.Sequential(nn.Conv1d(1, 1, 3), SelfAttention(4, 2, 2)), LARGE, Mode(False, False)),
        (nn.Sequential(nn.Linear(2, 2)), LARGE, Mode(False, False)),
    ],
)
def test_bf16_only_where_it_was_measured_to_be_faster(monkeypatch, model, flops, mode):
    monkeypatch.setattr(module, "cpu_is_fast_in_bf16", lambda: True)
    assert choose_mode(model, CPU, "auto", flops) == mode
    assert choose_mode(model, CPU, "fp32", flops) == mode._replace(bf16=False)
    assert choose_mode(model, CPU, "bf16", flops) == mode._replace(bf16=True)
    monkeypatch.setattr(module, "cpu_is_fast_in_bf16", lambda: False)
    assert choose_mode(model, CPU, "auto", flops) == mode._replace(bf16=False)


@pytest.mark.parametrize(
    ("tiles", "avx", "vendor", "fast"),
    [
        (True, True, "GenuineIntel", True),
        (False, True, "GenuineIntel", False),
        (False, True, "AuthenticAMD", True),
        (False, False, "AuthenticAMD", False),
    ],
)
def test_which_processors_are_fast_in_bf16(monkeypatch, tiles, avx, vendor, fast):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx, raising=False)
    monkeypatch.setattr(module, "_vendor", lambda: vendor)
    assert module.cpu_is_fast_in_bf16.__wrapped__() is fast


def test_devices_by_name():
    assert resolve_device("cpu") == CPU
    assert resolve_device(None).type in ("cpu", "cuda", "mps")
    with pytest.raises(TrainingError, match="cannot use the device 'gpu'"):
        resolve_device("gpu")


def test_seeded_gives_the_same_numbers_and_puts_the_state_back():
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    with seeded(4, CPU):
        assert torch.equal(torch.rand(3), expected)
    assert torch.equal(torch.get_rng_state(), state)


def test_bf16_is_not_taken_where_a_convolution_strides_over_the_edge():
    halving = "Sequential(ConvBlock(16), ConvBlock(stride=2), ConvBlock(stride=2), ConvBlock(stride=2), {}GlobalPool())"
    fits = Architecture.parse(halving.format(""), input=(1, 8, 8))
    beyond = Architecture.parse(halving.format("ConvBlock(stride=2), "), input=(1, 8, 8))
    without_window = Architecture.parse(halving.format("ConvBlock(kernel=1, stride=2), "), input=(1, 8, 8))
    assert not strides_over_the_edge(fits)
    assert strides_over_the_edge(beyond)
    assert not strides_over_the_edge(without_window)


def test_workers_share_out_the_devices():
    assert [own_device(place, 2) for place in ("0", "1", "2", None)] == ["cuda:0", "cuda:1", "cuda:0", "cuda"]
    assert own_device("1", 1) == "cuda"
    assert own_device("1", 0) == "cuda"  # which then is refused by name
