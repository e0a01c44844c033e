"""What event sequences are made of: categories, numbers and times, and how many channels a stem makes of each."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from nasturtium.errors import SpaceError
from nasturtium.space.signal import Signal
from nasturtium.spaces.inputs import one_input, positive


class EventFeatures(NamedTuple):
    """The features of each event.

    Attributes:
        signal: What a network receives.
        embeddings: Channels that each category gets.
        numbers: How many numbers there are.
        channels: Channels that all numbers get together; 0 without numbers.
        length: Of the sequences; None if it depends on the data.
        timed: Whether there are times.
    """

    signal: Signal
    embeddings: tuple[int, ...]
    numbers: int
    channels: int
    length: int | None
    timed: bool


def event_features(
    space: str, input: Any, embedding: int | str, numeric_embedding: int | str, times: str
) -> EventFeatures:
    """Reads the input of a space for event sequences.

    Args:
        space: Its name, for messages.
        input: (length or None, numbers), a sequence or tokens signal, or a group of such with one mask for all.
        embedding: Channels for each categorical signal, or ``auto``: min(600, round(1.6 n^0.56)) for n categories
            beside the one for what is unknown.
        numeric_embedding: Channels for each number, or ``auto``: the mean of the categorical ones; without any 32 for
            one number, 16 each for several (fewer where that makes more than 256).
        times: Name of the member of a group that holds the times (T, 1).

    Raises:
        SpaceError: If the input is none of these, or a size cannot be used.
    """
    signal = one_input(space, input, "sequence", "tokens", "group")
    sizes = {"embedding": embedding, "numeric_embedding": numeric_embedding}
    positive(space, **{name: size for name, size in sizes.items() if size != "auto"})
    vocabularies, numbers, length, timed = _features(space, signal, times)
    embeddings = tuple([_embedding(size, embedding) for size in vocabularies])
    channels = numbers * _numeric_embedding(numbers, embeddings, numeric_embedding) if numbers else 0
    return EventFeatures(signal, embeddings, numbers, channels, length, timed)


def _features(space: str, signal: Signal, times: str) -> tuple[list[int], int, int | None, bool]:
    """Vocabularies of the categories, number of numeric features, length, and whether there are times."""
    members = signal.members if signal.kind == "group" else ((signal.kind, signal),)
    grouped = signal.kind == "group"
    features = [member for name, member in members if not (grouped and name == times)]
    loose = next((m for _, m in members if m.kind not in ("sequence", "tokens") or (m.mask and m is not signal)), None)
    if loose is not None or not features:
        raise SpaceError(
            f"{space} takes a group of sequences and tokens, with one mask for all "
            f"(group(...)._replace(mask=True)), not {loose or signal}"
        )
    if len({member.length for _, member in members}) > 1:
        raise SpaceError(f"{space}: the members of {signal} differ in length")
    when = [member for name, member in members if grouped and name == times]
    if any(member.kind != "sequence" or member.channels != 1 for member in when):
        raise SpaceError(f"{space}: the times must be a sequence (T, 1), not {when[0]}")
    vocabularies = [member.vocabulary[0] for member in features if member.kind == "tokens"]
    numbers = sum(member.channels for member in features if member.kind == "sequence")
    return vocabularies, numbers, features[0].length, bool(when)


def _embedding(vocabulary: int, wanted: int | str) -> int:
    if wanted == "auto":
        return max(min(600, round(1.6 * math.pow(vocabulary - 1, 0.56))), 1)
    return int(wanted)


def _numeric_embedding(numbers: int, embeddings: tuple[int, ...], wanted: int | str) -> int:
    if wanted != "auto":
        return int(wanted)
    if embeddings:
        return max(sum(embeddings) // len(embeddings), 1)
    return 32 if numbers == 1 else min(16, 256 // numbers) or 1
