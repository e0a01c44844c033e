"""Limits on what an architecture costs, held while it is derived."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.space.infer import Signals, cost_of, infer, signals_of, wires_of
from nasturtium.space.part import Layer, Slot, is_container
from nasturtium.space.wiring import run_wiring

if TYPE_CHECKING:
    from nasturtium.space.architecture import Architecture


class TooLarge(SpaceError):
    """A derivation exceeds a limit of its space."""


class Burden(NamedTuple):
    """What layers cost for one example.

    Attributes:
        params: Parameters.
        flops: Two for each multiply-accumulate.
        activations: Values that leave all layers but those that hand on what reaches them, about what training keeps in
            memory; the windows of an im2col are among them even where it is built as part of one convolution.
    """

    params: int = 0
    flops: int = 0
    activations: int = 0


class Limits(NamedTuple):
    """The most that an architecture may cost; a constraint of a space that its derivations also keep on the way.

    A derivation that exceeds a limit is given up at once and drawn again, so that what is drawn has the distribution
    of the space under the condition that the limits hold.
    """

    params: float = math.inf
    flops: float = math.inf
    activations: float = math.inf

    def __call__(self, architecture: Architecture) -> bool:
        """Whether an architecture keeps the limits."""
        burden = burden_of(architecture.value, architecture.input)
        return all(cost <= limit for cost, limit in zip(burden, self, strict=True))

    def after(self, burden: Burden, part: Layer, signals: Signals) -> Burden:
        """The burden with one more layer.

        Raises:
            TooLarge: If it exceeds a limit.
        """
        added = burden_of(part, signals)
        total = Burden(*[old + new for old, new in zip(burden, added, strict=True)])
        for name, cost, limit in zip(self._fields, total, self, strict=True):
            if cost > limit:
                raise TooLarge(f"more than {limit:,.0f} {name}")
        return total


def limits_of(given: Mapping[str, float] | None) -> Limits | None:
    """Limits as a user writes them: ``{"params": 5e6}``.

    Raises:
        SpaceError: If one is unknown or not positive.
    """
    if not given:
        return None
    for name, limit in given.items():
        if name not in Limits._fields:
            known = ", ".join(Limits._fields)
            raise SpaceError(f"no limit is called {name!r}{did_you_mean(name, Limits._fields)} (there are: {known})")
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not limit > 0:
            raise SpaceError(f"the limit on {name} must be a positive number, not {limit!r}")
    return Limits(**given)


@lru_cache(maxsize=1 << 14)
def burden_of(part: Layer, inputs: Signals) -> Burden:
    """What a closed layer costs for one example, everything inside included; remembered.

    Raises:
        Mismatch: If a layer cannot work on what reaches it.
    """
    cost = cost_of(part, inputs)
    return Burden(cost.params, cost.flops, _activations(part, inputs))


@lru_cache(maxsize=1 << 14)
def _activations(part: Layer, inputs: Signals) -> int:
    if not is_container(part):
        found = infer(part, *inputs)
        return 0 if part.passes else sum(_values(signal) for signal in _several(found))
    total = 0

    def visit(child: Any, *wires: Any) -> Any:
        nonlocal total
        inner = child.part if type(child) is Slot else child
        signals = tuple([wire.signal for wire in wires])
        total += _activations(inner, signals)
        return wires_of(infer(inner, *signals))

    signals_of(run_wiring(part, wires_of(inputs), visit))
    return total


def _values(signal: Any) -> int:
    if signal.kind == "group":
        return sum(_values(member) for _, member in signal.members)
    return math.prod(1 if size is None else size for size in signal.shape)


def _several(found: Any) -> Signals:
    return found if type(found) is tuple else (found,)
