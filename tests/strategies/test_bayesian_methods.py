"""Published searches with a predictor: TPE by its formula, hypervolume by brute force, and what each must do."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.predictors.gaussian import GaussianProcess
from nasturtium.strategies import make
from nasturtium.strategies.bohb import BOHB
from nasturtium.strategies.front import hypervolume, improvements, undominated
from nasturtium.strategies.lessons import quantiles, taught, worths
from nasturtium.strategies.progressive import size, smallest
from nasturtium.strategies.tpe import TPE
from nasturtium.testing.driving import asked, drive, good, places, plain, replay, score
from nasturtium.testing.small_spaces import SMALL_SPACES, product
from nasturtium.trial import State, Trial


def told(strategy, space, rows):
    for number, (decisions, accuracy) in enumerate(rows):
        architecture = space.architecture(decisions)
        strategy.tell(Trial(number, State.COMPLETE, architecture, 1, {"accuracy": accuracy}))
    return strategy


def test_tpe_is_the_ratio_of_counts_with_their_prior():
    space = product(2, 3)
    rows = [((0, 1), 0.9), ((0, 2), 0.8), ((1, 1), 0.3), ((2, 1), 0.2), ((2, 2), 0.1)]
    strategy = told(TPE(space, initial=5, gamma=0.4), space, rows)
    good_ones, others = strategy.densities()
    # The best two of five: option 0 twice at the first place. (N p + C) / (N + n) with N = 3, p = 1/3.
    first = {0: ((1 + 2) / 5, (1 + 0) / 6), 1: (1 / 5, (1 + 1) / 6), 2: (1 / 5, (1 + 2) / 6)}
    second = {0: (1 / 5, 1 / 6), 1: ((1 + 1) / 5, (1 + 2) / 6), 2: ((1 + 1) / 5, (1 + 1) / 6)}
    for a, b in itertools.product(range(3), repeat=2):
        likely, unlikely = (first[a][k] * second[b][k] for k in (0, 1))
        found = strategy.ratio(space.architecture((a, b)), good_ones, others)
        assert found == pytest.approx(math.log(likely / unlikely))


def test_tpe_draws_from_the_density_of_the_good():
    space = product(2, 3)
    rows = [((0, 1), 0.9), ((0, 2), 0.8), ((1, 1), 0.3), ((2, 1), 0.2), ((2, 2), 0.1)]
    strategy = told(TPE(space, initial=5, gamma=0.4), space, rows)
    density, rng = strategy.densities()[0], np.random.default_rng(0)
    drawn = np.array([strategy.draw(density, rng).decisions for _ in range(4000)])
    np.testing.assert_allclose(np.bincount(drawn[:, 0]) / 4000, [0.6, 0.2, 0.2], atol=0.03)
    np.testing.assert_allclose(np.bincount(drawn[:, 1]) / 4000, [0.2, 0.4, 0.4], atol=0.03)


def test_bohb_learns_from_the_largest_budget_with_enough_trials():
    strategy = make("bohb", space=product(), seed=1, budget=9, initial=4)
    events = drive(strategy, 40)
    assert isinstance(strategy, BOHB)
    model = strategy.strategy
    by_budget = {budget: sum(e.budget == budget for e in events if isinstance(e, Trial)) for budget in (1, 3, 9)}
    assert {budget: len(rows) for budget, rows in model.told.items()} == by_budget
    assert model.level == 9


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_the_undominated_are_those_that_no_other_row_dominates(objectives):
    rng = np.random.default_rng(objectives)
    for count in (0, 1, 5, 700):
        points = rng.integers(0, 2 + 12 * rng.random(), (count, objectives)).astype(float)
        rows = sorted({tuple(row) for row in points.tolist()})
        expected = [
            row for row in rows if not any(a != row and all(x <= y for x, y in zip(a, row, strict=True)) for a in rows)
        ]
        assert [tuple(row) for row in undominated(points).tolist()] == expected


def test_the_front_of_very_many_takes_little_memory():
    rng = np.random.default_rng(0)
    points = rng.random((20_000, 3))
    points[:, 2] = 2 - points[:, :2].sum(1) + 0.5 * rng.random(20_000)
    tracemalloc.start()
    found = undominated(points)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) > 100
    assert most < 50e6  # each with each would be 1,200 MB


def brute(points, reference, cells=40):
    """The share of a grid's cells in the box from 0 to the reference that some point dominates, times its volume."""
    middles = [(np.arange(cells) + 0.5) / cells * edge for edge in reference]
    grid = np.stack(np.meshgrid(*middles, indexing="ij"), -1).reshape(-1, len(reference))
    dominated = (points[:, None] <= grid[None]).all(2).any(0)
    return dominated.mean() * np.prod(reference)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_hypervolume_is_what_counting_cells_gives(objectives):
    rng = np.random.default_rng(objectives)
    cells = 12 if objectives == 4 else 40
    for _ in range(5):
        points = rng.integers(0, cells + 4, (6, objectives)) / cells  # on the grid, so that counting is exact
        reference = np.ones(objectives)
        assert hypervolume(points, reference) == pytest.approx(brute(points, reference, cells))


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_improvements_are_differences_of_hypervolumes(objectives):
    rng = np.random.default_rng(7)
    front, new, reference = rng.random((8, objectives)), rng.random((30, objectives)) * 1.3, np.full(objectives, 1.1)
    before = hypervolume(front, reference)
    expected = [hypervolume(np.vstack([front, point]), reference) - before for point in new]
    np.testing.assert_allclose(improvements(new, front, reference), expected, atol=1e-12)


