"""The fundamental operations against plain torch, their costs against its counters, and routing as one convolution."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers import Concat, Conv2d, Identity, Permute, Sequential, build
from nasturtium.layers.fundamental import (
    DotProduct,
    Fold,
    LastLinear,
    LearnedOffset,
    MeanOverRest,
    ModeNorm,
    Routing,
    Softmax,
    Unfold,
)
from nasturtium.space.infer import cost_of, infer
from nasturtium.space.opening import Offers
from nasturtium.space.signal import Signal, edges, image, sequence, tokens, vector

IMAGE, STEPS = image(6, 5, 8), sequence(12, 10)
WINDOWS = [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (4, 4, 0), (8, 8, 0), (16, 16, 0)]


def batch(signal: Signal, count: int = 3) -> torch.Tensor:
    return torch.randn(count, *[size for size in signal.shape if size is not None])


@pytest.mark.parametrize(("kernel", "stride", "padding"), WINDOWS)
@pytest.mark.parametrize("size", [(3, 64, 64), (2, 17, 30)])
def test_im2col_gathers_what_torch_unfolds(size: Any, kernel: int, stride: int, padding: int) -> None:
    layer, x = Unfold(kernel, stride, padding), torch.randn(2, *size)
    wanted = nn.Unfold(kernel, 1, padding, stride)(x).permute(0, 2, 1)
    signal = infer(layer, image(*size))
    assert torch.equal(build(layer, image(*size))(x), wanted)
    assert isinstance(signal, Signal)
    assert signal.shape == tuple(wanted.shape[1:])
    places = [math.floor((side + 2 * padding - (kernel - 1) - 1) / stride + 1) for side in size[1:]]
    assert signal.grid == tuple(places)


def test_im2col_takes_a_window_that_fits_the_padded_image() -> None:
    assert infer(Unfold(3, 1, 1), image(4, 1, 2)) == Signal("sequence", (2, 36), grid=(1, 2))
    with pytest.raises(Mismatch, match="no window of 4 fits into image 3x3x9"):
        infer(Unfold(4, 4), image(3, 3, 9))
    with pytest.raises(Mismatch):
        infer(Unfold(1), STEPS)
    with pytest.raises(SpaceError):
        infer(Unfold(1, 0), IMAGE)


def test_im2col_of_single_places_keeps_the_padding() -> None:
    x = torch.randn(2, 3, 4, 5)
    module = build(Unfold(1, 1, 1), image(3, 4, 5))
    assert torch.equal(module(x), nn.Unfold(1, padding=1)(x).transpose(1, 2))
    assert module(x).shape[1:] == infer(Unfold(1, 1, 1), image(3, 4, 5)).shape


@pytest.mark.parametrize("layer", [LearnedOffset(), LastLinear(3), ModeNorm(), Softmax(), DotProduct()])
@pytest.mark.parametrize(
    "signal", [sequence(None, 4), sequence(4, 4, mask=True), sequence(None, 4, mask=True), tokens(4, 9), edges(4)]
)
def test_what_is_taken_can_be_counted_and_built(layer: Any, signal: Signal) -> None:
    inputs = (signal, signal) if isinstance(layer, DotProduct) else (signal,)
    offered = Offers().possible(layer, inputs)
    try:
        infer(layer, *inputs)
    except Mismatch:
        assert not offered
    else:
        assert offered
        cost_of(layer, inputs)
        layer.module(*inputs)
    if signal.kind in ("tokens", "edges"):
        assert not offered


@pytest.mark.parametrize("length", [12, 24])
def test_col2im_only_rearranges(length: int) -> None:
    signal, x = Signal("sequence", (length, 5), grid=(3, 4)), torch.randn(2, length, 5)
    wanted = x.permute(0, 2, 1).reshape(2, -1, 3, 4)
    assert torch.equal(build(Fold(), signal)(x), wanted)
    assert infer(Fold(), signal) == image(5 * length // 12, 3, 4)


def test_col2im_needs_a_size_that_fits() -> None:
    with pytest.raises(Mismatch, match="was no image"):
        infer(Fold(), STEPS)
    with pytest.raises(Mismatch, match="does not fold to"):
        infer(Fold(), Signal("sequence", (13, 5), grid=(3, 4)))


@pytest.mark.parametrize("signal", [IMAGE, STEPS, vector(7)])
def test_linear_acts_on_the_last_axis(signal: Signal) -> None:
    module, x = build(LastLinear(16), signal), batch(signal)
    weight, bias = module.parameters()
    assert infer(LastLinear(16), signal) == signal._replace(shape=(*signal.shape[:-1], 16))
    assert torch.allclose(module(x), torch.einsum("b...w,ow->b...o", x, weight) + bias, atol=1e-5)


def test_norm_is_over_channels_of_images_and_features_of_sequences() -> None:
    assert repr(build(ModeNorm(), IMAGE)) == repr(nn.BatchNorm2d(6))
    assert repr(build(ModeNorm(), STEPS)) == repr(nn.LayerNorm(10))


@pytest.mark.parametrize("signal", [IMAGE, STEPS])
def test_softmax_and_offsets(signal: Signal) -> None:
    x = batch(signal)
    assert torch.allclose(build(Softmax(), signal)(x), x.exp() / x.exp().sum(-1, keepdim=True))
    module = build(LearnedOffset(), signal)
    (offset,) = module.parameters()
    assert offset.shape == (1, *signal.shape)
    assert torch.equal(module(x), x + offset)


@pytest.mark.parametrize(
    ("a", "b", "equation"),
    [(image(6, 5, 8), image(6, 8, 3), "zcij,zcjk->zcik"), (sequence(12, 10), sequence(10, 4), "zij,zjk->zik")],
)
@pytest.mark.parametrize("scaled", [False, True])
def test_dot_products(a: Signal, b: Signal, equation: str, scaled: bool) -> None:
    first, second = batch(a), batch(b)
    wanted = torch.einsum(equation, first, second) / (math.sqrt(first.shape[-1]) if scaled else 1)
    assert torch.allclose(build(DotProduct(scaled), a, b)(first, second), wanted, atol=1e-5)
    assert infer(DotProduct(scaled), a, b) == a._replace(shape=tuple(wanted.shape[1:]))


@pytest.mark.parametrize(
    "inputs",
    [(IMAGE, IMAGE), (IMAGE, image(5, 8, 3)), (STEPS, STEPS), (STEPS, image(1, 10, 2)), (STEPS,), (STEPS,) * 3],
)
def test_dot_products_that_do_not_exist(inputs: Any) -> None:
    with pytest.raises(Mismatch):
        infer(DotProduct(), *inputs)


def test_the_mean_over_all_but_the_first_axis() -> None:
    x, y = batch(IMAGE), batch(STEPS)
    assert torch.allclose(build(MeanOverRest(), IMAGE)(x), x.mean((2, 3)), atol=1e-6)
    assert torch.allclose(build(MeanOverRest(), STEPS)(y), y.mean(2), atol=1e-6)
    assert infer(MeanOverRest(), STEPS) == vector(12)


@pytest.mark.parametrize(
    "layer", [LastLinear(16), ModeNorm(), Softmax(), LearnedOffset(), DotProduct(), Unfold(3, 2, 1)]
)
@pytest.mark.parametrize("signal", [image(4, 8, 8), sequence(10, 10)])
def test_costs_are_those_of_the_modules(layer: Any, signal: Signal) -> None:
    signals = (signal,) * (2 if isinstance(layer, DotProduct) else 1)
    if isinstance(layer, Unfold) and signal.kind != "image":
        signals = (image(2, 9, 9),)
    module = build(layer, *signals)
    with FlopCounterMode(display=False) as counter:
        module(*[batch(each, 1) for each in signals])
    cost = cost_of(layer, signals)
    assert cost.params == sum(parameter.numel() for parameter in module.parameters())
    assert cost.flops == counter.get_total_flops()


@pytest.mark.parametrize(("kernel", "stride", "padding"), WINDOWS)
def test_im2col_linear_col2im_is_one_convolution(kernel: int, stride: int, padding: int) -> None:
    signal = image(3, 33, 36)
    layer = Routing(Unfold(kernel, stride, padding), LastLinear(16), Fold())
    fused = layer.module(signal)
    assert isinstance(fused, nn.Conv2d)
    parts = [layer.before, layer.body, layer.after]
    after = infer(layer.before, signal)
    assert isinstance(after, Signal)
    plain = nn.Sequential(*[build(part, each) for part, each in zip(parts, (signal, after, after), strict=True)])
    linear = plain[1]
    fused.weight.data = linear.weight.data.reshape(16, 3, kernel, kernel)
    fused.bias.data = linear.bias.data  # type: ignore[union-attr]
    x = batch(signal)
    assert torch.allclose(fused(x), plain(x), atol=1e-5)
    assert fused(x).shape[1:] == infer(layer, signal).shape  # type: ignore[union-attr]
    cost, counted = cost_of(layer, (signal,)), sum(parameter.numel() for parameter in fused.parameters())
    assert cost.params == counted == sum(parameter.numel() for parameter in plain.parameters())
    as_convolution = cost_of(Conv2d(16, kernel, stride, padding=padding), (signal,))
    assert cost == as_convolution


def test_other_routings_stay_as_they_are() -> None:
    steps = infer(Routing(Unfold(4, 4), LastLinear(8), Identity()), IMAGE._replace(shape=(6, 8, 8)))
    assert steps == sequence(4, 8)
    module = Routing(Unfold(3, 1, 1), Sequential(LastLinear(8), Softmax()), Fold()).module(IMAGE)
    assert isinstance(module, nn.Sequential)
    assert [type(child).__name__ for child in module] == ["Unfold", "Sequential", "SequenceToImage"]
    assert module(batch(IMAGE)).shape == (3, 8, 5, 8)


def test_the_size_that_im2col_remembers_is_for_its_own_routing() -> None:
    window = Unfold(1)
    assert infer(Routing(window, Identity(), Identity()), IMAGE) == sequence(40, 6)
    inner = Routing(Identity(), LastLinear(4), Fold())
    with pytest.raises(Mismatch, match="was no image"):
        infer(Routing(window, inner, Identity()), IMAGE)
    with pytest.raises(Mismatch, match="was no image"):
        infer(Sequential(Routing(window, Identity(), Identity()), inner), IMAGE)
    turned = Sequential(Permute(), LastLinear(40), Permute())
    assert infer(Routing(window, turned, Fold()), IMAGE) == image(6, 5, 8)
    longer = Routing(window, Routing(Permute(), LastLinear(80), Permute()), Fold())
    assert infer(longer, IMAGE) == image(12, 5, 8)
    assert build(longer, IMAGE)(batch(IMAGE)).shape == (3, 12, 5, 8)


def test_joining_along_any_axis() -> None:
    for axis in range(3):
        x, y = batch(IMAGE), batch(IMAGE)
        joined = build(Concat(axis), IMAGE, IMAGE)(x, y)
        assert torch.equal(joined, torch.cat((x, y), axis + 1))
        assert infer(Concat(axis), IMAGE, IMAGE).shape == tuple(joined.shape[1:])  # type: ignore[union-attr]
