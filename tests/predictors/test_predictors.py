"""What holds for every predictor: ranking, units, seeds, pickles, refusals."""

import importlib.util
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import spearmanr

from nasturtium import predictors
from nasturtium.errors import SpaceError
from nasturtium.predictors import PREDICTORS, PredictorError, make
from nasturtium.predictors.drawn import GraphEncoder
from nasturtium.predictors.linear import BayesianLinear
from nasturtium.testing import PREDICTOR_LAWS
from tests.predictors.common import scored, small_space, truth
from tests.skeletons.small import recipe_space, toy_grammar

QUICK = {
    "gcn": {"epochs": 40, "members": 2},
    "gin": {"epochs": 40, "members": 2},
    "bonas": {"epochs": 60},
    "gates": {"epochs": 40, "members": 2},
    "nao": {"epochs": 50, "members": 1},
    "bohamiann": {"steps": 500, "burn": 350, "every": 30, "chains": 3},
    "ngboost": {"trees": 60},
}
SPACE = small_space()
TRAINED, SCORES = scored(SPACE, 64)
OTHERS = [each for each in SPACE.enumerate() if each not in set(TRAINED)]


def made(name, **options):
    extra = {"xgboost": "xgboost", "lightgbm": "lightgbm", "ngboost": "ngboost"}.get(name)
    if extra and importlib.util.find_spec(extra) is None:
        pytest.skip(f"{extra} is not installed")
    return make(name, space=SPACE, **{**QUICK.get(name, {}), **options})


def fitted(name, **options):
    return made(name, **options).fit(TRAINED, SCORES)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PREDICTORS)
