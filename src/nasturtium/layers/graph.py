"""Graph layers: what they take are the nodes of a graph and its edges; what leaves are nodes.

Masks need no care here: no edge leads from or to a padded node. Where an edge goes one way only, the degrees are those
of the edges that arrive.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.activation import MODULES, Activation
from nasturtium.layers.rules import one_of, places, positive
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class _MessagePassing(Layer, abstract=True):
    """What all have in common: (nodes, edges) come in, nodes with ``out`` channels leave."""

    def signal(self, *inputs: Signal) -> Signal:
        self._check()
        if [signal.kind for signal in inputs] != ["nodes", "edges"]:
            given = " and ".join(map(str, inputs)) or "nothing"
            raise Mismatch(f"{type(self).__name__} takes nodes and edges, not {given}")
        out: int = self.__dict__["out"]
        return inputs[0].with_channels(out)

    def _check(self) -> None:
        positive(self, "out", self.__dict__["out"])


class GCNConv(_MessagePassing):
    """Graph convolution with symmetric normalisation and self-loops (Kipf and Welling 2017).

    Args:
        out: Channels that leave.
    """

    out: int

    def cost(self, *inputs: Signal) -> Cost:
        weights = inputs[0].channels * self.out
        return Cost(weights + self.out, 2 * places(inputs[0]) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.graph import GCNConv as Module

        return Module(inputs[0].channels, self.out)


class GATConv(_MessagePassing):
    """Graph attention (Velickovic et al. 2018); every node attends to itself too.

    Args:
        out: Channels that leave.
        heads: Number of heads.
        average: Take the mean of heads of ``out`` channels each (as their last layer does), instead of joining heads
            of ``out / heads`` channels.
        dropout: Share of attention weights dropped in training.
    """

    out: int
    heads: int = 1
    average: bool = False
    dropout: float = 0.0

    def _check(self) -> None:
        super()._check()
        positive(self, "heads", self.heads)
        if not self.average and self.out % self.heads:
            raise Mismatch(f"GATConv: {self.heads} heads do not divide {self.out} channels")
        if not 0 <= self.dropout < 1:
            raise SpaceError(f"GATConv needs a dropout from 0 up to 1, not {self.dropout!r}")

    @property
    def _width(self) -> int:
        return self.out if self.average else self.out // self.heads

    def cost(self, *inputs: Signal) -> Cost:
        inner = self.heads * self._width
        weights = inputs[0].channels * inner
        return Cost(weights + 2 * inner + self.out, 2 * places(inputs[0]) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.graph import GATConv as Module

        return Module(inputs[0].channels, self._width, self.heads, self.average, self.dropout)


class _TwoMaps(_MessagePassing, abstract=True):
    """One linear map of a node and one of what its neighbours send."""

    out: int

    def cost(self, *inputs: Signal) -> Cost:
        weights = 2 * inputs[0].channels * self.out
        return Cost(weights + self.out, 2 * places(inputs[0]) * weights)


class SAGEConv(_TwoMaps):
    """GraphSAGE with the mean of the neighbours, without the final normalisation (Hamilton et al. 2017).

    Args:
        out: Channels that leave.
    """

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.graph import SAGEConv as Module

        return Module(inputs[0].channels, self.out)


class GraphConv(_TwoMaps):
    """A node's own map plus the sum of its neighbours': the 1-dimensional k-GNN (Morris et al. 2019).

    Args:
        out: Channels that leave.
    """

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.graph import GraphConv as Module

        return Module(inputs[0].channels, self.out)


class GINConv(_MessagePassing):
    """Graph isomorphism network: a perceptron on (1 + epsilon) times a node plus its neighbours (Xu et al. 2019).

    Args:
        out: Channels that leave.
        hidden: Channels between two linear maps (with a ReLU); one linear map if not given.
        learned: Whether epsilon is learned; it is 0 otherwise (their GIN-0).
    """

    out: int
    hidden: int | None = None
    learned: bool = False

    def _check(self) -> None:
        super()._check()
        if self.hidden is not None:
            positive(self, "hidden", self.hidden)

    def cost(self, *inputs: Signal) -> Cost:
        widths = [inputs[0].channels, *([] if self.hidden is None else [self.hidden]), self.out]
        weights = sum(before * after for before, after in pairwise(widths))
        return Cost(weights + sum(widths[1:]) + self.learned, 2 * places(inputs[0]) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.graph import GINConv as Module

        return Module(inputs[0].channels, self.out, self.hidden, self.learned)


class ChebConv(_MessagePassing):
    """Chebyshev polynomials of the Laplacian, whose largest eigenvalue is taken as 2 (Defferrard et al. 2016).

    Args:
        out: Channels that leave.
        order: Number of polynomials; 1 sees the node alone.
    """

    out: int
    order: int = 2

    def _check(self) -> None:
        super()._check()
        positive(self, "order", self.order)

    def cost(self, *inputs: Signal) -> Cost:
        weights = self.order * inputs[0].channels * self.out
        return Cost(weights + self.out, 2 * places(inputs[0]) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.graph import ChebConv as Module

        return Module(inputs[0].channels, self.out, self.order)


class ARMAConv(_MessagePassing):
    """Auto-regressive moving average filters: the mean of stacks of recursive steps (Bianchi et al. 2021).

    Args:
        out: Channels that leave.
        stacks: Recursions side by side.
        layers: Steps of each.
        activation: Name of the activation after each step.
    """

    out: int
    stacks: int = 1
    layers: int = 1
    activation: str = "relu"

    def _check(self) -> None:
        super()._check()
        positive(self, "stacks", self.stacks)
        positive(self, "layers", self.layers)
        one_of(self, "activation", self.activation, MODULES)

    def cost(self, *inputs: Signal) -> Cost:
        entering = inputs[0].channels * self.out
        weights = self.stacks * ((1 + self.layers) * entering + (self.layers - 1) * self.out**2)
        return Cost(weights + self.stacks * self.layers * self.out, 2 * places(inputs[0]) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.graph import ARMAConv as Module

        return Module(inputs[0].channels, self.out, self.stacks, self.layers, Activation(self.activation).module())
