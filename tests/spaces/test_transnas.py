"""The spaces of TransNAS-Bench-101, against the published tables and the parameter counts of another implementation."""

from __future__ import annotations

import ast
import itertools
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from nasturtium.errors import ParseError, SpaceError
from nasturtium.space import Space
from nasturtium.spaces.cell_operations import ShiftImage
from nasturtium.spaces.transnas_macro import transnas_macro
from nasturtium.spaces.transnas_micro import transnas_micro
from nasturtium.testing import check_space

DATA = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks"
SPACES = {"micro": transnas_micro, "macro": transnas_macro}


def table(name: str) -> pl.DataFrame:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs {name}")
    return pl.read_parquet(path)


def short(space: Space, architecture: Any) -> str:
    written = space.to_notation(architecture).split("-")
    return written[1] if written[2] == "basic" else written[2].replace("_", "")


@pytest.mark.parametrize("name", SPACES)
def test_holds_exactly_the_published_architectures(name):
    published = table(f"transnas_bench_101/{name}_val_metric.parquet")["arch"].to_list()
    space = SPACES[name](input=(1, 8, 8), outputs=10)
    found = [short(space, architecture) for architecture in space.enumerate()]
    assert len(found) == len(set(found)) == space.size == {"micro": 4096, "macro": 3256}[name]
    assert set(found) == set(published)


def test_macro_count_by_brute_force():
    plans = itertools.chain.from_iterable(itertools.product("1234", repeat=length) for length in (4, 5, 6))
    kept = [p for p in plans if 1 <= sum(k > "2" for k in p) <= 4 and 1 <= sum(k in "24" for k in p) <= 3]
    assert transnas_macro().size == len(kept)


def rows(name: str, dataset: str, step: int = 1) -> list[tuple[str, float, float]]:
    union = table("nas_bench_suite_zero/zc_union.parquet")
    chosen = union.filter(
        (pl.col("space") == f"transbench101_{name}") & (pl.col("dataset") == dataset) & pl.col("params").is_not_null()
    )
    codes = ["".join(map(str, ast.literal_eval(code))) for code in chosen["arch"]]
    return list(zip(codes, chosen["params"], chosen["flops"], strict=True))[::step]


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize(("dataset", "outputs"), [("class_object", 100), ("class_scene", 63)])
def test_parameters_are_those_of_naslib(name, dataset, outputs):
    space = SPACES[name](outputs=outputs)
    for code, millions, _ in rows(name, dataset, step=2):
        assert space.from_notation(code).count()["params"] == round(millions * 1e6), code


@pytest.mark.parametrize("name", SPACES)
def test_flops_are_those_of_naslib(name):
    """It counts multiply-accumulates, 2 a number for batch norm, 1 for ReLU, and (side + 1)^2 a channel of the pool."""
    space = SPACES[name](outputs=100)
    for code, _, millions in rows(name, "class_object", step=400):
        architecture, extra = space.from_notation(code), 0

        def seen(module, inputs, output):
            nonlocal extra
            if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.ReLU)):
                extra += (1 + isinstance(module, torch.nn.BatchNorm2d)) * output.numel()
            elif type(module).__name__ == "ImagePool":
                extra += inputs[0].shape[1] * (inputs[0].shape[2] + 1) ** 2

        with torch.device("meta"):
            network = architecture.build().eval()
        for module in network.modules():
            module.register_forward_hook(seen)
        network(torch.empty(1, 3, 256, 256, device="meta"))
        assert architecture.count()["flops"] // 2 + extra == round(millions * 1e6), code


def test_the_moved_image_of_the_factorised_reduction():
    x = torch.randn(2, 3, 5, 4)
    padded = torch.nn.functional.pad(x, (0, 1, 0, 1))
    signal = transnas_micro(input=(3, 5, 4)).input
    assert torch.equal(ShiftImage().module(*signal)(x), padded[:, :, 1:, 1:])


@pytest.mark.parametrize("name", SPACES)
def test_notation_leads_back(name):
    space, rng = SPACES[name](input=(1, 8, 8), outputs=10), np.random.default_rng(0)
    for _ in range(20):
        architecture = space.sample(rng)
        assert space.from_notation(space.to_notation(architecture)) == architecture
        assert space.from_notation(short(space, architecture)) == architecture


def test_notation_is_the_published_one():
    micro, macro = transnas_micro(), transnas_macro()
    assert micro.to_notation(micro.from_notation("102333")) == "64-41414-1_02_333"
    assert macro.to_notation(macro.from_notation("1234")) == "64-1234-basic"
    for space, text in ((micro, "10233"), (micro, "64-41414-1_02_334"), (macro, "1x34"), (macro, "16-1234-basic")):
        with pytest.raises(ParseError):
            space.from_notation(text)
    with pytest.raises(ParseError, match="outside"):
        macro.from_notation("1111")  # nothing doubles, nothing halves


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 9, 13), (3, 70, 64)])
def test_trains_on_any_image(name, shape):
    space = SPACES[name](input=shape, outputs=7, channels=4)
    model = space.from_notation({"micro": "111123", "macro": "343421"}[name]).build()
    out = model(torch.randn(2, *shape))
    assert out.shape == (2, 7)
    out.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_options_that_cannot_be_used():
    with pytest.raises(SpaceError, match="channels"):
        transnas_micro(channels=1)
    with pytest.raises(SpaceError, match="image"):
        transnas_macro(input=(5,))


@pytest.mark.parametrize("name", SPACES)
def test_travels_to_workers(name):
    space = SPACES[name](input=(1, 8, 8), outputs=10)
    again = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own
    architecture = space.sample(np.random.default_rng(0))
    assert again.to_notation(again.architecture(architecture.decisions)) == space.to_notation(architecture)


@pytest.mark.parametrize("name", SPACES)
def test_laws(name):
    check_space(SPACES[name](input=(1, 8, 8), outputs=10, channels=4), seeds=3)
