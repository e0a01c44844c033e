"""Derivation: closing the choices of a space one after another, resumable, copyable and able to go back."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.budget import Budget
from nasturtium.space.choice import Choice
from nasturtium.space.infer import Signals, joined, outcome, path_address
from nasturtium.space.opening import Offers, first_value_choice, option_value
from nasturtium.space.part import (
    Layer,
    Part,
    Path,
    Slot,
    Wire,
    is_container,
    is_open,
    slots,
    substitute,
    view,
)

REOPENINGS = 10_000
"""How many decisions one derivation reopens before it gives up."""

PATIENCE = 2
"""How often a dead end reopens the nearest decision before it jumps further back."""


class Here(NamedTuple):
    """Where a part is being closed: its place, what reaches it, and what decided on it so far.

    Attributes:
        key: The slot in the enclosing container.
        address: The path in the space.
        wires: The incoming wires; None where no signals are known (parts that are not layers).
        fed_by: The decisions that shaped the part itself so far, as a bit mask.
        scope: Address of the innermost enclosing copy of a repeat.
        depth: Number of rules that enclose it.
        copies: How many times it will stand in the network.
        since: Number of decisions that were taken before it began.
    """

    key: str
    address: str
    wires: tuple[Any, ...] | None
    fed_by: int
    scope: str
    depth: int
    copies: int
    since: int

    @property
    def signals(self) -> Signals | None:
        """The signals on the incoming wires."""
        return None if self.wires is None else tuple([wire.signal for wire in self.wires])


class Point(NamedTuple):
    """An open choice at which a derivation has stopped.

    Attributes:
        address: The path of the choice in the space; where a decision is shared, its scope and name.
        place: The path of the choice in the space.
        choice: The choice.
        offered: Indices of the options that can work here, in order.
        excluded: Those of them from which a dead end has led back.
        signals: The signals that reach the enclosing layer, or None.
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


class Step(NamedTuple):
    """A decision that was taken, and all that is needed to go back to before it."""

    previous: Step | None
    number: int
    point: Point
    taken: int
    state: tuple[Any, ...]


class Frame:
    """A part whose wiring is under way: immutable but for the running generator, which is only a cache."""

    __slots__ = ("asked", "here", "parent", "part", "replies", "steps", "visited")

    def __init__(self, parent: Frame | None, part: Any, here: Here) -> None:
        self.parent = parent
        self.part = part
        self.here = here
        self.replies: tuple[Any, ...] = ()
        self.visited: dict[str, tuple[Any, Signals | None, Any]] = {}
        self.steps: Generator[Any, Any, Any] | None = None
        self.asked: Any = None

    def replied(self, reply: Any, entry: tuple[str, Any] | None) -> Frame:
        """The frame after one more child has answered; takes the running generator along."""
        frame = Frame(self.parent, self.part, self.here)
        frame.replies = (*self.replies, reply)
        frame.visited = {**self.visited, entry[0]: entry[1]} if entry is not None else self.visited
        frame.steps, self.steps = self.steps, None
        frame.asked = self.asked
        return frame

    def next_request(self) -> Any:
        """Advance the wiring by the latest reply; raises StopIteration with the wire that leaves."""
        if self.steps is not None:
            request = self.steps.send(self.replies[-1])
        else:  # nothing to take along: run the wiring again, which is cheap, with the replies it got
            self.steps = _steps(self.part, self.here.wires)
            request = next(self.steps)
            for reply in self.replies:
                request = self.steps.send(reply)
        self.asked = request
        return request


class DeadEnd(Exception):
    """Nothing can work at an address; carries the decisions to blame as a bit mask."""

    def __init__(self, why: str, blame: int, address: str, frame: Frame | None = None) -> None:
        super().__init__(why)
        self.why = f"{why} at {address or 'the root'}"
        self.blame = blame
        self.address = address
        self.frame = frame


class Exhausted(SpaceError):
    """A derivation found no way on, nor back."""


