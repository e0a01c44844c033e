"""A search whose candidates proxies screen: the best first, the same again, resumed, limited, shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nasturtium as nt
from nasturtium import choice
from nasturtium.cli import run
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.layers import Linear, ReLU, Sequential, Tanh
from nasturtium.proxies import scorer
from nasturtium.strategies import STRATEGIES


def narrow(input: object, outputs: int) -> nt.Space:
    """Three hidden layers of 2 to 32 units; 1,000 architectures."""
    width = choice(2, 4, 8, 16, 32)
    hidden = [layer for _ in range(3) for layer in (Linear(width), choice(ReLU(), Tanh()))]
    return nt.Space(Sequential(*hidden, Linear(outputs)), input=input, name="narrow")


QUICK = {"trials": 4, "epochs": 1, "final_epochs": 0, "quiet": True, "space": narrow}
PROXY = {"proxy": "snip", "proxy_keep": 0.5, "proxy_start": 2}


@pytest.fixture(scope="module")
def task() -> nt.tasks.Task:
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    x = (rng.normal(size=(90, 6)) + y[:, None]).astype(np.float32)
    return nt.tasks.load((x, y), seed=0)


def told(result: nt.Result) -> list[tuple[str, dict[str, float]]]:
    return [(str(trial.architecture), dict(trial.scores)) for trial in result.trials]


def test_a_stopped_search_ends_as_one_that_was_not_and_shows_its_proxies(
    task: nt.tasks.Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = nt.search(task, out=tmp_path / "whole", **QUICK, **PROXY)
    for trials in (1, 3, 4):
        parts = nt.search(task, out=tmp_path / "parts", **{**QUICK, "trials": trials}, **PROXY)
    assert told(whole) == told(parts)
    assert told(whole) != told(nt.search(task, **QUICK))
    score = scorer(task, "snip", seed=0)
    for trial in whole.trials:
        assert trial.scores["proxy_snip"] == score(trial.architecture)["snip"]
    settings = json.loads((tmp_path / "whole" / "settings.json").read_text())
    assert [settings[name] for name in PROXY] == ["snip", 0.5, 2]
    assert run(["show", str(tmp_path / "whole")]) == 0
    shown = capsys.readouterr().out
    assert "screened by snip: 0.5 of the candidates were tried, after the 2 best" in shown
    assert "proxy_snip" in shown
    for other in ({}, {**PROXY, "proxy_keep": 0.25}, {**PROXY, "proxy": "snip,params"}):
        with pytest.raises(StudyError, match="proxy"):
            nt.search(task, out=tmp_path / "whole", **QUICK, **other)


def test_the_warm_start_is_the_best_of_the_pool_after_what_was_given(task: nt.tasks.Task) -> None:
    space = narrow(task.inputs, task.outputs)
    pool = [space.sample(rng) for rng in [np.random.default_rng([0, 2])] for _ in range(4)]
    given = space.sample(np.random.default_rng(99))
    result = nt.search(task, start=[str(given)], strategy="random", **QUICK, **PROXY)
    score = scorer(task, "snip", seed=0)
    best = sorted(pool, key=lambda each: score(each)["snip"], reverse=True)[:2]
    assert [str(trial.architecture) for trial in result.trials[:3]] == [str(each) for each in (given, *best)]


def test_what_breaks_a_limit_comes_last_and_several_proxies_rank_together(task: nt.tasks.Task) -> None:
    wide = {"proxy": "params,l2_norm", "proxy_keep": 0.1, "proxy_start": 2}
    free = nt.search(task, strategy="random", **QUICK, **wide)
    tight = nt.search(task, strategy="random", limits=["params<=400"], **QUICK, **wide)
    assert min(trial.scores["params"] for trial in free.trials[:2]) > 400
    assert max(trial.scores["params"] for trial in tight.trials[:2]) <= 400
    assert all(trial.scores["proxy_l2_norm"] > 0 for trial in tight.trials if trial.state == "complete")


def test_the_pool_is_drawn_of_what_keeps_the_limits_however_few_do(task: nt.tasks.Task) -> None:
    space = narrow(task.inputs, task.outputs)
    rng = np.random.default_rng(0)
    counts = sorted(space.sample(rng).count()["params"] for _ in range(300))
    least = counts[6]  # of 50 architectures one keeps it, of the 20 in the pool hardly any
    few = {"proxy": "l2_norm", "proxy_keep": 0.1, "proxy_start": 2}
    result = nt.search(task, strategy="random", limits=[f"params<={least}"], **QUICK, **few)
    assert [trial.scores["params"] <= least for trial in result.trials[:2]] == [True, True]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_can_be_screened(task: nt.tasks.Task, strategy: str) -> None:
    objectives = ["accuracy", "-params"]
    cheap = {"proxy": "params", "proxy_keep": 0.5, "proxy_start": 1}
    results = [
        nt.search(task, strategy=strategy, objectives=objectives, **{**QUICK, "trials": trials}, **cheap)
        for trials in (2, 2)
    ]
    assert told(results[0]) == told(results[1])
    assert len(results[0].trials) >= 2


def test_workers_try_what_one_process_tries(task: nt.tasks.Task) -> None:
    asked = {**QUICK, **PROXY, "strategy": "random", "trials": 3}
    one, two = (nt.search(task, workers=workers, **asked) for workers in (1, 2))
    assert told(one) == told(two)


def test_a_proxy_that_has_no_value_prefers_nothing_and_says_so() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 6)).astype(np.float32)
    task = nt.tasks.load((x, x.mean(1)), seed=0)
    with pytest.warns(UserWarning, match="no classes"):
        result = nt.search(task, proxy="epe_nas", strategy="random", **QUICK)
    assert not any(name.startswith("proxy_") for trial in result.trials for name in trial.scores)


def test_candidates_that_are_all_of_minus_infinity_are_said(task: nt.tasks.Task) -> None:
    def tiny(input: object, outputs: int) -> nt.Space:
        hidden = [layer for _ in range(2) for layer in (Linear(choice(1, 2)), choice(ReLU(), Tanh()))]
        return nt.Space(Sequential(*hidden, Linear(outputs)), input=input, name="tiny")

    with pytest.warns(UserWarning, match="determinant is 0"):
        nt.search(task, proxy="nwot", strategy="random", **{**QUICK, "space": tiny})


def test_what_cannot_be_used_is_refused(task: nt.tasks.Task) -> None:
    with pytest.raises(NasturtiumError, match="unknown proxy 'nwto'"):
        nt.search(task, proxy="nwto", **QUICK)
    with pytest.raises(NasturtiumError, match="keep=0"):
        nt.search(task, proxy="snip", proxy_keep=0, **QUICK)
    with pytest.raises(NasturtiumError, match="cannot be filtered"):
        nt.search(task, proxy="snip", strategy=Plain, **QUICK)


class Plain:
    """A strategy that derives from nothing."""

    def __init__(self, space: nt.Space) -> None:
        self.space = space

    def ask(self, n: int = 1) -> list[object]:
        return []

    def asked(self, proposal: object) -> None: ...

    def tell(self, trial: object) -> None: ...
