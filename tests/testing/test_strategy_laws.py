"""Each law of strategies can be broken, and says what is at fault; one's own strategies keep them all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.strategies import Strategy
from nasturtium.testing import STRATEGY_LAWS, LawBroken, check_strategy
from nasturtium.testing.driving import drive
from nasturtium.testing.small_spaces import constrained, product
from nasturtium.trial import Proposal, State


class Own(Strategy):
    """Random search, which others here spoil."""

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        return Proposal(self.space.sample(rng), self.budget)

    def tell(self, trial: Any) -> None:
        """Learns nothing."""


class DrawsWhenAsked(Own):
    """Keeps a generator, which a study that goes on does not bring to where it was."""

    def __init__(self, space: Any, **common: Any) -> None:
        super().__init__(space, **common)
        self.rng = np.random.default_rng(self.seed)

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        return Proposal(self.space.sample(self.rng), self.budget)


class DrawsWhenTold(DrawsWhenAsked):
    """Draws what it is told."""

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        return Proposal(self.space.sample(rng), self.budget)

    def tell(self, trial: Any) -> None:
        self.rng.random()


class Countless(Own):
    """Gives one more than was asked for."""

    def ask(self, n: int = 1) -> list[Proposal]:
        return super().ask(n + 1)


class Global(Own):
    """Draws from numpy's global generator."""

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        return Proposal(self.space.sample(np.random.default_rng(np.random.randint(1000))), self.budget)


class Careless(Own):
    """Takes scores for granted."""

    def tell(self, trial: Any) -> None:
        self.last = trial.scores["accuracy"]


class Waiting(Own):
    """Waits for a trial that is complete."""

    complete = 0

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        return super().propose(number, rng) if self.complete or not number else None

    def tell(self, trial: Any) -> None:
        self.complete += trial.state is State.COMPLETE and bool(np.isfinite(trial.scores["accuracy"]))


class Outside(Own):
    """Does not look at the constraints."""

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        taken = rng.integers(0, 4, 6)
        return Proposal(self.space.architecture(taken.tolist()), self.budget)


class Orphan(Own):
    """Goes on with a trial of another architecture."""

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        return Proposal(self.space.sample(rng), self.budget, 0 if number > 8 else None)


BROKEN = [
    ("replays", DrawsWhenAsked, "replayed up to event .* it proposes otherwise"),
    ("asks_one_by_one", Countless, "asked for 4, it proposes more: 5"),
    ("draws_nothing_when_told", DrawsWhenTold, "being told of a trial moved a generator"),
    ("follows_from_its_seed", Global, "a global generator of random numbers moved"),
    ("goes_on_without_scores", Careless, "where all trials are failed, it raises KeyError: 'accuracy'"),
    ("goes_on_without_scores", Waiting, "where all trials are failed, after 1 trials nothing runs"),
    ("stays_in_the_space", Outside, "a proposal is not in the space"),
    ("stays_in_the_space", Orphan, "trial .* goes on with 0, no trial of it that ended"),
]


@pytest.mark.parametrize(("law", "kind", "said"), BROKEN, ids=[kind.__name__ for _, kind, _ in BROKEN])
def test_laws_can_be_broken(law: str, kind: type[Own], said: str) -> None:
    space = constrained() if kind is Outside else product()
    with pytest.raises(LawBroken, match=said):
        STRATEGY_LAWS[law](lambda space, seed: kind(space, seed=seed), space, 0)
    with pytest.raises(LawBroken):
        check_strategy(kind, [space])


def test_ones_own_strategy_keeps_all_of_them() -> None:
    check_strategy(Own, seeds=2)


def test_functions_names_and_options_will_do() -> None:
    check_strategy(lambda space, seed: Own(space, seed=seed), [product(4, 3)])
    check_strategy("evolution", [product()], population=5)
    with pytest.raises(NasturtiumError, match="no option 'populaton'"):
        check_strategy("evolution", [product()], populaton=5)


def test_trials_that_are_lost_end_when_nothing_else_runs() -> None:
    events = drive(Own(product()), 6, 2, late=lambda number: number in (0, 1))
    told = [event.number for event in events if not isinstance(event, Proposal)]
    assert sorted(told[-2:]) == [0, 1]
    assert len(told) == 6


def test_the_users_generators_are_left_alone() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    check_strategy(Own, [product()])
    np.testing.assert_array_equal(np.random.get_state()[1], before)
