"""Recurrent cells given as graphs, and the layer that unrolls one over the steps of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.activation import MODULES, Activation, Dropout
from nasturtium.layers.container import Container
from nasturtium.layers.join import Add, Multiply
from nasturtium.layers.rules import one_of, only, places, positive
from nasturtium.space.infer import infer
from nasturtium.space.part import Cost, Layer, Slot, Wiring
from nasturtium.space.signal import Signal, vector

if TYPE_CHECKING:
    import torch

OPERATIONS = {"linear": 0, "sum": 2, "prod": 2, "blend": 3, "activation": 1}
"""Operations of a recurrent node, and how many inputs each takes; a linear one takes any number."""


class LinearSum(Layer):
    """The sum of a linear map of each input, and one constant: vectors, or sequences of one length.

    Args:
        out: Channels that leave.
    """

    out: int
    commutative: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        positive(self, "out", self.out)
        if not inputs or any(signal.kind not in ("vector", "sequence") for signal in inputs):
            raise Mismatch(f"LinearSum works on vectors or sequences, not on {' and '.join(map(str, inputs))}")
        if len({(signal.kind, signal.shape[:-1]) for signal in inputs}) > 1:
            raise Mismatch(f"LinearSum needs equal lengths: {' and '.join(map(str, inputs))}")
        return inputs[0].with_channels(self.out)._replace(mask=any(signal.mask for signal in inputs))

    def cost(self, *inputs: Signal) -> Cost:
        weights = self.out * sum(signal.channels for signal in inputs)
        return Cost(weights + self.out, 2 * places(inputs[0]) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.recurrence import LinearSum as Module

        return Module([signal.channels for signal in inputs], self.out)


class Blend(Layer):
    """A gate z between two values, z * x + (1 - z) * y; its inputs are z, x and y, of one shape."""

    def signal(self, *inputs: Signal) -> Signal:
        if len(inputs) != 3 or len({(signal.kind, signal.shape) for signal in inputs}) > 1:
            raise Mismatch(f"Blend takes a gate and two values of one shape, not {' and '.join(map(str, inputs))}")
        return inputs[0]._replace(mask=any(signal.mask for signal in inputs))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.recurrence import Blend as Module

        return Module()


class PreviousStates(Layer):
    """The states before each step of a sequence, as sequences: how a recurrence looks when it is unrolled.

    Args:
        count: How many states there are.
        hidden: Channels of each.
    """

    count: int
    hidden: int
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> tuple[Signal, ...]:
        x = only(self, inputs, "sequence")
        positive(self, "count", self.count)
        positive(self, "hidden", self.hidden)
        return (x.with_channels(self.hidden)._replace(grid=None),) * self.count


class NewStates(Layer):
    """The states after each step; the first of them leaves, all of them are the next step's previous ones."""

    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        if not inputs or len({signal.shape for signal in inputs}) > 1:
            raise Mismatch(f"the states of a recurrent cell have one shape, not {' and '.join(map(str, inputs))}")
        return inputs[0]


class RecurrentNode(Container):
    """A node of a recurrent cell: an operation on earlier values, and an activation behind it.

    Args:
        operation: ``linear`` (one linear map of all inputs), ``sum``, ``prod`` (of two), ``blend`` (a gate and two
            values) or ``activation`` (nothing but the activation).
        inputs: Numbers of the values read, all different: 0 is the input of the step, then the previous states,
            then the nodes before.
        activation: Its name; ``identity`` for none.
    """

    operation: str
    inputs: tuple[int, ...]
    activation: str = "identity"

    def wire(self, *values: Any) -> Wiring:
        one_of(self, "operation", self.operation, OPERATIONS)
        one_of(self, "activation", self.activation, MODULES)
        wanted = OPERATIONS[self.operation] or max(len(self.inputs), 1)
        if len(self.inputs) != wanted or len(set(self.inputs)) != wanted:
            raise Mismatch(f"{self.operation} takes {wanted} different inputs, not {self.inputs}")
        if not all(0 <= number < len(values) for number in self.inputs):
            raise SpaceError(f"a node reads {self.inputs}; there are {len(values)} values before it, counted from 0")
        read = [values[number] for number in self.inputs]
        value = read[0]
        if self.operation == "linear":
            value = yield LinearSum(values[1].signal.channels), *read
        elif self.operation != "activation":
            value = yield {"sum": Add(), "prod": Multiply(), "blend": Blend()}[self.operation], *read
        return value if self.activation == "identity" else (yield Activation(self.activation), value)


