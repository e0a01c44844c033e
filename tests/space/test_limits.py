"""Limits on costs: held by every kind of variation, against counts of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium import Space, choice, repeat
from nasturtium.errors import SpaceError
from nasturtium.layers import (
    Add,
    Branch,
    Chunk,
    Clone,
    Conv2d,
    Flatten,
    GlobalPool,
    Identity,
    Linear,
    Permute,
    ReLU,
    Reshape,
    Sequential,
)
from nasturtium.layers.events import FirstInput, Members, SplitChannels
from nasturtium.layers.fundamental import LastLinear, LearnedOffset, ModeNorm, Softmax
from nasturtium.layers.recurrence import NewStates, PreviousStates
from nasturtium.space.limits import burden_of
from nasturtium.space.signal import group, image, nodes, sequence, vector
from nasturtium.spaces.graph_cells import FirstChannels
from nasturtium.spaces.nasbench_graph import Enclose
from tests.skeletons.small import toy_grammar

LIMITS = {"params": 3_000, "flops": 150_000, "activations": 2_500}


def grammar(**limits):
    space = toy_grammar()
    return Space(space.root, input=(2, 6, 6), name="limited", depth=12, nodes=60, limits=limits)


def test_burdens_are_those_of_a_hand_count():
    net = Sequential(Branch(Clone(2), Conv2d(4), Identity(), join=Add()), GlobalPool(), Linear(3))
    burden = burden_of(net, (image(4, 5, 5),))
    assert burden.params == 4 * 4 * 9 + 4 + 4 * 3 + 3
    assert burden.flops == 2 * 25 * 4 * 4 * 9 + 2 * 4 * 3
    # a convolution, a sum (neither the clones nor the identity make anything new); the means; the outputs
    assert burden.activations == 100 * (1 + 1) + 4 + 3
    assert burden_of(Linear(3), (vector(4),)).activations == 3


@pytest.mark.parametrize("layer", [LastLinear(64), ModeNorm(), Softmax(), LearnedOffset(), ReLU(), Linear(64)])
def test_layers_that_keep_the_shape_count_what_leaves_them(layer):
    assert burden_of(Sequential(Identity(), layer), (sequence(10, 64),)).activations == 640


@pytest.mark.parametrize(
    ("layer", "signal"),
    [
        (Clone(3), vector(6)), (Chunk(2), image(4, 5, 5)), (Flatten(), image(4, 5, 5)),
        (Flatten("sequence"), image(4, 5, 5)), (Permute((1, 0)), sequence(6, 3)), (Reshape((3, -1)), vector(6)),
        (Members(), group(a=sequence(4, 2), b=sequence(4, 3))), (SplitChannels(2), sequence(4, 6)),
        (PreviousStates(2, 5), sequence(4, 6)), (NewStates(), sequence(4, 6)), (FirstInput(), vector(3)),
        (FirstChannels(2), image(4, 5, 5)), (Enclose("features"), nodes(5, 3)),
    ],
)  # fmt: skip
def test_layers_that_hand_on_what_they_get_keep_nothing(layer, signal):
    assert burden_of(layer, (signal,)).activations == 0


def test_samples_mutants_and_children_keep_the_limits():
    space, rng = grammar(**LIMITS), np.random.default_rng(0)
    architectures = [space.sample(rng) for _ in range(200)]
    architectures += [space.mutate(parent, rng) for parent in architectures]
    architectures += [space.cross(a, b, rng) for a, b in zip(architectures[:200], architectures[200:], strict=True)]
    for architecture in architectures:
        burden = burden_of(architecture.value, architecture.input)
        assert all(cost <= LIMITS[name] for name, cost in zip(burden._fields, burden, strict=True))
        assert architecture in space
        assert architecture.count() == {"params": burden.params, "flops": burden.flops}
    for neighbour in space.neighbours(architectures[0], rng, limit=20):
        assert neighbour in space


def test_the_distribution_is_that_of_rejection():
    net = Sequential(repeat(Linear(choice(8, 64)), choice(1, 2, 3)), ReLU(), Linear(2))
    free = Space(net, input=(8,), name="free")
    limited = Space(net, input=(8,), name="free", limits={"params": 1_000})
    kept = [a for a in free.enumerate() if a.count()["params"] <= 1_000]
    assert sorted(map(str, limited.enumerate())) == sorted(map(str, kept))
    assert limited.size == len(kept) < free.size
    rng = np.random.default_rng(1)
    drawn = [str(limited.sample(rng)) for _ in range(600)]
    assert set(drawn) == set(map(str, kept))


def test_larger_architectures_are_outside_but_can_be_read():
    space = grammar(params=10)
    text = str(toy_grammar().sample(np.random.default_rng(4)))
    architecture = space.parse(text)
    assert (architecture in space) == (architecture.count()["params"] <= 10)


@pytest.mark.parametrize(
    ("limits", "what"),
    [({"param": 3}, "no limit is called 'param'; did you mean 'params'"), ({"flops": 0}, "must be a positive number")],
)
def test_limits_that_are_none(limits, what):
    with pytest.raises(SpaceError, match=what):
        grammar(**limits)


def test_nothing_small_enough_is_an_error_that_names_the_limits():
    with pytest.raises(SpaceError, match=r"keeps its constraints .*params=1"):
        Space(Linear(choice(8, 9)), input=(4,), limits={"params": 1}).sample(np.random.default_rng(0))
