"""A search goes on where it stopped, also with functions among what it was given: addresses differ each time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

import nasturtium as nt
from nasturtium.errors import StudyError
from nasturtium.predictors import curves
from nasturtium.strategies import RandomSearch
from nasturtium.study.early import CurveStop

QUICK = {"epochs": 1, "final_epochs": 0, "quiet": True}


def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    return (rng.normal(size=(60, 3)) + 3 * y[:, None]).astype(np.float32), y


class Picky(RandomSearch):
    """Draws at random; what the rule is does not matter here."""

    def __init__(self, space, *, rule=None, **common):
        super().__init__(space, **common)
        self.rule = rule


kept = []


def rule_of(rate: int):
    """A new function each time, as each process makes one."""

    def rule(architecture: object) -> int:
        return rate

    kept.append(rule)  # or the next one might have its address
    return rule


def predictor_of(rate: int):
    def pow3(maximise: bool, bound: float | None) -> curves.CurvePredictor:
        return curves.make("pow3", maximise=maximise, bound=bound and bound * rate)

    kept.append(pow3)
    return pow3


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (lambda rate: {"strategy": Picky, "strategy_options": {"rule": rule_of(rate)}}, "options"),
        (lambda rate: {"strategy": Picky, "strategy_options": {"rule": {"deep": [rule_of(rate)]}}}, "options"),
        (lambda rate: {"strategy": partial(Picky, rule=rule_of(rate))}, "strategy"),
        (lambda rate: {"strategy": "random", "early_stop": CurveStop(predictor=predictor_of(rate))}, "early_stop"),
    ],
    ids=["option", "within an option", "partial", "early_stop"],
)
def test_it_goes_on_with_the_same_functions_and_with_no_others(given, named: str, tmp_path: Path) -> None:
    nt.search(blobs(), "mlp", out=tmp_path, trials=1, **given(1), **QUICK)
    assert len(nt.search(blobs(), "mlp", out=tmp_path, trials=2, **given(1), **QUICK).trials) == 2
    with pytest.raises(StudyError, match=f"was made with {named} "):
        nt.search(blobs(), "mlp", out=tmp_path, trials=3, **given(2), **QUICK)
