"""Encoders by name: what predictors see of architectures."""

from __future__ import annotations

from collections.abc import Callable

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.predictors.drawn import GraphEncoder, Paths
from nasturtium.predictors.vectors import Adjacency, Counts, Encoder, Nothing, OneHot, Ordered, Tokens
from nasturtium.space.space import Space

ENCODERS: dict[str, Callable[[Space], Encoder]] = {
    "one_hot": OneHot,
    "ordered": Ordered,
    "counts": Counts,
    "path": Paths,
    "adjacency": Adjacency,
    "tokens": Tokens,
    "graph": GraphEncoder,
    "none": Nothing,
}


def encoder(encoding: str | Encoder | Callable[[Space], Encoder], space: Space) -> Encoder:
    """The encoder called ``encoding``, or made by it, for a space.

    Raises:
        SpaceError: If there is none of this name, or it cannot encode this space.
    """
    if isinstance(encoding, Encoder):
        return encoding
    if callable(encoding):
        return encoding(space)
    if encoding not in ENCODERS:
        hint = did_you_mean(encoding, ENCODERS)
        raise SpaceError(f"unknown encoding {encoding!r}{hint} (there are: {', '.join(ENCODERS)})")
    return ENCODERS[encoding](space)
