"""What a user gave is known again: in another process, by what it holds, and as it was written before."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nasturtium.sameness import identity, told

GIVEN = """
import functools
from collections import defaultdict
from dataclasses import dataclass
from nasturtium.sameness import identity, told

def cautious(a, b=3):
    return a

def made(rate):
    def inner(a):
        return rate * a if a else inner(a - 1)
    return inner

@dataclass
class Held:
    rule: object
    rate: float = 0.5

class Loss:
    def __init__(self):
        self.delta = 2.0
        self.own = (self,)
    def __call__(self, outputs, targets):
        return 0.0
    def method(self):
        return 1

given = [cautious, made(2), lambda a: a, functools.partial(cautious, 1, b=made(3)), Loss, Loss().method, len, str.upper,
         {"x": [cautious, (made(1),)], "y": {"b", "a", "c"}}, Held(made(4)), Loss(),
         defaultdict(made(5), {1: cautious})]
print(told(given))
print([identity(each) for each in given if callable(each)])
"""


def said(folder: Path, seed: int) -> str:
    script = folder / "given.py"
    script.write_text(GIVEN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": str(seed)}
    ran = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    return ran.stdout


def test_another_process_says_the_same(tmp_path: Path) -> None:
    first = said(tmp_path, 1)
    assert first == said(tmp_path, 2)
    assert " at 0x" not in first
    assert "Held(rule=__main__.made.<locals>.inner[" in first


@pytest.mark.parametrize(
    "value",
    [3, 0.1, None, "it's", True, [1, "a"], (), (1,), (1, 2), {"a": (1, [2.5])}, {3}, b"x", range(3), np.float64(0.5)],
)
def test_what_has_a_text_of_its_own_is_written_as_before(value: object) -> None:
    """So that studies from before go on."""
    assert told(value) == repr(value)


def factory(rate: object):
    def made(space: object) -> object:
        return rate

    return made


def plain(space: object, rate: float = 1.0) -> object:
    return rate


def other(space: object, rate: float = 1.0) -> object:
    return 2 * rate


def test_what_a_function_holds_tells_it_from_others() -> None:
    assert identity(factory(1)) == identity(factory(1)) != identity(factory(2))
    assert identity(factory(factory(1))) != identity(factory(factory(2)))
    assert identity(factory({"a": [1]})) != identity(factory({"a": [2]}))
    bound = [identity(functools.partial(plain, rate=rate)) for rate in (1, 1, 2)]
    assert bound[0] == bound[1] != bound[2]
    functions = []
    for rate in (1, 2):

        def defaulted(space: object, rate: int = rate) -> object:
            return rate

        functions.append(defaulted)
    assert identity(functions[0]) != identity(functions[1])
    assert identity(plain) != identity(other)


def test_what_was_written_anew_is_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity(plain)
    monkeypatch.setattr("inspect.getsource", lambda thing: "def plain(space, rate=1.0):\n    return 3 * rate\n")
    after = identity(plain)
    assert before.rpartition(":")[0] == after.rpartition(":")[0]
    assert before != after
    monkeypatch.setattr(
        "inspect.getsource", lambda thing: "def plain(space,\n          rate=1.0):  # three times\n    return 3*rate\n"
    )
    assert identity(plain) == after  # comments and line breaks do not count


def test_the_source_of_a_release_does_not_count() -> None:
    from nasturtium.strategies import RandomSearch

    assert identity(RandomSearch) == "nasturtium.strategies.random.RandomSearch:"


def test_long_arrays_are_told_apart() -> None:
    first, second = np.zeros(5000), np.zeros(5000)
    second[2500] = 1.0
    assert repr(first) == repr(second)
    assert told([first]) == told([first.copy()]) != told([second])


Pair = namedtuple("Pair", ["left", "right"])


@dataclass
class Held:
    rule: object
    rate: float = 0.5


def test_functions_are_found_in_what_holds_them() -> None:
    makers = (lambda f: Pair(f, 1), lambda f: OrderedDict(a=f), Held, lambda f: {f}, lambda f: {"a": [(f,)]})
    for hold in makers:
        texts = [told(hold(factory(rate))) for rate in (1, 1, 2)]
        assert texts[0] == texts[1] != texts[2]
    assert told(Held(3)) == repr(Held(3))


def test_what_holds_itself_comes_to_an_end() -> None:
    held = Held(None)
    held.rule = lambda: held
    assert told(held).startswith("Held(rule=")
