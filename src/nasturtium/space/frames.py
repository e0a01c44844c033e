"""Where a part is being closed, and the wiring under way there: immutable, so that derivations can share it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from nasturtium.space.infer import Signals, joined, path_address
from nasturtium.space.part import Part, Slot, Wire, is_container, is_open
from nasturtium.space.wiring import Path, slots, substitute, view


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
        nested: Options taken among the plain values that were choices again, with their paths.
    """

    key: str
    address: str
    wires: tuple[Any, ...] | None
    fed_by: int
    scope: str
    depth: int
    copies: int
    since: int
    nested: tuple[tuple[Path, int], ...] = ()

    @property
    def signals(self) -> Signals | None:
        """The signals on the incoming wires."""
        return None if self.wires is None else tuple([wire.signal for wire in self.wires])

    @property
    def blame(self) -> int:
        """The decisions that shaped the part and what reaches it, as a bit mask."""
        return self.fed_by if self.wires is None else self.fed_by | fed_by(self.wires)

    def place(self, path: Path) -> str:
        """The address of a plain value of the part; a choice that was an option of a choice says of which."""
        address = path_address(self.address, path)
        for taken_at, index in self.nested:
            if taken_at == path:
                address = f"{address}#{index}"
        return address


class Visit(NamedTuple):
    """A child that was closed: what to, on which wires, the wire that left, and what decided on it as a bit mask."""

    closed: Any
    wires: tuple[Any, ...] | None
    reply: Any
    inside: int


NOTHING: Mapping[str, Visit] = MappingProxyType({})
"""What a wiring has visited before it begins."""


class Frame:
    """A part whose wiring is under way: immutable but for the running generator, which is only a cache."""

    __slots__ = ("here", "parent", "part", "replies", "steps", "visited")

    def __init__(
        self,
        parent: Frame | None,
        part: Any,
        here: Here,
        replies: tuple[Any, ...] = (),
        visited: Mapping[str, Visit] = NOTHING,
        steps: Generator[Any, Any, Any] | None = None,
    ) -> None:
        self.parent = parent
        self.part = part
        self.here = here
        self.replies = replies
        self.visited = visited
        self.steps = steps

    def replied(self, reply: Any, key: str = "", visit: Visit | None = None) -> Frame:
        """The frame after one more child has answered; takes the running generator along."""
        steps, self.steps = self.steps, None
        visited = self.visited if visit is None else {**self.visited, key: visit}
        return Frame(self.parent, self.part, self.here, (*self.replies, reply), visited, steps)

    def next_request(self) -> Any:
        """Advance the wiring by the latest reply; raises StopIteration with the wire that leaves."""
        if self.steps is not None:
            return self.steps.send(self.replies[-1])
        # Nothing to take along: run the wiring again, which is cheap, with the replies it got.
        self.steps = _requests(self.part, self.here.wires)
        request = next(self.steps)
        for reply in self.replies:
            request = self.steps.send(reply)
        return request

    def closed(self) -> Part:
        """The part with its children replaced by what they closed to."""
        part = self.part
        values: dict[str, Any] = {}
        for path, slot in slots(part):
            if slot.key in self.visited:
                name = str(path[0])
                inside = values.get(name, part.__dict__[name])
                values[name] = substitute(inside, path[1:], self.visited[slot.key].closed)
        closed: Part = part.with_values(values)
        return closed

    @property
    def settled(self) -> dict[str, Any]:
        """The children that are closed by now, by slot."""
        state = self.part.__dict__
        known = state.get("_settled")
        if known is None:
            known = state["_settled"] = {slot.key: slot.part for _, slot in slots(self.part) if not is_open(slot.part)}
        return {**known, **{key: visit.closed for key, visit in self.visited.items()}}

    def address_of(self, child: Any) -> str:
        """The path of a child in the space."""
        return joined(self.here.address, child.key if type(child) is Slot else type(child).__name__)

    @property
    def blame(self) -> int:
        """The decisions that shaped anything the wiring has seen, as a bit mask."""
        mask = self.here.blame
        for reply in self.replies:
            mask |= fed_by(reply)
        return mask


def _requests(part: Any, wires: tuple[Any, ...] | None) -> Generator[Any, Any, Any]:
    """The wiring of a part, and after it the open children that it did not visit; of a steady part, before it."""
    seen = set()
    out = None
    if getattr(part, "steady", False):  # in the order they stand, so that decisions do not depend on each other
        for _, slot in slots(part):
            if is_open(slot.part):
                seen.add(slot.key)
                yield slot, None
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


def fed_by(wires: Any) -> int:
    """The decisions that shaped one wire or several, as a bit mask."""
    if wires is None:
        return 0
    if type(wires) is not tuple:
        return int(wires.fed_by)
    mask = 0
    for wire in wires:
        mask |= wire.fed_by
    return mask


def on_wires(signals: Any, mask: int) -> Any:
    """Put one signal or several on wires that these decisions shaped."""
    if type(signals) is tuple:
        return tuple([Wire(signal, mask) for signal in signals])
    return Wire(signals, mask)


def also_fed(wires: Any, mask: int) -> Any:
    """The wire or wires, shaped by these decisions too."""
    if type(wires) is tuple:
        return tuple([Wire(wire.signal, wire.fed_by | mask) for wire in wires])
    return Wire(wires.signal, wires.fed_by | mask)
