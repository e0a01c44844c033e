"""Our proxies rank networks of NAS-Bench-201 as the published scores of NAS-Bench-Suite-Zero do."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import spearmanr

from nasturtium import benchmarks
from nasturtium.proxies import score
from nasturtium.proxies.bias import bias_table, trait_columns

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
TABLE = DATA / "benchmarks/nas_bench_suite_zero"
PICTURES = DATA / "datasets/cifar10_jpeg/train_0.npz"

pytestmark = pytest.mark.skipif(not (TABLE.exists() and PICTURES.exists()), reason="the data are not here")

NAMES = ("params", "flops", "l2_norm", "synflow", "zen", "nwot")


@pytest.fixture(scope="module")
def bench():
    return benchmarks.load("suite_zero", dataset="nasbench201/cifar10", data=TABLE)


def pictures(count):
    with np.load(PICTURES) as stored:
        joined, offsets, classes = stored["jpeg"], stored["offsets"], stored["y"]
    read = [Image.open(io.BytesIO(joined[offsets[i] : offsets[i + 1]].tobytes())) for i in range(count)]
    images = torch.from_numpy(np.stack([np.asarray(each) for each in read])).permute(0, 3, 1, 2).float()
    return (images / 255 - 0.45) / 0.25, torch.from_numpy(classes[:count].astype(np.int64))


@pytest.mark.slow
def test_rank_correlation_with_the_published_scores(bench):
    listed = list(bench.architectures())
    columns = {name: np.asarray(bench.column(name), dtype=float) for name in NAMES}
    scored = np.flatnonzero(np.isfinite(columns["nwot"]))
    picked = np.random.default_rng(0).choice(scored, 40, replace=False)
    inputs, targets = pictures(16)
    ours = []
    for number, index in enumerate(picked):
        torch.manual_seed(number)
        ours.append(score(listed[index].build(), inputs, targets, NAMES))
    for name in NAMES:
        rank = spearmanr([each[name] for each in ours], columns[name][picked], nan_policy="omit").statistic
        assert rank > (0.8 if name == "l2_norm" else 0.9), f"{name}: {rank:.3f}"  # its ties are broken by first weights


def test_parameters_and_flops_are_those_of_the_table(bench):
    listed = list(bench.architectures())
    params, flops = (np.asarray(bench.column(name), dtype=float) for name in ("params", "flops"))
    for index in np.flatnonzero(np.isfinite(params))[::200]:
        inputs, targets = torch.randn(2, 3, 32, 32), torch.tensor([0, 1])
        found = score(listed[index].build(), inputs, targets, "params,flops")
        assert found["params"] / 1e6 == pytest.approx(params[index], rel=0.01)
        assert found["flops"] == listed[index].count()["flops"]  # by the cost rules
        assert 0 <= flops[index] - found["flops"] / 2e6 < 6  # norms and pools count there


def test_bias_of_published_scores_is_the_published_one(bench):
    """Pearson with convolutions less pools, cell size and skips over NAS-Bench-201 (Krishnakumar et al. 2022)."""
    finite = np.isfinite(np.asarray(bench.column("snip"), dtype=float))
    listed = [each for each, valid in zip(bench.architectures(), finite, strict=True) if valid]
    scores = {name: np.asarray(bench.column(name), dtype=float)[finite] for name in ("l2_norm", "snip", "nwot")}
    found = bias_table(scores, trait_columns(listed))
    published = {
        "l2_norm": {"conv_over_pool": 0.87, "cell_size": 0.41, "num_skip": -0.41, "params": 0.70},
        "snip": {"conv_over_pool": 0.37, "num_skip": -0.28, "params": 0.33},
    }
    for name, row in published.items():
        for trait, value in row.items():
            assert found[name][trait] == pytest.approx(value, abs=0.12), (name, trait)
