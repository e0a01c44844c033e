"""Traits of known cells, correlations as numpy has them, and the removal of a bias that was put in."""

import numpy as np
import pytest

from nasturtium import spaces
from nasturtium.proxies import ProxyError
from nasturtium.proxies.bias import bias_table, pearson, removed, trait_columns, traits


def test_traits_of_cells_differ_as_their_operations_do():
    space = spaces.make("nasbench201", (3, 8, 8), 5, channels=4, cells=1)
    empty = traits(space.read("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))
    mixed = traits(
        space.read("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|avg_pool_3x3~1|avg_pool_3x3~2|")
    )
    stages = 3  # a copy of the cell in each
    assert mixed["conv_over_pool"] - empty["conv_over_pool"] == stages * (2 - 2)
    assert mixed["cell_size"] - empty["cell_size"] == stages * 5
    assert mixed["num_skip"] - empty["num_skip"] == stages * 1
    assert mixed["kernel"] - empty["kernel"] == stages * (1 - 1)
    channels = [4, 8, 16]
    assert mixed["params"] - empty["params"] == sum(10 * c * c + 4 * c for c in channels)


def test_correlations_are_over_networks_with_a_value():
    rng = np.random.default_rng(0)
    trait = rng.normal(size=50)
    values = trait + rng.normal(size=50)
    holed = values.copy()
    holed[::7] = np.nan
    valid = np.isfinite(holed)
    columns = {"trait": trait, "constant": np.ones(50)}
    found = bias_table({"whole": values, "holed": holed}, columns)
    assert found["whole"]["trait"] == pytest.approx(np.corrcoef(values, trait)[0, 1])
    assert found["holed"]["trait"] == pytest.approx(np.corrcoef(holed[valid], trait[valid])[0, 1])
    assert np.isnan(found["whole"]["constant"])
    assert np.isnan(pearson([1, 2, np.nan], [3, 4, 5]))


@pytest.fixture
def biased():
    """A proxy that is quality times (trait + 5), so that C = 5 takes the bias out."""
    rng = np.random.default_rng(1)
    trait = rng.integers(0, 7, size=4000).astype(float)
    quality = rng.uniform(1, 2, size=4000)
    return quality * (trait + 5), trait, quality


def test_a_bias_that_was_put_in_is_taken_out(biased):
    scores, trait, quality = biased
    found = removed(scores, trait)
    assert found.before > 0.5
    assert abs(found.after) < 0.01
    assert found.constant == pytest.approx(5, rel=0.1)
    assert np.corrcoef(found.values, quality)[0, 1] > 0.99


def test_it_may_be_made_equal_to_that_of_accuracy_or_serve_performance(biased):
    scores, trait, quality = biased
    accuracy = quality + 0.02 * trait
    equal = removed(scores, trait, "equalise", accuracy)
    assert equal.after == pytest.approx(pearson(accuracy, trait), abs=0.02)
    best = removed(scores, trait, "performance", quality)
    assert best.constant == pytest.approx(5, rel=0.1)


def test_what_cannot_be_removed_is_said(biased):
    scores, trait, _ = biased
    with pytest.raises(ProxyError, match="needs the target"):
        removed(scores, trait, "equalise")
    with pytest.raises(ProxyError, match="did you mean 'minimise'"):
        removed(scores, trait, "minimize")
    with pytest.raises(ProxyError, match="same for all"):
        removed(scores, np.ones_like(trait))
    with pytest.raises(ProxyError, match="no values"):
        removed(np.full_like(scores, np.nan), trait)


def test_columns_are_in_the_order_of_architectures():
    space = spaces.make("nasbench201", (3, 8, 8), 5, channels=4, cells=1)
    listed = [space.sample(np.random.default_rng(seed)) for seed in range(5)]
    columns = trait_columns(listed)
    assert columns["params"].tolist() == [each.count()["params"] for each in listed]
