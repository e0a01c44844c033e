"""Networks that read graphs: GCN, GIN and GATES, several of them at once, on dense adjacency matrices."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import nn


class Batch(NamedTuple):
    """Graphs as tensors.

    Attributes:
        labels: Row of each node's label in the table of vectors, (n, s); 0 for one that is not known.
        kinds: As labels, of the layers' classes.
        valid: 1 where there is a node, (n, s).
        adjacency: 1 where (source, target) is an edge, (n, s, s).
        extra: Numbers that belong to whole graphs, (n, k).
    """

    labels: torch.Tensor
    kinds: torch.Tensor
    valid: torch.Tensor
    adjacency: torch.Tensor
    extra: torch.Tensor

    def rows(self, index: torch.Tensor | slice) -> Batch:
        """Some of the graphs."""
        return Batch(*(each[index] for each in self))


class Reader(nn.Module, ABC):
    """Base of ``members`` networks that turn a graph into one vector and that into one number.

    Args:
        members: M, how many networks.
        labels: How many labels are known.
        kinds: How many classes of layers are known.
        width: Numbers a node, and a graph, is described by.
        layers: How many layers.
        extra: How many further numbers a graph has.
        seed: Of the first weights.
    """

    def __init__(
        self, members: int, labels: int, kinds: int, width: int, layers: int, extra: int = 0, seed: int = 0
    ) -> None:
        super().__init__()
        self.members, self.width, self.layers = members, width, layers
        self.generator = torch.Generator().manual_seed(seed)
        self.label = self.table(labels + 1, width)
        self.kind = self.table(kinds + 1, width)
        self.build()
        self.head = self.matrix(width + extra, width)
        self.head_bias = nn.Parameter(torch.zeros(members, 1, width))
        self.last = self.matrix(width, 1)
        self.last_bias = nn.Parameter(torch.zeros(members, 1, 1))
        del self.generator

    @abstractmethod
    def build(self) -> None:
        """Makes the weights of the layers."""

    @abstractmethod
    def states(self, nodes: torch.Tensor, batch: Batch) -> torch.Tensor:
        """What describes each graph, (M, n, h), from what describes each node, (M, n, s, h)."""

    def matrix(self, rows: int, columns: int, gain: float = 2.0) -> nn.Parameter:
        """A weight for each network, (M, rows, columns), of variance gain / rows."""
        bound = math.sqrt(3.0 * gain / rows)
        empty = torch.empty(self.members, rows, columns)
        return nn.Parameter(empty.uniform_(-bound, bound, generator=self.generator))

    def table(self, rows: int, columns: int) -> nn.Parameter:
        """A table of vectors for each network; row 0 stands for what is not known."""
        values = torch.randn(self.members, rows, columns, generator=self.generator) * 0.5
        values[:, 0] = 0.0
        return nn.Parameter(values)

    def keep(self, members: int) -> None:
        """Forgets all but the first networks; every parameter has them in its first place."""
        for parameter in self.parameters():
            parameter.data = parameter.data[:members].clone()
        self.members = members

    def embed(self, batch: Batch) -> torch.Tensor:
        """What the last layer reads of each graph, (M, n, h)."""
        nodes = taken(self.label, batch.labels) + taken(self.kind, batch.kinds)  # (M, n, s, h)
        graphs = self.states(nodes * batch.valid[None, :, :, None], batch)
        graphs = torch.cat([graphs, batch.extra.expand(self.members, *batch.extra.shape)], 2)
        return torch.relu(torch.baddbmm(self.head_bias, graphs, self.head))

    def forward(self, batch: Batch) -> torch.Tensor:
        """The output of each network, (M, n)."""
        return torch.baddbmm(self.last_bias, self.embed(batch), self.last)[:, :, 0]


def taken(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Rows of the tables (M, rows, h) by numbers (n, s), (M, n, s, h); indexing at once is far slower backwards."""
    return table.index_select(1, index.flatten()).view(len(table), *index.shape, table.shape[2])


