"""The laws over the skeletons of the five hardest spaces, a recursive toy grammar and small spaces of every kind."""

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasturtium.layers import Conv2d, Dropout, GlobalPool, Linear, ReLU, Residual, Sequential, repeat
from nasturtium.space import Space, choice, floats, integers, rule, shared, subset
from nasturtium.testing import LAWS
from nasturtium.testing.laws import LawBroken
from tests.skeletons.darts import darts
from tests.skeletons.einspace import einspace
from tests.skeletons.nasbench101 import nasbench101
from tests.skeletons.nasbench201 import nasbench201
from tests.skeletons.seqnas import seqnas
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


FOREIGN = {"einspace": einspace, "nasbench101": nasbench101, "seqnas": seqnas}
NETWORKS = {"nasbench201": nasbench201, "darts": darts, "readme": readme, "tied": tied, "ranges": ranges}
OTHERS = {"toy_grammar": toy_grammar, "recipe": recipe_space}
SPACES = {name: cache(make) for name, make in {**FOREIGN, **NETWORKS, **OTHERS}.items()}
TORCH_FREE = {"einspace", "nasbench101", "seqnas", "recipe"}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", SPACES)
def test_law(name: str, law: str) -> None:
    if law == "builds" and name in TORCH_FREE:
        pytest.skip("the skeleton has no modules")
    space = SPACES[name]()
    slow = name in ("nasbench101", "darts") or law == "builds"

    @settings(max_examples=8 if slow else 25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32 - 1))
    def holds(seed: int) -> None:
        LAWS[law](space, seed)

    holds()


def test_laws_can_fail() -> None:
    space = Space(Sequential(subset(ReLU(), Linear(2), k=1)[0] if False else Linear(choice(2, 3))), input=(4,))
    space._size = 7
    with pytest.raises(LawBroken, match="the size is 7, enumeration finds 2"):
        LAWS["counts"](space, 0)


def test_rule_without_end_is_refused() -> None:
    from nasturtium.errors import SpaceError

    endless = rule("endless", lambda again: choice(Sequential(again, ReLU())))
    with pytest.raises(SpaceError, match="'endless' can never end"):
        Space(Sequential(endless), input=(4,))