@pytest.mark.parametrize(("objectives", "size"), [(3, 60), (4, 12), (5, 6)])
def test_improvements_over_a_long_front_are_found_for_all_points_at_once(objectives, size, monkeypatch):
    rng = np.random.default_rng(objectives)
    front, points = rng.dirichlet(np.ones(objectives), size), 1.3 * rng.random((40, objectives)) - 0.3
    points[:3], points[3:6, -1] = front[:3], front[:3, -1]
    reference = np.full(objectives, 1.1)
    volume = hypervolume(front, reference)
    expected = [hypervolume(np.vstack([front, point]), reference) - volume for point in points]
    monkeypatch.setattr("nasturtium.strategies.front.hypervolume", None)  # one by one it takes seconds a proposal
    np.testing.assert_allclose(improvements(points, front, reference), expected, atol=1e-12)
    assert np.count_nonzero(expected) > 5


def test_what_is_dominated_is_no_part_of_the_front():
    points = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [2.0, 3.0], [1.0, 3.0]])
    np.testing.assert_array_equal(undominated(points), [[1, 3], [2, 2], [3, 1]])


def front_volume(name, seed, **options):
    """The hypervolume, of 0..1 for each objective, that a search over two objectives comes to."""
    objectives = ["accuracy", "-params"]
    events = drive(make(name, space=product(), seed=seed, objectives=objectives, **options), 50)
    scores = [each.scores for each in events if isinstance(each, Trial)]
    points = np.array([[1 - each["accuracy"], each["params"] / 24] for each in scores])
    return hypervolume(points, np.ones(2))


@pytest.mark.parametrize("name", ["hypervolume", "parego"])
def test_several_objectives_beat_random_by_a_twentieth(name):
    options = {"predictor": "linear", "count": 40}
    found = np.mean([front_volume(name, seed, **options) for seed in range(3)])
    assert found > 1.05 * np.mean([front_volume("random", seed) for seed in range(3)])


LEARNERS = {
    "bayesian": {"predictor": "gp"}, "tpe": {"initial": 10}, "npenas": {"predictor": "gp"},
    "pnas": {"predictor": "gp", "beam": 4}, "predict_then_search": {"predictor": "gp", "initial": 30},
    "bananas": {"predictor": "gp", "encoding": "one_hot"}, "parego": {"predictor": "gp"},
}  # fmt: skip


def best(events):
    return max(each.scores["accuracy"] for each in events if isinstance(each, Trial))


@pytest.mark.parametrize("name", LEARNERS)
def test_fifty_trials_beat_random_by_a_twentieth_of_the_scale(name):
    space = product(10, 4)
    found = [best(drive(make(name, space=space, seed=k, **LEARNERS[name]), 50)) for k in range(3)]
    random = [best(drive(make("random", space=space, seed=k), 50)) for k in range(3)]
    assert np.mean(found) > np.mean(random) + 0.05


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_progressive_search_grows_within_searches_of_several_budgets(name):
    """What is told of new networks at a small budget counts at their level, where a larger one is learned from."""
    space = product(6, 3)
    options = {"predictor": "linear", "encoding": "counts", "beam": 5, "candidates": 20}
    strategy = make(name, space=space, budget=9, factor=3, strategy="pnas", options=options)
    new = [each for each in asked(drive(strategy, 90)) if each.parent is None]
    inner = strategy.strategy
    assert inner.basis.level == 9
    assert [len(known) for _, known in sorted(inner.tried.items())][:6] == [1, 5, 5, 5, 5, 5]
    sizes = [size(space, each.architecture) for each in new]
    assert sizes[:31] == [0, *[1] * 5, *[2] * 5, *[3] * 5, *[4] * 5, *[5] * 5, *[6] * 5]


