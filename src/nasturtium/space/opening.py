"""Where a part is open: its value choices, what it becomes when one is closed, and which options can work."""

from __future__ import annotations

import math
from typing import Any

from nasturtium.errors import Mismatch
from nasturtium.space.choice import Choice, first_closing
from nasturtium.space.infer import Signals, outcome, signals_of, wires_of
from nasturtium.space.part import Layer, Part, Slot, is_container, is_layer, is_open
from nasturtium.space.signal import CHANNEL_AXIS
from nasturtium.space.wiring import Path, run_wiring, substitute, view

LOOKAHEAD = 256
"""Up to how many combinations of plain values a part is known to work or not before they are closed."""

REMEMBERED = 30_000
"""How many answers are remembered; more would cost more in garbage collection than they save."""


def first_value_choice(part: Part) -> tuple[Path, Choice] | None:
    """The first choice among the plain values of a part (its layers are left to its wiring), with its path."""
    state = part.__dict__
    if "_first" not in state:
        state["_first"] = next(
            (found for name in part.fields if (found := _search(state[name], (name,))) is not None), None
        )
    known: tuple[Path, Choice] | None = state["_first"]
    return known


def _search(value: Any, path: Path) -> tuple[Path, Choice] | None:
    if isinstance(value, Choice):
        return None if value.of_layers else (path, value)
    if is_layer(value) or not is_open(value):
        return None
    if isinstance(value, Part):  # remembered there: other decisions leave it as it is
        inside = first_value_choice(value)
        return None if inside is None else ((*path, *inside[0]), inside[1])
    for index, item in enumerate(value):
        found = _search(item, (*path, index))
        if found is not None:
            return found
    return None


def option_value(option: Any, signals: Signals | None) -> Any:
    """The option itself, or what it computes from the signals.

    Raises:
        Mismatch: If it computes something and the signals are unknown or do not suit it.
    """
    if callable(option) and not isinstance(option, (Part, Choice)):
        if signals is None:
            raise Mismatch("the option is computed from the signals of a layer, and none reach it here")
        return option(*signals)
    return option


def ways(value: Any) -> int:
    """In how many ways the plain values of a part can be closed, at most."""
    if is_layer(value) and isinstance(value, Choice):
        return 1
    if isinstance(value, Choice):
        return sum(ways(option) for option in value.options)
    if isinstance(value, tuple):
        return math.prod(ways(item) for item in value)
    if isinstance(value, Part) and value.is_open:
        state = value.__dict__
        if "_ways" not in state:
            state["_ways"] = math.prod([ways(state[name]) for name in value.fields if not is_layer(state[name])])
        known: int = state["_ways"]
        return known
    return 1


