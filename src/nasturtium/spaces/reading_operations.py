"""The operations on tensors that can be read in a forward, and the layers that do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasturtium.layers import Flatten, GlobalPool
from nasturtium.space.infer import Signals
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal
from nasturtium.spaces.reading_modules import Unreadable

Read = Callable[[Any, Signals], list[Layer]]

SAME: dict[str, str] = {
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d", "adaptive_max_pool2d": "AdaptiveMaxPool2d",
    "avg_pool2d": "AvgPool2d", "max_pool2d": "MaxPool2d", "elu": "ELU", "gelu": "GELU", "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish", "leaky_relu": "LeakyReLU", "mish": "Mish", "relu": "ReLU", "relu_": "ReLU",
    "relu6": "ReLU6", "selu": "SELU", "sigmoid": "Sigmoid", "silu": "SiLU", "softmax": "Softmax",
    "log_softmax": "LogSoftmax", "softplus": "Softplus", "tanh": "Tanh", "flatten": "Flatten",
}  # fmt: skip
"""Operations that do what a module of this name does with the same arguments."""

PASSED = ("contiguous", "float")
"""Operations that change no number."""

ALL = slice(None)


def read_operation(node: Any, x: Signal, read: Read) -> list[Layer]:
    """The layers for an operation.

    Args:
        node: Of the traced graph.
        x: The signal that reaches it.
        read: Reads a module.

    Raises:
        Unreadable: If no layer does the same.
    """
    from torch import nn

    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    rest = node.args[1:]
    if name in PASSED:
        return []
    if name in SAME:
        given = {key: value for key, value in node.kwargs.items() if key not in ("inplace", "input")}
        module = getattr(nn, SAME[name])(*rest, **_known(given, getattr(nn, SAME[name])))
        return read(module, (x,))
    if name == "dropout":
        rate = rest[0] if rest else node.kwargs.get("p", 0.5)
        return read(nn.Dropout(rate), (x,))
    if name in ("view", "reshape"):
        return _reshaped(rest, x)
    if name in ("mean", "amax"):
        return _pooled(name, [*rest, *node.kwargs.values()], x)
    if name == "getitem":
        return _taken(node, rest[0], x)
    raise Unreadable("no layer does the same")


def _known(given: dict[str, Any], module: Any) -> dict[str, Any]:
    import inspect

    parameters = inspect.signature(module).parameters
    return {key: value for key, value in given.items() if key in parameters and value is not None}


def _reshaped(rest: tuple[Any, ...], x: Signal) -> list[Layer]:
    shape = rest[0] if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else rest
    if len(shape) != 2 or shape[1] not in (-1, _count(x)):
        raise Unreadable("only flattening, x.view(len(x), -1), has a layer")
    return [] if x.kind == "vector" else [Flatten()]


def _count(x: Signal) -> int:
    count = 1
    for size in x.shape:
        count *= size or 0
    return count


def _pooled(name: str, rest: list[Any], x: Signal) -> list[Layer]:
    axes = rest[0] if rest else ()
    chosen = {axis % (len(x.shape) + 1) for axis in (axes if isinstance(axes, (tuple, list)) else (axes,))}
    wanted = {"image": {2, 3}, "sequence": {1}}.get(x.kind)
    if chosen != wanted or any(each is True for each in rest[1:]):
        raise Unreadable(f"over the axes {sorted(chosen)} of {x} it has no layer (keepdim=False, all places, has one)")
    return [GlobalPool("mean" if name == "mean" else "max")]


def _taken(node: Any, index: Any, x: Signal) -> list[Layer]:
    """The output of a recurrent module, or the last step of a sequence."""
    if index == 0 and node.args[0].op == "call_module":
        return []  # (output, state): the state is left
    if x.kind == "sequence" and index in ((ALL, -1), (ALL, -1, ALL)):
        return [GlobalPool("last")]
    raise Unreadable(f"[{index}] has no layer; the output of a recurrent module and its last step, [:, -1], have one")
