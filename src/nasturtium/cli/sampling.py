"""``nasturtium sample``: architectures of a space as text, in a notation, in words, as trees, as drawings."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nasturtium.cli.options import read_options
from nasturtium.errors import NasturtiumError

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


@dataclass
class Wanted:
    """What was asked for.

    Attributes:
        space: Name of the space.
        count, seed: How many to draw, and with which seed.
        input: Sizes of the input as text; the space's own if None.
        outputs: Numbers that leave the network; the space's own if None.
        member: The known network to show instead of drawn ones.
        tree: Whether to write trees.
        notation: Whether to write the community's notation.
        summary: Whether to say in a few sentences what each is.
        svg: The file for the drawing.
        options: Options of the space, each ``NAME=VALUE``.
    """

    space: str
    count: int = 1
    seed: int = 0
    input: str | None = None
    outputs: int | None = None
    member: str | None = None
    tree: bool = False
    notation: bool = False
    summary: bool = False
    svg: Path | None = None
    options: list[str] = field(default_factory=list)


def write_samples(wanted: Wanted) -> None:
    """Write architectures: one a line, or each in words or as a tree; with ``svg`` also their drawings."""
    made = make_space(wanted)
    several = wanted.member is None and wanted.count > 1
    for number, architecture in enumerate(chosen(made, wanted)):
        sys.stdout.write(f"{as_text(made, architecture, wanted)}\n")
        if wanted.svg is not None:
            write_drawing(architecture, numbered(wanted.svg, number) if several else wanted.svg)


def make_space(wanted: Wanted) -> Space:
    """The space that was asked for, with its own input and outputs where none are given."""
    from nasturtium import spaces

    options = read_options(wanted.options)
    for name in ("input", "outputs"):
        if name in options:
            raise NasturtiumError(f"{name} is no option of a space; give --{name} {options[name]}")
    published = spaces.SPACES.get(wanted.space)
    if published is None:
        return spaces.make(wanted.space, (16,), 1)  # says what there is
    own = inspect.signature(published.function).parameters["outputs"].default
    input = published.input if wanted.input is None else read_sizes(wanted.input)
    return spaces.make(wanted.space, input, own if wanted.outputs is None else wanted.outputs, **options)


def chosen(space: Space, wanted: Wanted) -> Iterator[Architecture]:
    """The member that was asked for, or architectures drawn from the space."""
    if wanted.member is not None:
        yield space.member(wanted.member)
        return
    import numpy

    rng = numpy.random.default_rng(wanted.seed)
    for _ in range(wanted.count):
        yield space.sample(rng)


def as_text(space: Space, architecture: Architecture, wanted: Wanted) -> str:
    """An architecture as it was asked for: text, or those of notation, summary and tree that are wanted, in turn."""
    written = []
    if wanted.notation:
        written.append(space.to_notation(architecture))
    if wanted.summary:
        from nasturtium.report.summary import summary

        written.append(summary(architecture))
    if wanted.tree:
        from nasturtium.report.tree import tree

        written.append(tree(architecture))
    return "\n".join(written) if written else str(architecture)


def numbered(file: Path, number: int) -> Path:
    """The file for one of several drawings: net.svg becomes net-0.svg.

    Raises:
        NasturtiumError: If it is a folder.
    """
    if file.is_dir():
        raise NasturtiumError(f"cannot write drawings to {file}: it is a folder, not a file")
    return file.with_name(f"{file.stem}-{number}{file.suffix}")


def write_drawing(architecture: Architecture, file: Path) -> None:
    """Write the drawing of an architecture.

    Raises:
        NasturtiumError: If the file cannot be written.
    """
    from nasturtium.report.drawing import draw

    drawn = draw(architecture)
    try:
        file.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise NasturtiumError(f"cannot write the drawing to {file}: {error.strerror}; give another --svg") from None


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
