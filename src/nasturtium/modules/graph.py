"""Message passing over the nodes of graphs: what arrives along the edges is gathered with ``index_add``.

Nodes are (B, N, C), edges (B, 2, E) integers: the sources in row 0, the targets in row 1, -1 for padding. All shapes
are known before the data, so the modules can be compiled and exported. Linear maps come before the gathering.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Links(NamedTuple):
    """The edges of a batch of graphs, laid out as one large graph.

    Attributes:
        source: (B * E,) row of the node that sends.
        target: (B * E,) row of the node that receives; ``rows``, one behind the last, for edges that do not count.
        rows: B * N.
    """

    source: Tensor
    target: Tensor
    rows: int


def links(x: Tensor, edges: Tensor, loops: bool = True) -> Links:
    """Lay the edges (B, 2, E) of the graphs over nodes x (B, N, C) out as one graph; ``loops``: keep self-loops."""
    batch, count, _ = x.shape
    source, target = edges.unbind(1)
    real = source >= 0
    if not loops:
        real = real & (source != target)
    first = torch.arange(batch, device=edges.device).unsqueeze(1) * count
    source = torch.where(real, source + first, 0)
    target = torch.where(real, target + first, batch * count)
    return Links(source.flatten(), target.flatten(), batch * count)


def gathered(values: Tensor, along: Links) -> Tensor:
    """For each node the sum of ``values`` (rows, F) over the edges that arrive."""
    return summed(values.index_select(0, along.source), along)


def summed(messages: Tensor, along: Links) -> Tensor:
    """For each node the sum of ``messages`` (B * E, ...), one for each edge, over the edges that arrive."""
    nothing = messages.new_zeros(along.rows + 1, *messages.shape[1:])
    return nothing.index_add(0, along.target, messages)[:-1]


def degrees(x: Tensor, along: Links) -> Tensor:
    """The number of edges that arrive at each node, (rows, 1), in the type of x."""
    return summed(x.new_ones(along.target.shape[0], 1), along)


def inverse_root(degree: Tensor) -> Tensor:
    """degree^(-1/2), and 0 where nothing arrives."""
    return torch.where(degree > 0, degree.clamp(min=1).rsqrt(), 0)


class GCNConv(nn.Module):
    """D^(-1/2) (A + I) D^(-1/2) X W + b (Kipf and Welling 2017, equation 2).

    Args:
        channels: Channels of a node.
        out: Channels that leave.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = _linear(channels, out)
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Nodes x (B, N, C), edges (B, 2, E)."""
        along = links(x, edges, loops=False)
        y: Tensor = self.linear(x).flatten(0, 1)  # (B * N, F)
        scale = (degrees(y, along) + 1).rsqrt()
        y = scale * y
        return (scale * (gathered(y, along) + y) + self.bias).view(*x.shape[:2], -1)


class GATConv(nn.Module):
    """Graph attention (Velickovic et al. 2018, equations 1 to 6), each node seeing itself too.

    Args:
        channels: Channels of a node.
        width: Channels of each head.
        heads: Number of heads.
        average: Take the mean of the heads instead of joining them.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, channels: int, width: int, heads: int, average: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.average, self.dropout = heads, average, dropout
        self.linear = _linear(channels, heads * width)
        self.sender = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, width)))
        self.receiver = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, width)))
        self.bias = nn.Parameter(torch.zeros(width if average else heads * width))

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Nodes x (B, N, C), edges (B, 2, E)."""
        along = links(x, edges, loops=False)
        y: Tensor = self.linear(x).view(along.rows, self.heads, -1)  # (B * N, H, W)
        weights, own, total = self._attention(y, along)
        messages = weights.unsqueeze(-1) * y.index_select(0, along.source)
        mixed = (summed(messages, along) + own.unsqueeze(-1) * y) / total.unsqueeze(-1)
        out = mixed.mean(1) if self.average else mixed.flatten(1)
        return (out + self.bias).view(*x.shape[:2], -1)

    def _attention(self, y: Tensor, along: Links) -> tuple[Tensor, Tensor, Tensor]:
        """Weights of the edges (B * E, H), of the node itself (B * N, H), and what they are to be divided by."""
        sent, received = (y * self.sender).sum(-1), (y * self.receiver).sum(-1)  # (B * N, H)
        reader = along.target.clamp(max=along.rows - 1)
        scores = F.leaky_relu(sent.index_select(0, along.source) + received.index_select(0, reader), 0.2)
        own = F.leaky_relu(sent + received, 0.2)
        with torch.no_grad():  # the largest score at each node, so that no exponential overflows
            places = along.target.unsqueeze(-1).expand_as(scores)
            top = F.pad(own, (0, 0, 0, 1)).scatter_reduce(0, places, scores, "amax")
        weights, own = (scores - top.index_select(0, along.target)).exp(), (own - top[:-1]).exp()
        total = summed(weights, along) + own
        if self.training and self.dropout > 0:
            weights, own = F.dropout(weights, self.dropout), F.dropout(own, self.dropout)
        return weights, own, total

    def extra_repr(self) -> str:
        """Heads, and what differs from the usual."""
        return f"heads={self.heads}, average={self.average}, dropout={self.dropout}"


class SAGEConv(nn.Module):
    """X V + mean of the neighbours' X W + b (Hamilton et al. 2017, algorithm 1 with the mean, without the norm).

    Args:
        channels: Channels of a node.
        out: Channels that leave.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.itself = nn.Linear(channels, out)
        self.neighbours = nn.Linear(channels, out, bias=False)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Nodes x (B, N, C), edges (B, 2, E)."""
        along = links(x, edges)
        y = self.neighbours(x).flatten(0, 1)
        mean = gathered(y, along) / degrees(y, along).clamp(min=1)
        found: Tensor = self.itself(x) + mean.view(*x.shape[:2], -1)
        return found


class GraphConv(nn.Module):
    """X V + sum of the neighbours' X W + b: the 1-dimensional k-GNN (Morris et al. 2019, equation 2).

    Args:
        channels: Channels of a node.
        out: Channels that leave.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.itself = nn.Linear(channels, out)
        self.neighbours = nn.Linear(channels, out, bias=False)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Nodes x (B, N, C), edges (B, 2, E)."""
        y = self.neighbours(x).flatten(0, 1)
        found: Tensor = self.itself(x) + gathered(y, links(x, edges)).view(*x.shape[:2], -1)
        return found


class GINConv(nn.Module):
    """A perceptron on (1 + epsilon) X plus the sum of the neighbours (Xu et al. 2019, equation 4.1).

    Args:
        channels: Channels of a node.
        out: Channels that leave.
        hidden: Channels between two linear maps; one linear map if not given.
        learned: Whether epsilon is learned; it is 0 otherwise.
    """

    def __init__(self, channels: int, out: int, hidden: int | None = None, learned: bool = False) -> None:
        super().__init__()
        self.first = nn.Linear(channels, out if hidden is None else hidden)
        self.second = None if hidden is None else nn.Linear(hidden, out)
        self.epsilon = nn.Parameter(torch.zeros(())) if learned else None

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Nodes x (B, N, C), edges (B, 2, E)."""
        y = F.linear(x, self.first.weight).flatten(0, 1)  # the sum commutes with the linear map
        own = y if self.epsilon is None else (1 + self.epsilon) * y
        out = (own + gathered(y, links(x, edges)) + self.first.bias).view(*x.shape[:2], -1)
        return out if self.second is None else self.second(F.relu(out))


