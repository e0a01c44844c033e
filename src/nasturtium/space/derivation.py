"""Derivation: closing the choices of a space one after another, resumable, copyable and able to go back."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.backtracking import go_back
from nasturtium.space.budget import Budget
from nasturtium.space.choice import Choice
from nasturtium.space.fields import no_layer
from nasturtium.space.frames import Frame, Here, Visit, also_fed, fed_by, on_wires
from nasturtium.space.infer import Signals, joined, outcome, signals_of
from nasturtium.space.limits import Burden, Limits
from nasturtium.space.opening import Offers, first_value_choice, option_value
from nasturtium.space.part import Layer, Part, Slot, Wire, is_container, is_open
from nasturtium.space.points import DeadEnd, Exhausted, Point, Step, settled
from nasturtium.space.remembered import Stop
from nasturtium.space.wiring import Path, substitute

__all__ = ["DeadEnd", "Derivation", "Exhausted", "Point", "Step"]

SUSPICION = 10
"""After how many dead ends a derivation of a finite space asks which decisions can be to blame at all."""

Following = tuple[Any, Here] | None
"""The part that has to be closed next and where, or None at an open choice and at the end."""


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
        limits: What the architecture may cost, if that is limited; :class:`TooLarge` is raised beyond it.
    """

    def __init__(
        self, root: Part, inputs: Signals | None, offers: Offers, budget: Budget | None, chronological: bool = False,
        limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self.offers = offers
        self.budget = budget
        self.chronological = chronological
        self.limits = limits
        self.burden = Burden()
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
        self.stop: Stop | None = None
        wires = None if inputs is None else tuple([Wire(signal) for signal in inputs])
        self._enter(root, Here("", "", wires, 0, "", 0, 1, 0))

    def within(self, point: Point, outside: int) -> Derivation:
        """A derivation of what stands at a point alone, where so many nodes are outside of it."""
        made = self.copy()
        here, choice = point.here, point.choice
        made.frame = made.point = made.trail = made.stop = None
        made.spent = outside
        made.reserved = 0 if made.budget is None else made.budget.least(choice) * here.copies
        wires = None if point.signals is None else tuple([Wire(signal) for signal in point.signals])
        made._enter(choice, Here("", point.place, wires, 0, here.scope, here.depth, here.copies, 0))
        return made

    @property
    def count(self) -> int:
        """Number of decisions taken so far."""
        return 0 if self.trail is None else self.trail.number + 1

    def copy(self) -> Derivation:
        """An independent derivation that stands at the same place."""
        made = object.__new__(Derivation)
        made.__dict__.update(self.__dict__)
        made.fails = dict(self.fails)
        return made

    def taken(self) -> list[Step]:
        """The decisions so far, in order."""
        steps = []
        step = self.trail
        while step is not None:
            steps.append(step)
            step = step.previous
        return steps[::-1]

    def settled(self) -> tuple[Step, ...]:
        """The decisions in order, without the ways back; for a derivation that is finished."""
        stop = self.stop
        if stop is None:
            return settled(self.trail)
        if stop.settled is None:
            stop.settled = settled(self.trail)
        return stop.settled

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
        stop = self.stop
        if stop is not None and index in stop.after:
            self.__dict__.update(stop.after[index].state)
            return
        number = self.count
        state = (self.frame, self.bound, self.spent, self.reserved, self.burden)
        self.trail = Step(self.trail, number, point, index, state)
        self.point = None
        if point.choice.share is not None:
            self.bound = {**self.bound, point.address: (index, number)}
        self._enter(*self._opened(point, index, 0 if self._is_mute(point) else 1 << number))
        if stop is not None:
            self.stop = stop.went(index, self)

    def _is_mute(self, point: Point) -> bool:
        """Whether the decision at a point cannot matter further on; only asked once dead ends show."""
        if self.reopened < SUSPICION or self.budget is not None or point.choice.share is not None:
            return False
        value = point.choice if point.part is None else point.part
        return point.signals is not None and self.offers.settled(value, point.signals) is not None

    def _enter(self, part: Any, here: Here) -> None:
        """Close ``part`` at ``here`` and go on, up to the next open choice or the end."""
        try:
            following: Following = (part, here)
            while following is not None:
                following = self._close(*following)
        except DeadEnd as dead:
            if self.chronological:
                raise
            go_back(self, dead)

    def _close(self, part: Any, here: Here) -> Following:
        if isinstance(part, Choice):
            return self._stop(part, here, None, ())
        if not is_open(part):
            return self._deliver(here, part, self._leave(part, here))
        first = first_value_choice(part)
        if first is not None:
            return self._stop(first[1], here, part, first[0])
        self.frame = Frame(self.frame, part, here)
        return self._go_on()

    def _stop(self, choice: Choice, here: Here, part: Part | None, path: Path) -> Following:
        """Stop at a choice; go on at once if its decision is shared and known."""
        place = address = here.address if part is None else here.place(path)
        if choice.share is not None:
            address = f"{'' if choice.whole else here.scope}<{choice.share}>"
        signals = here.signals
        if part is None:
            offered = self.offers.layers(choice, signals)
        else:
            offered = self.offers.values(part, path, choice, signals)
        blame = here.blame
        budget = self.budget
        if budget is not None:
            allowed = budget.affordable(choice, offered, here.depth, here.copies, self.spent, self.reserved)
            if allowed != offered:
                offered, blame = allowed, (1 << self.count) - 1
        point = Point(address, place, choice, offered, frozenset(), signals, here, part, path, blame)
        known = self.bound.get(address) if choice.share is not None else None
        if known is not None and known[0] in offered:
            return self._opened(point, known[0], 1 << known[1])
        if known is not None or not offered:
            raise DeadEnd(point, blame if known is None else blame | 1 << known[1], address)
        self.point = point
        return None

    def _opened(self, point: Point, index: int, mask: int) -> tuple[Any, Here]:
        """What a choice becomes when an option is taken, and where it stands; the decision shapes it from here on."""
        here = point.here
        key, address, wires, fed, scope, depth, copies, since, nested = here
        option = option_value(point.choice.options[index], point.signals)
        if self.budget is not None:
            needs = self.budget.needs(point.choice)
            self.spent += copies
            self.reserved += copies * needs.change[index]
            depth += needs.level
        if point.part is None:
            address = point.choice.inside(address, index)
        else:
            if isinstance(option, Choice):
                nested = (*nested, (point.path, index))
            option = substitute(point.part, point.path, option)
        return option, Here(key, address, wires, fed | mask, scope, depth, copies, since, nested)

    def _leave(self, part: Any, here: Here) -> Any:
        """The wire that leaves a part without choices."""
        if here.wires is None or not isinstance(part, Layer):
            return None
        signals, blame = here.signals or (), here.blame
        found = outcome(part, signals)
        if isinstance(found, Mismatch):
            raise DeadEnd(found, blame, here.address)
        if self.limits is not None:
            self.burden = self.limits.after(self.burden, part, signals)
        return on_wires(found, blame)

    def _deliver(self, here: Here, closed: Any, reply: Any) -> Following:
        """Hand a closed part and its outgoing wire to the frame outside, and go on there."""
        frame = self.frame
        if frame is None:
            self.value, self.output = closed, reply
            return None
        inside = (1 << self.count) - (1 << here.since) | here.fed_by | fed_by(reply)
        self.frame = frame.replied(reply, here.key, Visit(closed, here.wires, reply, inside))
        return self._go_on()

    def _go_on(self) -> Following:
        """Run the wiring of the innermost frame up to a child that has to be closed."""
        while True:
            frame = self.frame
            if frame is None:
                return None
            try:
                request = frame.next_request()
            except StopIteration as stop:
                return self._finish(frame, stop.value)
            except Mismatch as mismatch:
                raise DeadEnd(mismatch, frame.blame, frame.here.address) from None
            child, reaching = request[0], None if request[1:] == (None,) else request[1:]
            if type(child) is not Slot:
                self.frame = frame.replied(self._pass(frame, child, child, reaching))
                continue
            visit = frame.visited.get(child.key)
            if visit is not None:  # the same decisions, checked on the signals that reach it now
                self.frame = frame.replied(self._pass(frame, child, visit.closed, reaching, visit))
            elif is_open(child.part):
                return child.part, self._inside(frame, child, reaching)
            else:
                self.frame = frame.replied(self._pass(frame, child, child.part, reaching))

    def _pass(
        self, frame: Frame, child: Any, closed: Any, wires: tuple[Any, ...] | None, visit: Visit | None = None
    ) -> Any:
        """The wire that leaves a child without choices of its own, or one that was closed on an earlier visit."""
        if wires is None:
            return None
        if not isinstance(closed, Layer):
            raise no_layer(closed, frame.address_of(child))
        mask = frame.here.fed_by | fed_by(wires) | (0 if visit is None else visit.inside)
        signals = tuple([wire.signal for wire in wires])
        if visit is not None and visit.wires is not None and signals == tuple([wire.signal for wire in visit.wires]):
            found = signals_of(visit.reply)  # copies of a branch mostly get equal signals: nothing to infer again
        else:
            found = outcome(closed, signals)
        if isinstance(found, Mismatch):
            raise DeadEnd(found, mask, frame.address_of(child))
        if self.limits is not None:
            self.burden = self.limits.after(self.burden, closed, signals)
        return on_wires(found, mask)

    def _inside(self, frame: Frame, child: Slot, wires: tuple[Any, ...] | None) -> Here:
        outer = frame.here
        address = joined(outer.address, child.key)
        scope = address if getattr(frame.part, "scope", False) else outer.scope
        copies = outer.copies
        if self.budget is not None and hasattr(frame.part, "copies"):
            count, foreseen = (self.budget.copies(frame.part, child.key, known) for known in (frame.settled, {}))
            copies *= count
            if count != foreseen:
                self.reserved += outer.copies * (count - foreseen) * self.budget.least(child.part)
            if self.spent + self.reserved > self.budget.nodes:
                raise DeadEnd("the nodes are used up", (1 << self.count) - 1, address)
        return Here(child.key, address, wires, outer.fed_by, scope, outer.depth, copies, self.count)

    def _finish(self, frame: Frame, out: Any) -> Following:
        """Close a part all of whose children are closed, and hand it to the frame outside."""
        here = frame.here
        closed = frame.closed()
        self.frame = frame.parent
        if here.wires is not None and isinstance(frame.part, Layer) and not is_container(frame.part):
            return self._deliver(here, closed, self._leave(closed, here))
        if out is not None and here.fed_by:
            out = also_fed(out, here.fed_by)
        return self._deliver(here, closed, out)
