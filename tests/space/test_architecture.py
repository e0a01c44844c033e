"""Architectures as values: equality, JSON, hashes in other processes and releases, pickling."""

import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import Conv2d, GlobalPool, Linear, ReLU, Sequential, repeat
from nasturtium.space import Architecture, Space, choice, group, image, sequence, tokens, vector
from nasturtium.space.architecture import from_json_signal, to_json_signal
from nasturtium.spaces.darts import darts
from nasturtium.spaces.einspace import einspace
from nasturtium.spaces.nasbench201 import nasbench201
from nasturtium.spaces.seqnas import seqnas
from tests.skeletons.small import recipe_space, toy_grammar
from tests.space.toys import Fits, Same, Times

MAKERS = {
    "einspace": einspace,
    "nasbench201": nasbench201,
    "darts": darts,
    "seqnas": seqnas,
    "toy_grammar": toy_grammar,
    "recipe": recipe_space,
}
FROZEN = json.loads((Path(__file__).parent / "frozen_hashes.json").read_text())


@pytest.mark.parametrize("entry", FROZEN, ids=lambda entry: entry["hash"])
def test_hashes_are_those_of_the_first_release(entry):
    space = MAKERS[entry["space"]]()
    architecture = space.parse(entry["text"])
    assert str(architecture) == entry["text"]
    assert architecture.hash == entry["hash"]
    assert architecture.canonical == entry["canonical"]


def test_hashes_are_the_same_in_another_process():
    script = (
        "import json, sys\n"
        "from tests.space.test_architecture import FROZEN, MAKERS\n"
        "for entry in FROZEN[::2]:\n"
        "    a = MAKERS[entry['space']]().parse(entry['text'])\n"
        "    print(a.hash, a.canonical, hash('salted') % 1000)\n"
    )
    outputs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        outputs.append([line.split() for line in done.stdout.splitlines()])
    salts = [{line[2] for line in output} for output in outputs]
    assert salts[0] != salts[1]
    for output in outputs:
        assert [line[:2] for line in output] == [[entry["hash"], entry["canonical"]] for entry in FROZEN[::2]]


def described(space, architecture):
    """What another process makes of a space and an architecture."""
    again = space.sample(np.random.default_rng(7))
    adopted = space.adopt(architecture)
    return str(architecture), architecture.decisions, architecture.hash, str(again), adopted.decisions, hash(again) != 0


@pytest.mark.parametrize("name", ["einspace", "nasbench201", "darts", "toy_grammar", "recipe"])
def test_spaces_and_architectures_travel_to_other_processes(name):
    space = MAKERS[name]()
    architecture = space.sample(np.random.default_rng(3))
    hash(architecture), architecture.steps, space.size
    expected = described(space, architecture)
    again = pickle.loads(pickle.dumps((space, architecture)))  # noqa: S301 - our own bytes
    assert described(*again) == expected
    assert again[1].space is again[0]
    assert again[1] == architecture
    if name in ("einspace", "recipe"):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            assert pool.submit(described, space, architecture).result(60) == expected


def test_pickles_are_small():
    space = einspace()
    rng = np.random.default_rng(0)
    sampled = [space.sample(rng) for _ in range(20)]
    assert len(pickle.dumps(sampled)) < 20_000 + 100 * sum(len(str(a)) for a in sampled)


@pytest.mark.parametrize("name", MAKERS)
def test_json_round_trip(name):
    space = MAKERS[name]()
    for seed in range(5):
        architecture = space.sample(np.random.default_rng(seed))
        text = architecture.to_json()
        assert json.loads(text)["space"] == {"name": name, "version": 1}
        inside, alone = Architecture.from_json(text, space), Architecture.from_json(text)
        assert inside.decisions == architecture.decisions
        assert inside.space is space
        assert inside == alone == architecture
        assert alone.space is None
        assert alone.to_json() == Architecture.from_json(alone.to_json()).to_json()
        if space.input is not None:
            assert alone.input == space.input
            assert bool(space.simplify) or alone.canonical == architecture.canonical


def test_every_cut_of_a_json_is_refused():
    space = nasbench201()
    text = space.sample(np.random.default_rng(0)).to_json()
    for end in range(len(text)):
        with pytest.raises(ParseError):
            Architecture.from_json(text[:end], space)


def changed(**content):
    made = json.loads(Architecture(Sequential(Linear(2)), input=(3,)).to_json())
    return json.dumps({**made, **content})


