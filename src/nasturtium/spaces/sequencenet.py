"""The space ``sequencenet``: convolutions, recurrence and attention over sequences and tokens."""

from __future__ import annotations

from typing import Any

from nasturtium.layers import (
    GRU,
    LSTM,
    Attention,
    AvgPool,
    ConvBlock,
    Dropout,
    Embedding,
    FeedForward,
    GlobalPool,
    Identity,
    LayerNorm,
    Linear,
    MaxPool,
    PositionalEncoding,
    Residual,
    Sequential,
)
from nasturtium.space.choice import choice
from nasturtium.space.graph import without
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import one_input, positive, weighted, widths

LONGEST = 256
"""The stem strides over a sequence of known length until no more steps than this remain."""


def sequencenet(input: Any = (96, 1), outputs: int = 10, *, width: float = 1.0, depth: int = 4) -> Space:
    """Networks for sequences and tokens, of known or unknown length, padded or not.

    Tokens are embedded; a convolution brings the input to the width of the network, with a stride where the length
    is known and long; positions may be marked; then come residual blocks, each a pair of convolutions (dilated, as
    in TCN, Bai et al. 2018), a GRU or LSTM in one or both directions, or attention with a feed-forward part (pre-norm
    transformer, Xiong et al. 2020); half-way the steps may be pooled. Global pooling, dropout and a linear layer end
    it.

    Args:
        input: (length or None, channels), or a sequence or tokens signal.
        outputs: Numbers that leave: classes, or targets.
        width: Factor on all channel counts.
        depth: Most blocks.

    Raises:
        SpaceError: If the input is neither sequence nor tokens, or an option cannot be used.

    >>> sequencenet(input=(None, 9)).size
    5717751360
    """
    signal = one_input("sequencenet", input, "sequence", "tokens")
    positive("sequencenet", outputs=outputs, depth=depth)
    norm = "layer" if signal.kind == "tokens" else "batch"
    layers: list[Any] = [*_stem(signal, width, norm), _positions(signal)]
    for number in range(depth):
        layers.append(_block(norm, optional=number > 0))
        if number == (depth - 1) // 2:
            layers += _pooling(signal)
    layers += [LayerNorm(), GlobalPool(weighted({"mean": 3, "max": 2, "mixed": 2, "last": 0.5}))]
    layers += [Dropout(choice(0.0, 0.1, 0.2, 0.3)), Linear(outputs)]
    return Space(Sequential(*layers), input=signal, name="sequencenet", simplify=(without("Identity"),))


def _stem(signal: Signal, width: float, norm: str) -> list[Layer]:
    """What brings the input to the width of the network."""
    length, stride = signal.length, 1
    while length is not None and length > LONGEST * stride:
        stride *= 2
    strides = {stride: 1, 2 * stride: 2} if length is not None and length >= 48 * stride else {stride: 1}
    channels = widths("sequencenet", width, {32: 2, 48: 3, 64: 3, 96: 1, 128: 0.5})
    kernels = {2 * stride + 1: 1, 4 * stride + 1: 1, 8 * stride + 1: 1}
    convolution = ConvBlock(channels, weighted(kernels), weighted(strides), norm=norm)
    if signal.kind != "tokens":
        return [convolution]
    embedded = Embedding(widths("sequencenet", width, {16: 1, 32: 2, 64: 2, 128: 1}))
    return [embedded, Dropout(choice(0.0, 0.1, 0.3)), convolution]


def _positions(signal: Signal) -> Any:
    encodings = [Identity(), PositionalEncoding("sinusoidal")]
    if signal.length is not None:
        encodings.append(PositionalEncoding("learned"))
    return choice(*encodings, weights=[4, 1, 1][: len(encodings)])


def _pooling(signal: Signal) -> list[Any]:
    long = signal.length is not None and signal.length >= 32
    return [choice(Identity(), MaxPool(), AvgPool(), weights=(1, 1, 1))] if long else []


def _half(signal: Signal) -> int:
    """Half the channels of what comes in, for each direction."""
    return max(signal.channels // 2, 1)


def _block(norm: str, optional: bool) -> Any:
    convolutions = Sequential(
        ConvBlock(kernel=weighted({3: 1, 5: 2, 9: 2, 17: 1}), dilation=weighted({1: 2, 2: 1, 4: 1}), norm=norm),
        ConvBlock(kernel=weighted({1: 1, 3: 2, 5: 1}), norm=norm),
    )
    half = choice(_half, name="half")
    both = (GRU(half, bidirectional=True), LSTM(half, bidirectional=True))
    recurrent = Sequential(LayerNorm(), choice(*both, GRU(), LSTM(), weights=(3, 2, 2, 1)))
    attention = Sequential(LayerNorm(), Attention(choice(2, 4, 8)))
    feeding = Sequential(LayerNorm(), FeedForward(choice(1, 2, 4), dropout=weighted({0.0: 2, 0.1: 1})))
    blocks = [Residual(convolutions), Residual(recurrent), Sequential(Residual(attention), Residual(feeding))]
    if not optional:
        return choice(*blocks, weights=(4, 1, 1))
    return choice(Identity(), *blocks, weights=(2, 4, 1, 1))
