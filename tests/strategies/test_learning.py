"""Every strategy learns: on an objective that is a sum over decisions it beats random search by a stated margin."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nasturtium.strategies import make
from nasturtium.testing.driving import asked, drive, score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State

SPACE = product(12, 4)  # 16.8 million architectures
TABLE = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks/nats_tss/nats_tss.parquet"


def best(name, trials, seed, **options):
    events = drive(make(name, space=SPACE, seed=seed, **options), trials)
    return max(score(proposal.architecture) for proposal in asked(events))


@cache
def random(trials):
    return np.mean([best("random", trials, seed) for seed in range(4)])


@pytest.mark.parametrize(
    ("name", "trials", "margin", "options"),
    [
        ("local_search", 150, 0.06, {}),
        ("local_search_full", 300, 0.06, {}),
        ("evolution", 150, 0.06, {}),
        ("aging_evolution", 300, 0.05, {}),
        ("rea_nats", 300, 0.05, {}),
        ("steady_state", 150, 0.05, {}),
        ("genetic", 200, 0.05, {}),
        ("genetic_cnn", 400, 0.02, {}),
        ("scalarisation", 150, 0.06, {}),
        ("linear_scalarisation", 150, 0.06, {}),
        ("nsga2", 300, 0.04, {}),
        ("mcts", 400, 0.04, {}),
        ("reinforce", 400, 0.03, {}),
        ("ppo", 400, 0.03, {}),
        ("controller", 400, 0.03, {"learning_rate": 0.005}),
    ],
)
def test_it_beats_random_search_by_a_margin(name, trials, margin, options):
    seeds = 2 if name in ("ppo", "controller") else 4
    assert np.mean([best(name, trials, seed, **options) for seed in range(seeds)]) > random(trials) + margin


@pytest.mark.parametrize("name", ["successive_halving", "hyperband", "asha", "hyperband_evolution"])
def test_small_budgets_find_more_for_the_same_epochs(name):
    """Scores are hidden by noise that shrinks with the epochs; both spend 20 full trainings."""

    def noisy(number, proposal):
        noise = np.random.default_rng(proposal.architecture.decisions).normal() * 0.1 / proposal.budget
        return State.COMPLETE, {"accuracy": score(proposal.architecture) + noise}

    def reached(chosen, seed, epochs=20 * 27):
        spent, worth = 0, 0.0
        previous = {}
        for number, proposal in enumerate(
            asked(drive(make(chosen, space=SPACE, seed=seed, budget=27), 600, end=noisy))
        ):
            spent += proposal.budget - previous.get(proposal.parent, 0)
            previous[number] = proposal.budget
            if spent > epochs:
                break
            worth = max(worth, score(proposal.architecture) if proposal.budget == 27 else 0.0)
        return worth

    gained = [reached(name, seed) - reached("random", seed) for seed in range(6)]
    assert np.mean(gained) > 0.03


@pytest.fixture(name="nasbench201", scope="module")
def _nasbench201():
    if not TABLE.exists():
        pytest.skip("the NAS-Bench-201 table is not here")
    import polars

    from nasturtium.spaces import make as make_space

    space = make_space("nasbench201", (3, 32, 32), 10)
    rows = polars.read_parquet(TABLE).select("arch", "cifar10-valid.val_acc_ep200_s0").rows()
    return space, {space.from_notation(text).decisions: value / 100 for text, value in rows}


def on_table(nasbench201, name, trials, seed):
    space, table = nasbench201

    def end(number, proposal):
        return State.COMPLETE, {"accuracy": table[proposal.architecture.decisions]}

    events = drive(make(name, space=space, seed=seed), trials, end=end)
    return [table[proposal.architecture.decisions] for proposal in asked(events)]


def test_random_search_is_the_expected_best_of_n_without_replacement(nasbench201):
    values = np.sort(list(nasbench201[1].values()))
    n, total = 50, len(values)
    # P(the best of n drawn without replacement is the k-th smallest) = C(k - 1, n - 1) / C(total, n)
    ratio, expected = n / total, 0.0
    for k in range(total, n - 1, -1):
        expected += ratio * values[k - 1]
        ratio *= (k - n) / (k - 1)
    found = [max(on_table(nasbench201, "random", n, seed)) for seed in range(100)]
    assert abs(np.mean(found) - expected) < 3 * np.std(found, ddof=1) / 10


@pytest.mark.parametrize("name", ["local_search", "local_search_full"])
def test_local_search_finds_the_optimum_of_nasbench201(nasbench201, name):
    best_of_all = max(nasbench201[1].values())
    assert sum(max(on_table(nasbench201, name, 1000, seed)) == best_of_all for seed in range(5)) >= 4


def test_evolution_and_local_search_are_ahead_of_random_on_nasbench201(nasbench201):
    means = {
        name: np.mean([max(on_table(nasbench201, name, 150, seed)) for seed in range(12)])
        for name in ("random", "evolution", "local_search")
    }
    assert means["evolution"] > means["random"] + 0.002
    assert means["local_search"] > means["random"] + 0.003
