"""Parts: frozen values with fields, tags, slots and views."""

import dataclasses
import pickle

import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import Conv2d, Linear, ReLU, Repeat, Residual, Sequential
from nasturtium.space import Cost, Layer, Part, choice, vector
from nasturtium.space.part import PARTS, is_container, is_layer, is_open
from nasturtium.space.wiring import at, slot_key, slots, substitute, view
from tests.space.toys import Held, Holder, Same, Times, Two


class Loose(Part):
    numbers: object


class Row(Part):
    layers: tuple
    first: object = None
    layers_0: object = None


def test_parts_are_frozen_values():
    one, other = Conv2d(16, kernel=3), Conv2d(16, kernel=3)
    assert one == other
    assert hash(one) == hash(other)
    assert one != Conv2d(16, kernel=5)
    assert one != "Conv2d(16)"
    assert len({one, other, Conv2d(8)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.channels = 8


def test_values_of_other_types_are_other_values():
    assert Same(1) != Same(True)
    assert Same(1) != Same(1.0)
    assert Same((1, 2)) != Same((1, 2.0))
    assert Sequential(Same(1)) != Sequential(Same(1.0))


def test_values_that_can_change_are_refused():
    with pytest.raises(SpaceError, match=r"Loose holds \[1, 2\] as numbers"):
        hash(Loose([1, 2]))


def test_tags_are_unique():
    with pytest.raises(SpaceError, match="two parts are called 'ReLU'"):
        type("ReLU", (Layer,), {"__module__": "elsewhere"})
    assert PARTS["ReLU"] is ReLU


def test_with_values_goes_through_the_constructor():
    assert Repeat(2, choice(Times(1), Times(2)), Times(2)).with_values({"bodies": (Times(2),) * 2}) == Repeat(
        2, Times(2)
    )
    assert Conv2d(8).with_values({"kernel": 5}) == Conv2d(8, kernel=5)


def test_what_is_open():
    assert not is_open(Sequential(Times(2)))
    assert is_open(Sequential(Times(choice(1, 2))))
    assert is_open((1, (choice(1, 2),)))
    assert is_layer(choice(Times(2), Same()))
    assert not is_layer(choice(1, 2))
    assert is_container(Sequential())
    assert not is_container(Times(2))


def test_slots_and_views():
    part = Holder(Held(3, Same()))
    ((path, slot),) = slots(part)
    assert path == ("held", "layer")
    assert slot == ("held_layer", Same())
    assert view(part).held.layer == slot
    assert view(part).held.number == 3
    assert [slot.key for _, slot in slots(Sequential(Same(), Times(2)))] == ["0", "1"]
    assert [slot.key for _, slot in slots(Two(Same(), Times(2)))] == ["left", "right", "join"]
    assert slot_key(Row((Same(),)), ("layers", 0)) == "layers_0"


def test_slots_of_one_name_are_refused():
    with pytest.raises(SpaceError, match="same name"):
        slots(Row((Same(),), layers_0=Times(2)))


def test_substitution():
    part = Holder(Held((1, (2, 3)), Same()))
    assert at(part, ("held", "number", 1, 0)) == 2
    changed = substitute(part, ("held", "number", 1, 0), 9)
    assert changed == Holder(Held((1, (9, 3)), Same()))
    assert part == Holder(Held((1, (2, 3)), Same()))


def test_copies_of_a_repeat_are_laid_out_as_the_open_one():
    assert Repeat(2, choice(Times(1), Times(2)), Times(2)).align(Repeat(2, Times(2))).bodies == (Times(2), Times(2))
    assert Repeat(2, choice(Times(1), Times(2))).align(Repeat(2, Times(1), Times(2))) is None
    assert Repeat(2, Times(1)).align(Repeat(3, Times(1))) is None
    assert Residual(ReLU()).align(ReLU()) is None


def test_costs_add_up():
    assert Cost(1, 2) + Cost(3, 4) == Cost(4, 6)
    assert Linear(3).cost(vector(4)) == Cost(15, 24)


def test_pickles_leave_caches_behind():
    part = Sequential(Times(2), Same())
    hash(part), str(part), slots(part), view(part)
    again = pickle.loads(pickle.dumps(part))  # noqa: S301 - our own bytes
    assert again == part
    assert set(pickle.loads(pickle.dumps(part)).__dict__) == {"layers"}  # noqa: S301
