"""Plain networks: what one would try by hand on a kind of data, as a mark for what a search finds."""

from __future__ import annotations

from typing import Any

from nasturtium.layers import (
    GRU,
    BatchNorm,
    ConvBlock,
    Dropout,
    Embedding,
    GlobalPool,
    Linear,
    ReLU,
    Residual,
    Sequential,
)
from nasturtium.space import Architecture
from nasturtium.space.signal import Signal
from nasturtium.tasks import Task

WIDEST = 256
"""Channels of the last stage of the plain convolutional network."""


def plain_network(task: Task) -> Architecture | None:
    """The plain network for what a task gives; None for several inputs, or a kind of which nothing is known.

    Images: a small ResNet (He et al. 2016), one block a stage, the channels doubled where the sides are halved.
    Vectors: two hidden layers of 256. Sequences: a convolution and a GRU. Tokens: an embedding and a GRU in both
    directions.
    """
    signal = task.inputs[0]
    if len(task.inputs) != 1 or signal.kind not in KINDS:
        return None
    layers = [*KINDS[signal.kind](signal), Linear(task.outputs)]
    return Architecture(Sequential(*layers), input=task.inputs)


def _image(signal: Signal) -> list[Any]:
    side = min(size or 32 for size in signal.shape[1:])
    width = 32
    layers: list[Any] = [ConvBlock(width, stride=2 if side >= 64 else 1)]
    side = side // 2 if side >= 64 else side
    layers.append(_block())
    while side >= 8 and width < WIDEST:
        side, width = side // 2, 2 * width
        layers += [ConvBlock(width, stride=2), _block()]
    return [*layers, GlobalPool("mean")]


def _block() -> Residual:
    return Residual(Sequential(ConvBlock(), ConvBlock()))


def _vector(signal: Signal) -> list[Any]:
    hidden: list[Any] = [Linear(256), BatchNorm(), ReLU(), Dropout(0.1)]
    return [*hidden, *hidden]


def _sequence(signal: Signal) -> list[Any]:
    return [ConvBlock(64, kernel=5), GRU(64), GlobalPool("mean")]


def _tokens(signal: Signal) -> list[Any]:
    return [Embedding(64), GRU(64, bidirectional=True), GlobalPool("max")]


KINDS = {"image": _image, "vector": _vector, "sequence": _sequence, "tokens": _tokens}
