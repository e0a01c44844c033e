"""The space ``nasbench_nlp``: recurrent cells as graphs (Klyuchnikov et al. 2020)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from math import comb, factorial
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import Dropout, Embedding, GlobalPool, Linear, Sequential
from nasturtium.layers.recurrence import Recurrence, RecurrentCell, RecurrentNode, live
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import Choice, choice, subset
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal, tokens
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import known, one_input, positive, rates, weighted
from nasturtium.spaces.recipe import compact, read_recipe, write_recipe

ACTIVATIONS = {"tanh": 1.0, "sigmoid": 1.0, "leaky_relu": 1.0}


def nasbench_nlp(
    input: Any = tokens(70, 10_000),  # noqa: B008 - a frozen value
    outputs: int = 10,
    *,
    nodes: int = 16,
    states: int = 3,
    embedding: int = 64,
    hidden: Sequence[int] = (64,),
    head: str = "last",
    dropout: float = 0.1,
    limit: float | None = 100.0,
) -> Space:
    """Recurrent cells drawn as NAS-Bench-NLP draws them (Klyuchnikov et al. 2020, arXiv:2006.07116).

    A cell has one to three states. Each of its nodes is, with weights 3 : 1 : 1 : 1, a linear map of two or three
    values (4 : 1) with tanh, sigmoid or leaky ReLU behind it, a blend, a product or a sum; it reads earlier nodes and
    states, and linear maps the input too. Nodes drawn at random become the new states; what leads to none of them
    is left out; a cell must make use of its input and of all its states, and no new state may read an old one directly
    (but for the values of a blend, here, as in a GRU). All layers have the same cell.

    Here a linear map and its activation are one node (two in a recipe), so that the published 7, 14 or 21 nodes and
    one for each state are 5 to 16 on average. To hold the named cells and everything that was trained, nodes may
    also be a linear map of one value, one without activation, or an activation alone, all more rarely; and linear
    maps read any node rather than activations alone.

    What a cell draws but does not use stays in its text and takes no part: it is neither built nor counted, and cells
    that differ in it alone have one canonical form. The size counts cells as drawn.

    The notation is the published recipe (JSON, node -> {op, input}). The published language model is
    ``embedding=400, hidden=(600, 600, 400), head="steps", limit=None`` with an output for each word (its 345 parameter
    counts are met exactly but for its output layer, whose 400 x words weights it shares with the embedding) and
    dropout 0.4, 0.25 between layers; it also drops recurrent weights and words, which is not done here.

    Args:
        input: (length or None, channels), or a sequence or tokens signal.
        outputs: Numbers that leave: classes, targets, or words of a language model.
        nodes: Most nodes of a cell.
        states: Most states of a cell, 1 to 3.
        embedding: Channels of an embedded token.
        hidden: Channels of the states in each layer.
        head: ``last`` or ``mean`` (of the steps), or ``steps``: outputs at every step.
        dropout: Share of channels dropped before, between and behind the layers.
        limit: States are kept within plus and minus this number (products of states may grow without bound).

    Raises:
        SpaceError: If the input is neither sequence nor tokens, or an option cannot be used.

    >>> space = nasbench_nlp()
    >>> len(str(space.size))
    54
    >>> space.member("lstm").count()["params"] - nasbench_nlp().member("rnn").count()["params"]
    24768
    """
    signal = one_input("nasbench_nlp", input, "sequence", "tokens")
    positive("nasbench_nlp", outputs=outputs, nodes=nodes, states=states, embedding=embedding)
    positive("nasbench_nlp", **{f"hidden[{index}]": width for index, width in enumerate(hidden)})
    if states > 3 or nodes < states or not hidden:
        raise SpaceError(f"nasbench_nlp: 1 to 3 states, nodes >= states, and a layer; not {states}, {nodes}, {hidden}")
    rates("nasbench_nlp", dropout=dropout)
    known("nasbench_nlp", "head", head, ("last", "mean", "steps"))
    whole = partial(_network, signal, outputs, embedding, tuple(hidden), head, dropout, limit)
    cells = {count: _cells(count, nodes) for count in range(1, states + 1)}
    notation = Notation(write, partial(read, whole))
    return Space(
        whole(cells),
        input=signal,
        name="nasbench_nlp",
        where=sound,
        size=partial(_size, nodes, states),
        notation=notation,
        members=MEMBERS,
    )


def _network(
    signal: Signal,
    outputs: int,
    embedding: int,
    hidden: tuple[int, ...],
    head: str,
    dropout: float,
    limit: float | None,
    cells: dict[int, Any],
) -> Sequential:
    """The network around cells: those open, by their number of states, or a closed one."""
    drop = [Dropout(dropout, of="channels")] if dropout else []
    stem: list[Layer] = [Embedding(embedding), *drop] if signal.kind == "tokens" else []
    made = [
        Recurrence(cell, hidden, len(cell.states) if isinstance(cell, RecurrentCell) else count, dropout, limit)
        for count, cell in cells.items()
    ]
    pool: list[Layer] = [] if head == "steps" else [GlobalPool(head)]
    return Sequential(*stem, made[0] if len(made) == 1 else choice(*made), *drop, *pool, Linear(outputs))


def _cells(states: int, most: int) -> Choice:
    """Cells of one number of states, of ``states`` to ``most`` nodes; what they decide is kept as nodes are added."""
    nodes = [_node(1 + states + number) for number in range(most)]
    made = [
        RecurrentCell(tuple(nodes[:count]), (choice(*range(count)),) * states if count > 1 else (0,))
        for count in range(states, most + 1)
    ]
    opened = Choice(made, None, "nodes", ordered=True)
    opened.transparent = True
    return opened


@lru_cache
def _node(values: int) -> Choice:
    """A node that reads among so many values, of which number 0, the input, is for linear maps alone."""
    arities = {1: 0.25, 2: 4.0, 3: 1.0}
    counts = [count for count in arities if count <= values]
    read: Any = Choice([subset(*range(values), k=count) for count in counts], [arities[count] for count in counts])
    later = tuple(range(1, values))
    one = choice(*later) if len(later) > 1 else later[0]
    options = [
        RecurrentNode("linear", read, weighted(ACTIVATIONS | {"identity": 0.5})),
        RecurrentNode("activation", (one,), weighted(ACTIVATIONS)),
    ]
    if len(later) > 1:
        options += [RecurrentNode(name, subset(*later, k=2)) for name in ("prod", "sum")]
    if len(later) > 2:
        options.append(RecurrentNode("blend", (one, one, one)))
    return Choice(options, (3.0, 0.5, 1.0, 1.0, 1.0)[: len(options)])


def write(architecture: Architecture) -> str:
    """The published recipe of an architecture's cell."""
    return write_recipe(cell_of(architecture))


