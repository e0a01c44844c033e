"""The space ``einspace``: a probabilistic grammar of branching, routing and computation (Ericsson et al. 2024)."""

from __future__ import annotations

from functools import partial
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import Branch, GlobalPool, Linear, Sequential
from nasturtium.layers.fundamental import MeanOverRest, Routing
from nasturtium.space.choice import Choice, Rule, choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer
from nasturtium.space.space import Space
from nasturtium.spaces.einspace_members import members
from nasturtium.spaces.einspace_notation import (
    AFTER,
    BEFORE,
    COMPUTATIONS,
    CONVOLUTIONS,
    JOINS,
    PERMUTATIONS,
    SPLITS,
    read,
    write,
)
from nasturtium.spaces.inputs import one_input, positive

COMPUTE = 0.32
"""How likely a module is a computation; from 4/13 on, networks stay finite on average."""

HEADS: dict[str, Layer] = {"tokens": GlobalPool(), "reference": MeanOverRest()}
"""What stands before the last linear map: the mean over places, or as in the public code over features of sequences."""

VARIANTS = ("1d", "2d")


def einspace(
    input: Any = (3, 64, 64),
    outputs: int = 10,
    *,
    compute: float = COMPUTE,
    depth: int = 100,
    nodes: int = 5_000,
    head: str = "tokens",
    variant: str | None = None,
    limits: dict[str, float] | None = None,
) -> Space:
    """einspace (Ericsson et al. 2024, arXiv:2405.20838): networks from the most basic operations, by a grammar.

    ``S -> M M | B M A | P M R`` and ``M -> M M | B M A | P M R | C``: modules in a row, branches (two with modules of
    their own, or four or eight of one module, each with its own weights), routing around a module, or one computation.
    B: clone or split along any axis; A: matrix products (of two), sum, concatenation; P: identity, permutations, im2col;
    R: identity, permutations, col2im; C: identity, linear maps of the last axis to 16 ... 2048, norm, leaky ReLU,
    softmax, learned positions. All options have the order of the public code. ``M -> C`` has the probability
    ``compute``, the other three share the rest; everything else is uniform over what works on the signals there.
    The space is infinite. An image may become a sequence (im2col) and an image again: col2im folds to the size of the
    im2col of the same routing, as in the public code, whatever happened between.

    For sequences (``1d``) there is no im2col and no col2im, but 16 convolutions (kernels 8, 5, 3, 1; 32 ... 256).

    Differences to the public code, all on purpose. Shapes follow from rules; nothing is run. A concatenation joins as
    many tensors as the branching made, and an axis that is too short to be split is not a reason against the others.
    What makes an option impossible further on is known to some extent before, so that fewer decisions are taken back.
    im2col asks for a window in the padded image, not in the bare one, which its own ResNet breaks on small
    images. The head takes the mean over the tokens of a sequence and classifies its features, where theirs takes
    the mean over the features (``head="reference"``, which gives their parameter counts). Convolutions over
    sequences (T, C) run along T, where theirs take the first axis for the channels; ``permute21`` turns a sequence. A
    kernel of 8 has 4 zeros before the sequence and 3 behind it, theirs 3 and 4.

    Notation: ``R[im2col3k1s1p C[linear64] col2im]``, ``B[clone2 {C[norm] ; C[identity]} add]``, ``S[... ...]``; see
    :mod:`nasturtium.spaces.einspace_notation`. Members (images only): see :mod:`nasturtium.spaces.einspace_members`.

    Args:
        input: (channels, height, width), or (steps, features).
        outputs: Numbers that leave.
        compute: Probability of ``M -> C``; the smaller, the larger the networks.
        depth: How many modules may nest; at the deepest level only computations are offered.
        nodes: How many decisions a derivation may hold, copies of branches counted.
        head: ``tokens`` or ``reference``.
        variant: ``2d`` or ``1d``; by the kind of the input if not given.
        limits: The most params, flops and activations of an architecture.

    Raises:
        SpaceError: If the input is neither or its length is unknown, or an option cannot be used.

    >>> space = einspace((3, 32, 32))
    >>> str(space.from_notation("S[C[norm] R[im2col4k4s0p C[linear16] col2im]]"))
    'Sequential(Sequential(ModeNorm(), Routing(Unfold(4, stride=4), body=LastLinear(16), after=Fold())), GlobalPool(), Linear(10))'
    """  # noqa: E501 - one architecture
    signal = one_input("einspace", input, "image", "sequence")._replace(grid=None)
    positive("einspace", outputs=outputs, depth=depth, nodes=nodes)
    if signal.mask or None in signal.shape:
        raise SpaceError(f"einspace needs sequences of one known length without padding, not {signal}")
    if not 0 < compute < 1:
        raise SpaceError(f"einspace: compute is a probability between 0 and 1, not {compute!r}")
    chosen = variant or ("2d" if signal.kind == "image" else "1d")
    if chosen not in VARIANTS or head not in HEADS:
        known = f"variants {', '.join(VARIANTS)} and heads {', '.join(HEADS)}"
        raise SpaceError(f"einspace knows no variant {chosen!r} with head {head!r}; there are {known}")
    ends: tuple[Layer, ...] = (HEADS[head], Linear(outputs))
    return Space(
        Sequential(grammar(compute, chosen), *ends),
        input=signal,
        name="einspace",
        depth=depth,
        nodes=nodes,
        limits=limits,
        notation=Notation(write, partial(read, head=ends)),
        members=members(signal) if chosen == "2d" else {},
    )


def grammar(compute: float, variant: str) -> Choice:
    """The rule S: the choice among modules that stands for a whole backbone.

    Args:
        compute: Probability of ``M -> C``.
        variant: ``2d``, or ``1d`` with convolutions instead of im2col and col2im.
    """
    flat = variant == "1d"
    computations = [layer for name, layer in COMPUTATIONS.items() if flat or name not in CONVOLUTIONS]
    computation = choice(*computations, name="C")
    before = choice(*(PERMUTATIONS if flat else BEFORE).values(), name="P")
    after = choice(*(PERMUTATIONS if flat else AFTER).values(), name="R")
    share = (1 - compute) / 3
    module = Rule(
        "M",
        lambda module: choice(
            *_composed(module, before, after), computation, weights=(share, share, share, compute), name="M"
        ),
    )
    return Choice(_composed(module, before, after), name="S")


def _composed(module: Rule, before: Choice, after: Choice) -> tuple[Layer | Choice, ...]:
    """The productions with modules inside: in a row, branches, routing."""
    return Sequential(module, module), _branches(module), Routing(before, module, after)


def _branches(module: Rule) -> Choice:
    """Branches by their split; what is inside stays where it can when another split is taken."""
    joins = {count: choice(*options.values(), name="A") for count, options in JOINS.items()}
    splits: list[Any] = list(SPLITS.values())
    options = [Branch(split, *(module,) * (2 if split.count == 2 else 1), join=joins[split.count]) for split in splits]
    found = Choice(options, None, "B")
    found.transparent = True
    return found
