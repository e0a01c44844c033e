"""The laws of predictors, as functions of what makes one, a space and a seed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nasturtium import predictors
from nasturtium.errors import NasturtiumError
from nasturtium.predictors import Regressor
from nasturtium.space import Architecture, Space
from nasturtium.testing.broken import require
from nasturtium.testing.chance import disturbed, global_state
from nasturtium.testing.driving import score
from nasturtium.testing.laws import generator
from nasturtium.testing.small_spaces import conditional

TRAINED, ASKED = 24, 16
"""So many architectures are learned from, and asked for."""


class Predicting(Protocol):
    """What a predictor has."""

    def fit(self, architectures: Any, scores: Any) -> Any: ...

    def predict(self, architectures: Any) -> tuple[NDArray[Any], NDArray[Any]]: ...


Make = Callable[[Space, int], Predicting]
"""Makes a predictor that has learned nothing, of a space and a seed."""


class Example(NamedTuple):
    """Architectures with scores, and others."""

    trained: list[Architecture]
    scores: NDArray[np.float64]
    asked: list[Architecture]


def example(space: Space, seed: int) -> Example:
    """Architectures of a space with scores that follow from their decisions, and others."""
    rng = generator(seed)
    drawn = [space.sample(rng) for _ in range(TRAINED + ASKED)]
    scores = np.array([70.0 + 10.0 * score(each) for each in drawn[:TRAINED]])
    return Example(drawn[:TRAINED], scores, drawn[TRAINED:])


def says_when_it_has_learned_nothing(make: Make, space: Space, seed: int) -> None:
    """Before it is fitted it says so, with an error of ours."""
    asked = example(space, seed).asked
    try:
        make(space, seed).predict(asked)
    except NasturtiumError:
        return
    except Exception as error:
        require(False, "before it is fitted it raises no NasturtiumError that says so", repr(error))
    require(False, "before it is fitted it predicts something", space)


def answers(make: Make, space: Space, seed: int) -> None:
    """It gives a finite mean and spread for each architecture, again the same, in whatever order they are asked for."""
    known = example(space, seed)
    predictor = make(space, seed)
    predictor.fit(known.trained, known.scores)
    mean, std = (np.asarray(each) for each in predictor.predict(known.asked))
    shape = (len(known.asked),)
    require(mean.shape == std.shape == shape, f"mean and spread have not the shape {shape}", mean.shape, std.shape)
    require(bool(np.isfinite(mean).all() and np.isfinite(std).all()), "a mean or spread is not finite", mean, std)
    require(bool((std >= 0).all()), "a spread is below 0", std)
    again = np.array(predictor.predict(known.asked))
    require(np.array_equal(again, [mean, std]), "asked again, it answers otherwise", [mean, std], again)
    backwards = np.array(predictor.predict(known.asked[::-1]))[:, ::-1]
    same = np.allclose(backwards, [mean, std], rtol=1e-3, atol=1e-5)
    require(bool(same), "asked in another order, it answers otherwise", [mean, std], backwards)
    none = [np.asarray(each).shape for each in predictor.predict([])]
    require(none == [(0,), (0,)], "asked for no architecture, it does not answer with none", none)


def follows_from_its_seed(make: Make, space: Space, seed: int) -> None:
    """The seed decides all: global generators are neither read nor moved."""
    known, found = example(space, seed), []
    for others in (1, 99):
        with disturbed(others):
            before = global_state()
            predictor = make(space, seed)
            predictor.fit(known.trained, known.scores)
            found.append(np.array(predictor.predict(known.asked)))
            require(global_state() == before, "a global generator of random numbers moved", space)
    require(np.array_equal(found[0], found[1]), "the same seed predicts otherwise after others drew numbers", *found)


def learns_from_little(make: Make, space: Space, seed: int) -> None:
    """Few scores, all of them equal, are no obstacle: a search has no others when it begins."""
    known = example(space, seed)
    for count in (2, 4):
        predictor = make(space, seed)
        predictor.fit(known.trained[:count], np.full(count, 5.0))
        found = np.array(predictor.predict(known.asked))
        require(bool(np.isfinite(found).all()), f"fitted on {count} equal scores, it predicts no numbers", found)


PREDICTOR_LAWS: dict[str, Callable[[Make, Space, int], None]] = {
    "says_when_it_has_learned_nothing": says_when_it_has_learned_nothing,
    "answers": answers,
    "follows_from_its_seed": follows_from_its_seed,
    "learns_from_little": learns_from_little,
}
"""Every law by its name."""


def check_predictor(
    predictor: str | Regressor | Make, space: Space | None = None, seeds: int = 1, **options: Any
) -> None:
    """Hold all laws over a predictor.

    Args:
        predictor: A name, a regressor that has learned nothing, or a function of a space and a seed that makes whatever
            has ``fit(architectures, scores)`` and ``predict(architectures)``.
        space: What its architectures are of; small networks if None.
        seeds: For so many seeds.
        **options: Those of :func:`nasturtium.predictors.make`, for a name or a regressor.

    Raises:
        LawBroken: At the first that is broken, with what was at fault.
        NasturtiumError: If the predictor cannot be made.
    """

    def made(space: Space, seed: int) -> Predicting:
        given = predictor if isinstance(predictor, str) else copy.deepcopy(predictor)
        return predictors.make(given, space=space, seed=seed, **options)  # type: ignore[arg-type]

    make: Make = made if isinstance(predictor, str | Regressor) else predictor
    for seed in range(seeds):
        for law in PREDICTOR_LAWS.values():
            law(make, conditional() if space is None else space, seed)
