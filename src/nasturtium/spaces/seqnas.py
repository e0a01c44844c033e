"""The space ``seqnas``: encoders and decoders for event sequences (Udovichenko et al. 2024)."""

from __future__ import annotations

from functools import partial
from typing import Any

from nasturtium.layers import GRU, BatchNorm, Conv1d, Dropout, GlobalPool, Identity, Linear, Mish, Sequential, repeat
from nasturtium.layers.events import FirstInput, MixtureOfHeads, ScaledTimeEncoding
from nasturtium.space.choice import Choice, choice, subset
from nasturtium.space.graph import without
from nasturtium.space.notations import Notation
from nasturtium.space.space import Space
from nasturtium.spaces.event_features import EventFeatures, event_features
from nasturtium.spaces.event_layers import EventDecoder, EventDecoderLayer, EventEncoderLayer, EventStem
from nasturtium.spaces.inputs import positive, rates
from nasturtium.spaces.seqnas_code import DEPTHS, HEADS, POOLS, SEARCHED, stem_kernels, to_bits, write
from nasturtium.spaces.seqnas_dictionary import read

TEMPORAL_DROPOUT = 0.2


def seqnas(
    input: Any = (96, 1),
    outputs: int = 10,
    *,
    hidden: int = 32,
    embedding: int | str = "auto",
    numeric_embedding: int | str = "auto",
    dropout: float = 0.1,
    times: str = "times",
    span: float = 1.0,
) -> Space:
    """The 3,425,438,016 networks for event sequences of SeqNAS (Udovichenko et al. 2024, IEEE Access 12).

    A stem embeds categories and makes channels of the numbers (batch normalisation, a depthwise convolution with
    kernel 1, 3, 5 or 11, dropout or none), 4 x 2; an encoding of the times may be added, 2; an encoder may have 1, 2
    or 4 layers, each a non-empty subset of attention (1, 2, 4 or 8 heads), GRU and convolution on parts of the
    channels, 1 + 19 + 19^2 + 19^4; a decoder may let as many learned queries as there are outputs read the sequence
    in 1 or 2 layers with their own heads, 1 + 16 + 16^2; whole steps may be dropped, 2; mean, max or both pool them,
    3. Every choice is drawn uniformly, as published. Without numbers there is no stem to choose: 428,179,752. Shorter
    than 12 steps some kernels coincide and fewer are offered.

    The notation is the published code of 122 bits (117 without numbers); the published architecture dictionary, as
    JSON, is read too (``spaces.seqnas_dictionary.dictionary`` writes it). Members are the networks with the best
    published validation score of each data set: of a single training each, among some 400 to 800.

    Padding changes nothing here, where the published code has no mask. Equal times give no NaN. Only what was chosen
    is built, so there are fewer parameters than published, where all options of the layers in use are counted.
    Weights start as torch has them, scales of heads as 1.

    Args:
        input: (length or None, numbers), a sequence or tokens signal, or a group of such with one mask for all.
        outputs: Numbers that leave: classes, or targets.
        hidden: Channels of each head, and inside the feed-forward parts.
        embedding: Channels for each categorical signal, or ``auto``: min(600, round(1.6 n^0.56)) for n categories
            beside the one for what is unknown.
        numeric_embedding: Channels for each number, or ``auto``: the mean of the categorical ones; without any 32 for
            one number, 16 each for several (fewer where that makes more than 256).
        dropout: Share of values dropped where the stem drops any; in the layers it is 0.1.
        times: Name of the member of a group that holds the times (T, 1); positions stand for them if there is none.
        span: Scale of the times in each sequence, before their sine and cosine. At the published 1 the encoding is
            nearly linear in the time.

    Raises:
        SpaceError: If the input is none of these, or an option cannot be used.

    >>> seqnas().size
    3425438016
    """
    positive("seqnas", outputs=outputs, hidden=hidden)
    rates("seqnas", dropout=dropout)
    features = event_features("seqnas", input, embedding, numeric_embedding, times)
    kernels = stem_kernels(features.length)
    encoding = choice(FirstInput() if features.timed else Identity(), ScaledTimeEncoding(span), name="time")
    root = Sequential(
        EventStem(features.embeddings, numeric_stem(features, dropout), encoding, times),
        choice(Identity(), _encoder(hidden), name="encoder"),
        choice(Identity(), event_decoder(hidden, outputs), name="decoder"),
        Mish(),
        choice(Identity(), Dropout(TEMPORAL_DROPOUT, "steps")),
        GlobalPool(choice(*POOLS)),
        Linear(outputs),
    )
    numeric = bool(features.numbers)
    offered = kernels if numeric else ()
    members = {name: to_bits(code) for name, code in SEARCHED.items() if (code.kernel is not None) == numeric}
    notation = Notation(partial(write, kernels=offered), partial(read, kernels=offered))
    simplify = (without("Identity"),)
    return Space(root, input=features.signal, name="seqnas", simplify=simplify, notation=notation, members=members)


def numeric_stem(features: EventFeatures, dropout: float) -> Any:
    """What makes channels of all numbers together, with its choices; None without numbers."""
    if not features.numbers:
        return None
    window: Any = Choice(tuple(dict.fromkeys(stem_kernels(features.length))), None, "kernel", ordered=True)
    convolution = Conv1d(features.channels, window, groups="depthwise")
    return Sequential(BatchNorm(), convolution, choice(Identity(), Dropout(dropout)))


def _encoder(width: int) -> Any:
    operations = subset(MixtureOfHeads(choice(*HEADS, name="heads"), width), GRU(), Conv1d(kernel=3), name="operations")
    return repeat(EventEncoderLayer(operations, width), choice(*DEPTHS[0], name="layers"))


def event_decoder(width: int, queries: int) -> Any:
    """One or two layers in which learned queries read the sequence."""
    heads = MixtureOfHeads(choice(*HEADS, name="heads"), width)
    layer = EventDecoderLayer(heads, heads, width)
    stacks = Choice([EventDecoder(queries, *[layer] * count) for count in DEPTHS[1]], None, "layers", ordered=True)
    stacks.transparent = True  # the first layer keeps its decisions when their number changes
    return stacks
