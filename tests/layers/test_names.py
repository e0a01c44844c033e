"""Names of the children of a module: no two are the same, and fields keep theirs."""

from __future__ import annotations

from typing import Any

import pytest

from nasturtium import layers as L
from nasturtium.errors import SpaceError
from nasturtium.space import Architecture
from nasturtium.space.infer import cost_of
from nasturtium.space.signal import vector


class BlockTwice(L.Container):
    """Runs one child twice, and another whose name is what the second visit would be called."""

    block: Any
    block_2: Any

    def wire(self, x):
        x = yield self.block, x
        x = yield self.block, x
        return (yield self.block_2, x)


def test_a_later_visit_does_not_take_the_name_of_a_field():
    part = BlockTwice(L.Linear(8), L.Linear(4))
    model = L.build(part, vector(8))
    assert [name for name, _ in model.named_children()] == ["block", "block_3", "block_2"]
    assert cost_of(part, (vector(8),)).params == sum(each.numel() for each in model.parameters()) == 2 * 72 + 36
    architecture = Architecture(L.Sequential(part), input=(8,))
    assert architecture.graph().number_of_nodes() == 3 + 2
    assert len({name for _, name in architecture.graph().nodes(data="name")}) == 5


class Clashing(L.Container):
    forward: Any
    forward_: Any

    def wire(self, x):
        x = yield self.forward, x
        return (yield self.forward_, x)


def test_names_that_would_be_one_are_refused():
    with pytest.raises(SpaceError, match="two children of Clashing would be called 'forward_': rename"):
        L.build(Clashing(L.Linear(3), L.Linear(3)), vector(3))
