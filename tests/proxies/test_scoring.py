"""A scorer of architectures: the same rows and first weights for each, and none is built twice."""

import math

import numpy as np
import pytest
import torch

from nasturtium import Architecture, spaces
from nasturtium.proxies import PROXIES, ProxyError, Scores, chosen, score, scorer, single, together
from nasturtium.strategies import make
from nasturtium.strategies.filtered import ProxyFilter, one_by_one
from nasturtium.tasks import load
from nasturtium.tasks.batches import permutation

NET = "Sequential(ConvBlock(4), GlobalPool(), Linear(10))"


@pytest.fixture(scope="module")
def task():
    return load("digits")


def test_it_scores_the_first_rows_of_a_drawn_order(task):
    found = scorer(task, ["snip", "params"], rows=20, seed=3)(Architecture.parse(NET, input=(1, 8, 8)))
    rows = permutation(len(task.train), 3, 0)[:20].numpy()
    torch.manual_seed(3)
    model = Architecture.parse(NET, input=(1, 8, 8)).build()
    inputs, targets = torch.from_numpy(task.train.inputs[0][rows]), torch.from_numpy(task.train.targets[rows])
    assert dict(found) == dict(score(model, inputs, targets, ["snip", "params"]))


def test_no_architecture_is_scored_twice_and_no_generator_moves(task, monkeypatch):
    made = scorer(task, "nwot", rows=12)
    architecture = Architecture.parse(NET, input=(1, 8, 8))
    state = torch.get_rng_state()
    first = made(architecture)
    monkeypatch.setattr(Architecture, "build", None)
    assert made(Architecture.parse(NET, input=(1, 8, 8))) is first
    assert torch.equal(torch.get_rng_state(), state)


def test_an_architecture_that_does_not_fit_the_data_has_no_value(task):
    found = scorer(task, "nwot,params", rows=12)(Architecture.parse("Sequential(LSTM(4), Linear(10))", input=(5, 3)))
    assert all(math.isnan(value) for value in found.values())
    assert set(found.reasons) == {"nwot", "params"}


def test_what_is_minus_infinity_ranks_lowest_together():
    rows = {
        "wide": Scores({"nwot": 5.0, "snip": 1.0}, {}),
        "narrow": Scores({"nwot": math.nan, "snip": 2.0}, {"nwot": "the determinant is 0"}, ["nwot"]),
        "broken": Scores({"nwot": math.nan, "snip": 3.0}, {"nwot": "RuntimeError"}),
    }
    wide, narrow, broken = together(rows.get, "nwot,snip")(list(rows))
    assert (wide, narrow, broken) == pytest.approx(((3 / 4 + 1 / 6) / 2, (1 / 4 + 3 / 6) / 2, 5 / 6))


def test_a_network_with_too_few_codes_does_not_win_by_having_no_value(task):
    judge = together(scorer(task, ["nwot", "synflow"], rows=24), ["nwot", "synflow"])
    narrow, wide = (f"Sequential(Flatten(), Linear({width}), ReLU(), Linear(10))" for width in (2, 256))
    values = judge([Architecture.parse(each, input=(1, 8, 8)) for each in (narrow, wide)])
    assert values == pytest.approx([0.25, 0.75])


def test_it_filters_a_strategy(task):
    space = spaces.make("convnet", task.inputs, task.outputs)
    size = single(scorer(task, "params", rows=4), "params")
    plain = make("random", space=space, seed=0)
    filtered = ProxyFilter(make("random", space=space, seed=0), one_by_one(size), keep=0.2, start=2)
    means = [np.mean([size(each.architecture) for each in strategy.ask(6)]) for strategy in (plain, filtered)]
    assert means[1] > means[0]


def test_names_of_proxies():
    assert chosen("all") == chosen(None) == tuple(PROXIES)
    assert chosen("jacov, snip,snip") == ("jacob_cov", "snip")
    with pytest.raises(ProxyError, match="unknown proxy 'accuracy'"):
        chosen(["accuracy"])
