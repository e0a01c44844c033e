"""Signals and costs of closed parts, found by running their wiring; nothing is built."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from nasturtium.errors import Mismatch
from nasturtium.space.fields import no_layer
from nasturtium.space.part import Cost, Layer, Slot, Wire, is_container
from nasturtium.space.signal import Signal
from nasturtium.space.wiring import Path, run_wiring, slots

Signals = tuple[Signal, ...]


def infer(part: Layer, *inputs: Signal) -> Signal | Signals:
    """The signal that leaves a closed layer.

    Raises:
        Mismatch: If it, or a layer inside, cannot work on what reaches it.
    """
    found = outcome(part, inputs)
    if isinstance(found, Mismatch):
        raise Mismatch(*found.args)
    return found


def outcome(part: Layer, inputs: Signals) -> Signal | Signals | Mismatch:
    """The signal that leaves a closed layer, or the Mismatch itself as a value.

    Only what leaves containers is remembered. The rule of a leaf takes no longer than looking its answer up, and in a
    grammar nearly every signal is new: remembering them would fill the memory with what is never asked for again, which
    the garbage collector then has to look through.
    """
    if is_container(part):
        return _container_outcome(part, inputs)
    try:
        return part.signal(*inputs)
    except Mismatch as mismatch:
        return mismatch.with_traceback(None)
    except AttributeError:
        if isinstance(part, Layer):
            raise
        raise no_layer(part, "what stands in the place of a layer") from None


@lru_cache(maxsize=1 << 12)
def _container_outcome(part: Layer, inputs: Signals) -> Signal | Signals | Mismatch:
    try:
        found: Signal | Signals = signals_of(run_wiring(part, wires_of(inputs), _visit))
        return found
    except Mismatch as mismatch:
        return mismatch.with_traceback(None)


@lru_cache(maxsize=1 << 14)
def cost_of(part: Layer, inputs: Signals) -> Cost:
    """Parameters and FLOPs of a closed layer for one example, everything inside included; remembered.

    Raises:
        Mismatch: If a layer cannot work on what reaches it.
    """
    if not is_container(part):
        infer(part, *inputs)
        return part.cost(*inputs)
    costs: list[Cost] = []

    def visit(child: Any, *wires: Wire) -> Any:
        inner = child.part if type(child) is Slot else child
        costs.append(cost_of(inner, tuple([wire.signal for wire in wires])))
        return _visit(inner, *wires)

    run_wiring(part, wires_of(inputs), visit)
    return Cost(sum(cost.params for cost in costs), sum(cost.flops for cost in costs))


def walk_leaves(part: Layer, inputs: Signals, meet: Callable[[str, Layer, Signals], None], name: str = "") -> Any:
    """Call ``meet(address, leaf, input signals)`` for every leaf, in the order signals reach them."""
    if not is_container(part):
        meet(name, part, inputs)
        return wires_of(infer(part, *inputs))
    names = Namer(part)

    def visit(child: Any, *wires: Wire) -> Any:
        inner = child.part if type(child) is Slot else child
        signals = tuple([wire.signal for wire in wires])
        return walk_leaves(inner, signals, meet, joined(name, names(child)))

    return run_wiring(part, wires_of(inputs), visit)


class Namer:
    """Names for the visits of a container's wiring: the slot's key, or the class of a layer made on the fly.

    A later visit of the same child gets a number behind its name, one with which no other visit and no field has it:
    beside a field ``block_2`` the second visit of ``block`` is ``block_3``.

    Args:
        part: The container; None where a single layer is visited.
    """

    def __init__(self, part: Any = None) -> None:
        self.part = part
        self.visits: dict[str, int] = {}
        self.given: set[str] = set()

    def __call__(self, child: Any) -> str:
        key = child.key if type(child) is Slot else type(child).__name__.lower()
        visits = self.visits.get(key, 0) + 1
        name = key if visits == 1 else f"{key}_{visits}"
        while name in self.given or (visits > 1 and self._is_field(name)):
            visits += 1
            name = f"{key}_{visits}"
        self.visits[key] = visits
        self.given.add(name)
        return name

    def _is_field(self, name: str) -> bool:
        return self.part is not None and any(slot.key == name for _, slot in slots(self.part))


def joined(address: str, key: str) -> str:
    """An address one level further down."""
    return f"{address}.{key}" if address else key


def path_address(address: str, path: Path) -> str:
    """The address of a plain value inside a part."""
    for key in path:
        address = f"{address}[{key}]" if isinstance(key, int) else joined(address, key)
    return address


def wires_of(out: Signal | Signals) -> Any:
    """Put signals on wires: one wire for one signal, a tuple for several."""
    return Wire(out) if type(out) is Signal else tuple([Wire(signal) for signal in out])


def signals_of(wires: Any) -> Any:
    """Take the signals off one wire or several."""
    return tuple([wire.signal for wire in wires]) if type(wires) is tuple else wires.signal


def _visit(child: Any, *wires: Wire) -> Any:
    inner = child.part if type(child) is Slot else child
    found = outcome(inner, tuple([wire.signal for wire in wires]))
    if isinstance(found, Mismatch):
        raise found
    return wires_of(found)
