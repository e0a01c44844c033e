"""What is left open in a part: choices, subsets, ranges, shared decisions and recursive rules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.space.fields import no_layer
from nasturtium.space.part import Layer, Open, Part
from nasturtium.space.plain import plain


class Choice(Open):
    """One of several options: values, parts, or tuples of them; an option may itself be open.

    An option that is a function stands for the value it computes from the signals that reach the enclosing layer;
    it is not offered where it raises :class:`Mismatch`.

    Attributes:
        options: The options in their permanent order; a decision is an index into it.
        weights: Relative probability of each option, or None for equal ones.
        name: What the choice is called in addresses and reports, if anything.
        ordered: Whether neighbouring options are neighbouring values (ranges).
        share: Name under which the decision is shared, or None.
        whole: Whether it is shared over the whole space rather than the enclosing repeat.
        transparent: Whether what is inside the options has the same address in all of them, so that decisions are
            kept when another option is taken (the copies of a repeat, when their number changes).
    """

    def __init__(
        self,
        options: Sequence[Any],
        weights: Sequence[float] | None = None,
        name: str | None = None,
        ordered: bool = False,
    ) -> None:
        self._options = tuple(_frozen(option) for option in options)
        self._of_layers: bool | None = None
        self.name = name
        self.ordered = ordered
        self.share: str | None = None
        self.whole = False
        self.transparent = False
        self.weights = _checked_weights(weights, self._options, name)

    @property
    def options(self) -> tuple[Any, ...]:
        """The options in their permanent order."""
        return self._options

    @property
    def of_layers(self) -> bool:
        """Whether the choice takes the place of a layer."""
        if self._of_layers is None:
            ends = _ends(self, set())
            kinds = {isinstance(end, Layer) for end in ends}
            if len(kinds) == 2:
                raise SpaceError(f"{self} mixes layers with values; use Identity() for a layer that does nothing")
            self._of_layers = kinds == {True}
        return self._of_layers

    def inside(self, address: str, index: int) -> str:
        """The address of what is inside an option of a layer choice at ``address``."""
        return f"{address}#" if self.transparent else f"{address}#{index}"

    def __repr__(self) -> str:
        shown = ", ".join(str(option) for option in self.options[:4])
        more = ", ..." if len(self.options) > 4 else ""
        return f"choice({shown}{more})"


class Rule(Choice):
    """A choice that may refer to itself: one non-terminal of a grammar.

    Args:
        name: The non-terminal's name.
        define: Called once, with the rule itself, gives the choice among its productions.
    """

    def __init__(self, name: str, define: Callable[[Rule], Choice]) -> None:
        super().__init__((name,), None, name)
        self._define: Callable[[Rule], Choice] | None = define

    def _resolve(self) -> None:
        define, self._define = self._define, None
        if define is not None:
            body = define(self)
            if not isinstance(body, Choice):
                raise SpaceError(f"rule {self.name!r} must be defined as a choice, not {body!r}")
            self._options, self.weights = body.options, body.weights

    @property
    def options(self) -> tuple[Any, ...]:
        """The productions in their permanent order."""
        if self._define is not None:
            self._resolve()
        return self._options

    def __repr__(self) -> str:
        return f"rule({self.name!r})"


def choice(*options: Any, weights: Sequence[float] | None = None, name: str | None = None) -> Any:
    """Leave open which of ``options`` is taken.

    Args:
        options: Values, parts, tuples of them, or functions of the enclosing layer's input signals.
        weights: Relative probabilities, one for each option; equal if not given.
        name: A name for reports.

    Raises:
        SpaceError: If there is no option, or the weights do not fit.

    >>> choice(16, 32)
    choice(16, 32)
    """
    return Choice(options, weights, name)


def subset(*options: Any, k: int | tuple[int, int] | None = None, name: str | None = None) -> Any:
    """Leave open which ``k`` of the options are taken, in no order; the value is a tuple.

    Args:
        options: At least ``k`` values or parts.
        k: How many, or (fewest, most); any number from one to all if not given.
        name: A name for reports.
    """
    fewest, most = (1, len(options)) if k is None else (k, k) if isinstance(k, int) else k
    if not 0 <= fewest <= most <= len(options):
        raise SpaceError(f"cannot take {k} of {len(options)} options")
    sizes = range(fewest, most + 1)
    if sum(math.comb(len(options), size) for size in sizes) > 100_000:
        raise SpaceError(f"too many subsets of {len(options)} options; leave each of them open on its own instead")
    taken = [combination for size in sizes for combination in itertools.combinations(options, size)]
    return Choice(taken, None, name)


def integers(low: int, high: int, step: int = 1, log: bool = False, name: str | None = None) -> Any:
    """Leave a whole number open, ``low`` to ``high`` inclusive; with ``log`` each one is twice the one before."""
    if low > high or step < 1 or (log and low < 1):
        raise SpaceError(f"no whole numbers between {low} and {high} in steps of {step}")
    if log:
        doubled = itertools.takewhile(lambda value: value <= high, (low << power for power in itertools.count()))
        return Choice(tuple(doubled), None, name, ordered=True)
    return Choice(tuple(range(low, high + 1, step)), None, name, ordered=True)


def floats(low: float, high: float, log: bool = False, steps: int = 101, name: str | None = None) -> Any:
    """Leave a number open: one of ``steps`` values from ``low`` to ``high``, evenly spaced (in logarithm with ``log``).

    The values are rounded to six significant digits, so that they print short and compare exactly.
    """
    if not low < high or steps < 2 or (log and low <= 0):
        raise SpaceError(f"no range of {steps} numbers between {low} and {high}{' on a log scale' if log else ''}")
    start, stop = (math.log(low), math.log(high)) if log else (low, high)
    points = [start + (stop - start) * index / (steps - 1) for index in range(steps)]
    values = [float(f"{math.exp(point) if log else point:.6g}") for point in points]
    return Choice(tuple(dict.fromkeys(values)), None, name, ordered=True)


def shared(name: str, among: Any, whole: bool = False) -> Any:
    """Take the same decision wherever ``name`` stands within the enclosing repeat (or the ``whole`` space).

    Sharing decisions is not sharing weights: every place gets parameters of its own.
    """
    if not isinstance(among, Choice) or isinstance(among, Rule):
        raise SpaceError(f"shared({name!r}, ...) needs a choice, not {among!r}")
    made = Choice(among.options, among.weights, among.name or name, among.ordered)
    made.share, made.whole = name, whole
    return made


def rule(name: str, define: Callable[[Any], Any]) -> Any:
    """Leave open a non-terminal of a grammar, whose productions may contain it again.

    Args:
        name: What it is called.
        define: A function of the rule that gives the choice among its productions.
    """
    return Rule(name, define)


def first_closing(value: Any) -> Any:
    """A value with the first option taken everywhere; not for rules, and functions stay as they are."""
    if isinstance(value, Choice):
        return first_closing(value.options[0])
    if isinstance(value, tuple):
        return tuple([first_closing(item) for item in value])
    if isinstance(value, Part) and value.is_open:
        return value.with_values({name: first_closing(value.__dict__[name]) for name in value.fields})
    return value


def _ends(choice: Choice, seen: set[Choice]) -> list[Any]:
    """The options of a choice that are no choices, also those of its options."""
    seen.add(choice)
    ends: list[Any] = []
    for option in choice.options:
        if not isinstance(option, Choice):
            ends.append(option)
        elif option not in seen:
            ends += _ends(option, seen)
    return ends


def _frozen(option: Any) -> Any:
    if isinstance(option, (list, tuple)):
        return tuple(_frozen(item) for item in option)
    option = plain(option)
    if isinstance(option, float) and option != option:
        return math.nan  # the one that equals itself, by identity
    if isinstance(option, type) or callable(getattr(option, "named_modules", None)):
        raise no_layer(option, "an option")
    if option is None or isinstance(option, (bool, int, float, str, Part, Choice)) or callable(option):
        return option
    raise SpaceError(f"{option!r} cannot be an option: use numbers, strings, None, tuples, parts or functions")


def _checked_weights(
    weights: Sequence[float] | None, options: tuple[Any, ...], name: str | None
) -> tuple[float, ...] | None:
    if not options:
        raise SpaceError(f"the choice{f' {name!r}' if name else ''} has no options")
    if weights is None:
        return None
    if len(weights) != len(options) or any(not 0 < w < math.inf for w in weights):
        raise SpaceError(f"{len(options)} options need as many positive weights, not {tuple(weights)!r}")
    return tuple(float(weight) for weight in weights)
