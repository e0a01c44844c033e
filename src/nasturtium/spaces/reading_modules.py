"""The torch modules that can be read, and the layer that does the same as each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasturtium.errors import NasturtiumError
from nasturtium.layers import (
    ELU,
    GELU,
    GRU,
    LSTM,
    Activation,
    AvgPool,
    BatchNorm,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    GroupNorm,
    HardSigmoid,
    HardSwish,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Tanh,
)
from nasturtium.layers.rules import left_padding
from nasturtium.space.infer import outcome
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal
from nasturtium.spaces.torch_pool import TorchPool


class Unreadable(NasturtiumError):
    """A module or an operation that no layer stands for."""


Reader = Callable[[Any, Signal], list[Layer]]


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise Unreadable(why)


def _pair(value: Any, what: str) -> int:
    """One number from what torch takes as a number or two equal ones."""
    if isinstance(value, (tuple, list)):
        _require(len(set(value)) == 1, f"{what}={tuple(value)} differs between the axes")
        return int(value[0])
    return int(value)


def _comes_in(expected: int, x: Signal) -> None:
    _require(x.kind != "tokens" and x.channels == expected, f"it expects {expected} channels, but {x} comes in")


def conv2d(module: Any, x: Signal) -> list[Layer]:
    """Padding by our own rule where that is the same, so that kernels can be opened; else as given."""
    _require(x.kind == "image", f"it works on images, but {x} comes in")
    _comes_in(module.in_channels, x)
    _require(module.padding_mode == "zeros", f"padding_mode={module.padding_mode!r} has no layer")
    stride, dilation = _pair(module.stride, "stride"), _pair(module.dilation, "dilation")
    height, width = module.kernel_size
    kernel = height if height == width else (height, width)
    depthwise = 1 < module.groups == module.in_channels == module.out_channels
    channels = None if depthwise else module.out_channels
    groups = "depthwise" if depthwise else module.groups
    bias = module.bias is not None
    layer = Conv2d(channels, kernel, stride, dilation, groups, bias)
    padding = (0, 0) if module.padding == "valid" else module.padding
    rule = tuple(left_padding(each, stride, dilation) for each in (height, width))
    if padding == "same":
        halves = tuple(dilation * (each - 1) // 2 for each in (height, width))
        _require(rule == halves, "padding='same' puts the odd row of an even kernel behind, which no layer does")
        return [layer]
    if tuple(padding) == rule and _sizes(layer, x) == _slid(module, x, padding):
        return [layer]
    return [Conv2d(channels, kernel, stride, dilation, groups, bias, _pair(padding, "padding"))]


def _slid(module: Any, x: Signal, padding: Any) -> tuple[int, ...]:
    """Sizes that leave by torch's formula."""
    sizes = []
    for size, kernel, step, pad, spread in zip(
        x.shape[1:], module.kernel_size, module.stride, padding, module.dilation, strict=True
    ):
        _require(size is not None, f"it needs images of a known size, not {x}")
        sizes.append(((size or 0) + 2 * pad - spread * (kernel - 1) - 1) // step + 1)
    return tuple(sizes)


def _sizes(layer: Layer, x: Signal) -> tuple[int | None, ...] | None:
    found = outcome(layer, (x,))
    return found.shape[1:] if type(found) is Signal else None


def linear(module: Any, x: Signal) -> list[Layer]:
    """A linear map of a vector or of each step of a sequence."""
    _require(x.kind in ("vector", "sequence"), f"it works on the last axis of {x}; flatten or pool it before")
    _comes_in(module.in_features, x)
    return [Linear(module.out_features, bias=module.bias is not None)]


def batch_norm(module: Any, x: Signal) -> list[Layer]:
    """Batch normalisation of images or vectors."""
    _require(x.kind in ("image", "vector"), f"it would take the steps of {x} for channels")
    _comes_in(module.num_features, x)
    _require(module.track_running_stats, "track_running_stats=False has no layer")
    return [BatchNorm(affine=module.affine)]


def layer_norm(module: Any, x: Signal) -> list[Layer]:
    """Layer normalisation over the channels of a vector or a sequence."""
    _require(x.kind in ("vector", "sequence"), f"over {tuple(module.normalized_shape)} of {x} it has no layer")
    _require(tuple(module.normalized_shape) == (x.channels,), f"it expects {tuple(module.normalized_shape)}, not {x}")
    _require(module.elementwise_affine and module.bias is not None, "without scale and shift it has no layer")
    return [LayerNorm()]


def group_norm(module: Any, x: Signal) -> list[Layer]:
    """Group normalisation of images."""
    _require(x.kind == "image" and module.affine, f"on {x}, or without scale and shift, it has no layer")
    _comes_in(module.num_channels, x)
    return [GroupNorm(module.num_groups)]


def max_pool(module: Any, x: Signal) -> list[Layer]:
    """Pooling by our own rule where that is the same."""
    _require(_pair(module.dilation, "dilation") == 1 and not module.return_indices, "dilation or indices have no layer")
    return _pool("max", MaxPool, module, x, padded=False)


def avg_pool(module: Any, x: Signal) -> list[Layer]:
    """Likewise."""
    _require(module.divisor_override is None, "divisor_override has no layer")
    return _pool("mean", AvgPool, module, x, padded=module.count_include_pad)


def _pool(kind: str, layer: type[MaxPool] | type[AvgPool], module: Any, x: Signal, padded: bool) -> list[Layer]:
    kernel, stride = _pair(module.kernel_size, "kernel_size"), _pair(module.stride, "stride")
    padding = _pair(module.padding, "padding")
    exact = TorchPool(kind, kernel, stride, padding, module.ceil_mode, padded or kind == "max")
    ours = layer(kernel, None if stride == kernel else stride)
    same = _sizes(ours, x) == _sizes(exact, x) and padding == left_padding(kernel, stride) and not (padded and padding)
    return [ours if same else exact]


def adaptive_pool(kind: str) -> Reader:
    """Pooling to one place; to several where the sizes divide."""

    def read(module: Any, x: Signal) -> list[Layer]:
        _require(x.kind == "image", f"it works on images, but {x} comes in")
        sizes = [size or 0 for size in x.shape[1:]]
        places = [
            size if want is None else int(want) for want, size in zip(_two(module.output_size), sizes, strict=True)
        ]
        if places == [1, 1]:
            return [GlobalPool(kind)]
        ratios = {size / place for size, place in zip(sizes, places, strict=True)}
        _require(
            len(ratios) == 1 and next(iter(ratios)).is_integer(), f"from {x} to {tuple(places)} windows are unequal"
        )
        ratio = int(next(iter(ratios)))
        return [] if ratio == 1 else [(MaxPool if kind == "max" else AvgPool)(ratio)]

    return read


def _two(value: Any) -> tuple[Any, Any]:
    first, second = value if isinstance(value, (tuple, list)) else (value, value)
    return first, second


def dropout(of: str) -> Reader:
    """Dropout; none where its rate is 0."""

    def read(module: Any, x: Signal) -> list[Layer]:
        _require(of == "elements" or x.kind == "image", f"on {x} it has no layer")
        return [Dropout(float(module.p), of)] if module.p > 0 else []

    return read


def recurrent(kind: type[GRU] | type[LSTM]) -> Reader:
    """One layer for each of the module's, with its dropout between them."""

    def read(module: Any, x: Signal) -> list[Layer]:
        _require(module.batch_first, "give batch_first=True: the first axis is the batch")
        _require(
            module.bias and not getattr(module, "proj_size", 0), "without bias or with projections it has no layer"
        )
        _require(x.kind == "sequence", f"it works on sequences, but {x} comes in")
        _comes_in(module.input_size, x)
        layer = kind(module.hidden_size, module.bidirectional)
        between: list[Layer] = [Dropout(float(module.dropout))] if module.dropout else []
        return [each for number in range(module.num_layers) for each in ([*between, layer] if number else [layer])]

    return read


def embedding(module: Any, x: Signal) -> list[Layer]:
    """A vector for each token."""
    _require(x.kind == "tokens", f"it works on tokens, but {x} comes in")
    known = x.vocabulary[0]
    _require(known == module.num_embeddings, f"it has {module.num_embeddings} tokens, the input {known}")
    _require(module.max_norm is None, "max_norm has no layer")
    return [Embedding(module.embedding_dim)]


def flatten(module: Any, x: Signal) -> list[Layer]:
    """All numbers in a row; nothing where they are."""
    _require((module.start_dim, module.end_dim) in ((1, -1), (1, len(x.shape))), "it flattens some axes only")
    return [] if x.kind == "vector" else [Flatten()]


def plain(layer: Layer, **expected: Any) -> Reader:
    """A layer without parameters, for a module whose attributes have these values."""

    def read(module: Any, x: Signal) -> list[Layer]:
        for name, value in expected.items():
            _require(getattr(module, name) == value, f"{name}={getattr(module, name)!r} has no layer")
        return [layer]

    return read


def nothing(module: Any, x: Signal) -> list[Layer]:
    """What changes nothing."""
    return []


def probabilities(module: Any, x: Signal) -> list[Layer]:
    """Refused: the loss takes logits."""
    raise Unreadable("give the network without it: the loss takes logits")


MODULES: dict[str, Reader] = {
    "AdaptiveAvgPool2d": adaptive_pool("mean"), "AdaptiveMaxPool2d": adaptive_pool("max"),
    "AvgPool2d": avg_pool, "MaxPool2d": max_pool,
    "BatchNorm1d": batch_norm, "BatchNorm2d": batch_norm, "GroupNorm": group_norm, "LayerNorm": layer_norm,
    "Conv2d": conv2d, "Linear": linear, "Embedding": embedding, "GRU": recurrent(GRU), "LSTM": recurrent(LSTM),
    "Dropout": dropout("elements"), "Dropout2d": dropout("channels"),
    "Flatten": flatten, "Identity": nothing, "Softmax": probabilities, "LogSoftmax": probabilities,
    "ELU": plain(ELU(), alpha=1.0), "GELU": plain(GELU(), approximate="none"), "Hardsigmoid": plain(HardSigmoid()),
    "Hardswish": plain(HardSwish()), "LeakyReLU": plain(LeakyReLU(), negative_slope=0.01), "Mish": plain(Mish()),
    "ReLU": plain(ReLU()), "ReLU6": plain(Activation("relu6")), "SELU": plain(Activation("selu")),
    "SiLU": plain(SiLU()), "Sigmoid": plain(Sigmoid()), "Softplus": plain(Activation("softplus"), beta=1.0),
    "Tanh": plain(Tanh()),
}  # fmt: skip
"""By the name of the torch class."""
