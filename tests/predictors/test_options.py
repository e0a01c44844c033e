"""Options of predictors that cannot be used, and the least that trees must be able to learn from."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.predictors import make
from nasturtium.predictors.forest import Forest
from nasturtium.space import Space
from tests.predictors.common import scored, small_space

SPACE = small_space()
COUNTS = {
    "mlp": ("members", "layers", "width", "epochs", "batch"), "bananas": ("members", "batch"),
    "dngo": ("layers", "width", "epochs", "batch"), "bohamiann": ("chains", "every", "layers", "width", "batch"),
    "gcn": ("members", "width", "layers", "epochs", "batch"), "nao": ("members", "width", "epochs", "batch"),
    "random_forest": ("trees", "least"), "extra_trees": ("trees",), "gradient_boosting": ("members", "trees"),
    "gp": ("starts",), "omni": ("trees", "rounds"),
}  # fmt: skip
BAD = [(name, option, value) for name, options in COUNTS.items() for option in options for value in (0, -1, 1.5, True)]


@pytest.mark.parametrize(("name", "option", "value"), BAD)
def test_counts_that_cannot_be_used_are_named_before_anything_is_fitted(name, option, value):
    with pytest.raises(NasturtiumError, match=rf"option {option}={value}: a whole number from 1 up is expected"):
        make(name, space=SPACE, **{option: value})


@pytest.mark.parametrize(
    ("name", "option"),
    [("mlp", "rate"), ("dngo", "decay"), ("bohamiann", "friction"), ("gcn", "margin"), ("nao", "rate")],
)
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1"])
def test_numbers_likewise(name, option, value):
    with pytest.raises(NasturtiumError, match=rf"option {option}={value!r}: a number from 0"):
        make(name, space=SPACE, **{option: value})


@pytest.mark.parametrize(("name", "option"), [("bohamiann", "burn"), ("bohamiann", "steps"), ("gp", "steps")])
def test_some_may_be_0_and_none_less(name, option):
    with pytest.raises(NasturtiumError, match=rf"option {option}=-1: a whole number from 0 up is expected"):
        make(name, space=SPACE, **{option: -1})


def test_whole_numbers_of_numpy_will_do():
    nets, scores = scored(SPACE, 10)
    assert np.isfinite(make("random_forest", space=SPACE, trees=np.int64(3)).fit(nets, scores).predict(nets)[0]).all()


@pytest.mark.parametrize("part", [-0.1, 1.5, float("nan")])
def test_a_part_of_the_columns_is_from_0_to_1(part):
    with pytest.raises(NasturtiumError, match=r"option features=.*: a number from 0 to 1 is expected"):
        Forest(features=part)


TREES = ("random_forest", "extra_trees", "gradient_boosting")


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("count", [1, 2, 12])
def test_trees_learn_a_mean_where_there_is_nothing_to_see(name, count):
    one = Space(Sequential(Linear(8), ReLU()), input=(8,), name="one")
    nets, scores = [one.sample(np.random.default_rng(0))] * count, np.linspace(0.2, 0.6, count)
    mean, std = make(name, space=one, warp=False).fit(nets, scores).predict(nets[:1])
    assert mean[0] == pytest.approx(scores.mean(), abs=0.1)
    assert np.isfinite(std).all()


@pytest.mark.parametrize("name", TREES)
def test_trees_learn_from_one_score(name):
    nets, _ = scored(SPACE, 3)
    mean, std = make(name, space=SPACE).fit(nets[:1], [0.7]).predict(nets)
    assert mean == pytest.approx([0.7] * 3)
    assert np.isfinite(std).all()