def test_progressive_search_grows_by_one_decision_a_level():
    space = product(6, 3)
    strategy = make("pnas", space=space, predictor="linear", beam=8, candidates=20)
    sizes = [size(space, each.architecture) for each in asked(drive(strategy, 33))]
    assert sizes == [0, *[1] * 8, *[2] * 8, *[3] * 8, *[4] * 8]


def test_the_smallest_of_a_conditional_space_has_few_decisions():
    space = SMALL_SPACES["conditional"]
    drawn = [len(space.sample(np.random.default_rng(k)).decisions) for k in range(100)]
    assert size(space, smallest(space, 0)) <= np.quantile(drawn, 0.1)


def test_worths_put_what_breaks_limits_below_and_quantiles_keep_the_order():
    found = worths([(0.0, -0.9), (0.5, -0.99), (0.0, -0.1), (2.0, -0.99)])
    assert found[0] == 0.9
    assert list(np.argsort(found)) == [3, 1, 2, 0]
    warped = quantiles(np.array([10.0, -1e9, 3.0, 3.0]))
    assert warped[1] < warped[2] == warped[3] < warped[0] < 2
    assert abs(warped.sum()) < 0.5


@pytest.mark.parametrize(
    ("name", "remedy"), [("bananas", "encoding='one_hot'"), ("npenas", "predictor='random_forest'")]
)
def test_a_predictor_that_cannot_read_the_space_says_what_can(name, remedy):
    with pytest.raises(NasturtiumError, match=remedy):
        make(name, space=product())


def test_wrong_options_are_named():
    for options in ({"pending": "lair"}, {"acquisition": "expected"}, {"candidates": "mutations"}, {"every": 0}):
        (name,) = options
        with pytest.raises(NasturtiumError, match=str(options[name])):
            make("bayesian", space=product(), **options)


REAL = {
    "bananas": {"epochs": 5}, "nasbowl": {}, "nasbot": {}, "auto_keras": {}, "nasgbo": {"epochs": 3}, "dngo": {},
    "bonas": {"epochs": 3}, "bohamiann": {"steps": 40, "burn": 20, "every": 5}, "npenas": {"epochs": 3},
    "nao": {"epochs": 3, "members": 1},
}  # fmt: skip
"""The published methods with their own predictors, trained briefly."""


@pytest.mark.parametrize("name", REAL)
def test_published_methods_replay_with_their_own_predictors(name):
    space = SMALL_SPACES["conditional"]
    few = {"npenas": {"brood": 8}, "nao": {"parents": 3}}.get(name, {"count": 8})
    options = {"initial": 5, "every": 4, "predictor_options": REAL[name], **few}
    events = drive(make(name, space=space, seed=3, **options), 11, 2, good)
    cut = places(events)[-1]
    (proposal,) = replay(make(name, space=space, seed=3, **options), events[:cut], space).ask(1)
    assert plain(proposal) == plain(events[cut])
    assert 0 <= score(proposal.architecture) <= 1


def test_a_predictor_that_cannot_read_the_encoding_is_refused_before_anything_is_tried():
    with pytest.raises(NasturtiumError, match="'random_forest' reads rows of numbers, not the encoding 'graph'"):
        make("bayesian", space=SMALL_SPACES["conditional"], encoding="graph")


def test_of_very_many_the_best_and_the_latest_are_learned_from():
    values = np.array([0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.0, 0.4, 0.95, 0.5])
    assert taught(values, 6).tolist() == [0, 2, 6, 7, 8, 9]
    assert taught(values, 3).tolist() == [7, 8, 9]
    assert taught(values, 10).tolist() == taught(values, None).tolist() == list(range(10))


@pytest.mark.parametrize(("name", "options"), [("bayesian", {"predictor": "gp"}), ("parego", {}), ("nasbowl", {})])
def test_gaussian_processes_learn_from_no_more_than_they_can(name, options, monkeypatch):
    sizes = []
    original = GaussianProcess.fit

    def noted(process, x, y):
        sizes.append(len(y))
        original(process, x, y)

    monkeypatch.setattr(GaussianProcess, "fit", noted)
    monkeypatch.setattr(GaussianProcess, "most", 14)
    space = SMALL_SPACES["conditional"]

    def fresh():
        return make(name, space=space, seed=1, count=6, **options)

    events = drive(fresh(), 30)
    assert max(sizes) == 14
    (proposal,) = replay(fresh(), events[:-2], space).ask(1)
    assert plain(proposal) == plain(events[-2])
