"""The words around trials: states and the generators that follow from seed and number."""

import numpy as np
import pytest

from nasturtium.trial import State, Trial, trial_rng, trial_seed


def test_the_generator_depends_on_seed_and_number_alone():
    first = trial_rng(3, 7).random(5)
    trial_rng(3, 6).random(100)
    np.testing.assert_array_equal(first, trial_rng(3, 7).random(5))
    assert not np.array_equal(first, trial_rng(7, 3).random(5))


def test_the_generator_is_numpys_own():
    expected = np.random.default_rng(np.random.SeedSequence([11, 4])).integers(0, 1 << 30, 8)
    np.testing.assert_array_equal(trial_rng(11, 4).integers(0, 1 << 30, 8), expected)


def test_seeds_of_trials_are_frozen_and_differ():
    seeds = {trial_seed(0, number) for number in range(5000)}
    assert len(seeds) > 4990  # 32 bits: a handful of collisions would already be unlikely
    assert [trial_seed(0, 0), trial_seed(0, 1), trial_seed(1, 0)] == FROZEN
    assert all(0 <= seed < 2**32 for seed in seeds)


FROZEN = [673228719, 1959213352, 1454127163]


@pytest.mark.parametrize(
    ("state", "ended"),
    [("waiting", False), ("running", False), ("lost", False), ("complete", True), ("stopped", True)]
    + [("failed", True), ("infeasible", True)],
)
def test_states_say_whether_a_trial_has_ended(state, ended):
    assert State(state).ended is ended
    assert str(State(state)) == state


def test_trials_are_compared_by_what_they_hold():
    assert Trial(0, State.WAITING, "a") == Trial(0, State.WAITING, "a")
    assert Trial(0, State.WAITING, "a").scores is not Trial(0, State.WAITING, "a").scores
