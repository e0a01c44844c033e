"""The space ``nasbench_graph``: four graph layers in a tree, for the nodes of a graph (Qin et al. 2022)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import Mismatch, SpaceError, did_you_mean
from nasturtium.layers import BatchNorm, Concat, Container, Dropout, Linear, ReLU
from nasturtium.layers.graph import ARMAConv, ChebConv, GATConv, GCNConv, GINConv, GraphConv, SAGEConv
from nasturtium.layers.rules import only
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal, as_signals, edges, nodes
from nasturtium.space.space import Space
from nasturtium.spaces.graph_trees import LINKS, MEMBERS, OPERATIONS, key, read, write
from nasturtium.spaces.inputs import positive, rates

if TYPE_CHECKING:
    import torch

LAYERS: dict[str, Callable[[int], Layer]] = {
    "gat": lambda width: GATConv(width, heads=4),
    "gcn": GCNConv,
    "gin": GINConv,
    "cheb": ChebConv,
    "sage": SAGEConv,
    "arma": ARMAConv,
    "graph": GraphConv,
}
"""The operations that pass messages, as functions of the width."""

SETTINGS: dict[str, dict[str, Any]] = {
    "cora": {"width": 256, "before": False, "after": True, "dropout": 0.7},
    "citeseer": {"width": 256, "before": False, "after": True, "dropout": 0.7},
    "pubmed": {"width": 128, "before": False, "after": False, "dropout": 0.3},
    "cs": {"width": 128, "before": True, "after": False, "dropout": 0.6},
    "physics": {"width": 256, "before": True, "after": False, "dropout": 0.4},
    "photo": {"width": 128, "before": False, "after": False, "dropout": 0.7},
    "computers": {"width": 64, "before": True, "after": True, "dropout": 0.1},
    "arxiv": {"width": 128, "before": False, "after": True, "dropout": 0.2},
}
"""The options for each data set of the benchmark but ``proteins``, which has fewer operations.

