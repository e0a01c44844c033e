"""How many derivations a space has, exactly: dynamic programming over parts and the signals that reach them."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from nasturtium.errors import Mismatch
from nasturtium.space.choice import Choice, Rule, first_closing
from nasturtium.space.infer import Signals, outcome, signals_of, wires_of
from nasturtium.space.opening import first_value_choice, option_value, ways
from nasturtium.space.part import Layer, Part, Slot, is_container, is_open
from nasturtium.space.sharing import NotFactorable, bound, computed, shared_in
from nasturtium.space.wiring import Path, slots, substitute, view

__all__ = ["Counting", "Infinite", "NotFactorable", "Tally"]

STATES = 50_000
"""How many different histories of one container are followed before counting gives up."""

REMEMBERED = 200_000
"""How many tallies are remembered; beyond them all are forgotten."""

Tally = Counter[Any]
"""Number of derivations for each signal that can leave."""


class Infinite(Exception):
    """A rule contains itself: there is no end to the derivations."""


class Counting:
    """Counts derivations of open parts by the signal that leaves; remembers what it found.

    The count of a container follows its wiring through all combinations of signals, so options that do not work on
    what reaches them are not counted. A child visited several times counts once: on other signals than the first
    time it must be known to work, and to give one signal, whatever was decided.
    """

    def __init__(self) -> None:
        self._known: dict[Any, Tally] = {}
        self._within: list[Rule] = []

    def total(self, value: Any, signals: Signals | None) -> int:
        """Number of derivations of ``value`` on ``signals`` (with no signals known, if None)."""
        return sum(self.tally(value, signals).values())

    def tally(self, value: Any, signals: Signals | None) -> Tally:
        """Derivations by outgoing signal.

        Raises:
            Infinite: If a rule contains itself.
            NotFactorable: If the structure does not determine the number.
        """
        if not is_open(value):
            return self._closed(value, signals)
        key = (value, signals)
        known = self._known.get(key)
        if known is None:
            known = self._remember(key, self._open(value, signals))
        return known

    def scoped(self, value: Any, signals: Signals | None, whole: bool = False) -> Tally:
        """Like ``tally`` for what a scope of shared decisions encloses: sums over the shared decisions."""
        names = dict(shared_in(value, whole, conditional=False))
        inner = partial(self.scoped, signals=signals) if whole else partial(self.tally, signals=signals)
        if not names:
            return inner(value)
        combinations = math.prod(len(options) for options in names.values())
        if combinations > STATES:
            raise NotFactorable
        found: Tally = Counter()
        for taken in itertools.product(*(range(len(options)) for options in names.values())):
            found += inner(bound(value, dict(zip(names, taken, strict=True)), whole))
        return found

    def _closed(self, value: Any, signals: Signals | None) -> Tally:
        if signals is None and computed(value):
            return Counter()  # there is nothing to compute it from
        if signals is None or not isinstance(value, Layer):
            return Counter({None: 1})
        found = outcome(value, signals)
        return Counter() if isinstance(found, Mismatch) else Counter({found: 1})

    def _open(self, value: Any, signals: Signals | None) -> Tally:
        if isinstance(value, Choice):
            return self._choice(value, signals)
        if signals is None or not is_container(value):
            return self._apart(value, signals)
        if getattr(value, "steady", False):
            free = self.total(value, None)
            return Counter(dict.fromkeys(self._closed(first_closing(value), signals), free))
        first = first_value_choice(value)
        if first is not None:
            return self._values(value, first, signals)
        return self._rest(value, signals, (), ())

    def _apart(self, value: Any, signals: Signals | None) -> Tally:
        """A leaf, or anything on unknown signals, where all choices are independent."""
        if signals is None:
            items = value if isinstance(value, tuple) else value.values
            return Counter({None: math.prod(self.total(item, None) for item in items)})
        first = first_value_choice(value)
        if first is not None:
            return self._values(value, first, signals)
        if isinstance(value, Layer):  # a leaf that holds open layers: its signal may depend on any of them
            raise NotFactorable
        return Counter({None: math.prod(self.total(slot.part, None) for _, slot in slots(value))})

    def _values(self, value: Part, first: tuple[Path, Choice], signals: Signals) -> Tally:
        """Close the plain values of a part in all ways."""
        path, choice = first
        if choice.share is not None or ways(value) > STATES:
            raise NotFactorable
        found: Tally = Counter()
        for option in choice.options:
            try:
                closed = substitute(value, path, option_value(option, signals))
            except Mismatch:
                continue
            found += self.tally(closed, signals)
        return found

    def _choice(self, choice: Choice, signals: Signals | None) -> Tally:
        if choice.share is not None and signals is not None:
            raise NotFactorable  # with unknown signals the count is an upper bound, and may take them as independent
        if isinstance(choice, Rule):
            if choice in self._within:
                raise Infinite
            self._within.append(choice)
        found: Tally = Counter()
        try:
            for option in choice.options:
                found += self.tally(option, signals)
        finally:
            if isinstance(choice, Rule):
                self._within.pop()
        return found

    def after(self, part: Any, signals: Signals, replies: tuple[Any, ...], visited: Any) -> Tally:
        """Derivations of what is left of a container by outgoing signal, once its wiring got these replies.

        Args:
            part: A container whose plain values are closed.
            signals: What reaches it.
            replies: The signals that left the children so far.
            visited: (key, signals, reply) of the open children among them.
        """
        key = (part, signals, replies, visited)
        known = self._known.get(key)
        if known is None:
            known = self._remember(key, self._rest(part, signals, replies, visited))
        return known

    def _remember(self, key: Any, found: Tally) -> Tally:
        if len(self._known) >= REMEMBERED:  # uniform draws from a large space ask for ever new ones
            self._known.clear()
        self._known[key] = found
        return found

    def _rest(self, part: Any, signals: Signals, replies: tuple[Any, ...], visited: Any) -> Tally:
        chain = getattr(part, "chain", None)
        if chain is None:
            return self._paths(part, signals, Counter({(replies, visited): 1}))
        reaching = _in_a_row(replies[-1]) if replies else signals
        return self._chain(part, chain()[len(replies) :], Counter({(reaching, visited): 1}))

    def _chain(self, part: Any, children: list[Slot], states: Counter[Any]) -> Tally:
        """A row of children: only the signals on the wires and what repeated children did matter."""
        for place, child in enumerate(children):
            again = {later.key for later in children[place + 1 :]}  # what the other children did does not matter
            after: Counter[Any] = Counter()
            for (reaching, visited), count in states.items():
                for out, number, noted in self._visit(part, child, reaching, visited):
                    after[(_in_a_row(out), tuple([each for each in noted if each[0] in again]))] += count * number
            states = _limited(after)
        found: Tally = Counter()
        for (reaching, _), count in states.items():
            found[reaching[0] if len(reaching) == 1 else reaching] += count
        return found

    def _paths(self, part: Any, signals: Signals, states: Counter[Any]) -> Tally:
        """Any other container: follow its wiring through every history of replies."""
        found: Tally = Counter()
        while states:
            after: Counter[Any] = Counter()
            for (replies, visited), count in states.items():
                request, out = _request(part, signals, replies)
                if request is None:
                    if out is not None:
                        found[out] += count * self._unvisited(part, visited)
                    continue
                reaching = tuple([wire.signal for wire in request[1:]])
                for reply, number, noted in self._visit(part, request[0], reaching, visited):
                    after[((*replies, reply), noted)] += count * number
            states = _limited(after)
        return found

    def _visit(self, part: Any, child: Any, signals: Signals, visited: Any) -> Iterator[tuple[Any, int, Any]]:
        """What a child can reply: (signal, number of ways, what was visited so far)."""
        if type(child) is not Slot or not is_open(child.part):
            found = self._closed(child.part if type(child) is Slot else child, signals)
            yield from ((out, number, visited) for out, number in found.items())
            return
        earlier = {key: (reached, reply) for key, reached, reply in visited}
        if child.key in earlier:
            reached, reply = earlier[child.key]
            yield (reply if reached == signals else self._later(child.part, reached, signals)), 1, visited
            return
        inner = self.scoped if getattr(part, "scope", False) else self.tally
        for out, number in inner(child.part, signals).items():
            yield out, number, (*visited, (child.key, signals, out))

    def _later(self, part: Any, reached: Signals, signals: Signals) -> Any:
        outs = self.tally(part, signals)
        free = self.total(part, None)
        if len(outs) != 1 or sum(outs.values()) != free or self.total(part, reached) != free:
            raise NotFactorable
        return next(iter(outs))

    def _unvisited(self, part: Any, visited: Any) -> int:
        keys = {key for key, _, _ in visited}
        return math.prod(self.total(s.part, None) for _, s in slots(part) if s.key not in keys and is_open(s.part))


def _request(part: Any, signals: Signals, replies: tuple[Any, ...]) -> tuple[Any, Any]:
    """The next request of a wiring after these replies, or None and the signal that leaves."""
    steps = view(part).wire(*[wires_of(signal) for signal in signals])
    try:
        request = next(steps)
        for reply in replies:
            request = steps.send(wires_of(reply))
    except StopIteration as stop:
        return None, signals_of(stop.value)
    except Mismatch:
        return None, None
    return request, None


def _in_a_row(out: Any) -> Signals:
    """The signals that reach the next child of a row."""
    return out if type(out) is tuple else (out,)


def _limited(states: Counter[Any]) -> Counter[Any]:
    if len(states) > STATES:
        raise NotFactorable
    return states
