"""Which options are offered: never one less than can work, and exactly those where that is promised."""

from typing import ClassVar

import numpy as np
import pytest

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers import Sequential
from nasturtium.space import Layer, Signal, Space, choice, vector
from nasturtium.space.infer import infer
from nasturtium.space.opening import LOOKAHEAD, Offers, first_value_choice, option_value, ways
from nasturtium.space.sizes import at_most
from tests.space.oracle import every_value
from tests.space.toys import At, Fits, Held, Holder, Same, Times, Two, random_layer


def small_parts():
    """Random parts with the space of each and all values it can close to."""
    for seed in range(120):
        rng = np.random.default_rng(seed)
        part = random_layer(rng, 2)
        if at_most(part) <= 300 and "function" not in str(part):
            space = Space(Sequential(part), input=int(rng.integers(1, 5)))
            yield part, space, every_value(space)


def test_what_can_work_is_possible():
    answers = [(Offers().possible(part, space.input), bool(values)) for part, space, values in small_parts()]
    assert (False, True) not in answers
    assert {(True, True), (False, False)} <= set(answers)


def test_a_settled_signal_is_the_only_one():
    found = 0
    for part, space, values in small_parts():
        settled = Offers().settled(part, space.input)
        if settled is not None:
            found += at_most(part) > 1
            assert {infer(value, *space.input) for value in values} == {settled}
            assert values.total() == at_most(part)
    assert found > 5


def test_what_is_settled():
    offers = Offers()
    assert offers.settled(choice(Same(choice(0, 1)), Times(1)), (vector(3),)) == vector(3)
    assert offers.settled(Two(Same(choice(0, 1)), Times(choice(1, 1))), (vector(3),)) == vector(3)
    assert offers.settled(Times(choice(1, 2)), (vector(3),)) is None
    assert offers.settled(Fits(choice(1, 2)), (vector(3),)) is None


def test_leaves_with_few_values_are_looked_through_exactly():
    offers = Offers()
    assert not offers.possible(At(choice(5, 6), choice(1, 2)), (vector(3),))
    assert offers.possible(At(choice(3, 6), choice(1, 3)), (vector(3),))
    assert not offers.possible(Two(Fits(choice(2, 4)), Same()), (vector(3),))
    assert offers.layers(choice(Fits(2), Fits(3), choice(Fits(2), Fits(choice(3, 5)))), (vector(3),)) == (1, 2)


def test_one_closing_tells_for_all_values_of_a_steady_part():
    part = AtLeastThree(choice(5, 6, 7, 8), choice(1, 2))
    for channels, offered in ((3, (0, 1, 2, 3)), (2, ())):
        offers, path, (first, _) = Offers(), ("kept",), (part.kept, part.depth)
        tried.clear()
        assert offers.values(part, path, first, (vector(channels),)) == offered
        assert len(tried) == 1
        brute = [i for i, kept in enumerate(first.options) if all(works(kept, depth, channels) for depth in (1, 2))]
        assert tuple(brute) == offered


tried: list[tuple[int, int]] = []
"""What the signal rule below was asked for."""


class AtLeastThree(Layer):
    """Works on three channels or more and gives four, whatever its numbers."""

    steady: ClassVar[bool] = True

    kept: int
    depth: int

    def signal(self, *inputs: Signal) -> Signal:
        tried.append((self.kept, self.depth))
        if inputs[0].channels < 3:
            raise Mismatch("too few channels")
        return vector(4)


def works(kept: int, depth: int, channels: int) -> bool:
    """Whether the layer with these numbers works, by its rule alone."""
    try:
        infer(AtLeastThree(kept, depth), vector(channels))
    except Mismatch:
        return False
    return True


def test_many_values_are_taken_to_work():
    values = choice(*range(5, 5 + LOOKAHEAD))
    assert ways(At(values, values)) == LOOKAHEAD**2
    assert Offers().possible(At(values, values), (vector(3),))
    with pytest.raises(SpaceError, match="at least"):
        Space(At(values, values), input=3).sample(np.random.default_rng(0))


def test_value_choices_come_first_and_in_order():
    part = Holder(Held((1, choice(2, 3)), choice(Same(choice(4, 5)), Times(2))))
    path, found = first_value_choice(part)
    assert path == ("held", "number", 1)
    assert found.options == (2, 3)
    assert first_value_choice(Holder(Held(1, choice(Same(choice(4, 5)), Times(2))))) is None


def test_computed_options():
    assert option_value(lambda x: x.channels + 1, (vector(3),)) == 4
    assert option_value(7, None) == 7
    with pytest.raises(Mismatch, match="computed from the signals"):
        option_value(lambda x: 1, None)

    def even(x):
        if x.channels % 2:
            raise Mismatch("odd")
        return x.channels // 2

    assert Space(Fits(choice(1, even)), input=3).derive().point.offered == (0,)
    assert Space(Fits(choice(1, even)), input=4).derive().point.offered == (0, 1)


def test_answers_are_forgotten_in_time(monkeypatch):
    monkeypatch.setattr("nasturtium.space.opening.REMEMBERED", 10)
    offers = Offers()
    for channels in range(1, 60):
        assert offers.layers(choice(Fits(2), Same()), (vector(channels),)) == ((0, 1) if channels % 2 == 0 else (1,))
    assert len(offers._offers) + len(offers._possible) <= 14
