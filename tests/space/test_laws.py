"""The laws over the five hardest spaces, a recursive toy grammar and small spaces of every kind."""

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasturtium.errors import SpaceError
from nasturtium.layers import Conv2d, Dropout, GlobalPool, Linear, ReLU, Residual, Sequential, repeat
from nasturtium.space import Architecture, Cost, Layer, Origin, Signal, Space, choice, floats, integers, shared
from nasturtium.spaces.darts import darts
from nasturtium.spaces.einspace import einspace
from nasturtium.spaces.nasbench101 import nasbench101
from nasturtium.spaces.nasbench201 import nasbench201
from nasturtium.spaces.seqnas import seqnas
from nasturtium.testing import LAWS, LawBroken, check_space
from tests.skeletons.small import recipe_space, toy_grammar


@cache
def readme() -> Space:
    net = Sequential(
        Conv2d(choice(16, 32), kernel=3),
        repeat(Residual(Conv2d(kernel=choice(3, 5))), choice(1, 2, 4)),
        GlobalPool(choice("mean", "max")),
        Linear(10),
    )
    return Space(net, input=(3, 16, 16), name="readme")


@cache
def tied() -> Space:
    width = shared("width", choice(8, 16, 24), whole=True)
    kernel = shared("kernel", choice(1, 3))
    block = Sequential(Conv2d(width, kernel=kernel), ReLU(), Conv2d(width, kernel=kernel))
    net = Sequential(Conv2d(width), repeat(block, choice(1, 2)), GlobalPool("mean"), Linear(3))
    return Space(net, input=(1, 8, 8), name="tied")


@cache
def ranges() -> Space:
    rates = choice(Dropout(floats(0.1, 0.5, steps=5)), Dropout(0.0))
    net = Sequential(Linear(integers(4, 64, log=True)), rates, Linear(choice(2, 3, 4, weights=(1, 2, 3))))
    return Space(net, input=(7,), name="ranges")


BUILT = {
    "einspace": lambda: einspace((1, 8, 8), 4, nodes=300, limits={"params": 1e5, "flops": 1e7, "activations": 1e5}),
    "nasbench101": lambda: nasbench101((3, 8, 8), channels=8, cells=1),
    "nasbench201": lambda: nasbench201((3, 8, 8), channels=4, cells=1),
    "darts": lambda: darts((3, 8, 8), channels=4, cells=3),
}
"""Small versions, where networks are built and run."""

SPACES = {
    "einspace": cache(einspace),
    "nasbench101": cache(nasbench101),
    "seqnas": cache(seqnas),
    "toy_grammar": cache(toy_grammar),
    "recipe": cache(recipe_space),
    "nasbench201": cache(nasbench201),
    "darts": cache(darts),
    "readme": readme,
    "tied": tied,
    "ranges": ranges,
}
WITHOUT_MODULES = {"recipe"}
EXAMPLES = {"builds": 3, "follows_weights": 2, "samples_uniformly": 3, "neighbours_differ": 8}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", SPACES)
def test_law(name: str, law: str) -> None:
    if law == "builds" and name in WITHOUT_MODULES:
        pytest.skip("a recipe has no modules")
    space = BUILT[name]() if law == "builds" and name in BUILT else SPACES[name]()

    @settings(max_examples=EXAMPLES.get(law, 12), deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32 - 1))
    def holds(seed: int) -> None:
        LAWS[law](space, seed)

    holds()


class Blur(Layer):
    """Looks the same whatever its size."""

    size: int

    def __str__(self) -> str:
        return "Blur()"

    def signal(self, x: Signal) -> Signal:
        return x

    def cost(self, x: Signal) -> Cost:
        return Cost(self.size, 0)


class Forgetful(Layer):
    """Its text reads back as another value."""

    size: int
    seen: int = 0

    def __init__(self, size: int, seen: int = 0) -> None:
        self.__dict__.update(size=size + 1, seen=seen)

    def signal(self, x: Signal) -> Signal:
        return x


