"""Where derivations of a small space stood, so that the same decisions need not be carried out twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasturtium.space.derivation import Derivation
    from nasturtium.space.points import Step

ITS_OWN = ("chronological", "fails")
"""What a derivation does not share with others that took the same decisions."""


class Remembered:
    """The stops of a space: a tree in which each decision leads on.

    A space with ``space.remembered = Remembered()`` keeps where its derivations stand after each beginning of
    decisions. That pays where the same few thousand architectures are derived again and again, as in comparisons on a
    table. Grammars and derivations under limits are not remembered, nor what follows a dead end.

    Args:
        most: How many stops are kept, of 1 to 3 kB each; what is new beyond them is derived as ever.
    """

    def __init__(self, most: int = 20_000) -> None:
        self.most = most
        self.count = 0
        self.start: Stop | None = None

    def derivation(self, begin: Callable[[], Derivation], chronological: bool) -> Derivation:
        """A derivation at its beginning, which it shares with all others."""
        if self.start is None:
            made = begin()
            self.start = made.stop = Stop(self, made)
            return made
        from nasturtium.space.derivation import Derivation

        made = object.__new__(Derivation)
        made.__dict__.update(self.start.state, chronological=chronological, fails={})
        return made


class Stop:
    """Where a derivation stands after some decisions none of which met a dead end.

    Args:
        among: The stops of the space.
        derivation: Stands there.
    """

    __slots__ = ("after", "among", "settled", "state")

    def __init__(self, among: Remembered, derivation: Derivation) -> None:
        self.among = among
        self.after: dict[int, Stop] = {}
        self.settled: tuple[Step, ...] | None = None
        self.state: dict[str, Any] = {name: value for name, value in derivation.__dict__.items() if name not in ITS_OWN}
        self.state["stop"] = self
        among.count += 1

    def went(self, index: int, derivation: Derivation) -> Stop | None:
        """Keeps where a derivation came to from here; None if there are too many stops, or it had to go back."""
        if derivation.reopened or self.among.count >= self.among.most:
            return None
        made = self.after[index] = Stop(self.among, derivation)
        return made
