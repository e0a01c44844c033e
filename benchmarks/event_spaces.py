"""The contestants as spaces: GRU, LSTM, transformer and convolutional networks with their usual settings open.

Where options have an order of worth, the usual one is in the middle (see :func:`usual`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from nasturtium import Architecture, Space, choice, repeat, spaces
from nasturtium.estimators import Trained, default_recipe
from nasturtium.final.tuning import open_recipe
from nasturtium.layers import (
    GRU,
    LSTM,
    Attention,
    BatchNorm,
    Conv1d,
    ConvBlock,
    Dropout,
    FeedForward,
    GapEncoding,
    GlobalPool,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    Sequential,
)
from nasturtium.layers.events import FirstInput, ScaledTimeEncoding
from nasturtium.layers.shape import Identity
from nasturtium.space.sampling import guided
from nasturtium.space.signal import Signal
from nasturtium.spaces.event_features import EventFeatures, event_features
from nasturtium.spaces.event_layers import EventStem
from nasturtium.tasks import Task

WIDTHS = (32, 64, 128)
DROPOUT = (0.0, 0.1, 0.2, 0.3)


def stem(features: EventFeatures, encoding: Any = None) -> tuple[Any, Any]:
    """Embeddings and normalised numbers side by side, made as wide as the rest."""
    nothing = FirstInput() if features.timed else Identity()
    numeric = BatchNorm() if features.numbers else None
    made = EventStem(features.embeddings, numeric, nothing if encoding is None else encoding)
    return made, Linear(choice(*WIDTHS, name="width"))


def recurrent(kind: Any) -> Callable[[EventFeatures], list[Any]]:
    """One to three layers in one direction or both, with dropout between, and the last step, mean or maximum."""

    def layers(features: EventFeatures) -> list[Any]:
        both = kind(choice(half, name="half"), bidirectional=True)
        body = Sequential(choice(kind(), both, name="direction"), drop())
        return [*stem(features), repeat(body, choice(1, 2, 3), shared=True), pool("last")]

    return layers


def half(signal: Signal) -> int:
    """Channels of each direction, so that as many leave as come in."""
    return signal.channels // 2


def transformer(features: EventFeatures) -> list[Any]:
    """One to four pre-norm layers, times encoded as waves or gaps."""
    waves = [ScaledTimeEncoding(1.0), ScaledTimeEncoding(100.0)]
    encoding = choice(*waves, *([GapEncoding("log"), GapEncoding("learned")] if features.timed else []))
    heads = choice(2, 4, 8, name="heads")
    layer = Sequential(
        Residual(Sequential(LayerNorm(), Attention(heads), drop())),
        Residual(Sequential(LayerNorm(), FeedForward(choice(2, 4, name="inner")), drop())),
    )
    return [*stem(features, encoding), repeat(layer, choice(1, 2, 3, 4), shared=True), LayerNorm(), pool("mean")]


def convolutional(features: EventFeatures) -> list[Any]:
    """An FCN (Wang et al. 2017), or two to five residual blocks, the dilation doubled, as in a TCN (Bai et al. 2018).

    Where we differ from the TCN: windows are centred, as all events are known when a sequence is classified; batch norm
    is in the place of weight norm, one dropout in that of two, and no ReLU follows the sum.
    """
    fcns = [Sequential(*[ConvBlock(wide, kernel=kernel) for kernel in (7, 5, 3)]) for wide in WIDTHS]
    tcns = [tcn(*options) for options in product((2, 3, 4, 5), (3, 5, 9), DROPOUT)]
    return [*stem(features), choice(choice(*fcns, name="filters"), choice(*tcns, name="blocks")), pool("mean")]


def tcn(depth: int, kernel: int, dropout: float) -> Sequential:
    """Residual blocks of two convolutions."""
    made = []
    for block in range(depth):
        first, second = (Conv1d(kernel=kernel, dilation=2**block) for _ in range(2))
        inner = [first, BatchNorm(), ReLU(), Dropout(dropout), second, BatchNorm(), ReLU()]
        made.append(Residual(Sequential(*inner)))
    return Sequential(*made)


def drop() -> Any:
    """Dropout of some share."""
    return Dropout(choice(*DROPOUT))


def pool(usual: str) -> Any:
    """What makes one vector of all steps."""
    first, last = [kind for kind in ("mean", "max", "last") if kind != usual]
    return choice(*[GlobalPool(kind) for kind in (first, usual, last)], name="pool")


NETWORKS: dict[str, Callable[[EventFeatures], list[Any]]] = {
    "GRU": recurrent(GRU),
    "LSTM": recurrent(LSTM),
    "transformer": transformer,
    "TCN / FCN": convolutional,
}


def rival(name: str, task: Task) -> Space:
    """A known kind of network with its recipe, both open."""
    return with_recipe(networks(name, task), task)


def networks(name: str, task: Task) -> Space:
    """A known kind of network."""
    features = event_features(name, task.inputs, "auto", "auto", "times")
    root = Sequential(*NETWORKS[name](features), Linear(task.outputs))
    return Space(root, input=task.inputs, name=name)


def usual(name: str, task: Task, opened: Space) -> Architecture:
    """The network of a known kind that one tries first, the middle option of each choice, with the default recipe."""
    network = guided(networks(name, task), np.random.default_rng(0), lambda point: (len(point.remaining) - 1) // 2)
    return opened.adopt(Architecture(Trained(network.value, default_recipe(task)), input=opened.input))


def searched(name: str, task: Task, **options: Any) -> Space:
    """A published space of the library with the same open recipe."""
    return with_recipe(spaces.make(name, task.inputs, task.outputs, **options), task)


def with_recipe(space: Space, task: Task) -> Space:
    """A space of networks, each with any recipe around the default of the task."""
    recipe = open_recipe(default_recipe(task), len(task.train))
    return Space(Trained(space.root, recipe), input=space.input, name=space.name, simplify=space.simplify)


def starts(name: str, task: Task, opened: Space, **options: Any) -> list[Architecture]:
    """The networks that a published space knows by name, with the default recipe."""
    space, recipe = spaces.make(name, task.inputs, task.outputs, **options), default_recipe(task)
    known = [space.member(member).value for member in space.members]
    return [opened.adopt(Architecture(Trained(value, recipe), input=opened.input)) for value in known]
