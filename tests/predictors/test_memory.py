"""Large graphs and wide rows: what is said of them takes bounded memory, and is the same."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from nasturtium.layers import Linear, ReLU, Sequential, repeat
from nasturtium.predictors import make
from nasturtium.predictors.graphs import CELLS, blocks
from nasturtium.predictors.linear import BayesianLinear
from nasturtium.predictors.structured import WeisfeilerLehman
from nasturtium.space import Space, choice

RNG = np.random.default_rng(0)


def long_chains(lengths):
    block = Sequential(choice(ReLU(), Linear(8)), Linear(8))
    return Space(Sequential(Linear(8), repeat(block, choice(*lengths)), Linear(2)), input=(8,), name="long")


def test_blocks_are_as_long_as_their_largest_graph_lets_them_be():
    assert list(blocks([], 5)) == []
    assert list(blocks([3] * 12, 5)) == [slice(0, 5), slice(5, 10), slice(10, 12)]
    side = int(CELLS**0.5)
    assert list(blocks([side, side, side * 3], 5)) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    sizes = RNG.integers(1, side, 300).tolist()
    cut = list(blocks(sizes, 40))
    assert [n for part in cut for n in range(part.start, part.stop)] == list(range(300))
    counts = [(part.stop - part.start, max(sizes[part])) for part in cut]
    assert all(count <= 40 and (count == 1 or count * largest**2 <= CELLS) for count, largest in counts)


@pytest.mark.parametrize("name", ["gp_wl", "omni"])
def test_predictions_are_the_same_in_parts_of_any_length(name, monkeypatch):
    space = long_chains((1, 2, 5, 9))
    nets = [space.sample(RNG) for _ in range(60)]
    scores = np.array([len(net.decisions) + sum(net.decisions) for net in nets]) + RNG.normal(size=60)
    options = {"trees": 5, "rounds": 3} if name == "omni" else {}
    predictor = make(name, space=space, **options).fit(nets[:25], scores[:25])
    whole = predictor.predict(nets)
    monkeypatch.setattr("nasturtium.predictors.graphs.CELLS", 1500)
    parts = list(predictor.encoder.blocks(nets, 2500))
    assert len(parts) > 10
    for found, expected in zip(predictor.predict(nets), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    again = make(name, space=space, **options).fit(nets[:25], scores[:25]).predict(nets)
    np.testing.assert_allclose(again[0], whole[0], rtol=1e-6)


def test_the_training_graphs_are_counted_once(monkeypatch):
    space = long_chains((1, 2, 5))
    nets = [space.sample(RNG) for _ in range(30)]
    predictor = make("gp_wl", space=space).fit(nets, RNG.normal(size=30))
    predictor.predict(nets[:2])
    monkeypatch.setattr(WeisfeilerLehman, "prepared", None)
    assert len(predictor.predict(nets)[0]) == 30


def test_asking_for_large_graphs_takes_little_memory():
    space = long_chains((1, 150))
    small, large = (next(net for net in map(space.sample, [RNG] * 99) if (len(net.decisions) > 9) == big)
                    for big in (False, True))  # fmt: skip
    predictor = make("gp_wl", space=space).fit([small, large], [0.1, 0.2])
    predictor.predict([small])
    tracemalloc.start()
    found = predictor.predict([large] * 200)[0]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == pytest.approx(found[0])
    nodes = len(predictor.encoder.graphs([large])[0].labels)
    assert nodes > 150
    assert most < 25 * CELLS < 25 * 200 * nodes**2


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("noise", [0.01, 0.5])
def test_more_columns_than_rows_say_the_same_by_the_smaller_matrix(intercept, noise):
    x, new = RNG.normal(size=(30, 90)), RNG.normal(size=(12, 90))
    y = x[:, :5].sum(1) + noise * RNG.normal(size=30)
    model = BayesianLinear(intercept)
    model.fit(x, y)
    rows, asked = ((np.hstack([each, np.ones((len(each), 1))]) if intercept else each) for each in (x, new))
    covariance = np.linalg.inv(rows.T @ rows / model.noise + np.eye(rows.shape[1]) / model.prior)
    mean, std = model.predict(new)
    np.testing.assert_allclose(mean, asked @ covariance @ rows.T @ y / model.noise, rtol=1e-7)
    np.testing.assert_allclose(std**2, model.noise + np.einsum("ij,jk,ik->i", asked, covariance, asked), rtol=1e-7)
    assert max(model.root.shape) == rows.shape[1]
    assert min(model.root.shape) == 30
