"""Small spaces of each kind, for laws that are held over many searches."""

from __future__ import annotations

from typing import Any

from nasturtium.layers import Identity, Linear, ReLU, Residual, Sequential, repeat
from nasturtium.space import Part, Space, choice
from nasturtium.space.choice import rule


class LawKnobs(Part):
    """Independent values: a product space, and no network. Its name is a tag, which no part of a user is to have."""

    items: Any


def product(decisions: int = 8, options: int = 4) -> Space:
    """So many decisions with so many options each, none of which depends on another."""
    return Space(LawKnobs(tuple(choice(*range(options), name=f"c{i}") for i in range(decisions))), name="box")


def conditional() -> Space:
    """Networks of one to three blocks, in which some decisions come with others alone."""
    block = choice(
        Linear(choice(8, 16)), ReLU(), Residual(Sequential(Linear(8), choice(ReLU(), Identity()), Linear(8)))
    )
    return Space(
        Sequential(Linear(8), repeat(Sequential(block, Linear(8)), choice(1, 2, 3)), Linear(choice(2, 4, 6))),
        input=(8,),
        name="conditional",
    )


def grammar(nodes: int = 40) -> Space:
    """A grammar whose rule refers to itself, within so many nodes."""

    def productions(block: Any) -> Any:
        layers = Sequential(Linear(choice(4, 8, 16)), Linear(8))
        inner = Residual(Sequential(block, Linear(8)))
        return choice(Sequential(block, block), inner, ReLU(), layers, weights=(0.4, 0.2, 0.2, 0.2))

    return Space(Sequential(rule("block", productions), Linear(2)), input=(8,), name="grammar", nodes=nodes)


def constrained() -> Space:
    """A product under a constraint on the whole."""
    return Space(product(6, 4).root, where=lambda architecture: sum(architecture.decisions) % 2 == 0, name="even")


SMALL_SPACES: dict[str, Space] = {
    "product": product(),
    "conditional": conditional(),
    "grammar": grammar(),
    "tight grammar": grammar(nodes=16),
    "constrained": constrained(),
}
"""One of each kind."""
