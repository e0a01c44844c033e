"""The open choices at which a derivation stops, the decisions it takes there, and the dead ends it meets."""

from __future__ import annotations

from typing import Any, NamedTuple

from nasturtium.errors import SpaceError
from nasturtium.space.choice import Choice
from nasturtium.space.frames import Frame, Here
from nasturtium.space.infer import Signals, joined
from nasturtium.space.part import Part
from nasturtium.space.wiring import Path, slot_key


class Point(NamedTuple):
    """An open choice at which a derivation has stopped.

    Attributes:
        address: The path of the choice in the space; where a decision is shared, its scope and name.
        place: The path of the choice in the space.
        choice: The choice.
        offered: Indices of the options that can work here, in order.
        excluded: Those of them from which a dead end has led back.
        signals: The signals that reach the enclosing layer, or None.
        here: Where the enclosing part is being closed.
        part: The part among whose plain values the choice stands; None where it stands for a layer.
        path: Where in the part.
        blame: The decisions that shaped what is offered, as a bit mask.
        afresh: Whether dead ends further on ask for another option than the last time.
    """

    address: str
    place: str
    choice: Choice
    offered: tuple[int, ...]
    excluded: frozenset[int]
    signals: Signals | None
    here: Here
    part: Part | None
    path: Path
    blame: int
    afresh: bool = False

    @property
    def remaining(self) -> tuple[int, ...]:
        """Indices of the options that may still be taken."""
        return tuple([i for i in self.offered if i not in self.excluded]) if self.excluded else self.offered

    def weights(self, indices: tuple[int, ...]) -> list[float]:
        """Relative probabilities of the given options."""
        weights = self.choice.weights
        return [1.0] * len(indices) if weights is None else [weights[index] for index in indices]

    @property
    def bases(self) -> tuple[str, ...]:
        """What the addresses of all choices inside the options begin with: as values, and as layers among them."""
        if self.part is None:
            return (self.place,)
        return self.place, joined(self.here.address, slot_key(self.part, self.path))

    def below(self, address: str) -> str | None:
        """How the address of a choice inside the options goes on from here: number of the base, and the rest."""
        separators = ("#",) if self.part is None else ("#.[", "#._")
        for number, base in enumerate(self.bases):
            if address.startswith(base) and address[len(base) : len(base) + 1] in tuple(separators[number]):
                return f"{number}{address[len(base) :]}"
        return None


class Step(NamedTuple):
    """A decision that was taken, and all that is needed to go back to before it."""

    previous: Step | None
    number: int
    point: Point
    taken: int
    state: tuple[Any, ...]


def settled(trail: Step | None) -> tuple[Step, ...]:
    """The decisions of a finished derivation in order, without the ways back."""
    steps = []
    while trail is not None:
        steps.append(Step(None, trail.number, trail.point, trail.taken, ()))
        trail = trail.previous
    return tuple(steps[::-1])


class DeadEnd(Exception):
    """Nothing can work at an address; carries the decisions to blame as a bit mask."""

    def __init__(self, cause: object, blame: int, address: str, frame: Frame | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.blame = blame
        self.address = address
        self.frame = frame

    def __str__(self) -> str:  # only when somebody reads it: grammars meet many dead ends
        cause = self.cause
        if isinstance(cause, Point):
            reaching = ", ".join(str(signal) for signal in cause.signals or ())
            why = f"no option of {cause.choice} works{' on ' if reaching else ''}{reaching}"
        else:
            why = str(cause)
        return f"{why} at {self.address or 'the root'}"


class Exhausted(SpaceError):
    """A derivation found no way on, nor back."""
