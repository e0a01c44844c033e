"""Regularised evolution against the algorithm of the paper written out plainly, and its parts one by one."""

from collections import Counter, deque

import numpy as np
import pytest
from bit_space import Bits, BitSpace

from nasturtium.strategies import make
from nasturtium.strategies.evolution import RegularisedEvolution
from nasturtium.strategies.population import Cross, Member, Mutate, Oldest, Tournament, Worst
from nasturtium.testing.driving import drive, places, plain, replay
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State, Trial, trial_rng


def score(architecture):
    """A rugged score, so that selection matters."""
    bits = architecture.decisions
    return sum(bits) + 3.0 * (bits[0] ^ bits[3]) - 2.0 * (bits[1] & bits[2])


def evolve(strategy, count):
    history = []
    for number in range(count):
        (proposal,) = strategy.ask(1)
        child = proposal.architecture
        scores = {"accuracy": score(child), "params": 10.0 * sum(child.decisions)}
        history.append(child)
        strategy.tell(Trial(number, State.COMPLETE, child, 1, scores))
    return history


def algorithm_1(space, seed, population_size, sample_size, cycles):
    """Real et al. 2019, algorithm 1: fill up, then tournament, mutate, append, discard the oldest."""
    population, history = [], []
    for number in range(cycles):
        rng = trial_rng(seed, number)
        if len(history) < population_size:
            child = space.sample(rng)
        else:
            sample = [population[i] for i in rng.integers(len(population), size=sample_size)]
            parent = max(sample, key=score)
            child = space.mutate(parent, rng)
        population.append(child)
        history.append(child)
        if len(population) > population_size:
            population.pop(0)
    return history


@pytest.mark.parametrize(("population", "sample"), [(10, 4), (20, 20), (5, 1)])
def test_it_is_algorithm_1_of_the_paper(population, sample):
    space = BitSpace(15)
    strategy = RegularisedEvolution(
        space, seed=3, population=population, tournament=sample, initial=population, repeats=True
    )
    assert evolve(strategy, 200) == algorithm_1(space, 3, population, sample, 200)


def test_it_beats_random_search_by_far():
    space = BitSpace(40)
    best = [max(map(score, evolve(RegularisedEvolution(space, seed=seed), 300))) for seed in range(5)]
    rng = np.random.default_rng(0)
    random = [max(score(space.sample(rng)) for _ in range(300)) for _ in range(5)]
    assert np.mean(best) > np.mean(random) + 4


def test_nothing_is_asked_twice_while_there_is_something_new():
    history = evolve(RegularisedEvolution(BitSpace(14), seed=1), 400)
    assert len(set(history)) == 400


def test_every_child_is_one_edit_from_a_member_and_not_from_another_candidate():
    """NASLib's candidate i mutates candidate i - 1, which is a random walk away from the parent."""
    strategy = RegularisedEvolution(BitSpace(40), seed=6, population=10, initial=10)
    for number in range(150):
        members = [member.architecture.decisions for member in strategy.population]
        (proposal,) = strategy.ask(1)
        edits = [np.count_nonzero(np.not_equal(each, proposal.architecture.decisions)) for each in members]
        assert number < 10 or min(edits) == 1
        strategy.tell(
            Trial(number, State.COMPLETE, proposal.architecture, 1, {"accuracy": score(proposal.architecture)})
        )


def test_failed_and_infeasible_trials_count_but_never_enter():
    strategy = RegularisedEvolution(BitSpace(10), seed=0, population=5, initial=3)
    for number in range(20):
        (proposal,) = strategy.ask(1)
        state = (State.FAILED, State.INFEASIBLE, State.STOPPED)[number % 3]
        strategy.tell(Trial(number, state, proposal.architecture, 1, {"accuracy": 1e9}))
    assert strategy.number == 20
    assert not strategy.population
    # still nothing to evolve from, so it goes on at random
    assert strategy.ask(1)[0].architecture == BitSpace(10).sample(trial_rng(0, 20))


