"""Plans: what is left out when the time is short, in its order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nasturtium.final.plan import Plan, fitted, foreseen, paces
from nasturtium.space import Architecture
from nasturtium.trial import State, Trial

WHOLE = Plan(5, 3, 60, True)


def leaders(count: int = 6, seconds: float = 10.0) -> list[Trial]:
    network = Architecture.parse("Linear(2)")
    return [Trial(n, State.COMPLETE, network, 10, {"accuracy": 0.9}, seconds=seconds) for n in range(count)]


def test_without_a_limit_all_is_done():
    assert fitted(WHOLE, leaders(), 1.25, 2, None) == WHOLE
    assert fitted(WHOLE, leaders(3), 1.25, 2, None).finalists == 3


# An epoch takes 1.1 * 1.25 * 10 / 10 = 1.375 s, a final training of 60 epochs 82.5 s, two run at a time.
@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (9 * 82.5, (5, 3, 60, True)),  # 18 trainings
        (8 * 82.5, (4, 3, 60, True)),  # 15 trainings in 8 rounds
        (5 * 82.5, (2, 3, 60, True)),  # 9 trainings
        (3 * 82.5, (2, 2, 60, True)),  # 6
        (1 * 82.5, (2, 2, 20, True)),  # 6 of a third of the epochs: twice those of the search
        (2 * 27.5, (1, 2, 20, True)),  # 4
        (1 * 27.5, (1, 2, 20, False)),  # 2 side by side
        (16.5, (1, 1, 12, False)),
        (1.0, (1, 1, 10, False)),  # never below the epochs of the search
    ],
)
def test_what_fits(left, expected):
    plan = fitted(WHOLE, leaders(), 1.25, 2, left + 1e-6)
    assert (plan.finalists, plan.seeds, plan.epochs, plan.baselines) == expected
    assert bool(plan.cut) == (plan.trainings < WHOLE.trainings)


def test_the_first_trial_counts_without_its_imports():
    trials = leaders(3, 0.5)
    trials[0] = replace(trials[0], seconds=60.0)
    assert paces(trials) == [0.05, 0.05, 0.05]
    assert paces(trials[:1]) == [6.0]  # nothing else is known


def test_a_trial_that_went_on_counts_for_the_epochs_it_trained():
    whole, went_on = leaders(3, 54.0)[1:]
    curve = [{"step": float(epoch), "accuracy": 0.5} for epoch in range(28, 82)]
    went_on = replace(went_on, budget=81, parent=0, curve=curve)
    assert paces([replace(whole, budget=54), went_on]) == [1.0, 1.0]


def test_a_slow_plain_network_is_the_first_to_go():
    # a training of a finalist takes 82.5 s, the plain network ten times that
    plan = fitted(WHOLE, leaders(), 1.25, 2, 17 * 82.5 + 1e-6, plain=10.0)
    assert (plan.finalists, plan.seeds, plan.epochs, plan.baselines, plan.plain) == (5, 3, 60, True, False)
    assert plan.cut == "the time left allows no plain network in the final training"
    assert fitted(WHOLE, leaders(), 1.25, 2, 23 * 82.5 + 1e-6, plain=10.0) == WHOLE  # (5 + 10) * 3 / 2
    slower = fitted(WHOLE, leaders(), 1.25, 2, 11 * 82.5 + 1e-6, plain=1.5)
    assert (slower.finalists, slower.plain) == (5, True)  # (5 + 1.5) * 3 / 2: what is not slow stays


def test_the_seconds_of_a_network_are_foreseen_by_its_flops():
    trials = [
        replace(trial, seconds=10 * (2.0 + flops / 1e6), scores={"flops": flops})
        for trial, flops in zip(leaders(6), (0.5e6, 1e6, 2e6, 3e6, 4e6, 1e6), strict=True)
    ]
    assert foreseen(trials, 50e6) == pytest.approx(52.0)
    assert foreseen(trials, 1.0) == pytest.approx(2.0, rel=1e-4)
    assert foreseen([replace(trials[0], scores={})], 1e6) == 0.0


def test_parts_of_an_epoch_stay_what_they_are():
    short = [replace(trial, budget=0.5) for trial in leaders(2)]
    assert fitted(Plan(2, 2, 0.5, False), short, 1.25, 1, 5.0).epochs == 0.5


def test_it_says_what_is_left_out():
    plan = fitted(WHOLE, leaders(), 1.25, 2, 16.5)
    assert plan.cut == (
        "the time left allows 1 of 5 finalists, 1 of 3 seeds, 12 of 60 epochs, no baselines in the final training"
    )
