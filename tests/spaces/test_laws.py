"""Every space of the table keeps the laws, has its listed size, and comes back from notation, pickle and members."""

from __future__ import annotations

import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasturtium import Space
from nasturtium.errors import ParseError
from nasturtium.searching import search
from nasturtium.space.signal import edges, nodes, tokens
from nasturtium.spaces import SPACES, make
from nasturtium.tasks import load
from nasturtium.testing import LAWS

SMALL: dict[str, tuple[Any, dict[str, Any]]] = {
    "mlp": ((16,), {}),
    "sequencenet": ((48, 3), {}),
    "seqnas": ((20, 2), {"numeric_embedding": 3, "hidden": 4}),
    "seqnas_plus": ((20, 2), {"numeric_embedding": 3, "hidden": 4}),
    "einspace": ((1, 8, 8), {"nodes": 300, "limits": {"params": 1e6, "flops": 1e8, "activations": 1e6}}),
    "darts": ((1, 8, 8), {"channels": 4, "cells": 3}),
    "nasnet": ((1, 8, 8), {"channels": 4, "cells": 3}),
    "hierarchical": ((1, 8, 8), {"channels": 4}),
    "hierarchical_nasbench201": ((1, 8, 8), {"channels": 2, "macro": False, "blocks": False}),
    "nasbench101": ((1, 8, 8), {"channels": 8, "cells": 1}),
    "nasbench1shot1": ((1, 8, 8), {"channels": 8, "cells": 1}),
    "nasbench201": ((1, 8, 8), {"channels": 4, "cells": 1}),
    "transnas_micro": ((1, 8, 8), {"channels": 4}),
    "transnas_macro": ((1, 8, 8), {"channels": 4}),
    "nasbench_asr": ((20, 8), {"filters": (8, 8, 8, 8), "lstm": 8}),
    "nasbench_nlp": (tokens(8, 11), {"nodes": 8, "embedding": 4, "hidden": (6,)}),
    "nasbench_graph": ((nodes(9, 5), edges()), {"width": 8}),
}
"""A cheap input and cheap options; an 8x8 image and none where nothing is said."""

SEEDS = {"builds": 4, "follows_weights": 1, "samples_uniformly": 1, "counts": 1}
"""How many seeds a law is held for, if not three."""

FROZEN = json.loads((Path(__file__).parent / "frozen_hashes.json").read_text())
IMAGES = [name for name, row in SPACES.items() if "image" in row.kinds]


@cache
def small(name: str) -> Space:
    input, options = SMALL.get(name, ((1, 8, 8), {}))
    return make(name, input, 4, **options)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", SPACES)
def test_law(name: str, law: str) -> None:
    slow = (name, law) == ("nasbench_mr", "neighbours_differ")  # networks of a thousand layers
    for seed in range(1 if slow else SEEDS.get(law, 3)):
        LAWS[law](small(name), seed)


@pytest.mark.parametrize("name", SPACES)
def test_the_listed_size_is_the_size(name: str) -> None:
    row = SPACES[name]
    assert row(input=row.input, outputs=10).size == row.size
    assert row.summary
    assert row.source[-1].isdigit()


@pytest.mark.parametrize("name", SPACES)
def test_spaces_travel_between_processes(name: str) -> None:
    space = small(name)
    again = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own
    one, other = (each.sample(np.random.default_rng(0)) for each in (space, again))
    assert str(one) == str(other)
    assert again.fingerprint == space.fingerprint


@pytest.mark.parametrize("name", [name for name in SPACES if small(name).notation is not None])
def test_notations_come_back_and_refuse_what_is_none(name: str) -> None:
    space, rng = small(name), np.random.default_rng(0)
    for _ in range(15):
        architecture = space.sample(rng)
        text = space.to_notation(architecture)
        again = space.from_notation(text)
        assert space.to_notation(again) == text
        assert space.read(text) == again
        assert again.count() == architecture.count()
    for broken in ("", "no such thing", text[:-3], f"{text} and more"):
        with pytest.raises(ParseError):
            space.from_notation(broken)


@pytest.mark.parametrize("entry", FROZEN, ids=lambda entry: f"{entry['space']}-{entry['hash']}")
def test_texts_and_hashes_are_those_of_the_first_release(entry: dict[str, str]) -> None:
    row = SPACES[entry["space"]]
    architecture = row(input=row.input, outputs=10).parse(entry["text"])
    assert str(architecture) == entry["text"]
    assert architecture.hash == entry["hash"]
    assert architecture.canonical == entry["canonical"]


@pytest.mark.parametrize("name", SPACES)
def test_members_are_in_their_space(name: str) -> None:
    row = SPACES[name]
    space, rng = row(input=row.input, outputs=10), np.random.default_rng(0)
    for known in space.members:
        member = space.member(known)
        assert member in space
        assert space.read(known) == member
        assert space.mutate(member, rng) in space


@pytest.mark.parametrize("name", IMAGES)
def test_evolution_searches_the_digits_by_name(name: str) -> None:
    digits = load("digits")
    rows = slice(0, 160)
    arrays = digits.train.inputs[0][rows], digits.train.targets[rows]
    result = search(
        arrays, space=name, strategy="evolution", trials=2, epochs=1, final_epochs=0, quiet=True, seed=0, out=None
    )
    assert [trial.state for trial in result.trials] == ["complete"] * 2
    assert np.isfinite(result.best.scores["valid_loss"])
    assert result.best.scores["params"] == result.best.architecture.count()["params"]
