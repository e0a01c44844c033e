"""Predict, then search: what is drawn and guessed, when it learns, and where it ends."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.layers import Linear, ReLU, Residual, Sequential
from nasturtium.space import Space, choice
from nasturtium.strategies import make
from nasturtium.testing.driving import asked, drive, places, plain, replay
from nasturtium.testing.small_spaces import SMALL_SPACES, product


def test_predictor_then_search_tries_its_favourites_in_their_order():
    strategy = make("predict_then_search", space=product(5, 3), predictor="linear", initial=20)
    tried = [each.architecture for each in asked(drive(strategy, 20))]
    proposals = [each.architecture for each in strategy.ask(6)]
    left = [each for each in product(5, 3).enumerate() if each.decisions not in {one.decisions for one in tried}]
    guessed = strategy.fitted().predict(left)[0]
    favourites = [left[i].decisions for i in np.argsort(-guessed, kind="stable")[:6]]
    assert [each.decisions for each in proposals] == favourites


class Counting:
    """A predictor that prefers small decisions, and notes from how many it learned."""

    def __init__(self, sizes):
        self.sizes = sizes

    def fit(self, architectures, scores):
        self.sizes.append(len(scores))

    def predict(self, architectures):
        mean = -np.array([float(sum(each.decisions)) for each in architectures])
        return mean, np.ones(len(mean))


def test_predict_then_search_draws_no_more_where_nothing_is_left_to_draw(monkeypatch):
    """A space of four networks that is no product: each proposal drew and guessed a hundred times."""
    alike = Space(Sequential(Linear(choice(4, 8)), choice(Residual(Linear(choice(4, 8))), ReLU())), input=(8,))
    strategy = make("predict_then_search", space=alike, initial=2, candidates=40, predictor="linear", encoding="counts")
    draws, drawn = [], strategy.drawn
    monkeypatch.setattr(strategy, "drawn", lambda draw: draws.append(draw) or drawn(draw))
    with pytest.warns(UserWarning, match="all of its architectures were proposed"):
        events = drive(strategy, 12)
    size = len(list(alike.enumerate()))
    assert len({each.architecture.decisions for each in asked(events)[:size]}) == size
    assert draws == [0, 1]


def test_predict_then_search_guesses_what_else_it_draws(monkeypatch):
    strategy = make("predict_then_search", space=SMALL_SPACES["grammar"], initial=6, candidates=5, predictor="linear",
                    encoding="counts")  # fmt: skip
    draws, drawn = [], strategy.drawn
    monkeypatch.setattr(strategy, "drawn", lambda draw: draws.append(draw) or drawn(draw))
    proposals = asked(drive(strategy, 40))
    there = {each.decisions for draw in draws for each in drawn(draw)}
    assert draws == list(range(len(draws)))
    assert len(draws) >= 7
    assert all(each.architecture.decisions in there for each in proposals[6:])


@pytest.mark.parametrize(("workers", "initial"), [(1, 20), (3, 20), (16, 20), (16, 10)])
def test_the_predictor_of_predict_then_search_learns_from_initial_scores_at_last(workers, initial):
    sizes = []
    options = {"predictor": lambda **_: Counting(sizes), "initial": initial, "candidates": 200}
    drive(make("predict_then_search", space=product(), seed=1, **options), 80, workers)
    assert sizes[-1] == initial
    assert sizes == sorted(set(sizes))
    assert len(sizes) <= 1 + workers


def test_the_basis_moves_when_the_initial_scores_are_complete_in_a_replay_too():
    space = SMALL_SPACES["product"]

    def fresh():
        return make("predict_then_search", space=space, seed=1, predictor="linear", initial=12, candidates=99)

    events = drive(fresh(), 40, 8)
    for cut in places(events)[8:30:3]:
        (proposal,) = replay(fresh(), events[:cut], space).ask(1)
        assert plain(proposal) == plain(events[cut])
