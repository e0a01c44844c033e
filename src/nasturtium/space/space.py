"""Spaces: an open part with its input, its constraints and its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nasturtium.errors import ParseError, SpaceError
from nasturtium.space import crossover, matching, mutation, neighbourhood, notations, sampling, sizes
from nasturtium.space.architecture import Architecture
from nasturtium.space.budget import Budget
from nasturtium.space.counting import Counting
from nasturtium.space.derivation import DeadEnd, Derivation
from nasturtium.space.fingerprint import fingerprint
from nasturtium.space.limits import limits_of
from nasturtium.space.opening import Offers
from nasturtium.space.part import Part
from nasturtium.space.remembered import Remembered
from nasturtium.space.sharing import check_shared
from nasturtium.space.signal import as_signals

if TYPE_CHECKING:
    import numpy

Constraint = Callable[[Architecture], bool]


class Space:
    """A search space: an architecture with choices left open.

    Args:
        root: The open part; for a network a layer.
        input: What the network receives: (channels, height, width), (length, channels), (features,) or signals.
        where: Constraints on the whole architecture; all must hold.
        name: What it is called.
        version: Changes when the same decisions come to mean something else.
        size: The number of architectures (or a function for it), where it does not follow from the parts.
        depth: How many rules of a grammar may nest.
        nodes: How many decisions one derivation may hold, copies counted.
        limits: The most ``params``, ``flops`` and ``activations`` of an architecture, held while it is derived.
        simplify: Rewrites under which two graphs count as the same (see :mod:`nasturtium.space.graph`).
        notation: How its community writes its architectures.
        members: Known architectures by their published names.

    Raises:
        SpaceError: If a rule can never end, the limits leave nothing, or one name is shared by different choices.

    >>> from nasturtium import Space, choice
    >>> from nasturtium.layers import Linear, ReLU, Sequential
    >>> space = Space(Sequential(Linear(choice(8, 16)), ReLU(), Linear(2)), input=(4,))
    >>> space.size
    2
    """

    remembered: Remembered | None = None

    def __init__(
        self,
        root: Part,
        *,
        input: Any = None,
        where: Constraint | Sequence[Constraint] = (),
        name: str = "space",
        version: int = 1,
        size: int | float | Callable[[], int] | None = None,
        depth: int = 100,
        nodes: int = 5_000,
        simplify: Sequence[Any] = (),
        limits: Mapping[str, float] | None = None,
        notation: notations.Notation | None = None,
        members: notations.Members | None = None,
    ) -> None:
        if not isinstance(root, Part):
            raise SpaceError(f"a space needs a part (a layer, or a dataclass of yours), not {root!r}")
        self.root = root
        self.input = None if input is None else as_signals(input)
        self.limits = limits_of(limits)
        held: Any = () if self.limits is None else (self.limits,)
        self.where: tuple[Constraint, ...] = ((where,) if callable(where) else tuple(where)) + held
        self.name = name
        self.version = version
        self._declared = size
        self.simplify = tuple(simplify)
        self.notation = notation
        self.members = dict(members or {})
        self.counting = Counting()
        self._offers = Offers()
        budget = Budget(root, depth, nodes)
        self._budget = budget if budget.recursive else None
        self.shares = check_shared(root)
        self._size: int | float | None = None
        self._radices: tuple[int, ...] | bool | None = None

    def __getstate__(self) -> dict[str, Any]:
        kept = {key: value for key, value in self.__dict__.items() if key not in ("_every", "_template", "remembered")}
        return {**kept, "counting": Counting(), "_offers": Offers()}  # what is remembered does not travel

    def __repr__(self) -> str:
        return f"Space({self.name!r}, {str(self.root)[:60]})"

    @property
    def recursive(self) -> bool:
        """Whether a rule can contain itself."""
        return self._budget is not None

    @property
    def fingerprint(self) -> str:
        """A digest of name, version, input and structure, by which a study knows its space again."""
        return fingerprint(self)

    def derive(self, chronological: bool = False, lenient: bool = False, spent: int = 0) -> Derivation:
        """Start closing the choices; ``lenient`` ignores limits, ``chronological`` never goes back."""
        budget = None if self._budget is None else self._budget.widened(lenient, spent)
        limited = None if lenient or chronological else self.limits
        begin = partial(Derivation, self.root, self.input, self._offers, budget, chronological, limited)
        known = self.remembered if budget is None and limited is None else None
        return begin() if known is None else known.derivation(begin, chronological)

    def sample(self, rng: numpy.random.Generator, uniform: bool = False) -> Architecture:
        """Draw an architecture, following the weights or, with ``uniform``, every derivation as likely as any other.

        Raises:
            SpaceError: If nothing that keeps the constraints is found, or ``uniform`` is not possible here.
        """
        return sampling.sample(self, rng, uniform)

    def mutate(
        self, architecture: Architecture, rng: numpy.random.Generator, count: int = 1, subtree: bool = False
    ) -> Architecture:
        """An architecture that differs from its parent in ``count`` decisions and in what must follow from them.

        With ``subtree``, everything below the changed decisions is drawn anew, even where the option stays the same.

        Raises:
            SpaceError: If the space has no other architecture.
        """
        return mutation.mutate(self, architecture, rng, count, subtree)

    def cross(self, first: Architecture, second: Architecture, rng: numpy.random.Generator) -> Architecture:
        """An architecture that takes every decision from one of its parents, where it applies.

        In grammars a sub-tree of the second parent replaces one of the same rule and equal input in the first.
        """
        return crossover.cross(self, first, second, rng)

    def neighbours(
        self, architecture: Architecture, rng: numpy.random.Generator | None = None, limit: int | None = None
    ) -> Iterator[Architecture]:
        """At most ``limit`` architectures that differ in one decision (and what must follow), lazily.

        A generator gives them in random order, and draws decisions that newly arise; without it, both are fixed.
        """
        return neighbourhood.neighbours(self, architecture, rng, limit)

    def admits(self, architecture: Architecture) -> bool:
        """Whether all constraints on the whole hold."""
        return all(constraint(architecture) for constraint in self.where)

    def enumerate(self) -> Iterator[Architecture]:
        """Every derivation that keeps the constraints, in the order of the odometer.

        Raises:
            SpaceError: If the space is infinite.
        """
        if self.recursive:
            raise SpaceError(f"the space {self.name!r} is infinite; sample from it instead")
        for derivation in self.leaves():
            architecture = self.finished(derivation)
            if self.admits(architecture):
                yield architecture

    def leaves(self) -> Iterator[Derivation]:
        """Every finished derivation before the constraints, in the order of the odometer."""
        return sizes.leaves(self)

    @property
    def size(self) -> int | float:
        """Number of derivations: exact for finite spaces, infinite for recursive ones.

        With constraints: by enumeration up to ten million, else as declared.

        Raises:
            SpaceError: If a constrained space is too large to enumerate and declares no size.
        """
        if self._size is None:
            if not self.where or self.recursive:
                self._size = self.unconstrained_size
            else:
                declared = self.declared_size
                self._size = sizes.enumerated(self, self.enumerate) if declared is None else declared
        return self._size

    @property
    def declared_size(self) -> int | float | None:
        """The number of architectures that the author of the space declared."""
        return self._declared() if callable(self._declared) else self._declared

    @property
    def unconstrained_size(self) -> int | float:
        """Number of derivations before the constraints."""
        return sizes.unconstrained(self)

    @property
    def radices(self) -> tuple[int, ...] | None:
        """The number of options of each decision, if every combination is an architecture of its own; else None."""
        if self._radices is None:
            self._radices = sizes.radices(self) or False
        return self._radices if isinstance(self._radices, tuple) else None

    def architecture(self, decisions: Sequence[int]) -> Architecture:
        """The architecture with these decisions; whether they can be taken shows when it is used."""
        return Architecture(space=self, decisions=tuple(int(index) for index in decisions))

    def replay(self, decisions: Sequence[int]) -> Derivation:
        """Close the space by recorded decisions.

        Raises:
            SpaceError: If they do not fit the space.
        """
        derivation = self.derive(chronological=True, lenient=True)
        for number, index in enumerate(decisions):
            point = derivation.point
            if point is None:
                raise SpaceError(f"{len(decisions)} decisions were given, the space {self.name!r} takes {number}")
            if index not in point.offered:
                raise SpaceError(f"decision {number} takes option {index} at {point.address}, offered: {point.offered}")
            try:
                derivation.take(index)
            except DeadEnd as dead:
                raise SpaceError(f"decision {number} leads nowhere: {dead}") from None
        if derivation.point is not None:
            raise SpaceError(f"{len(decisions)} decisions are too few: {derivation.point.address} is still open")
        return derivation

    def decisions(self, architecture: Architecture | Part | str) -> tuple[int, ...]:
        """The decisions that lead to a closed value, the first fitting option at each choice.

        Raises:
            SpaceError: If the space does not contain it.
        """
        if isinstance(architecture, str):
            architecture = Architecture.parse(architecture)
        value = architecture.value if isinstance(architecture, Architecture) else architecture
        return tuple(step.taken for step in matching.recover(self, value).taken())

    def parse(self, text: str) -> Architecture:
        """Read an architecture of this space from its text.

        Raises:
            ParseError: If the text is not an architecture.
            SpaceError: If it is none of this space.
        """
        return self.adopt(Architecture.parse(text, input=self.input))

    def to_notation(self, architecture: Architecture) -> str:
        """An architecture as its community writes it."""
        return notations.write(self, architecture)

    def from_notation(self, text: str) -> Architecture:
        """Read an architecture as its community writes it."""
        return notations.read(self, text)

    def key(self, architecture: Architecture) -> str:
        """The published key, equal for architectures that are published as one."""
        return notations.key(self, architecture)

    def member(self, name: str) -> Architecture:
        """A known architecture by its published name."""
        return notations.member(self, name)

    def read(self, text: str) -> Architecture:
        """Read an architecture from the name of a member, its notation or its text."""
        known = isinstance(text, str) and text in self.members
        return self.member(text) if known else notations.parsed(self, text)

    def adopt(self, architecture: Architecture, recorded: Sequence[int] | None = None) -> Architecture:
        """The same architecture as a member of this space; recorded decisions are used if they lead to it."""
        if architecture.space is self:
            return architecture
        if recorded is not None:
            try:
                derivation = self.replay(recorded)
            except SpaceError:
                derivation = None
            if derivation is not None and derivation.value == architecture.value:
                return self.finished(derivation)
        return self.finished(matching.recover(self, architecture.value))

    def __contains__(self, architecture: object) -> bool:
        try:
            return isinstance(architecture, Architecture) and self.admits(self.adopt(architecture))
        except (SpaceError, ParseError):
            return False

    def finished(self, derivation: Derivation) -> Architecture:
        """The architecture of a derivation that has closed every choice."""
        steps = derivation.settled()
        taken = tuple([step.taken for step in steps])
        return Architecture(derivation.value, space=self, decisions=taken, steps=steps)
