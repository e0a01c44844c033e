"""``nasturtium sample``: architectures of a space as text."""

from __future__ import annotations

import sys

from nasturtium.errors import NasturtiumError


def write_samples(space: str, count: int, seed: int, input: str, outputs: int) -> None:
    """Draw architectures and write them one a line."""
    import numpy

    from nasturtium import spaces

    made = spaces.make(space, read_sizes(input), outputs)
    rng = numpy.random.default_rng(seed)
    for _ in range(count):
        sys.stdout.write(f"{made.sample(rng)}\n")


def read_sizes(text: str) -> tuple[int, ...]:
    """Sizes such as ``3,64,64``.

    Raises:
        NasturtiumError: If they are not whole numbers.
    """
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError:
        raise NasturtiumError(f"cannot read {text!r} as sizes; write 3,64,64 (image), 128,6 (sequence) or 16") from None
    return sizes
