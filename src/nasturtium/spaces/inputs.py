"""What the spaces share: the check of their input and options, and choices with weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.layers import repeat
from nasturtium.space.choice import Choice
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal, as_signals


def one_input(space: str, input: object, *kinds: str) -> Signal:
    """The one signal that a space receives.

    Args:
        space: Its name, for the message.
        input: A signal or a shape: (C,), (T, C) or (C, H, W).
        kinds: Kinds of signal that it takes.

    Raises:
        SpaceError: If there are several inputs, or the kind is another.
    """
    signals = as_signals(input)
    if any(signal.kind == "image" and None in signal.shape for signal in signals):
        raise SpaceError(f"{space} needs images of one known size, not {signals[0]}")
    if len(signals) != 1 or signals[0].kind not in kinds:
        given = " and ".join(map(str, signals))
        raise SpaceError(f"{space} takes one {' or '.join(kinds)}, not {given}")
    return signals[0]


def smaller_side(signal: Signal) -> int:
    """The smaller side of an image of known size."""
    return min(size for size in signal.shape[1:] if size is not None)


def layout_of(space: str, signal: Signal, layout: str | None) -> str:
    """``imagenet`` or ``cifar``: the one that is given, or the first from 96x96 on.

    Raises:
        SpaceError: If another one is given.
    """
    layout = layout or ("imagenet" if smaller_side(signal) >= 96 else "cifar")
    if layout not in ("imagenet", "cifar"):
        raise SpaceError(f"{space}: layout must be 'imagenet' or 'cifar', not {layout!r}")
    return layout


def at_least(space: str, signal: Signal, side: int) -> int:
    """The smaller side of an image.

    Raises:
        SpaceError: If it is smaller than ``side``.
    """
    if smaller_side(signal) < side:
        raise SpaceError(f"{space} needs images of at least {side}x{side}, not {signal}")
    return smaller_side(signal)


def positive(space: str, **numbers: object) -> None:
    """Check options that must be positive whole numbers.

    Raises:
        SpaceError: If one is not.
    """
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise SpaceError(f"{space}: {name} must be a whole number from 1, not {number!r}")


def rates(space: str, **shares: object) -> None:
    """Check options that are shares of what is dropped: numbers from 0 and below 1.

    Raises:
        SpaceError: If one is not.
    """
    for name, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise SpaceError(f"{space}: {name} must be a number from 0 and below 1, not {share!r}")


def known(space: str, field: str, value: object, options: Collection[str]) -> None:
    """Check that an option is one of some names.

    Raises:
        SpaceError: If it is not; the text tells all of them.
    """
    if value not in tuple(options):
        near = did_you_mean(value, options)
        raise SpaceError(f"{space}: {field} must be {' or '.join(map(repr, options))}, not {value!r}{near}")


def weighted(options: Mapping[Any, float]) -> Any:
    """A choice among values in their order, each with its weight; a single one is no choice."""
    if len(options) == 1:
        return next(iter(options))
    return Choice(tuple(options), tuple(options.values()), None, ordered=True)


def widths(space: str, factor: float, options: Mapping[int, float]) -> Any:
    """A choice among channel counts with their weights.

    Args:
        space: For the message.
        factor: By which the counts are multiplied, then rounded to multiples of 8 (at least 8).
        options: Channel counts and their weights.

    Raises:
        SpaceError: If the factor is not a positive number.
    """
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < factor < 1000:
        raise SpaceError(f"{space}: width must be a positive factor, not {factor!r}")
    scaled: dict[int, float] = {}
    for channels, weight in options.items():
        rounded = max(8, 8 * round(channels * factor / 8))
        scaled[rounded] = scaled.get(rounded, 0) + weight
    return weighted(scaled)


def counts(most: int) -> Any:
    """A choice among 1 to ``most``, each half as often as the one before."""
    return weighted({number: 2.0**-number for number in range(1, most + 1)})


def stacked(body: Layer, most: int) -> Any:
    """A body 1 to ``most`` times in a row, all copies with the same decisions."""
    return repeat(body, counts(most), shared=True)
