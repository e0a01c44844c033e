"""Groups of signals as event sequences have them."""

from __future__ import annotations

from nasturtium.space.signal import Signal, group, sequence, tokens


def events(
    length: int | None, vocabularies: tuple[int, ...], numbers: int, times: bool = False, mask: bool = False
) -> Signal:
    """Categorical columns, numbers and times, with one mask."""
    members: dict[str, Signal] = {f"c{n}": tokens(length, size) for n, size in enumerate(vocabularies)}
    if numbers:
        members["numbers"] = sequence(length, numbers)
    if times:
        members["times"] = sequence(length, 1)
    return group(**members)._replace(mask=mask)
