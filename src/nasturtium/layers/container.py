"""Containers: layers that only route signals through their children; how one becomes a torch module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.infer import Namer, Signals, cost_of, infer
from nasturtium.space.part import Cost, Layer, Slot, Wiring, is_container
from nasturtium.space.signal import Signal
from nasturtium.space.wiring import run_wiring

if TYPE_CHECKING:
    import torch


class Container(Layer, abstract=True):
    """A layer that implements ``wire`` alone; signals, costs and modules follow from its children."""

    def wire(self, *inputs: Any) -> Wiring:
        """How signals run through the children: yields (child, wire, ...), is sent the wire that leaves."""
        raise SpaceError(f"{type(self).__name__} has no wiring")

    def signal(self, *inputs: Signal) -> Signal | Signals:
        """The signal that leaves for the signals that come in."""
        return infer(self, *inputs)

    def cost(self, *inputs: Signal) -> Cost:
        """Parameters and FLOPs of everything inside, for one example."""
        return cost_of(self, inputs)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        """The torch module; ``forward`` takes the tensors of the input signals (see :func:`build`)."""
        return build(self, *inputs)


def build(part: Layer, *inputs: Signal) -> torch.nn.Module:
    """The torch module of a closed layer.

    Its ``forward`` takes the tensors of the input signals in order and returns those of the output (one
    tensor, or a tuple): the mask of a masked sequence follows its values, a group is the tensors of its
    members. Children carry the names of their fields, layers made on the fly the name of their class; a later
    visit of the same child has weights of its own and a number behind its name.

    Args:
        part: A closed layer.
        inputs: The signals that reach it.

    Raises:
        Mismatch: If it, or a layer inside, cannot work on them.
    """
    if is_container(part):
        return _assemble(part, inputs, whole=True).module
    infer(part, *inputs)
    if len(inputs) == 1 and tensors(inputs[0]) == 1:
        return part.module(*inputs)
    recorder = _Recorder(part, inputs)
    return recorder.finish(recorder.visit(part, *recorder.inputs), whole=True).module


def tensors(signal: Signal) -> int:
    """How many tensors stand for a signal at run time."""
    values = sum(tensors(member) for _, member in signal.members) if signal.kind == "group" else 1
    return values + signal.mask


class _Strand(NamedTuple):
    """A wire while a module is put together: the numbers of the values, and of the mask if there is one."""

    signal: Signal
    values: tuple[int, ...]
    mask: int | None


class _Built(NamedTuple):
    """A container's module and how it is called.

    Attributes:
        module: The module.
        signals: The signal or signals that leave.
        takes: For each input, whether its mask is among the arguments.
        passes: For each output, the input whose mask it carries on (the mask is then not returned), or None.
    """

    module: torch.nn.Module
    signals: Signal | Signals
    takes: tuple[bool, ...]
    passes: tuple[int | None, ...]


class _Recorder:
    """Records what a container does with its children as a program on numbered values."""

    def __init__(self, part: Layer, inputs: Signals) -> None:
        self.part = part
        self.count = 0
        self.names = Namer(part if is_container(part) else None)
        self.children: dict[str, torch.nn.Module] = {}
        self.steps: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = []
        self.inputs = tuple([self._strand(signal, None, bool(signal.mask)) for signal in inputs])

    def visit(self, child: Any, *wires: _Strand) -> Any:
        """Record that a child runs on these wires; gives the wires that leave it."""
        part = child.part if type(child) is Slot else child
        signals = tuple([wire.signal for wire in wires])
        built = _child(part, signals)
        sources: list[int] = []
        for wire, taken in zip(wires, built.takes, strict=True):
            sources += wire.values
            if taken and wire.mask is not None:
                sources.append(wire.mask)
        several = type(built.signals) is tuple
        leaving: Signals = built.signals if several else (built.signals,)  # type: ignore[assignment]
        left = []
        for signal, carried in zip(leaving, built.passes, strict=True):
            mask = None if carried is None else wires[carried].mask
            left.append(self._strand(signal, mask, bool(signal.mask) and mask is None))
        made = [value for strand, carried in zip(left, built.passes, strict=True) for value in _made(strand, carried)]
        name = _safe(self.names(child))
        if name in self.children:
            raise SpaceError(f"two children of {type(self.part).__name__} would be called {name!r}: rename a field")
        self.children[name] = built.module
        self.steps.append((name, tuple(sources), tuple(made)))
        return tuple(left) if several else left[0]

    def finish(self, out: Any, whole: bool) -> _Built:
        """Make the module; with ``whole`` it takes and returns every mask, else those it needs or makes."""
        strands: tuple[_Strand, ...] = (out,) if isinstance(out, _Strand) else out
        read = {source for _, sources, _ in self.steps for source in sources}
        masks = [wire.mask for wire in self.inputs]
        takes = tuple([mask is not None and (whole or mask in read) for mask in masks])
        passes = tuple(
            [None if whole or s.mask is None or s.mask not in masks else masks.index(s.mask) for s in strands]
        )
        arguments = [v for wire, taken in zip(self.inputs, takes, strict=True) for v in _taken(wire, taken)]
        results = [v for strand, carried in zip(strands, passes, strict=True) for v in _made(strand, carried)]
        module = _module(self.children, self.steps, arguments, results)
        signals = out.signal if isinstance(out, _Strand) else tuple([strand.signal for strand in strands])
        return _Built(module, signals, takes, passes)

    def _strand(self, signal: Signal, mask: int | None, new_mask: bool) -> _Strand:
        size = tensors(signal) - signal.mask
        values = tuple(range(self.count, self.count + size))
        self.count += size
        if new_mask:
            mask = self.count
            self.count += 1
        return _Strand(signal, values, mask if signal.mask else None)


def _taken(wire: _Strand, taken: bool) -> tuple[int, ...]:
    return (*wire.values, wire.mask) if taken and wire.mask is not None else wire.values


def _made(strand: _Strand, carried: int | None) -> tuple[int, ...]:
    return _taken(strand, carried is None)


def _child(part: Layer, signals: Signals) -> _Built:
    if is_container(part):
        if type(part).module is Container.module:
            return _assemble(part, signals, whole=False)
        found = infer(part, *signals)  # a container with a module of its own: called with all tensors
        leaving = found if type(found) is tuple else (found,)
        return _Built(part.module(*signals), found, tuple([s.mask for s in signals]), (None,) * len(leaving))
    found = infer(part, *signals)
    leaving = found if type(found) is tuple else (found,)
    masked = next((index for index, signal in enumerate(signals) if signal.mask), None)
    if masked is None and any(signal.mask for signal in leaving):
        raise SpaceError(f"{part} promises a mask that none of its inputs has")
    carried = [masked if signal.mask and not part.changes_mask else None for signal in leaving]
    takes = tuple([part.uses_mask and signal.mask for signal in signals])
    return _Built(part.module(*signals), found, takes, tuple(carried))


def _assemble(part: Layer, inputs: Signals, whole: bool) -> _Built:
    recorder = _Recorder(part, inputs)
    try:
        out = run_wiring(part, recorder.inputs, recorder.visit)
    except Mismatch as mismatch:
        raise mismatch.with_traceback(None) from None
    return recorder.finish(out, whole)


def _module(
    children: dict[str, torch.nn.Module],
    steps: list[tuple[str, tuple[int, ...], tuple[int, ...]]],
    arguments: list[int],
    results: list[int],
) -> torch.nn.Module:
    """A plain ``nn.Sequential`` where each child takes what the one before it left, else a wired module."""
    if len(arguments) == len(results) == 1:
        before = arguments[0]
        for _, sources, targets in steps:
            if sources != (before,) or len(targets) != 1:
                break
            before = targets[0]
        else:
            if before == results[0]:
                from collections import OrderedDict

                import torch

                return torch.nn.Sequential(OrderedDict(children))
    from nasturtium.modules import Wired

    return Wired(children, steps, arguments, results)


def _safe(name: str) -> str:
    """A name that no attribute of ``nn.Sequential`` or ``Wired`` has."""
    import torch

    taken = hasattr(torch.nn.Sequential, name) or name in ("training", "steps", "inputs", "outputs")
    return f"{name}_" if taken else name