class RecurrentCell(Container):
    """A recurrent cell as a graph (Klyuchnikov et al. 2020): the input of a step and the states give new states.

    Nodes that lead to no new state are not built.

    Args:
        nodes: Of :class:`RecurrentNode`, each reading earlier values.
        states: For each state the number of the node that becomes it, from 0, all different.
    """

    nodes: tuple[Any, ...]
    states: tuple[int, ...]

    def wire(self, x: Any, *previous: Any) -> Wiring:
        if len(previous) != len(self.states) or len(set(self.states)) < len(self.states):
            raise Mismatch(f"a recurrent cell needs a node for each of {len(previous)} states, not {self.states}")
        if not all(0 <= number < len(self.nodes) for number in self.states):
            raise SpaceError(f"a recurrent cell has {len(self.nodes)} nodes, counted from 0; states: {self.states}")
        values, read = [x, *previous], live(self)
        first = len(values)
        for number, node in enumerate(self.nodes):
            # A node that nothing reads gets no wire: its place is kept, so that numbers stay what they are.
            values.append((yield node, *values) if first + number in read else x)
        return tuple([values[first + number] for number in self.states])


def live(cell: Any) -> set[int]:
    """Numbers of the values that lead to a new state; of a cell with open nodes, all of them."""
    nodes = [node.part if type(node) is Slot else node for node in cell.nodes]
    first = 1 + len(cell.states)
    if not all(isinstance(node, RecurrentNode) and not node.is_open for node in nodes):
        return set(range(first + len(nodes)))
    read = {first + number for number in cell.states}
    for number in range(len(nodes) - 1, -1, -1):
        if first + number in read:
            read.update(nodes[number].inputs)
    return read


class Recurrence(Container):
    """A recurrent cell unrolled over the steps of a sequence, in one or several layers; the first state leaves.

    Every layer has the same cell with weights of its own. Where a sequence is padded the states stay as they are.
    On the wires inside, a value of the cell is the sequence of what it is at each step, so that costs add up.

    Args:
        cell: A layer that takes a step and the previous states, and gives as many new ones.
        hidden: Channels of the states in each layer.
        states: How many states a cell has.
        dropout: Share of channels dropped between layers, the same at all steps.
        limit: The states are kept within plus and minus this number, if given.
    """

    cell: Any
    hidden: tuple[int, ...]
    states: int = 1
    dropout: float = 0.0
    limit: float | None = None

    def wire(self, x: Any) -> Wiring:
        if x.signal.kind != "sequence" or not self.hidden:
            raise Mismatch(f"Recurrence needs a sequence and at least one layer, not {x.signal} and {self.hidden}")
        for index, hidden in enumerate(self.hidden):
            if index and self.dropout:
                x = yield Dropout(self.dropout, of="channels"), x
            previous = yield PreviousStates(self.states, hidden), x
            new = yield self.cell, x, *previous
            x = yield NewStates(), *(new if type(new) is tuple else (new,))
        return x

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.recurrence import UnrolledCell, UnrolledStack

        infer(self, *inputs)
        channels, cells = inputs[0].channels, []
        for hidden in self.hidden:
            cell = self.cell.module(vector(channels), *[vector(hidden)] * self.states)
            cells.append(UnrolledCell(cell, hidden, self.states, self.limit))
            channels = hidden
        between = [inputs[0].with_channels(hidden) for hidden in self.hidden[:-1]]
        return UnrolledStack(cells, [Dropout(self.dropout, of="channels").module(signal) for signal in between])
