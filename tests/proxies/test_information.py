"""Conditional entropies beside scikit-learn's mutual information, best sets by brute force, and votes by hand."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from nasturtium.proxies import ProxyError
from nasturtium.proxies.information import binned, conditional_entropy, entropy, exhaustive, greedy, rank_average, votes


@pytest.fixture
def proxies():
    rng = np.random.default_rng(0)
    accuracy = rng.normal(size=600)
    parts = {f"p{i}": accuracy + scale * rng.normal(size=600) for i, scale in enumerate((0.5, 1, 2))}
    return accuracy, {**parts, "copy": parts["p0"] * 3 + 1, "noise": rng.normal(size=600)}


def test_bins_hold_equal_shares_whatever_the_scale():
    values = np.random.default_rng(0).normal(size=240)
    codes = binned(values)
    assert np.bincount(codes).tolist() == [10] * 24
    assert (binned(np.exp(5 * values)) == codes).all()
    holed = values.copy()
    holed[:5] = [np.nan, np.inf, -np.inf, np.nan, np.nan]
    assert (binned(holed)[:5] == 24).all()
    assert (binned(np.ones(10)) == 12).all()


def test_entropy_left_is_entropy_less_mutual_information(proxies):
    accuracy, scores = proxies
    y, z = binned(accuracy), binned(scores["p1"])
    assert entropy(y) == pytest.approx(np.log(24), rel=1e-6)
    assert conditional_entropy(y, z[:, None]) == pytest.approx(entropy(y) - mutual_info_score(y, z))
    joined = z * 100 + binned(scores["p2"])
    both = np.column_stack((z, binned(scores["p2"])))
    assert conditional_entropy(y, both) == pytest.approx(entropy(y) - mutual_info_score(y, joined))
    assert conditional_entropy(y, y[:, None]) == 0


def test_the_greedy_order_takes_the_best_first_and_never_gets_worse(proxies):
    accuracy, scores = proxies
    found = greedy(accuracy, scores, bins=5)
    assert [len(each.names) for each in found] == [0, 1, 2, 3, 4, 5]
    assert found[1].names in {("p0",), ("copy",)}
    left = [each.entropy for each in found]
    assert all(after <= before + 1e-12 for before, after in itertools.pairwise(left))
    assert set(found[2].names) != {"p0", "copy"}


def test_the_exhaustive_search_is_the_best_of_all_sets(proxies):
    accuracy, scores = proxies
    found = exhaustive(accuracy, scores, most=3, bins=4)
    y, codes = binned(accuracy, 4), {name: binned(values, 4) for name, values in scores.items()}
    for k, each in enumerate(found[1:], 1):
        every = [
            entropy(np.column_stack((y, *(codes[n] for n in names))))
            - entropy(np.column_stack([codes[n] for n in names]))
            for names in itertools.combinations(scores, k)
        ]
        assert each.entropy == pytest.approx(min(every))
        assert each.entropy <= greedy(accuracy, scores, k, bins=4)[k].entropy + 1e-12
    with pytest.raises(ProxyError, match="too many"):
        exhaustive(accuracy, {str(i): accuracy for i in range(20)})


def test_ranks_are_averaged_over_proxies_with_a_value():
    scores = {"a": [3.0, 1.0, 2.0, np.nan], "b": [10.0, 20.0, np.nan, np.nan]}
    third = [5 / 6, 1 / 6, 3 / 6]
    assert rank_average(scores)[:3] == pytest.approx([(third[0] + 0.25) / 2, (third[1] + 0.75) / 2, third[2]])
    assert np.isnan(rank_average(scores)[3])


def test_minus_infinity_ranks_lowest_and_what_is_unknown_has_no_vote():
    scores = {"a": [3.0, -np.inf, 2.0, np.nan], "b": [1.0, 2.0, -np.inf, -np.inf]}
    a, b = [5 / 6, 1 / 6, 3 / 6], [5 / 8, 7 / 8, 2 / 8, 2 / 8]
    assert rank_average(scores) == pytest.approx([*((x + y) / 2 for x, y in zip(a, b[:3], strict=True)), b[3]])
    assert np.isnan(rank_average({"a": [np.inf, 1.0]})[0])  # an overflow is no praise
    with np.errstate(all="raise", invalid="ignore"):
        assert votes({"a": [-np.inf, 1.0, -np.inf]}).tolist() == [0.25, 1.0, 0.25]


def test_votes_are_wins_by_majority():
    scores = {"a": [3.0, 2.0, 1.0], "b": [1.0, 3.0, 2.0], "c": [3.0, 2.0, 1.0]}
    assert votes(scores).tolist() == [1.0, 0.5, 0.0]
    cycle = {"a": [3.0, 2.0, 1.0], "b": [1.0, 3.0, 2.0], "c": [2.0, 1.0, 3.0]}
    assert votes(cycle).tolist() == [0.5, 0.5, 0.5]
    assert votes({"a": [1.0, 1.0, np.nan]})[:2].tolist() == [0.5, 0.5]
    assert np.isnan(votes({"a": [1.0, 1.0, np.nan]})[2])
    with pytest.raises(ProxyError, match="at least two"):
        votes({"a": [1.0]})
