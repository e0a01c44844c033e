"""What is raised where a law is broken."""

from __future__ import annotations

from nasturtium.errors import NasturtiumError


class LawBroken(NasturtiumError):
    """A law is not kept; the text says which, and what was at fault."""


def require(holds: bool, what: str, *about: object) -> None:
    """Raise LawBroken unless ``holds``."""
    if not holds:
        said = " / ".join(str(item)[:500] for item in about)
        raise LawBroken(f"{what}: {said}" if said else what)
