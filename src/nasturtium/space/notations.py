"""Notations: how a community writes the architectures of a space, and which of them it holds equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.errors import ParseError, SpaceError, did_you_mean
from nasturtium.space.part import Part

if TYPE_CHECKING:
    from nasturtium.space.architecture import Architecture
    from nasturtium.space.space import Space

LONGEST = 1_000_000
"""Characters of the longest notation that is read."""

Members = Mapping[str, "str | Part"]
"""Known architectures of a space by their published names, as notation, text or closed part."""


class Notation(NamedTuple):
    """How architectures of a space are written in its community.

    Attributes:
        write: An architecture as text.
        read: The closed part of a text, or its decisions.
            Raises ParseError, which says what is wrong where, and what would be right.
        key: Equal for architectures that are published as one, where that is defined.
    """

    write: Callable[[Architecture], str]
    read: Callable[[str], Part | Sequence[int]]
    key: Callable[[Architecture], str] | None = None


def write(space: Space, architecture: Architecture) -> str:
    """An architecture in the notation of its space."""
    if space.notation is None:
        raise SpaceError(f"the space {space.name!r} has no notation of its own; str(architecture) is its text")
    return space.notation.write(space.adopt(architecture))


def read(space: Space, text: str) -> Architecture:
    """An architecture from the notation of its space.

    Raises:
        ParseError: If the text is not in that notation.
        SpaceError: If the space has none, or does not contain the architecture.
    """
    if space.notation is None:
        raise SpaceError(f"the space {space.name!r} has no notation of its own; space.parse reads str(architecture)")
    found = _read(space, space.notation, text)
    if not isinstance(found, Part):
        return space.architecture(found)
    from nasturtium.space.architecture import Architecture

    return space.adopt(Architecture(found, input=space.input))


def _read(space: Space, notation: Notation, text: str) -> Part | Sequence[int]:
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ParseError(f"a notation of {space.name!r} is a text of at most {LONGEST:,} characters, not {text!r:.60}")
    try:
        return notation.read(text)
    except ParseError as error:
        raise ParseError(shortened(str(error))) from None
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, thousands of brackets
        raise ParseError(f"{text[:60]!r} is not in the notation of {space.name!r}: {shortened(str(error))}") from None


def shortened(message: str) -> str:
    """A message without the middle of what it quotes at length."""
    return message if len(message) <= 600 else f"{message[:400]} ... {message[-150:]}"


def member(space: Space, name: str) -> Architecture:
    """A known architecture of the space by its published name.

    Raises:
        SpaceError: If the space knows none of that name.
    """
    if name not in space.members:
        known = ", ".join(space.members) or "none"
        raise SpaceError(f"space {space.name!r} knows no member {name!r}{did_you_mean(name, space.members)} ({known})")
    written = space.members[name]
    if not isinstance(written, str):
        from nasturtium.space.architecture import Architecture

        return space.adopt(Architecture(written, input=space.input))
    return parsed(space, written)


def parsed(space: Space, text: str) -> Architecture:
    """An architecture from its notation or its text, whichever it is.

    Raises:
        ParseError: If it is neither; the reasons are given, and what members the space knows by name.
        SpaceError: If the space does not contain it.
    """
    if not isinstance(text, str):
        raise ParseError(f"an architecture of {space.name!r} is read from text, not from {text!r:.60}")
    reasons = []
    for reader in (space.parse, space.from_notation) if space.notation is not None else (space.parse,):
        try:
            return reader(text)
        except ParseError as error:
            reasons.append(shortened(str(error)))
    known = f"; members of {space.name!r}: {', '.join(space.members)}" if space.members else ""
    raise ParseError(f"{'; and '.join(reasons)}{known}{did_you_mean(text[:60], space.members)}")


def key(space: Space, architecture: Architecture) -> str:
    """The published key of equality of an architecture.

    Raises:
        SpaceError: If none is published for this space.
    """
    if space.notation is None or space.notation.key is None:
        raise SpaceError(f"no key is published for the space {space.name!r}; architecture.canonical is ours")
    return space.notation.key(space.adopt(architecture))


def indices(text: str, digits: Sequence[Any], what: str) -> tuple[int, ...]:
    """The position of each character of a text among ``digits``.

    Raises:
        ParseError: If a character is none of them.
    """
    for place, digit in enumerate(text):
        if digit not in digits:
            raise ParseError(f"{digit!r} at place {place} of {text!r} is no {what}; there are {', '.join(digits)}")
    return tuple([digits.index(digit) for digit in text])