GARBLED = [
    "",
    "null",
    "[]",
    "5",
    '"text"',
    "{}",
    "[" * 5_000,
    '{"a":' * 5_000,
    changed(format=2),
    changed(format=None),
    changed(architecture=5),
    changed(architecture=None),
    changed(architecture=["Linear(2)"]),
    changed(architecture="Linear("),
    changed(architecture="3"),
    changed(architecture="__import__('os')"),
    changed(input=5),
    changed(input="abc"),
    changed(input=[5]),
    changed(input=[{}]),
    changed(input=[{"kind": "vector", "shape": "x"}]),
    changed(input=[{"kind": "vector", "shape": [1.5]}]),
    changed(input=[{"kind": "nonsense", "shape": [1]}]),
    changed(input=[{"kind": "vector", "shape": [1], "extra": 1}]),
    changed(input=[{"kind": "vector", "shape": 7}]),
    changed(input=[{"kind": "group", "members": 5}]),
    changed(input=[{"kind": "group", "members": [["a"]]}]),
    changed(input=[{"kind": "group", "members": [["a", 5]]}]),
    changed(input=[{"kind": ["vector"], "shape": [1]}]),
    changed(decisions=5),
    changed(decisions="01"),
    changed(decisions=[0.0]),
    changed(decisions=[[0]]),
    changed(decisions=[True]),
]


@pytest.mark.parametrize("text", GARBLED, ids=lambda text: text[:70])
def test_garbled_json_is_refused(text):
    with pytest.raises(ParseError):
        Architecture.from_json(text)


@pytest.mark.parametrize("text", [None, 5, b"\xff", [1]])
def test_only_text_is_read(text):
    with pytest.raises(ParseError):
        Architecture.from_json(text)


def test_recorded_decisions_that_lead_elsewhere_are_found_again():
    space = Space(Sequential(Same(choice(0, 1, 2))), input=1)
    content = json.loads(space.architecture((2,)).to_json())
    for decisions in ([1], [7], [-1], [], [2, 2], None):
        text = json.dumps({**content, "decisions": decisions})
        assert Architecture.from_json(text, space).decisions == (2,)


def test_equal_values_with_several_derivations():
    space = Space(Sequential(choice(Same(1), choice(Same(1), Same(2)))), input=1)
    one, other = space.architecture((0,)), space.architecture((1, 0))
    assert one == other
    assert hash(one) == hash(other)
    assert one.hash == other.hash
    assert other.decisions == (1, 0)
    assert Architecture.from_json(other.to_json(), space).decisions == (1, 0)
    assert space.decisions(other) == (0,)
    assert one != "Sequential(Same(1))"


@pytest.mark.parametrize(
    "signal",
    [
        vector(3),
        image(3, 4, 5),
        sequence(None, 8, mask=True),
        tokens(12, 100, mask=True),
        sequence(6, 8)._replace(grid=(2, 3)),
        group(query=vector(3), memory=group(keys=sequence(4, 5), mask=tokens(None, 2))),
    ],
    ids=str,
)
def test_signals_as_json(signal):
    assert from_json_signal(json.loads(json.dumps(to_json_signal(signal)))) == signal


def test_what_an_architecture_needs():
    with pytest.raises(SpaceError, match="needs its value"):
        Architecture()
    with pytest.raises(SpaceError, match="choices left open"):
        Architecture(Same(choice(1, 2)))
    alone = Architecture(Sequential(Linear(2)))
    with pytest.raises(SpaceError, match="input of this architecture is not known"):
        _ = alone.input
    with pytest.raises(SpaceError, match="has no decisions"):
        _ = alone.decisions
    with pytest.raises(SpaceError, match="has no derivation"):
        _ = alone.steps
    assert alone.canonical == alone.hash
    with pytest.raises(SpaceError, match="takes option 9"):
        _ = Space(Same(choice(1, 2)), input=1).architecture((9,)).value


def test_counts_and_output():
    net = Sequential(Conv2d(8, kernel=3), ReLU(), GlobalPool("mean"), Linear(2))
    architecture = Architecture(net, input=(3, 5, 5))
    assert architecture.output == vector(2)
    params, flops = 3 * 8 * 9 + 8 + 8 * 2 + 2, 2 * (3 * 8 * 9 * 25 + 8 * 2)
    assert architecture.count() == {"params": params, "flops": flops}
    assert architecture.count(flops=False) == {"params": params}
    assert architecture.count(params=False) == {"flops": flops}


def test_membership():
    space = Space(Sequential(Times(choice(1, 2)), Fits(2)), input=1, where=lambda a: True)
    assert Architecture.parse("Sequential(Times(2), Fits(2))") in space
    assert Architecture.parse("Sequential(Times(1), Fits(2))") not in space
    assert "Sequential(Times(2), Fits(2))" not in space
    never = Space(space.root, input=1, where=lambda a: False)
    assert Architecture.parse("Sequential(Times(2), Fits(2))") not in never


def test_fingerprints():
    def make(kernel=(3, 5), **options):
        net = Sequential(Conv2d(8, kernel=choice(*kernel)), repeat(ReLU(), choice(1, 2)), GlobalPool("mean"), Linear(2))
        return Space(net, input=(3, 8, 8), **options).fingerprint

    assert make() == make()
    assert len({make(), make((3, 7)), make(name="other"), make(version=2)}) == 4
    assert einspace().fingerprint == einspace().fingerprint != einspace((1, 64, 64)).fingerprint
