"""How well predictors rank on published tables; skipped where the tables are missing."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from nasturtium.predictors import calibration, committee, make

DATA = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks"

BARS = {
    "random_forest": 0.65, "extra_trees": 0.65, "gradient_boosting": 0.68, "linear": 0.65, "gp": 0.7, "gp_rbf": 0.7,
    "gp_hamming": 0.7, "gp_wl": 0.7, "gp_edit": 0.66, "gp_transport": 0.7, "mlp": 0.65, "bananas": 0.65, "dngo": 0.6,
    "bohamiann": 0.55, "gcn": 0.65, "gin": 0.68, "bonas": 0.6, "gates": 0.68, "nao": 0.55,
}  # fmt: skip


@pytest.fixture(scope="module")
def nasbench201():
    if not (DATA / "nats_tss").exists():
        pytest.skip("the table is not here")
    from nasturtium.benchmarks import load

    bench = load("nasbench201", "cifar10", DATA)
    every = bench.architectures()
    chosen = [every[int(i)] for i in np.random.default_rng(0).permutation(len(every))[:500]]
    return bench.space, chosen, np.array([bench.query(each) for each in chosen], float)


@pytest.mark.parametrize("name", BARS)
def test_ranks_on_nasbench201_with_a_hundred_networks(nasbench201, name):
    space, chosen, scores = nasbench201
    quick = {
        "gates": {"epochs": 60, "members": 2},
        "gcn": {"epochs": 60},
        "nao": {"members": 1, "epochs": 60},
        "gin": {"members": 2, "epochs": 60},
    }
    predictor = make(name, space=space, **quick.get(name, {})).fit(chosen[:100], scores[:100])
    mean, std = predictor.predict(chosen[100:])
    assert spearmanr(mean, scores[100:])[0] > BARS[name]
    covered = calibration(mean, std, scores[100:])
    assert 0.2 < covered[0.5] < 0.99
    assert covered[0.9] > 0.6


def test_a_committee_beats_an_untuned_forest_on_event_sequences():
    if not (DATA / "nas_bench_event_sequences").exists():
        pytest.skip("the table is not here")
    from sklearn.ensemble import RandomForestRegressor

    from nasturtium.benchmarks import load
    from nasturtium.predictors.encoders import encoder

    bench = load("event_sequences", "random_sampling/ABank", DATA)
    every = list(bench.architectures())
    scores = np.array([bench.query(each) for each in every], float)
    rows = encoder("one_hot", bench.space)(every)
    gains = []
    for split in range(3):
        order = np.random.default_rng(split).permutation(len(every))
        train, test = order[:100], order[100:]
        forest = RandomForestRegressor(random_state=0).fit(rows[train], scores[train]).predict(rows[test])
        made = committee(bench.space).fit([every[i] for i in train], scores[train])
        mean, _ = made.predict([every[i] for i in test])
        gains.append(spearmanr(mean, scores[test])[0] - spearmanr(forest, scores[test])[0])
    assert np.mean(gains) > 0.005
