"""Small computations stay in one thread, and what comes after them gets its threads back."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nasturtium import predictors
from nasturtium.spaces import nasbench201
from nasturtium.threads import one_thread


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info()}


def test_one_thread_inside_and_as_many_as_before_after():
    with threadpool_limits(2):
        before = threads()
        with one_thread():
            assert threads() == {1}
        assert threads() == before


@pytest.mark.parametrize("name", ["gp_wl", "random_forest", "bananas"])
def test_predictors_learn_and_answer_in_one_thread(name, monkeypatch):
    space = nasbench201()
    predictor = predictors.make(name, space=space, seed=0)
    rng = np.random.default_rng(0)
    some = [space.sample(rng) for _ in range(12)]
    predictor.fit(some, rng.random(12))  # loads the libraries it needs
    regressor, seen = type(predictor.regressor), []
    for method in ("fit", "predict"):
        plain = getattr(regressor, method)

        def watched(self, *given, plain=plain):
            seen.append(threads())
            return plain(self, *given)

        monkeypatch.setattr(regressor, method, watched)
    with threadpool_limits(2):
        predictor.fit(some, rng.random(12)).predict(some)
    assert len(seen) >= 2
    assert all(each == {1} for each in seen)