def read(whole: Callable[[dict[int, Any]], Sequential], text: str) -> Sequential:
    """The network around the cell of a recipe.

    Args:
        whole: Makes it from the closed cell.
        text: The recipe.
    """
    return whole({0: read_recipe(text)})


def cell_of(architecture: Architecture) -> RecurrentCell:
    """The recurrent cell of an architecture."""
    cell: RecurrentCell = next(layer for layer in architecture.value.layers if isinstance(layer, Recurrence)).cell
    return cell


def sound(architecture: Architecture) -> bool:
    """Whether input and states all lead to a new state, and none of those is plainly made of an old one."""
    cell = cell_of(architecture)
    given = set(range(1, 1 + len(cell.states)))
    made = [cell.nodes[number] for number in cell.states]
    return live(cell) >= {0, *given} and given.isdisjoint(number for node in made for number in _plainly(node))


def _plainly(node: RecurrentNode) -> tuple[int, ...]:
    """What a node reads without an activation behind it or a gate before it."""
    if node.operation == "linear" and node.activation != "identity":
        return ()
    return node.inputs[:1] if node.operation == "blend" else node.inputs


@lru_cache
def _size(nodes: int, states: int) -> int:
    return sum(valid(each, count) for count in range(1, states + 1) for each in range(count, nodes + 1))


@lru_cache
def valid(nodes: int, states: int) -> int:
    """How many cells of this size are sound: by inclusion and exclusion over what they do not use."""
    return sum(
        (-1) ** (no_input + unused) * comb(states, unused) * _without(nodes, states, 1 - no_input, states - unused)
        for no_input in (0, 1)
        for unused in range(states + 1)
    )


