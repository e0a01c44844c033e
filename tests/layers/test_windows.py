"""Convolutions and pools over all small sizes, kernels, strides: against torch and sums by hand."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from nasturtium.errors import Mismatch
from nasturtium.layers import AvgPool, Conv1d, Conv2d, GlobalPool, MaxPool, build
from nasturtium.layers.rules import left_padding
from nasturtium.space.infer import infer
from nasturtium.space.signal import image, sequence

SIZES = list(itertools.product(range(1, 7), range(1, 6), range(1, 10)))


@pytest.mark.parametrize("layer", [MaxPool, AvgPool])
def test_image_pools_over_all_sizes(layer):
    refused = set()
    for kernel, stride, size in SIZES:
        part, signal = layer(kernel, stride), image(2, size, size)
        try:
            inferred = infer(part, signal)
        except Mismatch:
            refused.add((kernel % 2, stride < kernel))
            continue
        x = torch.randn(1, 2, size, size)
        result = build(part, signal)(x)
        places = math.ceil(size / stride)
        assert result.shape == (1, *inferred.shape) == (1, 2, places, places)
        for row, column in ((0, 0), (places - 1, 0), (places // 2, places - 1)):
            left = left_padding(kernel, stride)
            rows, columns = (slice(max(i * stride - left, 0), i * stride - left + kernel) for i in (row, column))
            window = x[0, :, rows, columns].flatten(1)
            expected = window.amax(1) if layer is MaxPool else window.mean(1)
            torch.testing.assert_close(result[0, :, row, column], expected)
    assert refused <= {(0, True)}  # even kernels whose windows overlap


@pytest.mark.parametrize("layer", [MaxPool, AvgPool])
def test_image_pools_round_each_axis_on_its_own(layer):
    apart = 0
    for kernel, stride in itertools.product(range(1, 6), range(1, 5)):
        for height, width in itertools.permutations(range(1, 9), 2):
            part, signal = layer(kernel, stride), image(2, height, width)
            try:
                inferred = infer(part, signal)
            except Mismatch:
                continue
            module = build(part, signal)
            apart += isinstance(module, torch.nn.Sequential)
            x = torch.randn(1, 2, height, width)
            rows, columns = math.ceil(height / stride), math.ceil(width / stride)
            result = module(x)
            assert result.shape == (1, *inferred.shape) == (1, 2, rows, columns)
            left = left_padding(kernel, stride)
            for row, column in ((0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1)):
                inside = [slice(max(i * stride - left, 0), i * stride - left + kernel) for i in (row, column)]
                window = x[0, :, inside[0], inside[1]].flatten(1)
                expected = window.amax(1) if layer is MaxPool else window.mean(1)
                torch.testing.assert_close(result[0, :, row, column], expected)
    assert apart > 0


def test_pools_of_the_usual_kind_stay_one_module():
    assert type(build(MaxPool(2), image(2, 5, 6))) is torch.nn.MaxPool2d
    assert type(build(AvgPool(3, 2), image(2, 7, 8))) is torch.nn.AvgPool2d


def test_convolutions_over_all_sizes():
    for kernel, stride, size in SIZES:
        for dilation in (1, 2):
            span = dilation * (kernel - 1) + 1
            flat, square = sequence(size, 2), image(2, size, size)
            one, two = Conv1d(3, kernel, stride, dilation), Conv2d(3, kernel, stride, dilation)
            places = math.ceil(size / stride)
            assert infer(one, flat).shape == (places, 3)
            assert infer(two, square).shape == (3, places, places)
            x, built = torch.randn(1, 2, size, size), build(two, square)
            padded = F.pad(x, (left_padding(kernel, stride, dilation), span) * 2)
            weights = list(built.parameters())
            expected = F.conv2d(padded, *weights, stride, 0, dilation)[:, :, :places, :places]
            torch.testing.assert_close(built(x), expected, rtol=1e-4, atol=1e-5)
            built = build(one, flat)
            expected = F.conv1d(padded[:, :, 0], *built.parameters(), stride, 0, dilation)[:, :, :places]
            torch.testing.assert_close(
                built(padded[:, :, 0, left_padding(kernel, stride, dilation) :][:, :, :size].transpose(1, 2)).transpose(
                    1, 2
                ),
                expected,
                rtol=1e-4,
                atol=1e-5,
            )


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_odd_kernels_build_as_torch_pads_them(kernel, stride):
    module = build(Conv2d(4, kernel, stride), image(3, 32, 32))
    assert type(module) is torch.nn.Conv2d
    assert module.padding == (kernel // 2, kernel // 2)


@pytest.mark.parametrize("patch", [2, 4, 8])
def test_patches_have_no_padding(patch):
    module = build(Conv2d(4, patch, patch), image(3, 32, 32))
    assert module.padding == (0, 0)
    assert infer(Conv2d(4, patch, patch), image(3, 32, 32)).shape == (4, 32 // patch, 32 // patch)


def test_image_pool_by_hand():
    x = torch.randn(2, 3, 4, 5)
    for kind, expected in (
        ("mean", F.adaptive_avg_pool2d(x, 1)),
        ("max", F.adaptive_max_pool2d(x, 1)),
        ("mixed", (F.adaptive_avg_pool2d(x, 1) + F.adaptive_max_pool2d(x, 1)) / 2),
    ):
        torch.testing.assert_close(build(GlobalPool(kind), image(3, 4, 5))(x), expected.flatten(1))
