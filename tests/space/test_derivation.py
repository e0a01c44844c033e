"""Derivations: copies, replay, what may be taken, and going back from dead ends."""

import numpy as np
import pytest

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers import Branch, Chunk, Concat, Conv2d, GlobalPool, Linear, ReLU, Sequential, repeat
from nasturtium.space import Layer, Space, choice, shared, vector
from nasturtium.space.backtracking import REOPENINGS
from nasturtium.space.derivation import DeadEnd
from nasturtium.space.infer import infer
from tests.skeletons.small import toy_grammar
from tests.space.oracle import every_value
from tests.space.toys import At, Fits, Maybe, Same, Times, Twice, Two


def first_of(derivation):
    """Finish with the first option that is left, always."""
    while derivation.point is not None:
        derivation.take(derivation.point.remaining[0])
    return derivation


def test_it_stops_at_each_choice_from_left_to_right():
    net = Sequential(
        Conv2d(choice(8, 16), kernel=choice(1, 3)),
        repeat(choice(ReLU(), Conv2d(4)), choice(1, 2)),
        GlobalPool("mean"),
        Linear(2),
    )
    derivation = Space(net, input=(3, 8, 8)).derive()
    seen = []
    while (point := derivation.point) is not None:
        seen.append((point.address, point.offered))
        derivation.take(point.offered[-1])
    assert seen == [
        ("0.channels", (0, 1)),
        ("0.kernel", (0, 1)),
        ("1", (0, 1)),
        ("1#.0", (0, 1)),
        ("1#.1", (0, 1)),
    ]
    assert [step.taken for step in derivation.taken()] == [1, 1, 1, 1, 1]
    assert derivation.output.signal == infer(derivation.value, *Space(net, input=(3, 8, 8)).input)


def test_the_weights_at_a_point():
    point = Space(Sequential(Times(choice(1, 2, 3, weights=(1, 2, 5)))), input=1).derive().point
    assert point.weights((0, 2)) == [1.0, 5.0]
    assert Space(Times(choice(1, 2)), input=1).derive().point.weights((0, 1)) == [1.0, 1.0]


def test_only_what_works_on_the_signal_is_offered():
    assert Space(Sequential(choice(Fits(2), Fits(3), Same(), Fits(7))), input=9).derive().point.offered == (1, 2)
    assert Space(Sequential(Fits(choice(1, 2, 3, 4))), input=4).derive().point.offered == (0, 1, 3)
    ranges = Space(Sequential(At(choice(1, 3, 5), choice(1, 3, 5))), input=4).derive()
    assert ranges.point.offered == (0, 1)
    ranges.take(1)
    assert ranges.point.offered == (2,)


def test_what_is_not_offered_cannot_be_taken():
    derivation = Space(Sequential(choice(Fits(2), Same()), Times(choice(1, 2))), input=3).derive()
    for index in (0, 2, -1, "1", None):
        with pytest.raises(SpaceError, match="is not offered at 0"):
            derivation.take(index)
    derivation.take(1)
    first_of(derivation)
    with pytest.raises(SpaceError, match="finished"):
        derivation.take(0)


def test_copies_are_independent():
    space = Space(Sequential(*(Two(choice(Times(2), Same()), Times(choice(1, 2))) for _ in range(3))), input=1)
    rng = np.random.default_rng(0)
    for _ in range(50):
        derivation = space.derive()
        for _ in range(rng.integers(4)):
            derivation.take(int(rng.choice(derivation.point.remaining)))
        point, fails = derivation.point, dict(derivation.fails)
        copies = [derivation.copy() for _ in range(3)]
        ends = []
        for copy in copies:  # interleaved, so that they would disturb each other
            copy.take(copy.point.remaining[-1])
        for copy in copies:
            ends.append(str(first_of(copy).value))
        assert len(set(ends)) == 1
        assert derivation.point is point
        assert derivation.fails == fails
        assert [step.taken for step in first_of(derivation.copy()).taken()] == [
            step.taken for step in first_of(derivation).taken()
        ]


def test_replay_follows_the_record_and_nothing_else():
    space = Space(Sequential(choice(Times(2), Times(3)), Same(choice(0, 1)), Fits(2)), input=1)
    assert str(space.replay((0, 1)).value) == "Sequential(Times(2), Same(1), Fits(2))"
    for decisions, what in {
        (): "too few: 0 is still open",
        (0,): "too few",
        (0, 1, 0): "takes 2",
        (0, 2): r"takes option 2 at 1.label, offered: \(0, 1\)",
        (0, -1): "takes option -1",
        (1, 1): "decision 1 leads nowhere: 2 does not divide 3 at 2",
    }.items():
        with pytest.raises(SpaceError, match=what):
            space.replay(decisions)


def test_a_dead_end_of_a_chronological_derivation_says_where():
    derivation = Space(Sequential(choice(Times(2), Times(3)), Fits(2)), input=1).derive(chronological=True)
    with pytest.raises(DeadEnd, match="2 does not divide 3 at 1"):
        derivation.take(1)


