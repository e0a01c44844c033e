"""Plain networks: what one would try by hand on a kind of data, as a mark for what a search finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.layers import (
    GRU,
    BatchNorm,
    ConvBlock,
    Dropout,
    Embedding,
    GlobalPool,
    Identity,
    Linear,
    ReLU,
    Residual,
    Sequential,
)
from nasturtium.layers.events import FirstInput
from nasturtium.objective import Goal
from nasturtium.space import Architecture
from nasturtium.space.signal import Signal
from nasturtium.spaces.event_layers import EventStem
from nasturtium.tasks import Task

if TYPE_CHECKING:
    from nasturtium.estimators import Training

WIDEST = 256
"""Channels of the last stage of the plain convolutional network."""


def plain_network(task: Task) -> Architecture | None:
    """The plain network for what a task gives; None for several inputs, or a kind of which nothing is known.

    Images: a small ResNet (He et al. 2016), one block a stage, the channels doubled where the sides are halved.
    Vectors: two hidden layers of 256. Sequences: a convolution and a GRU. Tokens: an embedding and a GRU in both
    directions. Groups of sequences and tokens, as event tables give: embeddings and numbers side by side, and the last
    state of a GRU.
    """
    signal = task.inputs[0]
    if len(task.inputs) != 1 or signal.kind not in KINDS:
        return None
    layers = KINDS[signal.kind](signal)
    if not layers:
        return None
    layers.append(Linear(task.outputs))
    return Architecture(Sequential(*layers), input=task.inputs)


def broken(architecture: Architecture, goal: Goal, training: Training) -> list[str]:
    """The limits on size and cost that a plain network, which nobody searched under them, does not keep."""
    limits = [each for each in goal.limits if each.structural]
    costs = training.costs(architecture, sorted({each.metric for each in limits}))
    return [str(each) for each in limits if not each.satisfied(costs)]


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


def _group(signal: Signal) -> list[Any]:
    if any(member.kind not in ("sequence", "tokens") for _, member in signal.members):
        return []
    tokens = [member for name, member in signal.members if member.kind == "tokens"]
    numbers = [member for name, member in signal.members if member.kind == "sequence" and name != "times"]
    embeddings = tuple([min(32, (member.vocabulary[0] + 1) // 2) for member in tokens])
    timed = any(name == "times" for name, _ in signal.members)
    stem = EventStem(embeddings, BatchNorm() if numbers else None, FirstInput() if timed else Identity())
    return [stem, GRU(64), GlobalPool("last")]  # the mean of all steps hides what came last


KINDS = {"image": _image, "vector": _vector, "sequence": _sequence, "tokens": _tokens, "group": _group}