class Offers:
    """Which options of a choice can work on given signals, remembered."""

    def __init__(self) -> None:
        self._offers: dict[Any, tuple[int, ...]] = {}
        self._possible: dict[Any, bool] = {}
        self._always: set[Any] = set()
        self._settled: dict[Any, Any] = {}

    def layers(self, choice: Choice, signals: Signals | None) -> tuple[int, ...]:
        """Indices of the options of a layer choice that may work on ``signals`` (all of them if unknown)."""
        key = (choice, signals)
        known = self._offers.get(key)
        if known is None:
            options = enumerate(choice.options)
            known = tuple([i for i, o in options if signals is None or self.possible(o, signals)])
            self._remember(key, known)
        return known

    def values(self, part: Part, path: Path, choice: Choice, signals: Signals | None) -> tuple[int, ...]:
        """Indices of the options of a value choice in ``part`` with which the part may work on ``signals``."""
        key = (part, path, signals)
        known = self._offers.get(key)
        if known is None:
            # Whatever is decided inside a steady part, it works, or nothing does: one closing tells for all options.
            steady = signals is not None and getattr(part, "steady", False)
            if signals is not None and steady and not self.possible(part, signals):
                known = ()
            else:
                options = enumerate(choice.options)
                known = tuple([i for i, o in options if self._fits(part, path, o, signals, tried=steady)])
            self._remember(key, known)
        return known

    def settled(self, value: Any, signals: Signals) -> Any:
        """The signal that leaves an open part whatever is decided inside, or None if that matters.

        Decisions that do not matter to what leaves are not to blame for dead ends further on.
        """
        key = (value, signals)
        if key not in self._settled:
            self._settled[key] = None  # a rule that reaches itself: not known
            self._settled[key] = self._same(value, signals)
        return self._settled[key]

    def _same(self, value: Any, signals: Signals) -> Any:
        if getattr(value, "steady", False):
            value = first_closing(value)
        if not is_open(value):
            found = outcome(value, signals) if isinstance(value, Layer) or is_container(value) else None
            return None if isinstance(found, Mismatch) else found
        if isinstance(value, Choice):
            return _only([self.settled(option, signals) for option in value.options])
        first = first_value_choice(value)
        if first is not None:
            path, choice = first
            if ways(value) > LOOKAHEAD:
                return None
            try:
                closed = [substitute(value, path, option_value(option, signals)) for option in choice.options]
            except Mismatch:
                return None
            return _only([self.settled(option, signals) for option in closed])
        return self._same_container(value, signals) if is_container(value) else None

    def _same_container(self, part: Any, signals: Signals) -> Any:
        def visit(child: Any, *wires: Any) -> Any:
            inner = child.part if type(child) is Slot else child
            found = self.settled(inner, tuple([wire.signal for wire in wires]))
            if found is None:
                raise Mismatch("it depends")
            return wires_of(found)

        try:
            return signals_of(run_wiring(part, tuple(wires_of(signals)), visit))
        except Mismatch:
            return None

    def possible(self, part: Any, signals: Signals) -> bool:
        """Whether a part may work on the signals.

        Exact for leaves with few combinations of values; containers are followed up to their first open child, and
        many values are taken to work, so that a dead end may show later.
        """
        is_choice = isinstance(part, Choice)
        if not is_choice and (not part.is_open or getattr(part, "steady", False)):
            if getattr(part, "total", False) and _plain(signals):
                return True
            return not isinstance(outcome(first_closing(part) if part.is_open else part, signals), Mismatch)
        if part in self._always and _plain(signals):
            return True
        if not is_choice and first_value_choice(part) is None:
            return not is_container(part) or self._starts(part, signals)
        key = (part, signals)
        known = self._possible.get(key)
        if known is None:
            self._possible[key] = True  # a rule that reaches itself on the same signals must not stop itself
            if is_choice:
                known = any(self.possible(option, signals) for option in part.options)
            else:
                known = self._closes(part, signals)
            self._possible[key] = known
        return known

    def _closes(self, part: Part, signals: Signals) -> bool:
        """Whether some values for the first choice among the plain values of a part may work."""
        first = first_value_choice(part)
        if first is None or ways(part) > LOOKAHEAD:
            return True
        path, choice = first
        return any(self._fits(part, path, option, signals) for option in choice.options)

    def _starts(self, part: Any, signals: Signals) -> bool:
        """Whether the wiring of a container works up to its first open child, and that child may work too."""
        given = tuple(wires_of(signals))
        steps = view(part).wire(*given)
        try:
            child, *wires = next(steps)
            while True:
                inner = child.part if type(child) is Slot else child
                reaching = tuple([wire.signal for wire in wires])
                if is_open(inner):
                    if reaching == signals and self._works_on_all(inner):
                        self._always.add(part)
                    return self.possible(inner, reaching)
                found = outcome(inner, reaching)
                if isinstance(found, Mismatch):
                    return False
                child, *wires = steps.send(wires_of(found))
        except StopIteration:
            return True
        except Mismatch:
            return False

    def _works_on_all(self, value: Any) -> bool:
        """Whether a value works on any single signal, because it is, or may become, a layer that does."""
        seen: set[Any] = set()
        pending = [value]
        while pending:  # rules may pass on to each other
            item = pending.pop()
            if item in self._always or getattr(item, "total", False):
                self._always.add(value)
                return True
            if isinstance(item, Choice) and item not in seen:
                seen.add(item)
                pending.extend(item.options)
        return False

    def _fits(self, part: Part, path: Path, option: Any, signals: Signals | None, tried: bool = False) -> bool:
        try:
            value = option_value(option, signals)
        except Mismatch:
            return False
        if tried or signals is None or not isinstance(part, Layer):
            return True
        return self.possible(substitute(part, path, value), signals)

    def _remember(self, key: Any, offered: tuple[int, ...]) -> None:
        if len(self._offers) + len(self._possible) + len(self._settled) > REMEMBERED:
            self._offers.clear()
            self._possible.clear()
            self._settled.clear()
        self._offers[key] = offered


def _plain(signals: Signals) -> bool:
    """Whether they are one signal of numbers whose sizes are all known, without padding."""
    if len(signals) != 1:
        return False
    kind, shape, _, mask, *_ = signals[0]
    return kind in CHANNEL_AXIS and not mask and None not in shape


def _only(found: list[Any]) -> Any:
    """The one signal that all of them are, or None."""
    return found[0] if all(signal == found[0] for signal in found) else None