def test_dead_ends_lead_back_to_what_is_to_blame():
    net = Two(Times(choice(1, 2, 3)), Sequential(Maybe(Same(choice(0, 1))), Times(3)))
    derivation = Space(net, input=1).derive()
    derivation.take(0)
    derivation.take(1)  # nothing wrong with this one, which no signal passes: the first one reopens
    assert derivation.point.address == "left.factor"
    assert derivation.point.remaining == (1, 2)
    with pytest.raises(SpaceError, match="is not offered"):
        derivation.take(0)


def test_dead_ends_over_two_feeding_branches():
    # Only 1 of 8 x 8 pairs of branches agrees, and what lies between has no part in it.
    left, right = choice(*(Times(n) for n in range(1, 9))), choice(*(Times(n) for n in range(8, 16)))
    noise = [Same(choice(*range(5))) for _ in range(4)]
    space = Space(Two(Sequential(left, *noise), Sequential(right, *noise)), input=1)
    rng = np.random.default_rng(0)
    for _ in range(20):
        value = space.sample(rng).value
        assert (str(value.left.layers[0]), str(value.right.layers[0])) == ("Times(8)", "Times(8)")
    assert first_of(space.derive()).reopened < 200


def test_going_back_finds_the_only_architecture():
    net = Sequential(*(Times(choice(1, 2, 3)) for _ in range(5)), Fits(3**5))
    derivation = first_of(Space(net, input=1).derive())
    assert [step.taken for step in derivation.taken()] == [2] * 5
    assert 0 < derivation.reopened <= sum(3**n for n in range(1, 6))


@pytest.mark.parametrize(
    ("root", "place"),
    [
        (Sequential(Times(choice(1, 2)), Same(choice(0, 1)), Fits(5)), "5 does not divide [12] at 2"),
        (Sequential(Times(choice(2, 4)), choice(Fits(3), Fits(5))), "no option of .* works on vector [24] at 1"),
        (Two(Times(choice(1, 2)), Times(choice(3, 4))), "sizes differ at join"),
        (Sequential(Same(choice(0, 1)), Times(shared("f", choice(1, 2))), Fits(2), Fits(3)), "at 3"),
        (Twice(Sequential(Times(choice(2, 3)), At(1, 3))), "2 is out of range at"),
    ],
)
def test_an_unsatisfiable_space_names_the_place(root, place):
    space = Space(root, input=1)
    assert every_value(space).total() == 0
    place = place.replace("2 is out", "[49] is out")
    with pytest.raises(SpaceError, match=place):
        space.sample(np.random.default_rng(0))
    with pytest.raises(SpaceError, match=place):
        first_of(space.derive())


def test_an_unsatisfiable_space_without_choices_names_the_place():
    with pytest.raises(SpaceError, match="2 does not divide 3 at the root"):
        Space(Sequential(Times(3), Fits(2)), input=1).derive()


class Never(Layer):
    """Works on nothing, at a place that no decision can mend."""

    label: int

    def signal(self, x):
        raise Mismatch("never")


def test_the_search_for_a_way_on_is_bounded():
    grammar = toy_grammar()
    root = Sequential(grammar.root.layers[0], Never(choice(1, 2)))
    with pytest.raises(SpaceError, match=r"at 1\.label"):
        Space(root, input=(2, 6, 6)).sample(np.random.default_rng(0))
    wide = [Times(choice(*range(1, 30))) for _ in range(4)]
    space = Space(Sequential(*wide, Fits(31**2)), input=1)
    with pytest.raises(SpaceError, match=rf"after {REOPENINGS + 1} dead ends, .* at 4"):
        space.sample(np.random.default_rng(0))


def test_shared_decisions_are_asked_once():
    width = shared("width", choice(2, 3), whole=True)
    space = Space(Sequential(Times(width), repeat(Two(Times(width), Times(width)), 2), Times(width)), input=1)
    derivation = space.derive()
    assert derivation.point.address == "<width>"
    derivation.take(1)
    assert derivation.point is None
    assert infer(derivation.value, vector(1)) == vector(81)


def test_a_shared_decision_that_fails_later_reopens():
    size = shared("size", choice(2, 3, 4), whole=True)
    space = Space(Sequential(Times(choice(2, 12)), Fits(size), Times(choice(5, 7)), Times(3), Fits(size)), input=1)
    every = {str(a) for a in space.enumerate()}
    assert len(every) == space.size == every_value(space).total()
    assert {str(space.sample(np.random.default_rng(seed))) for seed in range(200)} == every


def test_addresses_are_unique():
    net = Sequential(
        Same(choice(choice(choice(1, 2), 3), (choice(1, 2), choice(choice(3, 4), 5)))),
        choice(choice(Same(choice(1, 2)))),
    )
    for architecture in Space(net, input=1).enumerate():
        addresses = [step.point.address for step in architecture.steps]
        assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize(("split", "channels"), [(Chunk(3), 7), (Chunk(3), 9)])
def test_copies_of_a_path_give_what_inference_gives_on_equal_and_on_other_signals(split, channels):
    root = Branch(split, Sequential(Times(choice(1, 2)), Same(choice(0, 1))), join=Concat())
    space = Space(root, input=channels)
    for taken in ((0, 0), (1, 1)):
        derivation = space.replay(taken)
        doubled = 1 + taken[0]
        assert derivation.output.signal == infer(derivation.value, vector(channels)) == vector(channels * doubled)
