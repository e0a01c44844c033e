"""The outline of an architecture: every layer with what it reads, gives and costs, found by running the wirings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture
from nasturtium.space.infer import Signals, cost_of, infer
from nasturtium.space.part import Cost, Layer, Slot, is_container
from nasturtium.space.signal import Signal
from nasturtium.space.wiring import run_wiring, slots


class Source(NamedTuple):
    """Where a wire comes from inside a container.

    Attributes:
        step: The number of the child it leaves; -1 for the container's first input, -2 for its second.
        output: Which of that child's outputs it is.
    """

    step: int
    output: int = 0


class Tap(NamedTuple):
    """A wire while an outline is made."""

    signal: Signal
    source: Source


class Step(NamedTuple):
    """One visit of a container to a child: the child, and the wires that reach it."""

    block: Block
    reads: tuple[Source, ...]


class Block:
    """A layer on the signals that reach it.

    Attributes:
        part: The layer.
        inputs, outputs: The signals that reach it and that leave it.
        cost: Parameters and FLOPs, everything inside included.
        steps: The visits to its children, in the order signals reach them; none for a leaf.
        returns: For each output of a container, the wire that leaves.
        key: A number that is the same for blocks of the same layers with the same wiring, whatever the signals.
        pattern: The same, whatever the values of the layers' fields.
    """

    __slots__ = ("cost", "inputs", "key", "outputs", "part", "pattern", "returns", "steps")

    def __init__(self, part: Any, inputs: Signals, outputs: Signals) -> None:
        self.part = part
        self.inputs = inputs
        self.outputs = outputs
        self.cost: Cost = cost_of(part, inputs)
        self.steps: tuple[Step, ...] = ()
        self.returns: tuple[Source, ...] = ()
        self.key = self.pattern = 0

    @property
    def tag(self) -> str:
        """The class of the layer."""
        return type(self.part).__name__

    @property
    def total(self) -> str:
        """What it costs, what it takes and what it gives, in one line."""
        inputs, outputs = (" and ".join(map(str, signals)) for signals in (self.inputs, self.outputs))
        step = " of one step" if any(each.depends_on_data and each.kind != "edges" for each in self.inputs) else ""
        return f"{self.cost.params:,} parameters, {self.cost.flops:,} FLOPs{step}, input {inputs}, output {outputs}"

    @property
    def is_container(self) -> bool:
        """Whether it only routes signals through children."""
        return is_container(self.part)

    @property
    def is_named(self) -> bool:
        """Whether it is a container that is all said by the values of its fields, as ``ConvBlock(16)`` is."""
        return self.is_container and not slots(self.part)

    @property
    def is_chain(self) -> bool:
        """Whether it is a container in which each child reads what the one before it gives, and nothing else."""
        if not self.is_container:
            return False
        reaching = entering(len(self.inputs))
        for number, (block, reads) in enumerate(self.steps):
            if reads != reaching:
                return False
            reaching = tuple([Source(number, output) for output in range(len(block.outputs))])
        return self.returns == reaching


def entering(count: int) -> tuple[Source, ...]:
    """The sources that stand for the inputs of a container."""
    return tuple([Source(-1 - index) for index in range(count)])


def outline(architecture: Architecture) -> Block:
    """The outline of a network.

    Equal layers on equal signals are one block, so that what occurs often is made once.

    Raises:
        SpaceError: If the architecture is no network, or its input is not known.
        Mismatch: If a layer cannot work on what reaches it.
    """
    value = architecture.value
    if not isinstance(value, Layer) and not is_container(value):
        raise SpaceError(f"{type(value).__name__} is no layer: only networks can be drawn, print it as text instead")
    return _Outliner().block(value, architecture.input)


class _Outliner:
    def __init__(self) -> None:
        self.known: dict[tuple[Any, Signals], Block] = {}
        self.numbers: dict[Any, int] = {}

    def block(self, part: Any, inputs: Signals) -> Block:
        if (part, inputs) not in self.known:
            self.known[part, inputs] = self._container(part, inputs) if is_container(part) else self._leaf(part, inputs)
        return self.known[part, inputs]

    def _leaf(self, part: Any, inputs: Signals) -> Block:
        out = infer(part, *inputs)
        made = Block(part, inputs, (out,) if isinstance(out, Signal) else out)
        made.key = self._number(str(part))
        made.pattern = self._number((made.tag,))
        return made

    def _container(self, part: Any, inputs: Signals) -> Block:
        steps: list[Step] = []

        def visit(child: Any, *taps: Tap) -> Any:
            inner = child.part if type(child) is Slot else child
            block = self.block(inner, tuple([tap.signal for tap in taps]))
            left = [Tap(signal, Source(len(steps), output)) for output, signal in enumerate(block.outputs)]
            steps.append(Step(block, tuple([tap.source for tap in taps])))
            return left[0] if isinstance(infer(inner, *block.inputs), Signal) else tuple(left)

        wires = tuple([Tap(signal, source) for signal, source in zip(inputs, entering(len(inputs)), strict=True)])
        found = run_wiring(part, wires, visit)
        leaving: tuple[Tap, ...] = (found,) if isinstance(found, Tap) else found
        made = Block(part, inputs, tuple([tap.signal for tap in leaving]))
        made.steps, made.returns = tuple(steps), tuple([tap.source for tap in leaving])
        pattern = tuple([(step.block.pattern, step.reads) for step in steps])
        made.pattern = self._number((made.tag, pattern, made.returns))
        # what a named container makes on the fly follows from its fields and the signals
        inside = made.pattern if made.is_named else tuple([(step.block.key, step.reads) for step in steps])
        own = str(part) if made.is_named else made.tag
        made.key = self._number((own, inside, made.returns))
        return made

    def _number(self, what: Any) -> int:
        return self.numbers.setdefault(what, len(self.numbers))


def distinct(root: Block) -> Iterator[tuple[Block, int]]:
    """Every block once, after all that contain it, with the number of times it stands in the network."""
    order: list[Block] = []
    seen: set[int] = set()

    def descend(block: Block) -> None:
        seen.add(id(block))
        for step in reversed(block.steps):  # so that, read backwards, the first comes first
            if id(step.block) not in seen:
                descend(step.block)
        order.append(block)

    descend(root)
    times = dict.fromkeys(map(id, order), 0)
    times[id(root)] = 1
    for block in reversed(order):
        for step in block.steps:
            times[id(step.block)] += times[id(block)]
        yield block, times[id(block)]