def test_random_proposals_are_counted_while_they_run():
    strategy = RegularisedEvolution(BitSpace(10), seed=0, population=8, initial=4)
    first = strategy.ask(6)  # four, and two more because nobody has been told
    assert [p.architecture for p in first] == [BitSpace(10).sample(trial_rng(0, n)) for n in range(6)]
    strategy.tell(Trial(0, State.COMPLETE, first[0].architecture, 1, {"accuracy": 1.0}))
    (child,) = strategy.ask(1)
    different = np.not_equal(child.architecture.decisions, first[0].architecture.decisions)
    assert different.sum() == 1


def member(*losses):
    return Member((0.0, *losses), Bits(tuple(int(loss) for loss in losses)))


def test_a_tournament_finds_the_best_as_often_as_it_must():
    population = [member(float(loss)) for loss in range(10)]
    rng = np.random.default_rng(0)
    wins = Counter(Tournament(3)(population, rng).losses[1] for _ in range(4000))
    # best of three with replacement: P(minimum is k) = ((10 - k)^3 - (9 - k)^3) / 1000
    for k in range(10):
        assert wins[k] / 4000 == pytest.approx(((10 - k) ** 3 - (9 - k) ** 3) / 1000, abs=0.025)
    assert all(Tournament(10, replacement=False)(population, rng).losses[1] == 0 for _ in range(20))


def test_a_tournament_of_several_objectives_picks_from_the_first_front():
    population = [member(0, 3), member(3, 0), member(1, 1), member(3, 3), member(2, 2)]
    rng = np.random.default_rng(1)
    tournament = Tournament(5, replacement=False)
    picked = Counter(population.index(tournament(population, rng)) for _ in range(600))
    assert set(picked) == {0, 1, 2}
    assert min(picked.values()) > 150


def test_selections_by_name_draw_as_many_as_the_tournament_says():
    for name, kind in (("tournament", "Tournament"), ("chebyshev", "Scalarised"), ("linear", "Scalarised")):
        selection = RegularisedEvolution(BitSpace(8), selection=name, tournament=3).selection
        assert (type(selection).__name__, selection.size) == (kind, 3)


def test_what_breaks_a_limit_loses():
    strategy = RegularisedEvolution(
        BitSpace(20), seed=0, objectives=["accuracy"], limits=["params<=80"], population=20, initial=20
    )
    history = evolve(strategy, 400)
    assert np.mean([sum(a.decisions) for a in history[-50:]]) < 10
    assert max(sum(a.decisions) for a in history[-100:]) < 14


def test_survival():
    population = deque([member(1.0), member(5.0), member(2.0)])
    Worst()(population)
    assert [m.losses[1] for m in population] == [1.0, 2.0]
    Oldest()(population)
    assert [m.losses[1] for m in population] == [2.0]
    front = deque([member(0, 4), member(4, 0), member(2, 2), member(1.9, 2.1), member(1, 3)])
    Worst()(front)  # all in one front: one of the two that sit together goes
    assert len(front) == 4
    assert (0.0, 0, 4) in [m.losses for m in front]
    assert (0.0, 4, 0) in [m.losses for m in front]


def test_variation():
    space, rng = BitSpace(12), np.random.default_rng(0)
    zeros, ones = Bits((0,) * 12), Bits((1,) * 12)
    assert sum(Mutate()(lambda: zeros, space, rng).decisions) == 1
    parents = iter((zeros, ones) * 50)
    children = [Cross(1.0, 0.0)(lambda: next(parents), space, rng).decisions for _ in range(50)]
    assert all(child == tuple(sorted(child)) and 0 < sum(child) < 12 for child in children)
    assert all(sum(Cross(0.0)(lambda: zeros, space, rng).decisions) == 1 for _ in range(20))


def test_two_objectives_spread_over_the_front():
    objectives = ["accuracy", "-params"]
    strategy = RegularisedEvolution(BitSpace(16), seed=2, objectives=objectives, survival="worst")
    history = evolve(strategy, 500)
    sizes = {sum(m.architecture.decisions) for m in strategy.population}
    assert len(sizes) >= 8
    assert len(history) == 500


def test_a_filled_population_replays_with_several_workers():
    def fresh():
        return make("evolution", space=product(), seed=1, initial=3, fill=True, population=12, tournament=4)

    events = drive(fresh(), 40, 4)
    for cut in places(events)[::3]:
        (proposal,) = replay(fresh(), events[:cut], product()).ask(1)
        assert plain(proposal) == plain(events[cut])
