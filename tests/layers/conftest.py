"""Layers with signals to try them on, and tensors for signals."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nasturtium import layers as L
from nasturtium.space.signal import Signal, image, sequence, tokens, vector

SMALL, ODD, PIXEL = image(8, 8, 8), image(6, 7, 5), image(4, 1, 1)
STEPS, FREE = sequence(9, 8), sequence(None, 8)
PADDED, OPEN = sequence(9, 8, mask=True), sequence(None, 8, mask=True)
NODES = Signal("nodes", (5, 8), mask=True)
VECTOR = vector(8)
ROWS = (STEPS, FREE, PADDED, OPEN)
EVERY = (VECTOR, SMALL, ODD, NODES, *ROWS)
IMAGES = (SMALL, ODD, PIXEL)
TIMES = sequence(9, 1, mask=True)

GATE = L.Sequential(L.GlobalPool(), L.Linear(4), L.ReLU(), L.Linear(8), L.Sigmoid())

SAME = [L.Activation("softplus"), L.ReLU(), L.LeakyReLU(), L.GELU(), L.SiLU(), L.Mish(), L.ELU(), L.Tanh()]
SAME += [
    L.Sigmoid(),
    L.HardSwish(),
    L.HardSigmoid(),
    L.Dropout(0.0),
    L.Dropout(of="path", rate=0.0),
    L.Identity(),
]
SAME += [L.BatchNorm(), L.BatchNorm(affine=False), L.LayerNorm(), L.GroupNorm(2), L.Zero()]

ON_IMAGES = [
    L.Conv2d(),
    L.Conv2d(12, kernel=1),
    L.Conv2d(12, kernel=5, stride=2, bias=False),
    L.Conv2d(kernel=4),
    L.Conv2d(kernel=4, stride=4),
    L.Conv2d(kernel=2, stride=3, dilation=2),
    L.Conv2d(kernel=3, dilation=2, groups=2),
    L.Conv2d(kernel=3, groups="depthwise"),
    L.Conv2d(5, kernel=3, stride=2, padding=1),
    L.SeparableConv2d(10, kernel=5, stride=2),
    L.ConvBlock(16, stride=2),
    L.ConvBlock(norm="layer", activation="identity"),
    L.ConvBlock(12, norm="group"),
    L.ConvBlock(norm="none"),
    L.MaxPool(),
    L.MaxPool(3, stride=1),
    L.MaxPool(3, stride=2),
    L.AvgPool(4),
    L.AvgPool(3, stride=1),
    L.AvgPool(5, stride=3),
    L.GlobalPool("mean"),
    L.GlobalPool("max"),
    L.GlobalPool("mixed"),
    L.Zero(2),
    L.Dropout(0.0, of="channels"),
    L.Flatten(),
    L.Flatten("sequence"),
    L.Sequential(L.Flatten("sequence"), L.Linear(6), L.Unflatten()),
    L.Reshape((-1, 2)),
    L.Permute((2, 0, 1)),
    L.Residual(L.Sequential(L.ConvBlock(16, stride=2), L.Conv2d(16, bias=False), L.BatchNorm())),
    L.Residual(L.Conv2d(6), skip=L.Conv2d(6, kernel=1)),
    L.Branch(L.Clone(2), L.Conv2d(6), L.MaxPool(3, stride=1), join=L.Concat()),
    L.Branch(L.Clone(3), L.Conv2d(6), join=L.Add()),
    L.Branch(L.Chunk(2), L.Conv2d(kernel=1), L.Identity(), join=L.Concat()),
    L.Repeat(2, L.ConvBlock()),
]

ON_SEQUENCES = [
    L.Linear(5),
    L.Linear(5, bias=False),
    L.Conv1d(),
    L.Conv1d(6, kernel=1, bias=False),
    L.Conv1d(6, kernel=4),
    L.Conv1d(kernel=3, dilation=3),
    L.Conv1d(kernel=5, groups="depthwise"),
    L.Conv1d(12, groups=4),
    L.SeparableConv1d(10, kernel=5),
    L.ConvBlock(6),
    L.ConvBlock(8, norm="group"),
    L.MaxPool(3, stride=1),
    L.AvgPool(3, stride=1),
    L.AvgPool(4, stride=1),
    L.GlobalPool("mean"),
    L.GlobalPool("max"),
    L.GlobalPool("mixed"),
    L.GlobalPool("last"),
    L.AttentionPool(),
    L.GRU(),
    L.GRU(6, bidirectional=True),
    L.LSTM(7),
    L.LSTM(3, bidirectional=True),
    L.Attention(),
    L.Attention(2, width=3, causal=True),
    L.FeedForward(2),
    L.FeedForward(1.5, activation="relu", dropout=0.0),
    L.PositionalEncoding(),
    L.PositionalEncoding("learned", longest=40),
    L.Dropout(0.0, of="steps"),
    L.Dropout(0.0, of="channels"),
    L.Residual(L.Sequential(L.LayerNorm(), L.Attention(2))),
    L.Residual(L.GRU(5, bidirectional=True)),
    L.Branch(L.Chunk(3), L.Attention(1), L.GRU(), L.Conv1d(), join=L.Concat()),
    L.Branch(L.Clone(2), L.GRU(), join=L.Multiply()),
    L.Sequential(L.Repeat(2, L.Residual(L.FeedForward())), L.ConvBlock(4), L.GlobalPool("last"), L.Linear(3)),
]

STRIDED = [
    L.Conv1d(6, kernel=3, stride=2),
    L.Conv1d(6, kernel=4, stride=4),
    L.ConvBlock(6, kernel=5, stride=3),
    L.MaxPool(),
    L.MaxPool(3, stride=2),
    L.AvgPool(3),
    L.AvgPool(5, stride=2),
    L.Residual(L.Conv1d(12, stride=2)),
    L.Sequential(L.Conv1d(stride=2), L.BatchNorm(), L.GRU(4, bidirectional=True), L.MaxPool(), L.GlobalPool()),
]

OTHERS: list[tuple[Any, ...]] = [
    (L.Linear(5), VECTOR),
    (L.Linear(5), NODES),
    (L.Attention(), NODES),
    (L.GlobalPool("mixed"), NODES),
    (L.FeedForward(), VECTOR),
    (L.Residual(L.Linear(5)), VECTOR),
    (L.Flatten(), STEPS),
    (L.Permute((1, 0)), STEPS),
    (L.Reshape((2, 2, 2)), VECTOR),
    (L.Embedding(6), tokens(9, 30)),
    (L.Sequential(L.Embedding(6), L.LSTM(4)), tokens(None, 30, mask=True)),
    (L.GapEncoding(), STEPS, sequence(9, 1)),
    (L.GapEncoding("learned", 5), PADDED, TIMES),
    (L.Attention(), STEPS, sequence(4, 6)),
    (L.Attention(), PADDED, sequence(4, 6)),
    (L.Attention(), STEPS, sequence(None, 6, mask=True)),
    (L.Attention(), PADDED, sequence(4, 6, mask=True)),
    (L.Residual(L.Attention()), PADDED, sequence(4, 6, mask=True)),
    (L.TimeEncoding(7), TIMES),
    (L.TimeEncoding(), PADDED, TIMES),
    (L.Sequential(L.TimeEncoding(), L.Attention(2), L.GlobalPool()), PADDED, TIMES),
    (L.Multiply(), SMALL, VECTOR),
    (L.Branch(L.Clone(2), L.Identity(), GATE, join=L.Multiply()), SMALL),
    (L.Branch(L.Clone(2), L.Identity(), GATE, join=L.Multiply()), PADDED),
    (L.Multiply(), VECTOR, PADDED),
    (L.Multiply(), VECTOR, VECTOR, VECTOR),
    (L.Add(), PADDED, STEPS),
    (L.Add(), SMALL, SMALL, SMALL),
    (L.Concat(), PADDED, sequence(9, 3, mask=True)),
    (L.Concat(1), SMALL, image(8, 3, 8)),
    (L.Concat(0), STEPS, sequence(4, 8)),
]

CASES: list[tuple[Any, ...]] = [(layer, signal) for layer in SAME for signal in EVERY]
CASES += [(layer, signal) for layer in ON_IMAGES for signal in IMAGES]
CASES += [(layer, signal) for layer in ON_SEQUENCES for signal in ROWS]
CASES += [(layer, signal) for layer in STRIDED for signal in (STEPS, PADDED)]
CASES += OTHERS

ON_AN_IMAGE = [case for case in CASES if case[1].kind == "image"]
MASKED = [case for case in CASES if case[1] in (PADDED, OPEN) and len(case) == 2]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the tests that ask for a ``case`` every one of them; ``masked_case``: on a masked sequence."""
    for name, cases in (("case", CASES), ("masked_case", MASKED), ("image_case", ON_AN_IMAGE)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases, ids=[f"{case[0]}|{'&'.join(map(str, case[1:]))}" for case in cases])


def tensors_for(signal: Signal, batch: int = 3, length: int = 7, device: str = "cpu") -> list[torch.Tensor]:
    """Random tensors for a signal; sizes not known become ``length``, the first example is all real."""
    sizes = [length if size is None else size for size in signal.shape]
    if signal.kind == "tokens":
        made = [torch.randint(signal.vocabulary[0], (batch, *sizes), device=device)]
    else:
        made = [torch.randn(batch, *sizes, device=device)]
    if signal.mask:
        lengths = torch.linspace(sizes[0], 1, batch, device=device).long()
        made.append(torch.arange(sizes[0], device=device) < lengths.unsqueeze(1))
    return made


@pytest.fixture(name="tensors_for")
def _tensors_for() -> Any:
    return tensors_for