class Wrong(Layer):
    """Builds something else than it says."""

    how: str

    def signal(self, x: Signal) -> Signal:
        return x

    def module(self, x: Signal) -> Any:
        import torch

        class Root(torch.nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return (x - 1e9).sqrt()

        return {"shape": torch.nn.Flatten(0), "params": torch.nn.Linear(3, 3), "nan": Root()}[self.how]


def broken(**methods: Any) -> Space:
    """A plain space some of whose methods are others."""
    space = Space(Sequential(Linear(choice(2, 3, 4)), Linear(choice(2, 3, 4))), input=(4,), name="broken")
    for name, method in methods.items():
        space.__dict__[name] = method
    return space


def declared(size: int, decisions: int = 2, **options: Any) -> Space:
    """A space that says how large it is."""
    net = Sequential(*[Linear(choice(2, 3, 4)) for _ in range(decisions)])
    return Space(net, input=(4,), name="declared", size=size, **options)


def changed_everywhere(space: Space) -> Any:
    def mutate(architecture: Architecture, rng: Any, **options: Any) -> Architecture:
        child = space.architecture([(taken + 1) % 3 for taken in architecture.decisions])
        child.origin = Origin("mutation", ("0.out",), ())
        return child

    return mutate


def redrawn_for_nothing(space: Space) -> Any:
    def mutate(architecture: Architecture, rng: Any, **options: Any) -> Architecture:
        child = space.architecture([(taken + 1) % 3 for taken in architecture.decisions])
        child.origin = Origin("mutation", ("0.out",), ("1.out",))
        return child

    return mutate


def nobodys(space: Space) -> Any:
    def cross(first: Architecture, second: Architecture, rng: Any) -> Architecture:
        used = zip(first.decisions, second.decisions, strict=True)
        child = space.architecture([next(i for i in range(3) if i not in pair) for pair in used])
        child.origin = Origin("crossover", (), ())
        return child

    return cross


def with_method(name: str, make: Any) -> Space:
    space = broken()
    space.__dict__[name] = make(space)
    return space


def always(decisions: tuple[int, ...]) -> Any:
    return lambda space: lambda rng, uniform=False: space.architecture(decisions)


def in_turn(space: Space) -> Any:
    numbers = itertools.count()
    return lambda rng, uniform=False: space.architecture((next(numbers) % 3, 0))


FAULTS = {
    "a size": ("counts", lambda: broken(_size=7), "the size is 7, enumeration finds 9"),
    "a declared size": ("counts", lambda: declared(7), "the size is declared as 7, enumeration finds more"),
    "a declared size that is too large": (
        "counts",
        lambda: declared(12),
        "the size is declared as 12, enumeration finds 9",
    ),
    "a declared size of what is constrained": (
        "counts",
        lambda: declared(9, where=lambda a: a.decisions[0] > 0),
        "declared as 9, enumeration finds 6",
    ),
    "a declared size of a large space": (
        "counts",
        lambda: declared(5, decisions=30),
        "the size is declared as 5, enumeration finds more",
    ),
    "twice": (
        "counts",
        lambda: with_method("enumerate", lambda s: lambda: (s.architecture((0, 0)) for _ in range(9))),
        "enumerated twice",
    ),
    "text": (
        "writes_and_reads",
        lambda: Space(Sequential(Forgetful(1), Linear(choice(2, 3))), input=(4,)),
        "parsing gives another architecture",
    ),
    "decisions": (
        "writes_and_reads",
        lambda: with_method("decisions", lambda s: lambda text: (9, 9)),
        "decisions are not deterministic",
    ),
    "its parent": (
        "mutates",
        lambda: with_method("mutate", lambda s: lambda a, rng: a),
        "a mutation equals its parent",
    ),
    "no origin": (
        "mutates",
        lambda: with_method("mutate", lambda s: lambda a, rng: s.architecture([(i + 1) % 3 for i in a.decisions])),
        "does not say what changed",
    ),
    "elsewhere": (
        "mutates",
        lambda: with_method("mutate", changed_everywhere),
        "a decision elsewhere changed at 1.out",
    ),
    "for nothing": ("mutates", lambda: with_method("mutate", redrawn_for_nothing), "still applies, but was drawn anew"),
    "nobody's": ("crosses", lambda: with_method("cross", nobodys), "is no parent's"),
    "itself": (
        "neighbours_differ",
        lambda: with_method("neighbours", lambda s: lambda a, rng=None: iter([a])),
        "not a neighbour",
    ),
    "too few": (
        "neighbours_differ",
        lambda: with_method(
            "neighbours", lambda s: lambda a, rng=None: itertools.islice(Space.neighbours(s, a, rng), 3)
        ),
        "3 neighbours, not 4",
    ),
    "one only": ("follows_weights", lambda: with_method("sample", always((1, 1))), "sampling is off"),
    "one in all": ("samples_uniformly", lambda: with_method("sample", always((1, 1))), "sampling is off"),
    "never the same": ("repeats", lambda: with_method("sample", in_turn), "the same seed samples differently"),
    "looks": (
        "canonical_is_stable",
        lambda: Space(Sequential(Blur(choice(1, 2))), input=(4,)),
        "different networks look the same",
    ),
    "shape": ("builds", lambda: Space(Wrong(choice("shape")), input=(3,)), r"gives \[\(6,\)\] for vector 3"),
    "params": ("builds", lambda: Space(Wrong(choice("params")), input=(3,)), "12 parameters, counted otherwise"),
    "nan": ("builds", lambda: Space(Wrong(choice("nan")), input=(3,)), "not finite"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_laws_can_fail(fault: str) -> None:
    law, make, what = FAULTS[fault]
    space = make()
    with pytest.raises(LawBroken, match=what):
        hold(law, space)


def hold(law: str, space: Space) -> None:
    for seed in range(3):
        LAWS[law](space, seed)


def test_sizes_that_are_declared_right_keep_the_law() -> None:
    for space in (declared(9), declared(6, where=lambda a: a.decisions[0] > 0), declared(3**30, decisions=30)):
        LAWS["counts"](space, 0)


def test_all_laws_at_once() -> None:
    check_space(ranges(), seeds=1)
    with pytest.raises(LawBroken, match="the size is 7"):
        check_space(broken(_size=7), seeds=1)


def test_what_is_no_network_has_nothing_to_build_and_nothing_to_count():
    space = recipe_space()
    check_space(space, 3)
    with pytest.raises(SpaceError, match="is no layer: nothing goes in"):
        space.sample(np.random.default_rng(0)).count()
