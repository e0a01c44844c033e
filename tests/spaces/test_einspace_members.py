"""The members of einspace: published sizes, frozen texts, valid after a mutation at any node."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from nasturtium import Architecture, Space
from nasturtium.layers import Branch, Sequential
from nasturtium.layers.fundamental import Routing
from nasturtium.space.choice import Rule
from nasturtium.space.following import decisions_of, follow, weight
from nasturtium.space.infer import infer
from nasturtium.space.part import is_open
from nasturtium.space.signal import image, sequence
from nasturtium.spaces.einspace import einspace
from nasturtium.testing.running import run_once

PUBLISHED = {"resnet18": 11_215_690, "wrn16_4": 2_751_146, "vit": 4_370_442, "mlp_mixer": 6_474_762}
TERMINALS = {"resnet18": 121, "wrn16_4": 89, "vit": 220, "mlp_mixer": 116}
OUTPUTS = {"resnet18": image(512, 4, 4), "vit": sequence(256, 512), "mlp_mixer": sequence(256, 512)}
"""Parameters with the reference's head, terminals, and what leaves the backbone, as measured there at 3x64x64."""

FROZEN = {
    "resnet18": "5dbab3a612a06f1a",
    "wrn16_4": "c9b4472b77e122fc",
    "vit": "4be282356f5dc57b",
    "mlp_mixer": "8010c2d8bf9b2de6",
}


@cache
def space(*input: int, **options: Any) -> Space:
    return einspace(input or (3, 64, 64), 10, **options)


def terminals(part: Any) -> int:
    """Terminals as the reference counts them: every copy of a branch."""
    if isinstance(part, Sequential):
        return sum(map(terminals, part.layers))
    if isinstance(part, Branch):
        return 2 + sum(map(terminals, part.paths)) * (part.split.count if len(part.paths) == 1 else 1)
    return 2 + terminals(part.body) if isinstance(part, Routing) else 1


@pytest.mark.parametrize("name", PUBLISHED)
def test_members_have_the_published_sizes(name: str) -> None:
    theirs, ours = space(head="reference").member(name), space().member(name)
    assert theirs.count()["params"] == PUBLISHED[name]
    assert ours.count()["params"] - PUBLISHED[name] == (2_560 if name in ("vit", "mlp_mixer") else 0)
    assert terminals(ours.value.layers[0]) == TERMINALS[name]
    assert infer(ours.value.layers[0], *ours.input) == OUTPUTS.get(name, image(256, 16, 16))
    with torch.device("meta"):
        model = theirs.build()
    assert sum(parameter.numel() for parameter in model.parameters()) == PUBLISHED[name]
    assert model(torch.empty(2, 3, 64, 64, device="meta")).shape == (2, 10)


@pytest.mark.parametrize("name", FROZEN)
def test_texts_of_members_are_frozen(name: str) -> None:
    member = space().member(name)
    assert space().replay(member.decisions).value == member.value
    assert space().read(str(member)) == member
    assert member.hash == FROZEN[name]


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("input", [(1, 27, 18), (1, 8, 8)])
def test_members_learn_on_small_images(name: str, input: Any) -> None:
    where = einspace(input, 6)
    member = where.member(name)
    assert member in where
    run_once(member, 2, 0)


def test_members_of_images_without_patches() -> None:
    assert set(space(3, 3, 9).members) == {"resnet18", "wrn16_4"}
    assert not space(30, 4).members


def children(where: Space, parent: Architecture, step: Any, rng: Any) -> Any:
    """Children with another decision at a step, then with what is below it drawn anew, as many as some tries find."""
    kept, spent, address = decisions_of(parent), weight(parent), step.point.address
    others = [index for index in step.point.offered if index != step.taken]
    rng.shuffle(others)
    above = {place: known for place, known in kept.items() if step.point.below(known.point.place) is None}
    for index, known in [*((index, kept) for index in others[:3]), *[(step.taken, above)] * 2]:
        child = follow(where, rng, known, {address: index}, "mutation", spent)
        if child is not None and child.value != parent.value:
            yield child


@pytest.mark.parametrize("name", PUBLISHED)
def test_members_mutate_at_every_node(name: str) -> None:
    where, rng = space(), np.random.default_rng(0)
    parent = where.member(name)
    modules: list[Any] = []
    in_place = 0
    for step in parent.steps:
        # A term of a sum has to keep its shape: what gives it another one changes with the module around it.
        around = [module for module in modules if step.point.address.startswith(module.point.address)]
        places = [step, *around[::-1]]
        child = next(found for place in places for found in children(where, parent, place, rng))
        in_place += child.origin.changed == (step.point.address,)
        assert not is_open(child.value)
        infer(child.value, *child.input)
        if isinstance(step.point.choice, Rule):
            modules.append(step)
    assert in_place > 0.7 * len(parent.steps)


def test_mutations_and_crossovers_of_members_are_valid() -> None:
    where, rng = space(), np.random.default_rng(1)
    members = [where.member(name) for name in where.members]
    for member in members:
        for _ in range(10):
            child = where.mutate(member, rng)
            assert child.value != member.value
            assert infer(child.value, *child.input).shape == (10,)  # type: ignore[union-attr]
            other = where.cross(member, members[int(rng.integers(4))] if rng.random() < 0.5 else child, rng)
            assert infer(other.value, *other.input).shape == (10,)  # type: ignore[union-attr]


def test_hashes_are_of_the_text() -> None:
    member = space().member("vit")
    assert member.hash == hashlib.sha256(str(member).encode()).hexdigest()[:16]