def test_every_predictor_ranks_keeps_units_and_can_be_pickled(name):
    predictor = fitted(name)
    mean, std = predictor.predict(OTHERS)
    assert (std > 0).all()
    true = [truth(each) for each in OTHERS]
    assert spearmanr(mean, true)[0] > 0.6
    assert abs(mean.mean() - np.mean(true)) < 2.0
    again = pickle.loads(pickle.dumps(predictor)).predict(OTHERS)  # noqa: S301
    np.testing.assert_allclose(again, (mean, std), rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("law", PREDICTOR_LAWS)
@pytest.mark.parametrize("name", PREDICTORS)
def test_law(name, law):
    PREDICTOR_LAWS[law](lambda space, seed: made(name, seed=seed), SPACE, 3)


@pytest.mark.parametrize("name", ["random_forest", "bananas", "gcn", "bohamiann", "nao"])
def test_another_seed_predicts_otherwise(name):
    one, other = (fitted(name, seed=seed).predict(OTHERS[:10]) for seed in (3, 4))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", ["random_forest", "gp", "linear", "bananas"])
@pytest.mark.parametrize("warp", [False, True])
def test_predictions_move_with_the_unit_of_the_scores(name, warp):
    first = make(name, space=SPACE, warp=warp).fit(TRAINED, SCORES).predict(OTHERS)
    second = make(name, space=SPACE, warp=warp).fit(TRAINED, 8 * SCORES).predict(OTHERS)  # 8: no rounding
    np.testing.assert_allclose(second, 8 * np.array(first), rtol=1e-4)


def test_what_cannot_be_learned_is_refused():
    predictor = make("linear", space=SPACE)
    with pytest.raises(PredictorError, match="has learned nothing yet: call fit"):
        predictor.predict(OTHERS)
    with pytest.raises(PredictorError, match=r"score of architecture 2 is nan \(1 in all"):
        predictor.fit(TRAINED[:4], [1.0, 2.0, np.nan, 4.0])
    with pytest.raises(PredictorError, match="do not fit"):
        predictor.fit(TRAINED[:4], [1.0, 2.0])
    with pytest.raises(PredictorError, match="do not fit"):
        predictor.fit([], [])
    with pytest.raises(PredictorError, match="did you mean 'random_forest'"):
        make("random_forrest", space=SPACE)
    with pytest.raises(PredictorError, match=r"no option 'tree'; did you mean 'trees'"):
        make("random_forest", space=SPACE, tree=3)
    with pytest.raises(PredictorError, match="reads the encoding 'graph'"):
        make("gcn", space=SPACE, encoding="one_hot")
    with pytest.raises(SpaceError, match="did you mean 'one_hot'"):
        make("linear", space=SPACE, encoding="onehot")
    with pytest.raises(PredictorError, match="calibrate"):
        make("linear", space=SPACE, calibrate="always")


@pytest.mark.parametrize("name", PREDICTORS)
@pytest.mark.filterwarnings("ignore")
def test_equal_scores_and_few_of_them_are_no_obstacle(name):
    if name in ("xgboost", "lightgbm", "ngboost"):
        pytest.skip("the libraries' own")
    mean, _ = made(name).fit(TRAINED[:4], [5.0] * 4).predict(OTHERS[:3])
    np.testing.assert_allclose(mean, 5.0, atol=1.5)


def test_features_join_the_encoding_and_may_stand_alone():
    def costs(architectures):
        return [[truth(each), np.nan if each.decisions[0] == 0 else 1.0] for each in architectures]

    for name, encoding in (("random_forest", "none"), ("linear", "one_hot"), ("gcn", "graph")):
        predictor = make(name, space=SPACE, encoding=encoding, features=costs, **QUICK.get(name, {}))
        mean, _ = predictor.fit(TRAINED, SCORES).predict(OTHERS)
        assert spearmanr(mean, [truth(each) for each in OTHERS])[0] > 0.93
    with pytest.raises(PredictorError, match="compares networks alone"):
        make("gp_wl", space=SPACE, features=costs)


def test_grammars_and_recipes_can_be_learned():
    rng = np.random.default_rng(0)
    for space, names in (
        (toy_grammar(), ["random_forest", "gp_wl", "gcn", "bananas", "nao"]),
        (recipe_space(), ["random_forest", "gp", "nao"]),
    ):
        sampled = [space.sample(rng) for _ in range(40)]
        lengths = np.array([float(len(each.decisions) + each.decisions[0]) for each in sampled])
        for name in names:
            predictor = make(name, space=space, **QUICK.get(name, {})).fit(sampled[:30], lengths[:30])
            mean, _ = predictor.predict(sampled[30:])
            assert np.isfinite(mean).all()


ROWS = [name for name, row in PREDICTORS.items() if row.reads in (None, "views") and row.extra is None]


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("encoding", ["graph", GraphEncoder, GraphEncoder(SPACE)])
def test_graphs_are_refused_where_rows_are_read(name, encoding):
    with pytest.raises(PredictorError, match=rf"predictor '{name}' reads rows of numbers, not .* \(gp_wl, gp_edit"):
        make(name, space=SPACE, encoding=encoding)


def test_a_kernel_of_graphs_is_given_graphs():
    with pytest.raises(PredictorError, match="give encoding='graph'"):
        make("gp", space=SPACE, kernel="wl")
    named = make("gp_wl", space=SPACE).fit(TRAINED, SCORES).predict(OTHERS)
    chosen = make("gp", space=SPACE, kernel="wl", encoding="graph").fit(TRAINED, SCORES).predict(OTHERS)
    np.testing.assert_array_equal(named, chosen)


@pytest.mark.parametrize("options", [{"steps": 100}, {"steps": 780}, {"burn": 1500}])
def test_chains_of_which_nothing_would_be_kept_are_refused(options):
    with pytest.raises(PredictorError, match="no network would be kept"):
        make("bohamiann", space=SPACE, **options)
    assert make("bohamiann", space=SPACE, steps=6, burn=3, every=3).fit(TRAINED, SCORES).predict(OTHERS)


def test_what_is_no_network_has_no_graph():
    space = recipe_space()
    rng = np.random.default_rng(0)
    with pytest.raises(SpaceError, match="has no graph; use the encoding"):
        make("gcn", space=space).fit([space.sample(rng)], [1.0])


def test_a_committee_is_the_mean_of_its_members():
    together = predictors.committee(SPACE, ["linear", "gp_wl"], features=predictors.costs)
    mean, std = together.fit(TRAINED, SCORES).predict(OTHERS)
    first = make("linear", space=SPACE, features=predictors.costs).fit(TRAINED, SCORES).predict(OTHERS)
    second = make("gp_wl", space=SPACE).fit(TRAINED, SCORES).predict(OTHERS)
    np.testing.assert_allclose(mean, (first[0] + second[0]) / 2)
    expected = (first[1] ** 2 + second[1] ** 2) / 2 + (first[0] - second[0]) ** 2 / 4
    np.testing.assert_allclose(std**2, expected)
    assert len(predictors.committee(recipe_space()).members) == 3
    with pytest.raises(PredictorError, match="none of gp_wl can read"):
        predictors.committee(recipe_space(), ["gp_wl"])


def test_own_regressors_and_encoders():
    predictor = make(BayesianLinear(), space=SPACE, encoding="path").fit(TRAINED, SCORES)
    assert predictor.predict(OTHERS[:2])[0].shape == (2,)
    with pytest.raises(PredictorError, match="made already"):
        make(BayesianLinear(), space=SPACE, trees=3)


def test_the_room_is_imported_without_torch_or_scikit_learn():
    code = "import sys, nasturtium.predictors; print([m for m in ('torch', 'sklearn', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert predictors.make is make
