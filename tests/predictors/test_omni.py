"""OMNI: its parts by hand and by other libraries, what it gains on published tables, and how strategies use it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm, rankdata, spearmanr

import nasturtium as nt
from nasturtium.benchmarks.features import proxy_names, scored, table_features
from nasturtium.errors import NasturtiumError
from nasturtium.layers import Conv2d, GlobalPool, Linear, Sequential
from nasturtium.predictors import PredictorError, calibration, make
from nasturtium.predictors.drawn import GraphEncoder
from nasturtium.predictors.features import early, looked_up
from nasturtium.predictors.gaussian import GaussianProcess
from nasturtium.predictors.kernels import Matern
from nasturtium.predictors.scaling import RankedColumns
from nasturtium.predictors.structured import WeisfeilerLehman
from nasturtium.predictors.sums import Sum
from nasturtium.predictors.vectors import Ordered
from nasturtium.predictors.views import Together
from nasturtium.space import Space, choice
from nasturtium.strategies import make as strategy
from nasturtium.trial import State, Trial
from tests.benchmarks.data import table
from tests.predictors.common import scored as scored_networks
from tests.predictors.common import small_space

RNG = np.random.default_rng(0)


def test_ordered_options_differ_by_their_distance_and_subsets_by_their_members():
    widths = choice(2, 4, 8, 16)
    space = Space(Sequential(Linear(widths), Linear(choice(3, 5))), input=(4,), name="widths")
    every = list(space.enumerate())
    rows = Ordered(space)(every)
    apart = ((rows[:, None] - rows[None]) ** 2).sum(2)
    levels = np.array([each.decisions for each in every])
    np.testing.assert_array_equal(apart, np.abs(levels[:, None] - levels[None]).sum(2))

    taken = nt.spaces.seqnas()
    assert Ordered(taken)([taken.sample(RNG) for _ in range(3)]).shape == (3, 94)  # 82 options, 3 members in 4 layers


def test_totals_count_what_stands_anywhere():
    space = nt.spaces.nasbench201()
    chosen = [space.sample(RNG) for _ in range(20)]
    totals = Together(space)(chosen).totals
    expected = [Counter(each.decisions) for each in chosen]
    columns = {tuple(column) for column in totals.T.tolist()}
    for option in range(5):
        assert tuple(float(each[option]) for each in expected) in columns
    assert tuple([6.0] * 20) in columns  # all decisions


def test_totals_count_members_of_subsets():
    from nasturtium.spaces.seqnas_code import chosen, stem_kernels

    space = nt.spaces.seqnas()
    every = [space.sample(RNG) for _ in range(40)]
    layers = [chosen(each.decisions, stem_kernels(96)).encoder for each in every]
    recurrent = [float(sum(taken in (1, 3, 5, 6) for taken, _ in each)) for each in layers]  # subsets with a GRU
    assert max(recurrent) > 1
    assert recurrent in Together(space)(every).totals.T.tolist()


@pytest.mark.parametrize("depths", [(2,), (0, 1)])
def test_a_sum_of_kernels_adds_up_and_has_the_right_gradient(depths):
    space = small_space()
    chosen, scores = scored_networks(space, 15)
    views = Together(space)(chosen)._replace(extra=(RNG.normal(size=(15, 3)),))
    parts = [
        (Matern(), lambda x: x.encoded), (Matern(), lambda x: x.extra[0]),
        (WeisfeilerLehman(depths), lambda x: x.graphs),
    ]  # fmt: skip
    process = GaussianProcess(Sum(parts))
    assert process.kernel.variants(views) == len(depths)
    process.kernel.choose(len(depths) - 1)
    prepared = process.kernel.prepared(views)
    theta = np.append(process.kernel.start(prepared) + 0.2, -1.0)
    alone = Matern()
    own = alone.prepared(views.encoded)
    rest = Sum(parts[1:])
    rest.start(prepared[1:])
    expected = alone.covariance(theta[:2], own) + rest.covariance(theta[2:-1], prepared[1:])
    np.testing.assert_allclose(process.kernel.covariance(theta[:-1], prepared), expected)
    np.testing.assert_allclose(process.kernel.between(theta[:-1], views, views)[0], expected)
    y = (scores - scores.mean()) / scores.std()
    by_differences = approx_fprime(theta, lambda t: process.loss(t, prepared, y)[0], 1e-6)
    np.testing.assert_allclose(process.loss(theta, prepared, y)[1], by_differences, rtol=1e-4, atol=1e-4)


def test_ranked_columns_are_normal_quantiles_and_say_what_is_missing():
    columns = np.exp(20 * RNG.normal(size=(50, 3)))
    columns[:5, 1] = np.nan
    columns[:, 2] = 7.0
    found = RankedColumns(columns)(columns)
    assert found.shape == (50, 3)  # the constant one is left out, and one says where the second is missing
    np.testing.assert_allclose(found[:, 0], norm.ppf((rankdata(columns[:, 0]) - 0.5) / 50))
    np.testing.assert_array_equal(found[:, 2], np.isnan(columns[:, 1]))
    assert found[:5, 1].tolist() == [0.0] * 5


def test_early_curves_by_hand():
    features = early(lambda some: np.array([[1.0, 3.0, 4.0]] * len(some)))
    assert features([None, None]).tolist() == [[4.0, 8.0, 1.0, 1.5]] * 2
    assert early(lambda some: np.ones((len(some), 1)))([None]).tolist() == [[1.0]]


def test_what_proxies_a_table_holds():
    bench = table("suite_zero", "nasbench301/cifar10")
    names = proxy_names(bench, "val_accuracy")
    assert len(names) == 12
    assert "zen" not in names
    failing = table("suite_zero", "transbench101_macro/class_object")
    names = proxy_names(failing)
    assert len(names) == 13
    assert scored(failing, names).sum() == 662  # epe_nas was computed for these, and failed on 285 of them
    rows = np.flatnonzero(scored(failing, names))
    assert np.isnan(failing.column("epe_nas")[rows]).sum() == 285


def test_omni_beats_an_untuned_forest_with_the_same_features():
    from sklearn.ensemble import RandomForestRegressor

    from nasturtium.predictors.vectors import OneHot

    bench = table("suite_zero", "transbench101_micro/jigsaw")
    names, scores = proxy_names(bench), bench.column("val_accuracy")
    known, every = np.flatnonzero(scored(bench, names)), bench.architectures()
    features = table_features(bench, names)
    chosen = [every[int(row)] for row in known]
    numbers = np.hstack([OneHot(bench.space)(chosen), np.nan_to_num(features(chosen), nan=-1e8)])
    gains = []
    for split in range(2):
        order = np.random.default_rng(split).permutation(len(known))
        train, test = order[:100], order[100:]
        forest = RandomForestRegressor(random_state=0).fit(numbers[train], scores[known[train]])
        omni = make("omni", space=bench.space, features=features)
        omni.fit([chosen[i] for i in train], scores[known[train]])
        mean, std = omni.predict([chosen[i] for i in test])
        truth = scores[known[test]]
        gains.append(spearmanr(mean, truth)[0] - spearmanr(forest.predict(numbers[test]), truth)[0])
        covered = calibration(mean, std, truth)
        assert 0.35 < covered[0.5] < 0.75
        assert 0.75 < covered[0.9] < 0.99
    assert np.mean(gains) > 0.005


def test_omni_leads_bayesian_optimisation_on_a_table_of_proxies():
    from nasturtium.comparison import TableSpace

    bench = table("suite_zero", "transbench101_micro/class_scene")
    names, scores = proxy_names(bench), bench.column("val_accuracy")
    known = np.flatnonzero(scored(bench, names))
    space = TableSpace(bench.space, [bench.rows.decisions(int(row)) for row in known])
    options = {"features": table_features(bench, names), "rounds": 10, "trees": 20}
    search = strategy(
        "bayesian", space=space, seed=0, predictor="omni", predictor_options=options, initial=20, every=10
    )
    best = -np.inf
    for number in range(50):
        (proposal,) = search.ask(1)
        value = float(scores[bench.row(proposal.architecture)])
        search.tell(Trial(number, State.COMPLETE, proposal.architecture, 1, {"accuracy": value}))
        best = max(best, value)
    assert np.mean(scores[known] > best) < 0.005  # random search finds the best 2 % in 50 draws


def test_omni_takes_proxies_of_real_networks():
    from nasturtium.proxies import scorer
    from nasturtium.tasks import load

    task = load("digits")
    net = Sequential(Conv2d(choice(2, 4, 8), kernel=choice(1, 3)), GlobalPool(), Linear(10))
    space = Space(net, input=task.inputs, name="tiny")
    every = list(space.enumerate())
    proxies = looked_up(scorer(task, ["nwot", "params"], rows=8))
    assert proxies(every).shape == (6, 2)
    scores = np.array([float(each.count()["params"]) for each in every])
    omni = make("omni", space=space, features=[proxies, early(lambda some: np.ones((len(some), 2)))], trees=20)
    mean, std = omni.fit(every, scores).predict(every)
    assert spearmanr(mean, scores)[0] > 0.8
    assert np.isfinite(std).all()


def test_omni_on_one_encoding_and_what_cannot_be_asked():
    space = small_space()
    chosen, scores = scored_networks(space, 60)
    alone = make("omni", space=space, encoding="one_hot", trees=20)
    rank = spearmanr(alone.fit(chosen[:40], scores[:40]).predict(chosen[40:])[0], scores[40:])[0]
    assert rank > 0.7
    with pytest.raises(PredictorError, match="sees nothing"):
        make("omni", space=space, encoding="none").fit(chosen, scores)
    with pytest.raises(PredictorError, match="four numbers"):
        make("omni", space=space, weights=(1.0,))
    with pytest.raises(NasturtiumError, match="has no option 'tree'"):
        make("omni", space=space, tree=3)
    assert GraphEncoder(space)(chosen).labels.shape[0] == 60
