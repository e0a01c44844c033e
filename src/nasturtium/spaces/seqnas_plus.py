"""The space ``seqnas_plus``: what SeqNAS left out, for event sequences and time series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    GRU,
    LSTM,
    AttentionPool,
    BatchNorm,
    Conv1d,
    Dropout,
    GapEncoding,
    GlobalPool,
    Identity,
    Linear,
    Mish,
    ReLU,
    Repeat,
    Residual,
    SeparableConv1d,
    Sequential,
    StateSpace,
    repeat,
)
from nasturtium.layers.events import FirstInput, MixtureOfHeads, ScaledTimeEncoding
from nasturtium.space.choice import choice, subset
from nasturtium.space.graph import without
from nasturtium.space.part import Part
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.spaces.event_features import EventFeatures, event_features
from nasturtium.spaces.event_layers import LAYER_DROPOUT, EventEncoderLayer, EventStem
from nasturtium.spaces.inputs import positive, rates
from nasturtium.spaces.seqnas import TEMPORAL_DROPOUT, event_decoder, numeric_stem
from nasturtium.spaces.seqnas_code import HEADS, stem_kernels

OPERATIONS = ("attention", "recurrence", "convolution", "state_space", "block")
"""What an encoder layer may have: any of the first four side by side, or a residual block alone."""
WIDTHS = (32, 64, 96, 128)
KERNELS, DILATIONS, BLOCK_DILATIONS = (3, 5, 9), (1, 2, 4), (1, 2, 4, 8)
STATES = (8, 16, 32)
SPANS = (1.0, 100.0)
"""At 1 sine and cosine of a time are nearly linear in it, at 100 there are some sixteen waves in a sequence."""


def seqnas_plus(
    input: Any = (96, 1),
    outputs: int = 10,
    *,
    hidden: int = 32,
    embedding: int | str = "auto",
    numeric_embedding: int | str = "auto",
    dropout: float = 0.1,
    times: str = "times",
    operations: Sequence[str] = OPERATIONS,
) -> Space:
    """Networks for event sequences: those of ``seqnas`` (arXiv:2401.03246), and what its authors left out.

    Stem, encoder, decoder and head are as there, with these changes. After the stem the channels become 32, 64, 96 or
    128. Times may be encoded on two scales; where there are times, the gaps between events may be instead. Each of 1
    to 4 encoder layers has a non-empty subset of four operations: attention; a GRU or LSTM in one direction or both; a
    convolution, plain or separable, of three kernels and three dilations; a diagonal state-space model (S4D, Gu et al.
    2022, arXiv:2206.11893). Or it is a residual block of two convolutions with batch normalisation, as in a TCN (Bai et
    al. 2018, arXiv:1803.01271), each of three kernels and four dilations. Unlike there, their windows are centred, as
    all events are known when a sequence is classified and none needs hiding; batch normalisation stands for weight
    normalisation, dropout comes once and no ReLU follows the sum, so that blocks stay plain residual ones. Mean,
    maximum, both, the last step or attention (a learned weighting of steps) pool them.

    Padding changes nothing; every choice is drawn uniformly. It contains no published code of its own. Members, with
    which a search may start, are what one would try by hand: ``gru``, ``lstm``, ``transformer``, ``tcn`` (four
    blocks, the dilation doubled), ``state_space``, ``mixed`` (attention, GRU and convolution side by side), and
    ``pooled`` (no encoder at all).

    Args:
        input: (length or None, numbers), a sequence or tokens signal, or a group of such with one mask for all.
        outputs: Numbers that leave: classes, or targets.
        hidden: Channels of each head of attention.
        embedding: Channels for each categorical signal, or ``auto`` as in ``seqnas``.
        numeric_embedding: Channels for each number, or ``auto`` as in ``seqnas``.
        dropout: Share of values dropped where the stem drops any; in the layers it is 0.1.
        times: Name of the member of a group that holds the times (T, 1); positions stand for them if there is none.
        operations: What encoder layers may have, of ``attention``, ``recurrence``, ``convolution``, ``state_space`` and
            ``block``.

    Raises:
        SpaceError: If the input is none of these, or an option cannot be used.
    """
    positive("seqnas_plus", outputs=outputs, hidden=hidden)
    rates("seqnas_plus", dropout=dropout)
    features = event_features("seqnas_plus", input, embedding, numeric_embedding, times)
    waves = [ScaledTimeEncoding(span) for span in SPANS]
    gaps = [GapEncoding("log"), GapEncoding("learned")] if features.timed else []
    encoding = choice(FirstInput() if features.timed else Identity(), *waves, *gaps, name="time")
    root = Sequential(
        EventStem(features.embeddings, numeric_stem(features, dropout), encoding, times),
        Linear(choice(*WIDTHS, name="width")),
        choice(Identity(), _encoder(hidden, _known_operations(operations)), name="encoder"),
        choice(Identity(), event_decoder(hidden, outputs), name="decoder"),
        Mish(),
        choice(Identity(), Dropout(TEMPORAL_DROPOUT, "steps")),
        choice(*[GlobalPool(kind) for kind in ("mean", "max", "mixed", "last")], AttentionPool(), name="pool"),
        Linear(outputs),
    )
    members = known_networks(features, outputs, hidden, times, operations)
    return Space(root, input=features.signal, name="seqnas_plus", simplify=(without("Identity"),), members=members)


def _known_operations(operations: Sequence[str]) -> tuple[str, ...]:
    names = (operations,) if isinstance(operations, str) else tuple(operations)
    unknown = [name for name in names if name not in OPERATIONS]
    if unknown or not names:
        raise SpaceError(
            f"seqnas_plus: operations {list(names)!r} cannot be used: give one or more of {', '.join(OPERATIONS)}"
        )
    return names


def known_networks(
    features: EventFeatures, outputs: int, hidden: int, times: str, operations: Sequence[str] = OPERATIONS
) -> dict[str, Part]:
    """Networks of the space that one would try by hand, as far as they have the operations alone."""
    attention = MixtureOfHeads(4, hidden)
    encoders: dict[str, tuple[tuple[str, ...], list[Any]]] = {
        "gru": (("recurrence",), [(GRU(),)]),
        "lstm": (("recurrence",), [(LSTM(),)]),
        "transformer": (("attention",), [(attention,)] * 2),
        "state_space": (("state_space",), [(StateSpace(16),)] * 2),
        "mixed": (("attention", "recurrence", "convolution"), [(attention, GRU(), Conv1d(kernel=3))] * 2),
        "tcn": (("block",), [_block(5, dilation) for dilation in BLOCK_DILATIONS]),
        "pooled": ((), []),
    }
    able = {name: layers for name, (needed, layers) in encoders.items() if set(needed) <= set(operations)}
    return {name: _known(name, layers, features, outputs, hidden, times) for name, layers in able.items()}


def _known(name: str, layers: list[Any], features: EventFeatures, outputs: int, hidden: int, times: str) -> Part:
    numeric = None
    if features.numbers:
        kernel = min(stem_kernels(features.length))
        convolution = Conv1d(features.channels, kernel, groups="depthwise")
        numeric = Sequential(BatchNorm(), convolution, Identity())
    unordered = name in ("transformer", "pooled")
    of_events = features.timed or bool(features.embeddings)
    pool = GlobalPool("last" if of_events and not unordered else "mean")  # what comes next hangs on the last event most
    plain = FirstInput() if features.timed else Identity()
    stem = EventStem(features.embeddings, numeric, ScaledTimeEncoding(SPANS[1]) if unordered else plain, times)
    made = [EventEncoderLayer(each, 2 * hidden) if isinstance(each, tuple) else each for each in layers]
    encoder: Any = Repeat(len(made), *made) if made else Identity()
    return Sequential(stem, Linear(64), encoder, Identity(), Mish(), Identity(), pool, Linear(outputs))


def _encoder(width: int, allowed: Sequence[str]) -> Any:
    half = choice(_one_way, name="half")
    kernel, dilation = choice(*KERNELS, name="kernel"), choice(*DILATIONS, name="dilation")
    made = {
        "attention": MixtureOfHeads(choice(*HEADS, name="heads"), width),
        "recurrence": choice(
            GRU(), LSTM(), GRU(half, bidirectional=True), LSTM(half, bidirectional=True), name="recurrence"
        ),
        "convolution": choice(
            Conv1d(kernel=kernel, dilation=dilation), SeparableConv1d(kernel=kernel, dilation=dilation)
        ),
        "state_space": StateSpace(choice(*STATES, name="states")),
    }
    side_by_side = [made[name] for name in OPERATIONS if name in made and name in allowed]
    layers: list[Any] = []
    if side_by_side:
        layers.append(EventEncoderLayer(subset(*side_by_side, name="operations"), 2 * width))
    if "block" in allowed:
        layers.append(_block(choice(*KERNELS, name="kernel"), choice(*BLOCK_DILATIONS, name="dilation")))
    layer = choice(*layers, name="layer") if len(layers) > 1 else layers[0]
    return repeat(layer, choice(1, 2, 3, 4, name="layers"))


def _block(kernel: Any, dilation: Any) -> Residual:
    """Two convolutions with batch normalisation; what is open is decided for each."""
    convolution = Conv1d(kernel=kernel, dilation=dilation)
    inner = [convolution, BatchNorm(), ReLU(), Dropout(LAYER_DROPOUT), convolution, BatchNorm(), ReLU()]
    return Residual(Sequential(*inner))


def _one_way(signal: Signal) -> int:
    """Channels of each direction, so that as many leave as come in; where that cannot be, the layer is not offered."""
    return max(signal.channels // 2, 1)