def _without(nodes: int, states: int, inputs: int, used: int) -> int:
    """Cells whose living nodes read at most the input (if ``inputs`` is 1) and certain ``used`` of the states.

    Nodes are taken from the last to the first. In how many ways certain earlier nodes come to live, some of them as
    states, is the same for any of them, so that it is enough to know it by how many they are (states, living).
    """
    ways = {(states, states): factorial(states)}
    for before in range(nodes - 1, -1, -1):
        every = sum(comb(before, read) * _options(read, 1, states) for read in range(4))
        after = {}
        for made in range(states + 1):
            for alive in range(made, before + 1):
                total = ways.get((made, alive), 0) * every  # the node is dead
                for old, new, also in itertools.product(range(4), range(4), range(4)):
                    if old + new > 3 or also > new:
                        continue
                    # It reads certain ``old`` states and ``new`` other nodes, ``also`` of which lived anyhow.
                    choices = comb(made, old) * comb(alive - made, new) * comb(new, also)
                    living = alive - new + also + 1
                    total += choices * ways.get((made, living), 0) * _options(old + new, inputs, used)
                    total += choices * ways.get((made + 1, living), 0) * _options(old + new, inputs, used, state=True)
                after[made, alive] = total
        ways = after
    return ways[0, 0]


def _options(read: int, inputs: int, states: int, state: bool = False) -> int:
    """Options of a node that reads certain ``read`` nodes, and else some of the input and so many states.

    Args:
        read: Number of nodes read.
        inputs: 1 if it may read the input.
        states: How many states it may read.
        state: Whether it becomes a new state, so that it may not read old ones plainly.
    """

    def chosen(count: int, among: int) -> int:
        return comb(among, count - read) if count >= read else 0

    plain = 0 if state else states
    linear = sum(
        len(ACTIVATIONS) * chosen(count, inputs + states) + chosen(count, inputs + plain) for count in (1, 2, 3)
    )
    blends = 2 * (read if state else 3) * chosen(3, states)  # of three values, the first of which is the gate
    return linear + len(ACTIVATIONS) * chosen(1, plain) + 2 * chosen(2, plain) + blends


MEMBERS = {
    "rnn": compact(f="linear x h_prev_0", h_new_0="activation_tanh f"),
    "lstm": compact(
        i="linear x h_prev_0", f="linear x h_prev_0", g="linear x h_prev_0", o="linear x h_prev_0",
        i_act="activation_sigm i", f_act="activation_sigm f", g_act="activation_tanh g", o_act="activation_sigm o",
        kept="elementwise_prod f_act h_prev_1", added="elementwise_prod i_act g_act",
        h_new_1="elementwise_sum kept added", shown="activation_tanh h_new_1", h_new_0="elementwise_prod shown o_act",
    ),
    "gru": compact(
        r="linear x h_prev_0", z="linear x h_prev_0", from_x="linear x", from_h="linear h_prev_0",
        r_act="activation_sigm r", z_act="activation_sigm z", reset="elementwise_prod r_act from_h",
        n="elementwise_sum from_x reset", n_act="activation_tanh n", h_new_0="blend z_act h_prev_0 n_act",
    ),
    "lstm_published": compact(
        i="linear x h_prev_0", i_act="activation_tanh i", j="linear x h_prev_0", j_act="activation_sigm j",
        f="linear x h_prev_0", f_act="activation_sigm f", o="linear x h_prev_0", o_act="activation_tanh o",
        kept="elementwise_prod f_act h_prev_1", added="elementwise_prod i_act j_act",
        h_new_1="elementwise_sum kept added", shown="activation_tanh h_new_1", h_new_0="elementwise_prod shown o_act",
    ),
    "gru_published": compact(
        r="linear x h_prev_0", r_act="activation_sigm r", z="linear x h_prev_0", z_act="activation_sigm z",
        reset="elementwise_prod r_act h_prev_0", n="linear x reset", n_act="activation_tanh n",
        h_new_0="blend z_act h_prev_0 n_act",
    ),
}  # fmt: skip
"""Known cells: ``lstm`` and ``gru`` compute what torch's do; those of the benchmark gate the LSTM's output with tanh,
and reset the state of the GRU before its linear map (as in Cho et al. 2014)."""