def times(nodes: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Nodes (M, n, s, a) times the weight (M, a, b) of their network."""
    members, graphs, size, width = nodes.shape
    product = torch.bmm(nodes.reshape(members, graphs * size, width), weight)
    return product.view(members, graphs, size, weight.shape[2])


def mean(nodes: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The mean over the nodes of each graph, (M, n, h)."""
    valid = batch.valid[None, :, :, None]
    return (nodes * valid).sum(2) / valid.sum(2).clamp_min(1.0)


class GCN(Reader):
    """Graph convolutions along and against the edges: V' = (ReLU(N V W1) + ReLU(N' V W2)) / 2.

    Wen et al. 2020 (arXiv:1912.00848, equations 2 and 3), N the adjacency matrix with self loops, each row divided
    by its sum; the graph is described by the mean of its nodes.
    """

    def build(self) -> None:
        """Two weights a layer."""
        self.forwards = nn.ParameterList([self.matrix(self.width, self.width) for _ in range(self.layers)])
        self.backwards = nn.ParameterList([self.matrix(self.width, self.width) for _ in range(self.layers)])

    def states(self, nodes: torch.Tensor, batch: Batch) -> torch.Tensor:
        """(M, n, h)."""
        loops = batch.adjacency + torch.eye(batch.adjacency.shape[1], dtype=batch.adjacency.dtype)
        along, against = (each / each.sum(2, keepdim=True) for each in (loops, loops.transpose(1, 2)))
        for first, second in zip(self.forwards, self.backwards, strict=True):
            nodes = 0.5 * (torch.relu(along @ times(nodes, first)) + torch.relu(against @ times(nodes, second)))
        return mean(nodes, batch)


class GIN(Reader):
    """Graph isomorphism network: h' = MLP((1 + e) h + sum of what feeds it), (Xu et al. 2019, arXiv:1810.00826)."""

    def build(self) -> None:
        """Two weights a layer, and e."""
        self.inner = nn.ParameterList([self.matrix(self.width, self.width) for _ in range(self.layers)])
        self.outer = nn.ParameterList([self.matrix(self.width, self.width) for _ in range(self.layers)])
        self.epsilon = nn.Parameter(torch.zeros(self.members, self.layers))

    def states(self, nodes: torch.Tensor, batch: Batch) -> torch.Tensor:
        """(M, n, h)."""
        fed = batch.adjacency.transpose(1, 2)
        for number, (inner, outer) in enumerate(zip(self.inner, self.outer, strict=True)):
            own = (1 + self.epsilon[:, number])[:, None, None, None] * nodes
            nodes = torch.relu(times(torch.relu(times(own + fed @ nodes, inner)), outer))
        return mean(nodes, batch)


class GATES(Reader):
    """Operations as gates on information that flows from the inputs to the output (Ning et al. 2020, arXiv:2004.01899).

    A node passes on gate(operation) * (W x), x the sum of what reaches it and the gate a sigmoid of the operation's
    vector; an input sends out a learned vector; the output's sum describes the graph. The flow is repeated
    ``layers`` times, with weights of its own each time; the descriptions are added (there, the last is taken).
    """

    def build(self) -> None:
        """For each flow what is sent out, the weight of information and that of gates."""
        self.sent = nn.Parameter(torch.randn(self.members, self.layers, self.width, generator=self.generator))
        self.flows = nn.ParameterList([self.matrix(self.width, self.width) for _ in range(self.layers)])
        self.gates = nn.ParameterList([self.matrix(self.width, self.width) for _ in range(self.layers)])

    def states(self, nodes: torch.Tensor, batch: Batch) -> torch.Tensor:
        """(M, n, h)."""
        found = nodes.new_zeros(())
        last = (batch.valid.sum(1).long() - 1)[None, :, None, None]
        begins = (batch.adjacency.sum(1) == 0).to(nodes.dtype)[None, :, :, None]  # nothing feeds it: (1, n, s, 1)
        for number, (flow, gate) in enumerate(zip(self.flows, self.gates, strict=True)):
            gates = torch.sigmoid(times(nodes, gate))
            sums = self.flown(gates, begins * self.sent[:, number][:, None, None], flow, batch)
            found = found + sums.gather(2, last.expand(self.members, -1, 1, self.width))[:, :, 0]
        return found

    def flown(self, gates: torch.Tensor, sent: torch.Tensor, flow: torch.Tensor, batch: Batch) -> torch.Tensor:
        """What reaches each node, (M, n, s, h); nodes stand in an order that follows the edges."""
        reached: list[torch.Tensor] = []
        passed: list[torch.Tensor] = []
        for node in range(gates.shape[2]):
            total = sent[:, :, node]
            for source in torch.nonzero(batch.adjacency[:, :node, node].any(0))[:, 0].tolist():
                total = total + batch.adjacency[:, source, node, None] * passed[source]
            reached.append(total)
            passed.append(gates[:, :, node] * torch.bmm(total, flow))
        return torch.stack(reached, 2)


READERS: dict[str, type[Reader]] = {"gcn": GCN, "gin": GIN, "gates": GATES}