class Derivation:
    """Closes a space choice by choice.

    ``point`` is the open choice where it stands (None when all are closed), ``take`` goes on. ``copy`` is cheap: the
    state is made of values that are shared.

    Args:
        root: The open part.
        inputs: The signals that reach it, or None for a part that is not a layer.
        offers: The memory of which options work where.
        budget: Depth and size that rules have to keep, if any.
        chronological: Raise :class:`DeadEnd` instead of going back (for exhaustive enumeration).
    """

    def __init__(
        self,
        root: Part,
        inputs: Signals | None,
        offers: Offers,
        budget: Budget | None,
        chronological: bool = False,
    ) -> None:
        self.offers = offers
        self.budget = budget
        self.chronological = chronological
        self.frame: Frame | None = None
        self.point: Point | None = None
        self.trail: Step | None = None
        self.bound: dict[str, tuple[int, int]] = {}
        self.spent = 0
        self.reserved = 0 if budget is None else budget.least(root)
        self.value: Any = None
        self.output: Any = None
        self.reopened = 0
        self.fails: dict[str, int] = {}
        wires = None if inputs is None else tuple([Wire(signal, 0) for signal in inputs])
        self._enter(root, Here("", "", wires, 0, "", 0, 1, 0))

    @property
    def count(self) -> int:
        """Number of decisions taken so far."""
        return 0 if self.trail is None else self.trail.number + 1

    def copy(self) -> Derivation:
        """An independent derivation that stands at the same place."""
        made = object.__new__(Derivation)
        made.__dict__.update(self.__dict__)
        return made

    def taken(self) -> list[Step]:
        """The decisions so far, in order."""
        steps = []
        step = self.trail
        while step is not None:
            steps.append(step)
            step = step.previous
        return steps[::-1]

    def take(self, index: int) -> None:
        """Take the option with this index at the point where the derivation stands.

        Raises:
            SpaceError: If it stands nowhere, the option is not offered, or no architecture is left.
            DeadEnd: In a chronological derivation, if nothing works further on.
        """
        point = self.point
        if point is None:
            raise SpaceError("the derivation is finished: every choice is closed")
        if index not in point.offered or index in point.excluded:
            raise SpaceError(f"option {index} is not offered at {point.address or 'the root'} ({point.choice})")
        number = self.count
        self.trail = Step(self.trail, number, point, index, (self.frame, self.bound, self.spent, self.reserved))
        self.point = None
        if "<" in point.address:
            self.bound = {**self.bound, point.address: (index, number)}
        self._close(point, index, 1 << number)

    def _close(self, point: Point, index: int, fed_by: int) -> None:
        key, address, wires, fed, scope, depth, copies, since = point.here
        option = option_value(point.choice.options[index], point.signals)
        if self.budget is not None:
            self.spent += copies
            self.reserved += copies * self.budget.change(point.choice, option)
            depth += self.budget.deepens(point.choice)
        if point.part is None:
            address = point.choice.inside(point.address, index)
        else:
            option = substitute(point.part, point.path, option)
        self._enter(option, Here(key, address, wires, fed | fed_by, scope, depth, copies, since))

    def _enter(self, part: Any, here: Here) -> None:
        """Close ``part`` at ``here`` and go on, up to the next open choice or the end."""
        try:
            while True:
                if isinstance(part, Choice):
                    found = self._stop(part, here, None, ())
                elif not is_open(part):
                    reply = self._leave(part, here)
                    following = self._deliver(here, part, reply)
                    if following is None:
                        return
                    part, here = following
                    continue
                else:
                    first = first_value_choice(part)
                    if first is None:
                        self.frame = Frame(self.frame, part, here)
                        following = self._go_on()
                        if following is None:
                            return
                        part, here = following
                        continue
                    found = self._stop(first[1], here, part, first[0])
                if found is None:
                    return
                point, index, fed_by = found
                self._close(point, index, fed_by)
                return
        except DeadEnd as dead:
            self._go_back(dead)

    def _stop(self, choice: Choice, here: Here, part: Part | None, path: Path) -> tuple[Point, int, int] | None:
        """Stop at a choice; if its decision is shared and known, give the point, the option and who decided."""
        place = address = path_address(here.address, path)
        if choice.share is not None:
            address = f"{'' if choice.whole else here.scope}<{choice.share}>"
        signals = here.signals
        if part is None:
            offered = self.offers.layers(choice, signals)
        else:
            offered = self.offers.values(part, path, choice, signals)
        blame = here.fed_by
        if here.wires is not None:
            for wire in here.wires:
                blame |= wire.fed_by
        if self.budget is not None and self.budget.binds(choice):
            allowed = self.budget.affordable(choice, offered, here.depth, here.copies, self.spent, self.reserved)
            if allowed != offered:
                offered, blame = allowed, (1 << self.count) - 1
        known = self.bound.get(address) if "<" in address else None
        if known is not None and known[0] in offered:
            point = Point(address, place, choice, offered, frozenset(), signals, here, part, path, blame)
            return point, known[0], 1 << known[1]
        if known is not None or not offered:
            shared = 0 if known is None else 1 << known[1]
            reaching = ", ".join(str(signal) for signal in signals or ())
            raise DeadEnd(f"no option of {choice} works on {reaching}", blame | shared, address)
        self.point = Point(address, place, choice, offered, frozenset(), signals, here, part, path, blame)
        return None

    def _leave(self, part: Any, here: Here) -> Any:
        """The wire that leaves a part without choices."""
        if here.wires is None or not isinstance(part, Layer):
            return None
        found = outcome(part, here.signals or ())
        if isinstance(found, Mismatch):
            blame = here.fed_by
            for wire in here.wires:
                blame |= wire.fed_by
            raise DeadEnd(str(found), blame, here.address)
        return _fed(found, here.wires, here.fed_by)

    def _deliver(self, here: Here, closed: Any, reply: Any) -> tuple[Any, Here] | None:
        """Hand a closed child and its outgoing wire to the enclosing frame, and go on there."""
        frame = self.frame
        if frame is None:
            self.value, self.output = closed, reply
            return None
        self.frame = frame.replied(reply, _entry(here, closed, reply))
        return self._go_on()

    def _go_on(self) -> tuple[Any, Here] | None:
        """Run the wiring of the innermost frame up to a child that has to be closed."""
        while True:
            frame = self.frame
            if frame is None:
                return None
            try:
                request = frame.next_request()
            except StopIteration as stop:
                following = self._finish(frame, stop.value)
                if following is not None or self.frame is None:
                    return following
                continue
            except Mismatch as mismatch:
                raise DeadEnd(str(mismatch), _blame(frame), frame.here.address) from None
            child, wires = request[0], request[1:]
            if wires == (None,):
                wires = None
            known = frame.visited.get(child.key) if type(child) is Slot else None
            if known is None and type(child) is Slot and is_open(child.part):
                return child.part, self._inside(frame, child, wires)
            if known is not None:
                reply = self._again(frame, child, known, wires)
            else:
                here = frame.here._replace(key="", wires=wires, address=_child_address(frame, child))
                reply = self._leave(child.part if type(child) is Slot else child, here)
            entry = None
            if known is None and type(child) is Slot:
                entry = (child.key, (child.part, None, reply))
            self.frame = frame.replied(reply, entry)

    def _inside(self, frame: Frame, child: Slot, wires: tuple[Any, ...] | None) -> Here:
        outer = frame.here
        address = joined(outer.address, child.key)
        scope = address if getattr(frame.part, "scope", False) else outer.scope
        copies = outer.copies
        if self.budget is not None and hasattr(frame.part, "copies"):
            closed = {key: entry[0] for key, entry in frame.visited.items()}
            copies = copies * self.budget.copies(frame.part, child.key, closed)
            self.reserved += (copies - outer.copies) * self.budget.least(child.part)
        return Here(child.key, address, wires, outer.fed_by, scope, outer.depth, copies, self.count)

    def _again(self, frame: Frame, child: Slot, known: Any, wires: tuple[Any, ...] | None) -> Any:
        """A later visit of a child: the same decisions, checked on the signals that reach it now."""
        closed, _, reply = known
        shaped = _mask(reply) | frame.here.fed_by
        here = frame.here._replace(key="", wires=wires, fed_by=shaped, address=_child_address(frame, child))
        return self._leave(closed, here)

    def _finish(self, frame: Frame, out: Any) -> tuple[Any, Here] | None:
        """Close a part all of whose children are closed, and hand it to the frame outside."""
        part = frame.part
        closed = _closed(part, {key: entry[0] for key, entry in frame.visited.items()})
        self.frame = frame.parent
        here = frame.here
        if here.wires is not None and isinstance(part, Layer) and not is_container(part):
            out = self._leave(closed, here)
        elif out is not None and here.fed_by:
            out = _shaped(out, here.fed_by)
        if self.frame is None:
            self.value, self.output = closed, out
            return None
        self.frame = self.frame.replied(out, _entry(here, closed, out))
        return None

    def _go_back(self, dead: DeadEnd) -> None:
        """Reopen the latest decision that is to blame, without the option that led here.

        Where the same place stays dead, larger and larger sub-trees before it are drawn afresh: the shape of a whole
        branch has to change, not the last activation in it.
        """
        if self.chronological:
            raise dead
        fails = self.fails[dead.address] = self.fails.get(dead.address, 0) + 1
        if fails > PATIENCE:
            starts = self._starts(self.frame if dead.frame is None else dead.frame)
            if starts:
                if fails - PATIENCE >= len(starts):
                    self.fails.clear()
                step = self._rewind(starts[min(fails - PATIENCE, len(starts)) - 1])
                self.point = step.point._replace(afresh=True)
                return
        blame = dead.blame
        while blame:
            number = blame.bit_length() - 1
            step = self._rewind(number)
            blame = (step.point.blame | blame) & ~(1 << number)
            point = step.point._replace(excluded=step.point.excluded | {step.taken}, blame=blame)
            if point.remaining:
                self.point = point
                return
        raise Exhausted(f"no architecture was found after {self.reopened} dead ends, the last one: {dead.why}")

    def _starts(self, frame: Frame | None) -> list[int]:
        """Decisions with which larger and larger sub-trees before a dead end began, from the inside out."""
        starts: list[int] = []
        while frame is not None:
            number = frame.here.since
            if number < (starts[-1] if starts else self.count):
                starts.append(number)
            frame = frame.parent
        return starts

    def _rewind(self, number: int) -> Step:
        """Go back to before the decision with this number."""
        self.reopened += 1
        step = self.trail
        while step is not None and step.number > number:
            step = step.previous
        if step is None or self.reopened > REOPENINGS:
            raise Exhausted(f"no architecture was found after {self.reopened} dead ends")
        self.frame, self.bound, self.spent, self.reserved = step.state
        self.trail = step.previous
        return step


