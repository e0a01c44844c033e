"""Published spaces: one file a space; ``SPACES`` names them, ``make`` gives one for an input and outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.space.signal import Signal, as_signals
from nasturtium.space.space import Space
from nasturtium.spaces.convnet import convnet
from nasturtium.spaces.mlp import mlp
from nasturtium.spaces.multibranch import multibranch
from nasturtium.spaces.sequencenet import sequencenet


class Published(NamedTuple):
    """A space that can be asked for by name; calling it makes the space.

    Attributes:
        function: ``function(input, outputs, **options) -> Space``.
        kinds: Kinds of signal it takes: ``vector``, ``image``, ``sequence``, ``tokens``.
        summary: One line on what it holds.
        source: The paper it comes from.
    """

    function: Callable[..., Space]
    kinds: tuple[str, ...]
    summary: str
    source: str

    def __call__(self, *arguments: Any, **options: Any) -> Space:
        return self.function(*arguments, **options)


SPACES: dict[str, Published] = {
    "mlp": Published(
        mlp, ("vector", "image", "sequence"),
        "fully connected networks, plain and residual", "Gorishniy et al. 2021",
    ),
    "convnet": Published(
        convnet, ("image",),
        "stages of residual, plain or separable convolutions", "He et al. 2016; Sandler et al. 2018",
    ),
    "multibranch": Published(
        multibranch, ("image",),
        "residual blocks of two to four parallel paths", "Szegedy et al. 2015, 2017",
    ),
    "sequencenet": Published(
        sequencenet, ("sequence", "tokens"),
        "convolution, recurrence and attention over sequences", "Bai et al. 2018; Xiong et al. 2020",
    ),
}  # fmt: skip
"""Every space by its name."""

DEFAULTS = {"vector": "mlp", "image": "convnet", "sequence": "sequencenet", "tokens": "sequencenet"}
"""The space to begin with, by the kind of the input."""


def make(name: str, input: Any, outputs: int, **options: Any) -> Space:
    """The space called ``name``.

    Args:
        name: A name in ``SPACES``.
        input: (channels, height, width), (length, channels), (features,), or signals.
        outputs: Numbers that leave a network: classes, or targets.
        **options: Those of the space's function.

    Raises:
        SpaceError: If the name or an option is unknown, or the space does not take such an input.
    """
    if name not in SPACES:
        there = ", ".join(SPACES)
        raise SpaceError(f"unknown space {name!r}{did_you_mean(name, SPACES)} (there are: {there})")
    published, signals = SPACES[name], as_signals(input)
    allowed = [each for each in inspect.signature(published.function).parameters if each not in ("input", "outputs")]
    for option in options:
        if option not in allowed:
            raise SpaceError(
                f"space {name!r} has no option {option!r}{did_you_mean(option, allowed)} "
                f"(its options: {', '.join(allowed) or 'none'})"
            )
    if any(signal.kind not in published.kinds for signal in signals):
        raise SpaceError(
            f"space {name!r} takes {' or '.join(published.kinds)}, not {' and '.join(map(str, signals))}; "
            f"{_that_take(signals)}"
        )
    return published(input=input, outputs=outputs, **options)


def _that_take(signals: tuple[Signal, ...]) -> str:
    able = [name for name, other in SPACES.items() if all(signal.kind in other.kinds for signal in signals)]
    return f"use {' or '.join(able)}" if able else "no space in the table does"


def for_signal(signal: Signal) -> str:
    """The name of the space to begin with for a kind of input.

    Raises:
        SpaceError: If there is none.
    """
    if signal.kind not in DEFAULTS:
        kinds = ", ".join(DEFAULTS)
        raise SpaceError(f"no space in the table takes {signal} (there are some for {kinds}); give a space of your own")
    return DEFAULTS[signal.kind]


__all__ = ["DEFAULTS", "SPACES", "Published", "convnet", "for_signal", "make", "mlp", "multibranch", "sequencenet"]