Width, ``before`` and ``after`` are those that give the published numbers of parameters; the dropout is the one of a
public repetition of the training.
"""


class Enclose(Layer):
    """Puts a signal into a group of one, so that what reads it can tell where it comes from.

    Args:
        name: Of the signal in the group.
    """

    name: str
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "nodes")
        return Signal("group", mask=x.mask, members=((self.name, x._replace(mask=False)),))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Identity()


class Disclose(Layer):
    """Takes the signal out of a group of one."""

    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "group")
        if len(x.members) != 1:
            raise Mismatch(f"Disclose takes a group of one signal, not {x}")
        return x.members[0][1]._replace(mask=x.mask)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Identity()


class GraphOperation(Container):
    """One node of NAS-Bench-Graph: batch normalisation, ReLU and dropout, then the operation.

    What comes from the input through skips alone arrives in a group: as ``prepared`` by a linear map, or as the bare
    ``features``, which are not normalised.

    Args:
        operation: A name among ``OPERATIONS``.
        width: Channels that leave.
        dropout: Share of values dropped in training.
    """

    operation: str
    width: int = 256
    dropout: float = 0.7

    def wire(self, x: Any, edges: Any) -> Wiring:
        if self.operation not in OPERATIONS:
            raise SpaceError(f"unknown operation {self.operation!r}{did_you_mean(self.operation, OPERATIONS)}")
        origin = x.signal.members[0][0] if x.signal.kind == "group" else None
        if origin == "features" and self.operation == "skip":
            return x
        y = x if origin is None else (yield Disclose(), x)
        if origin != "features":
            y = yield BatchNorm(), y
            y = yield ReLU(), y
            y = yield Dropout(self.dropout), y
        if self.operation == "skip":
            return y if origin is None else (yield Enclose(origin), y)
        if self.operation == "fc":
            return (yield Linear(self.width), y)
        return (yield LAYERS[self.operation](self.width), y, edges)


class NASBenchGraphNetwork(Container):
    """Operations in a tree; what no other one reads is joined, and linear maps make the outputs of it.

    Args:
        links: What each operation reads: 0 the input, n the n-th operation.
        operations: The operations.
        outputs: Numbers that leave for each node.
        width: Channels inside.
        before: Whether a linear map comes before the operations.
        after: Whether two linear maps come after them, instead of one.
        dropout: Share of the input's values dropped in training.
    """

    links: tuple[int, ...]
    operations: tuple[Any, ...]
    outputs: int
    width: int = 256
    before: bool = False
    after: bool = True
    dropout: float = 0.7

    def wire(self, x: Any, edges: Any) -> Wiring:
        x = yield Dropout(self.dropout), x
        if self.before:
            x = yield Linear(self.width), x
        states = [(yield Enclose("prepared" if self.before else "features"), x)]
        for link, operation in zip(self.links, self.operations, strict=True):
            if not 0 <= link < len(states):
                raise SpaceError(f"operation {len(states)} reads {link}; it can read 0 to {len(states) - 1}")
            states.append((yield operation, states[link], edges))
        loose = [state for number, state in enumerate(states) if number not in self.links]
        loose = [state for state in loose if state.signal.kind != "group"]
        if not loose:
            raise Mismatch("a network of skips alone computes nothing")
        y = loose[0] if len(loose) == 1 else (yield Concat(), *loose)
        y = yield ReLU(), y
        if self.after:
            y = yield Linear(self.width), y
        return (yield Linear(self.outputs), y)


CORA = (nodes(2708, 1433), edges(None))
"""The input of the data set Cora; how many edges a graph has need not be known."""


def nasbench_graph(
    input: Any = CORA,
    outputs: int = 7,
    *,
    width: int = 256,
    before: bool = False,
    after: bool = True,
    dropout: float = 0.7,
) -> Space:
    """The networks of NAS-Bench-Graph (Qin et al. 2022), which give logits for every node of a graph.

    One of the nine trees ``LINKS`` of four nodes, and for each node one of nine ``OPERATIONS``: ``gat`` (four heads),
    ``gcn``, ``gin``, ``cheb``, ``sage``, ``arma``, ``graph`` (k-GNN), ``fc``, ``skip``. 9 * 9^4 derivations less the
    nine of skips alone: 59,040, of 26,206 published keys. ``SETTINGS`` holds the options of each data set.

    The notation is that of the published code, ``Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])``; all 24 ways to
    number the nodes are read, and so is the published key (``valid_hash``).

    Operations that lead from the input to the end through skips alone are no part of the network: so the published
    key has it, and with the bare features the published code cannot build it. Weights that the published code holds
    but never uses are left out; :func:`published_parameters` counts them.

    Args:
        input: (nodes, edges), or nodes alone.
        outputs: Classes.
        width: Channels inside; divisible by four.
        before: Whether a linear map comes before the four nodes.
        after: Whether two linear maps come after them, instead of one.
        dropout: Share of values dropped before each operation.

    Raises:
        SpaceError: If the input is no graph, or an option cannot be used.

    >>> space = nasbench_graph()
    >>> space.size
    59040
    >>> space.key(space.from_notation("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])"))
    '61237'
    """
    positive("nasbench_graph", outputs=outputs, width=width)
    if width % 4:
        raise SpaceError(f"nasbench_graph: the four heads of gat need a width divisible by 4, not {width}")
    rates("nasbench_graph", dropout=dropout)
    operation = choice(*[GraphOperation(name, width, dropout) for name in OPERATIONS])
    options = (width, bool(before), bool(after), dropout)
    root = NASBenchGraphNetwork(choice(*LINKS, name="links"), (operation,) * 4, outputs, *options)
    notation = Notation(write, read, key)
    return Space(root, input=_graph(input), name="nasbench_graph", notation=notation, members=MEMBERS)


def _graph(input: Any) -> tuple[Signal, ...]:
    signals = as_signals(input)
    if [signal.kind for signal in signals] == ["nodes"]:
        return (*signals, edges(None))
    if [signal.kind for signal in signals] != ["nodes", "edges"]:
        given = " and ".join(map(str, signals))
        raise SpaceError(f"nasbench_graph takes nodes and edges, such as (nodes(2708, 1433), edges()), not {given}")
    return signals


def published_parameters(architecture: Architecture) -> int:
    """The parameters that the published table counts, of which some are never used.

    Every node has a batch normalisation, also where it reads bare features and does without; ``arma`` holds a square
    matrix for the further steps that it does not take.
    """
    network = architecture.value
    idle, bare = 0, set() if network.before else {0}
    for number, (link, each) in enumerate(zip(network.links, network.operations, strict=True), 1):
        if link in bare:
            idle += 2 * network.width
            bare |= {number} if each.operation == "skip" else set()
        idle += network.width**2 * (each.operation == "arma")
    return idle + int(architecture.count(flops=False)["params"])
