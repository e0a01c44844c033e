"""NAS-Bench-ASR: published counts, the published padding, and a network written out by hand."""

from __future__ import annotations

import itertools
import json
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nasturtium.errors import ParseError, SpaceError
from nasturtium.space.signal import sequence, tokens
from nasturtium.spaces.nasbench_asr import OPERATIONS, ContextConv1d, nasbench_asr
from nasturtium.testing import check_space

PUBLISHED = {"filters": (600, 800, 1000, 1200), "cells": (3, 4, 5, 6), "groups": 100, "lstm": 500, "head": "steps"}
SMALL = {"filters": (8, 8, 16, 16), "cells": (1, 1, 1, 1), "groups": 4, "lstm": 8}


def _small(input=(24, 4), outputs=3, **options):
    return nasbench_asr(input, outputs, **{**SMALL, **options})


def test_laws():
    check_space(_small(), seeds=3)
    check_space(_small(sequence(None, 4, mask=True), head="steps", dropout=0.1), seeds=2)


def test_published_numbers_of_architectures():
    space = nasbench_asr()
    assert space.size == 13_824
    keys = {}
    for decisions in itertools.product(*map(range, space.radices)):
        architecture = space.architecture(decisions)
        keys.setdefault(space.key(architecture), architecture.decisions)
    assert len(keys) == 8_242
    without_zero = {key for key, decisions in keys.items() if 5 not in (decisions[0], decisions[2], decisions[5])}
    assert len(without_zero) == 5**3 * 2**6


def _published_parameters(operations, outputs=49):
    """Written out from the layers of the paper (section 3, figure 1)."""

    def main(name, f):
        if name == "zero":
            return 0
        return f * f + f if name == "linear" else f * (f // 100) * int(name[4]) + f

    total, before = 0, 80
    for f, cells in zip((600, 800, 1000, 1200), (3, 4, 5, 6), strict=True):
        total += before * f * 8 + f + 2 * f
        total += cells * (sum(main(name, f) for name in operations) + 2 * f)
        before = f
    lstm = 4 * 500 * (1200 + 500) + 2 * 4 * 500
    return total + lstm + 500 * outputs + outputs


@pytest.mark.parametrize("operations", [("conv5", "conv7d2", "linear"), ("zero", "linear", "zero")])
def test_parameters_at_published_sizes(operations):
    space = nasbench_asr((300, 80), 49, **PUBLISHED)
    text = json.dumps([[name, *[1] * (node + 1)] for node, name in enumerate(operations)])
    architecture = space.from_notation(text)
    assert architecture.count()["params"] == _published_parameters(operations)
    assert architecture.output == sequence(75, 49)


def _published_padding(kernel, dilation, stride, context=4):
    if context // stride >= kernel * dilation - stride:
        return 0, kernel * dilation - stride
    return (kernel - 1) * dilation - context // stride, context // stride


@pytest.mark.parametrize(
    ("kernel", "dilation", "stride"), [(5, 1, 1), (5, 2, 1), (7, 1, 1), (7, 2, 1), (8, 1, 1), (8, 1, 2)]
)
def test_windows_look_ahead_as_published(kernel, dilation, stride):
    torch.manual_seed(0)
    module = ContextConv1d(6, kernel, stride, dilation).module(sequence(21, 4))
    x = torch.randn(2, 21, 4)
    padded = F.pad(x.transpose(1, 2), _published_padding(kernel, dilation, stride))
    expected = F.conv1d(padded, module.weight, module.bias, stride, dilation=dilation)
    assert torch.allclose(module(x), expected.transpose(1, 2), atol=1e-5)


def test_a_cell_computes_what_the_paper_says():
    torch.manual_seed(0)
    architecture = _small((9, 4)).from_notation('[["conv7d2", 1], ["zero", 1, 0], ["linear", 0, 1, 1]]')
    cell = architecture.value.layers[0].cell
    signal = sequence(9, 8)
    module = cell.module(signal)
    x = torch.randn(2, 9, 8)
    weight, bias, matrix, constant = module.parameters()
    convolved = F.conv1d(F.pad(x.transpose(1, 2), (8, 4)), weight, bias, dilation=2, groups=4).transpose(1, 2)
    first = convolved.clamp(0, 20) + x
    second = x
    third = F.linear(second, matrix, constant).clamp(0, 20) + first + second
    assert torch.allclose(module(x), third, atol=1e-5)


def test_padding_changes_nothing():
    torch.manual_seed(0)
    space, rng = _small(sequence(24, 4, mask=True)), np.random.default_rng(0)
    for _ in range(5):
        model = space.sample(rng).build().eval()
        x = torch.randn(1, 24, 4)
        mask = torch.arange(24)[None] < 16
        other = torch.where(mask.unsqueeze(-1), x, torch.full_like(x, 9.0))
        assert torch.allclose(model(x, mask), model(other, mask), atol=1e-5)


def test_notation_round_trip():
    space, rng = nasbench_asr(), np.random.default_rng(0)
    for _ in range(20):
        architecture = space.sample(rng)
        text = space.to_notation(architecture)
        assert space.from_notation(text) == architecture
        vector = json.loads(text)
        assert [len(node) for node in vector] == [2, 3, 4]
        edges = architecture.value.layers[0].cell.nodes[2].edges
        assert getattr(edges[0].operation, "name", "zero") == OPERATIONS[vector[2][0]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("conv5", "is no vector"),
        ("[[0, 1], [0, 1]]", "an operation and skips a node"),
        ('[["conv6", 1], [0, 1, 0], [0, 0, 0, 0]]', "node 0 has operation 'conv6'"),
        ("[[0, 1], [0, 2, 0], [0, 0, 0, 0]]", "node 1 has skip"),
        ("[[9, 1], [0, 1, 0], [0, 0, 0, 0]]", "node 0 has operation 9"),
    ],
)
def test_what_is_no_vector(text, why):
    with pytest.raises(ParseError, match=why):
        nasbench_asr().from_notation(text)


def test_the_space_travels_to_other_processes():
    space = _small()
    there = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own bytes
    architecture = space.sample(np.random.default_rng(0))
    assert there.fingerprint == space.fingerprint
    assert there.from_notation(space.to_notation(architecture)).canonical == architecture.canonical


def test_what_cannot_be_used():
    with pytest.raises(SpaceError, match="takes one sequence"):
        nasbench_asr(tokens(9, 9))
    with pytest.raises(SpaceError, match="four blocks"):
        nasbench_asr(filters=(8, 8, 8))
    with pytest.raises(SpaceError, match="head"):
        nasbench_asr(head="ctc")


def test_learns_which_half_is_louder():
    torch.manual_seed(0)
    space = _small((16, 1), 2)
    model = space.sample(np.random.default_rng(3)).build()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    x, y = torch.randn(128, 16, 1), torch.arange(128) % 2
    x[:, :8] *= torch.where(y == 0, 3.0, 0.3).view(-1, 1, 1)
    for _ in range(15):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5
