"""The space around a network of the user's: its numbers and kinds opened near their values, itself the start."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    GELU,
    GRU,
    LSTM,
    Attention,
    AvgPool,
    Dropout,
    GlobalPool,
    HardSwish,
    MaxPool,
    ReLU,
    SiLU,
    repeat,
)
from nasturtium.layers.activation import _Named
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import Choice, shared
from nasturtium.space.infer import Signals
from nasturtium.space.part import Layer, Part
from nasturtium.space.signal import as_signals
from nasturtium.space.space import Space
from nasturtium.spaces.outline import WIDTHS, Copies, Leaf, closed, folded, leaves, outline, rendered
from nasturtium.spaces.widths import Width, widths_of

FACTORS = (0.5, 0.75, 1, 1.5, 2)
KERNELS = (1, 3, 5, 7)
RATES = (0.0, 0.1, 0.2, 0.3, 0.5)
ACTIVATIONS = ("relu", "gelu", "silu", "hardswish")
KINDS: tuple[type[Layer], ...] = (ReLU, GELU, SiLU, HardSwish)
GATES = ("sigmoid", "hardsigmoid", "softplus", "identity")
"""Activations that are there for their range, and stay."""
START = "start"


def around(
    network: Any,
    input: Any = None,
    *,
    name: str = "around",
    factors: Sequence[float] = FACTORS,
    kernels: Sequence[int] = KERNELS,
    readers: Mapping[type, Callable[[Any], Layer]] | None = None,
) -> Space:
    """Networks like a given one: widths, kernels, activations, pooling, dropout and depths around its values.

    Widths that have to agree (around a residual block) are decided together; what leaves the network stays as it is.
    Blocks that follow each other unchanged are repeated one to two times more or less. The given network is the member
    ``start``. Weights are not kept: every architecture is trained from scratch. Momentum and epsilon of norms are
    torch's defaults.

    Args:
        network: An :class:`Architecture`, a layer, their text, or a ``torch.nn.Module`` made of known modules and sums.
        input: What the network receives: (channels, height, width), (length, channels), (features,), or signals.
        name: Of the space.
        factors: By which widths are multiplied.
        kernels: Odd kernels that are offered besides the given one.
        readers: For module classes of your own: the function that gives the layer for such a module.

    Raises:
        SpaceError: If the network cannot be read, with the child that is in the way, or nothing in it can be opened.
    """
    value, signals = _given(network, input)
    if isinstance(value, Part):
        chain = folded(outline(value), signals)
    else:
        from nasturtium.spaces.reading import read_module

        chain = folded(read_module(value, signals, readers or {}), signals)
    start = Architecture(closed(chain), input=signals)
    widths = widths_of(chain, signals)
    root = rendered(chain, _Opening(widths, factors, kernels).leaf, _depths)
    if not isinstance(root, Part) or not root.is_open:
        raise SpaceError(f"nothing in {str(start)[:80]} can be opened; give a network with a hidden layer")
    size = None if any(type(leaf.layer) in PICKY for leaf in leaves(chain)) else _size(root)
    space = Space(root, input=signals, name=name, members={START: str(start)}, size=size)
    space.member(START)
    return space


def _given(network: Any, input: Any) -> tuple[Any, Signals]:
    """The closed part or the module, and the signals it receives."""
    if isinstance(network, str):
        network = Architecture.parse(network, input=input)
    if isinstance(network, Part):
        network = Architecture(network, input=input)
    if isinstance(network, Architecture):
        return network.value, network.input if input is None else as_signals(input)
    if not callable(getattr(network, "named_modules", None)):
        kind = type(network).__name__
        raise SpaceError(f"cannot search around a {kind}; give an architecture, its text, or a torch.nn.Module")
    if input is None:
        raise SpaceError("what does the network receive? give input=(channels, height, width), (T, C) or (features,)")
    return network, as_signals(input)


def _size(root: Any) -> int:
    """The number of architectures where every combination works: every decision is free, shared ones count once."""
    names: dict[str, int] = {}

    def ways(value: Any) -> int:
        if isinstance(value, Choice) and value.share is not None:
            names[value.share] = len(value.options)
            return 1
        if isinstance(value, Choice):
            return sum(ways(option) for option in value.options)
        inner = value.values if isinstance(value, Part) else value if isinstance(value, tuple) else ()
        return math.prod(map(ways, inner))

    own = ways(root)
    return own * math.prod(names.values())


def _depths(copies: Copies, body: Any) -> Any:
    counts = range(max(1, copies.count - 2), copies.count + 3)
    return repeat(body, Choice(tuple(counts), None, "depth", ordered=True), shared=True)


PICKY: tuple[type[Layer], ...] = (Attention,)
"""Layers that do not work with every width, so that the number of architectures does not follow from the options."""


class _Opening:
    """Opens the layers of an outline one by one."""

    def __init__(self, widths: Mapping[Leaf, Width], factors: Sequence[float], kernels: Sequence[int]) -> None:
        self.widths, self.factors, self.kernels = widths, factors, kernels
        self.roots = [width.root for width in widths.values()]
        self.numbers: dict[Width, int] = {}

    def leaf(self, leaf: Leaf) -> Any:
        """The layer with choices around its values; one of several kinds where there are others."""
        layer = leaf.layer
        if isinstance(layer, (MaxPool, AvgPool)):
            return Choice((MaxPool(layer.kernel, layer.stride), AvgPool(layer.kernel, layer.stride)))
        if isinstance(layer, _Named):
            return layer if layer.activation in GATES else Choice(_with(KINDS, type(layer)))
        fields = {field: self._field(layer, field) for field in layer.fields}
        width = self.widths.get(leaf)
        if width is not None:
            fields[WIDTHS[type(layer)]] = self._width(width)
        changed = {field: value for field, value in fields.items() if value is not None}
        opened = layer.with_values(changed) if changed else layer
        if isinstance(layer, (GRU, LSTM)):
            return Choice(tuple(kind(opened.hidden, opened.bidirectional) for kind in (GRU, LSTM)))  # type: ignore[attr-defined]
        return opened

    def _width(self, width: Width) -> Any:
        """A choice of widths, shared by all layers that have to agree; None where it has to stay."""
        root = width.root
        if root.fixed:
            return None
        values = {max(1, round(root.size * factor)) for factor in self.factors} | {root.size}
        kept = sorted(value for value in values if value % root.unit == 0 or value == root.size)
        if len(kept) == 1:
            return None
        choice = Choice(kept, None, "width", ordered=True)
        if self.roots.count(root) == 1:
            return choice
        number = self.numbers.setdefault(root, len(self.numbers) + 1)
        return shared(f"width{number}", choice, whole=True)

    def _field(self, layer: Layer, field: str) -> Any:
        """A choice around the value of a field, or None where it stays."""
        value = layer.__dict__[field]
        options: list[Any] = []
        if field == "kernel" and type(value) is int and value % 2 and layer.__dict__.get("padding") is None:
            least = layer.__dict__.get("stride") or 1
            options = sorted({value, *(kernel for kernel in self.kernels if kernel >= least)})
        elif field == "activation" or (field == "name" and type(layer).__name__ == "Activation"):
            options = [] if value in GATES else [*ACTIVATIONS, *({value} - set(ACTIVATIONS))]
        elif (field == "dropout" or (field == "rate" and isinstance(layer, Dropout))) and value > 0:
            options = sorted({value, *RATES})
        elif field == "kind" and isinstance(layer, GlobalPool):
            options = ["mean", "max", "last"] if value == "last" else ["mean", "max", "mixed"]
        elif field == "kind" and type(layer).__name__ == "TorchPool":
            options = ["max", "mean"]
        elif field in ("expansion", "ratio") and isinstance(value, (int, float)) and value > 0:
            options = sorted({value, type(value)(value * 2), *([value / 2] if type(value) is float else [])})
        elif field == "heads":
            options = sorted({value, value * 2, max(1, value // 2)})
        return Choice(tuple(options), None, field, ordered=True) if len(options) > 1 else None


def _with(kinds: tuple[type[Layer], ...], kind: type[Layer]) -> tuple[Layer, ...]:
    return tuple(each() for each in (kinds if kind in kinds else (*kinds, kind)))
