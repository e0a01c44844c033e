"""Acquisitions against Monte Carlo and scipy, with the right sign; candidates around the best, scored in one batch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from nasturtium.strategies import make
from nasturtium.strategies.acquisition import (
    ACQUISITIONS,
    ExpectedImprovement,
    Guess,
    IndependentThompson,
    ProbabilityOfImprovement,
    Thompson,
    UpperConfidence,
)
from nasturtium.strategies.bayesian import penalised
from nasturtium.strategies.candidates import Climbed, Drawn, Ground, Mixed, Mutated
from nasturtium.strategies.known import Known
from nasturtium.strategies.likeness import likeness
from nasturtium.testing.driving import asked, drive, good, score
from nasturtium.testing.small_spaces import SMALL_SPACES, product
from nasturtium.trial import State, Trial

RNG = np.random.default_rng(0)
MEAN, STD = np.array([0.2, 0.5, 0.9, 1.1, 0.5]), np.array([0.3, 0.1, 0.2, 0.05, 0.6])
GUESS = Guess(MEAN, STD, 1.0)
DRAWS = MEAN + STD * np.random.default_rng(5).standard_normal((400_000, 5))


def test_expected_improvement_is_the_mean_of_what_draws_gain():
    for margin in (0.0, 0.1):
        gained = np.maximum(DRAWS - 1.0 - margin, 0.0).mean(0)
        np.testing.assert_allclose(ExpectedImprovement(margin)(GUESS, RNG), gained, atol=1e-3)


def test_probability_of_improvement_is_the_share_of_draws_that_gain():
    found = ProbabilityOfImprovement()(GUESS, RNG)
    np.testing.assert_allclose(np.exp(found), (DRAWS > 1.0).mean(0), atol=2e-3)
    np.testing.assert_allclose(found, stats.norm.logsf(1.0, MEAN, STD))


def test_upper_confidence_bound_by_hand():
    np.testing.assert_allclose(UpperConfidence(2.0)(GUESS, RNG), [0.8, 0.7, 1.3, 1.2, 1.7])


@pytest.mark.parametrize("name", [name for name in ACQUISITIONS if "thompson" not in name])
def test_more_is_better(name):
    better = Guess(np.array([0.4, 0.6]), np.array([0.1, 0.1]), 0.5)
    low, high = ACQUISITIONS[name]()(better, RNG)
    assert high > low
    if name != "mean":
        narrow, wide = ACQUISITIONS[name]()(Guess(np.array([0.4, 0.4]), np.array([0.1, 0.3]), 0.5), RNG)
        assert wide > narrow


def test_thompson_draws_have_the_marginals_and_alike_candidates_deviate_alike():
    space = product(8, 3)
    near = [space.architecture(each) for each in ([0] * 8, [0] * 7 + [1], [2] * 8)]
    guess = Guess(np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 2.0]), 0.0, near)
    rng = np.random.default_rng(1)
    joint = np.array([Thompson()(guess, rng) for _ in range(6000)])
    alone = np.array([IndependentThompson()(guess, rng) for _ in range(6000)])
    for drawn in (joint, alone):
        np.testing.assert_allclose(drawn.mean(0), guess.mean, atol=0.1)
        np.testing.assert_allclose(drawn.std(0), guess.std, rtol=0.05)
    assert abs(np.corrcoef(alone.T)[0, 1]) < 0.05
    correlation = np.corrcoef(joint.T)
    assert correlation[0, 1] == pytest.approx(np.exp(-1 / 8 / 0.25), abs=0.05)
    assert correlation[0, 2] == pytest.approx(np.exp(-1 / 0.25), abs=0.05)


def test_likeness_is_a_kernel():
    drawn = [SMALL_SPACES["conditional"].sample(np.random.default_rng(k)) for k in range(40)]
    matrix = likeness(drawn, drawn)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9
    np.testing.assert_allclose(np.diag(matrix), 1.0)


def test_penalised_candidates_at_and_near_what_runs_count_least():
    space = product(4, 3)
    there, near, far = (space.architecture(each) for each in ([0, 0, 0, 0], [0, 0, 0, 1], [2, 2, 2, 2]))
    found = penalised(np.array([3.0, 3.0, 3.0, 1.0]), [there, near, far, far], [there])
    assert found[0] == 0 < found[1] < found[2]
    assert found[3] == 0


def ground(space, count=30, seed=0):
    rng, known = np.random.default_rng(seed), Known(space)
    told = sorted((space.sample(rng) for _ in range(count)), key=lambda each: -score(each))
    for each in told:
        known.add(each)
    return Ground(space, known, told, lambda some: np.array([score(each) for each in some]))


def differing(first, second):
    return sum(a != b for a, b in zip(first.decisions, second.decisions, strict=True))


def test_mutations_are_one_edit_from_one_of_the_best_and_no_random_walk():
    begun = ground(product(20, 3))
    parents = begun.best[:4]
    found = Mutated(60, 4)(begun, np.random.default_rng(3))
    assert len(found) == 60
    distances = [min(differing(each, parent) for parent in parents) for each in found]
    assert set(distances) == {1}


def test_where_nothing_around_the_best_is_new_mutations_are_of_the_next_best():
    begun = ground(product(5, 3))
    for neighbour in product(5, 3).neighbours(begun.best[0]):
        begun.known.add(neighbour)
    found = Mutated(20, 1)(begun, np.random.default_rng(0))
    assert found
    assert all(min(differing(each, parent) for parent in begun.best[1:5]) == 1 for each in found)


@pytest.mark.parametrize("kind", SMALL_SPACES)
@pytest.mark.parametrize("way", [Drawn(20), Mutated(20), Climbed(20, 2, 6, 3), Mixed(20)])
def test_candidates_are_new_distinct_and_in_the_space(kind, way):
    begun = ground(SMALL_SPACES[kind])
    found = way(begun, np.random.default_rng(1))
    assert 1 <= len(found) <= 20
    assert len({each.decisions for each in found}) == len(found)
    assert all(each not in begun.known and SMALL_SPACES[kind].admits(each) for each in found)


def test_local_search_of_the_acquisition_climbs_above_mutations():
    begun = ground(product(12, 4))
    climbed, mutated = (way(begun, np.random.default_rng(2)) for way in (Climbed(50, 4, 36, 6), Mutated(50)))
    assert max(map(score, climbed)) > max(map(score, mutated)) + 0.05


class Counting:
    """Predicts what it is asked by the true score, and remembers how it was called."""

    def __init__(self, log, **_):
        self.log = log

    def fit(self, architectures, scores):
        self.log.append(("fit", [each.decisions for each in architectures], np.array(scores)))

    def predict(self, architectures):
        self.log.append(("predict", len(architectures)))
        return np.array([score(each) for each in architectures]), np.full(len(architectures), 0.1)


def counting(log, **options):
    return make("bayesian", space=product(8, 4), predictor=lambda **given: Counting(log, **given), **options)


def test_candidates_are_scored_in_one_batch():
    log = []
    drive(counting(log, count=50, parents=8, every=3), 16)
    predicted = [each[1] for each in log if each[0] == "predict"]
    assert set(predicted) == {50}
    assert 2 <= len(predicted) <= 6  # after each fit, and where a new best one was told
    assert [len(each[1]) for each in log if each[0] == "fit"] == [10, 13]


def test_children_of_guided_evolution_are_one_edit_from_the_best_and_guessed_in_one_batch():
    log = []
    space = product(8, 4)
    options = {"population": 3, "brood": 30, "initial": 10}
    strategy = make("npenas", space=space, predictor=lambda **given: Counting(log, **given), **options)
    tried = [each.architecture for each in asked(drive(strategy, 10))]
    (proposal,) = strategy.ask(1)
    parents = sorted(tried, key=lambda each: -score(each))[:3]
    assert min(differing(proposal.architecture, parent) for parent in parents) == 1
    assert [each[1] for each in log if each[0] == "predict"] == [30]


def test_the_best_guess_is_tried():
    log = []
    strategy = counting(log, acquisition="mean", count=40)
    events = drive(strategy, 10)
    (proposal,) = strategy.ask(1)
    tried = [each.architecture for each in asked(events)]
    best = max(map(score, tried))
    assert score(proposal.architecture) > best
    parents = sorted(tried, key=lambda each: -score(each))
    assert min(differing(proposal.architecture, parent) for parent in parents) == 1


def test_what_failed_is_not_learned_and_what_breaks_a_limit_lies_below():
    log = []
    strategy = counting(log, initial=4, limits=["params<=10"])
    scores = [0.5, np.nan, 0.7, np.inf, 0.9, 0.6]
    sizes = [5.0, 5.0, 6.0, 5.0, 50.0, 20.0]
    for number in range(6):
        (proposal,) = strategy.ask(1)
        state = State.FAILED if number == 3 else State.COMPLETE
        told = {"accuracy": scores[number], "params": sizes[number]}
        strategy.tell(Trial(number, state, proposal.architecture, 1, told))
    strategy.ask(1)
    _, architectures, values = next(each for each in log if each[0] == "fit")
    assert len(architectures) == 4
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(np.argsort(values), [2, 3, 0, 1])


@pytest.mark.parametrize(("pending", "lie"), [("min", np.min), ("mean", np.mean), ("max", np.max), ("believer", None)])
def test_trials_that_run_are_learned_as_their_lies(pending, lie):
    log = []
    strategy = counting(log, initial=4, every=1, pending=pending)
    drive(strategy, 6)
    first, second = strategy.ask(2)
    _, architectures, values = [each for each in log if each[0] == "fit"][-1]
    assert architectures[-1] == first.architecture.decisions
    assert values[-1] == pytest.approx(score(first.architecture) if lie is None else lie(values[:-1]))
    assert first.architecture != second.architecture


def test_constant_scores_and_two_equal_architectures_are_no_trap():
    strategy = make("bayesian", space=product(4, 3), predictor="linear", initial=3)
    events = drive(strategy, 15, 2, lambda number, proposal: (State.COMPLETE, {"accuracy": 0.5}))
    assert len(asked(events)) == 15
    assert good(0, asked(events)[0])[0] is State.COMPLETE