class ChebConv(nn.Module):
    """Sum over k of T_k(L') X W_k, plus b (Defferrard et al. 2016, equation 4), L' = -D^(-1/2) A D^(-1/2).

    L' is the scaled Laplacian with 2 for its largest eigenvalue. Clenshaw's recurrence applies it to what the linear
    maps leave.

    Args:
        channels: Channels of a node.
        out: Channels that leave.
        order: Number of Chebyshev polynomials, that is, how many steps away a node sees, plus one.
    """

    def __init__(self, channels: int, out: int, order: int = 2) -> None:
        super().__init__()
        self.order = order
        self.linear = nn.Linear(channels, order * out, bias=False)
        for weight in self.linear.weight.data.chunk(order):
            nn.init.xavier_uniform_(weight)
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Nodes x (B, N, C), edges (B, 2, E)."""
        along = links(x, edges, loops=False)
        first, *terms = self.linear(x).flatten(0, 1).chunk(self.order, -1)
        scale = inverse_root(degrees(first, along))
        later: list[Tensor | None] = [None, None]  # the next two of the recurrence
        for term in reversed(terms):
            later = [_plus(term, later, 2, scale, along), later[0]]
        return (_plus(first, later, 1, scale, along) + self.bias).view(*x.shape[:2], -1)

    def extra_repr(self) -> str:
        """Number of polynomials."""
        return f"order={self.order}"


def _plus(term: Tensor, later: list[Tensor | None], factor: int, scale: Tensor, along: Links) -> Tensor:
    """One step of Clenshaw's recurrence: term + factor L' b1 - b2."""
    one, two = later
    if one is not None:
        term = term - factor * scale * gathered(scale * one, along)
    return term if two is None else term - two


class ARMAConv(nn.Module):
    """Mean over stacks of X' = act(D^(-1/2) A D^(-1/2) X' W + X V + b), repeated (Bianchi et al. 2021, equation 10).

    Args:
        channels: Channels of a node.
        out: Channels that leave.
        stacks: Recursions side by side.
        layers: Steps of each, every one with weights of its own.
        activation: Applied after each step.
    """

    def __init__(self, channels: int, out: int, stacks: int, layers: int, activation: nn.Module) -> None:
        super().__init__()
        self.stacks, self.activation = stacks, activation
        self.first = _linear(channels, stacks * out)
        self.roots = nn.ModuleList([_linear(channels, stacks * out, bias=True) for _ in range(layers)])
        later = [nn.init.xavier_uniform_(torch.empty(stacks, out, out)) for _ in range(layers - 1)]
        self.later = nn.ParameterList(later)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Nodes x (B, N, C), edges (B, 2, E)."""
        along = links(x, edges)
        state: Tensor = self.first(x).flatten(0, 1)  # (B * N, K * F)
        scale = inverse_root(degrees(state, along))
        for number, root in enumerate(self.roots):
            if number > 0:
                stacked = state.view(along.rows, self.stacks, -1).transpose(0, 1)  # (K, B * N, F)
                state = torch.bmm(stacked, self.later[number - 1]).transpose(0, 1).flatten(1)
            state = self.activation(scale * gathered(scale * state, along) + root(x).flatten(0, 1))
        return state.view(along.rows, self.stacks, -1).mean(1).view(*x.shape[:2], -1)

    def extra_repr(self) -> str:
        """Number of stacks."""
        return f"stacks={self.stacks}"


def _linear(channels: int, out: int, bias: bool = False) -> nn.Linear:
    layer = nn.Linear(channels, out, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