def _steps(part: Any, wires: tuple[Any, ...] | None) -> Generator[Any, Any, Any]:
    """The wiring of a part, and after it the open children that it did not visit."""
    seen = set()
    out = None
    if wires is not None and is_container(part):
        wiring = view(part).wire(*wires)
        try:
            request = next(wiring)
            while True:
                if type(request[0]) is Slot:
                    seen.add(request[0].key)
                reply = yield request
                request = wiring.send(reply)
        except StopIteration as stop:
            out = stop.value
    for _, slot in slots(part):
        if slot.key not in seen and is_open(slot.part):
            yield slot, None
    return out


def _closed(part: Part, children: dict[str, Any]) -> Part:
    """The part with its children replaced by what they closed to."""
    values: dict[str, Any] = {}
    for path, slot in slots(part):
        if slot.key in children:
            name = str(path[0])
            values[name] = substitute(values.get(name, part.__dict__[name]), path[1:], children[slot.key])
    return part.with_values(values)


def _entry(here: Here, closed: Any, reply: Any) -> tuple[str, Any] | None:
    return (here.key, (closed, here.signals, reply)) if here.key else None


def _fed(found: Any, wires: tuple[Any, ...], shaped: int) -> Any:
    for wire in wires:
        shaped |= wire.fed_by
    if isinstance(found, tuple) and type(found) is tuple:
        return tuple([Wire(signal, shaped) for signal in found])
    return Wire(found, shaped)


def _shaped(out: Any, mask: int) -> Any:
    if type(out) is tuple:
        return tuple([Wire(wire.signal, wire.fed_by | mask) for wire in out])
    return Wire(out.signal, out.fed_by | mask)


def _mask(reply: Any) -> int:
    if reply is None:
        return 0
    if type(reply) is tuple:
        mask = 0
        for wire in reply:
            mask |= wire.fed_by
        return mask
    return int(reply.fed_by)


def _blame(frame: Frame) -> int:
    mask = frame.here.fed_by
    for reply in frame.replies:
        mask |= _mask(reply)
    for wire in frame.here.wires or ():
        mask |= wire.fed_by
    return mask


def _child_address(frame: Frame, child: Any) -> str:
    key = child.key if type(child) is Slot else type(child).__name__
    return joined(frame.here.address, key)
