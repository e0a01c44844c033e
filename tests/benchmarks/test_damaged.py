"""Tables and surrogates that are damaged, or something else than their name says: one line, which names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from nasturtium import Space, benchmarks, choice
from nasturtium.benchmarks import Benchmark, BenchmarkError, DecisionRows, FittedSurrogate, Metric, sources
from nasturtium.benchmarks.built import write_built
from nasturtium.layers import Linear, Sequential
from nasturtium.spaces import nasbench_macro

OWN = Space(Sequential(Linear(choice(*range(4, 34))), Linear(2)), input=(4,), name="own")
NETS = [str(each) for each in OWN.enumerate()]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_text_in_a_column_of_numbers_is_named(suffix: str, tmp_path: Path) -> None:
    frame = polars.DataFrame({"architecture": NETS[:3], "accuracy": ["0.5", None, "n/a"]})
    file = tmp_path / f"mine.{suffix}"
    frame.write_csv(file) if suffix == "csv" else frame.write_parquet(file)
    said = rf"the column 'accuracy' of .*mine\.{suffix} should hold numbers, .* but it holds 'n/a'"
    with pytest.raises(BenchmarkError, match=said):
        benchmarks.from_table(file, OWN, {"accuracy": "validation"})


@pytest.mark.parametrize("values", [[[0.5], [0.6]], [{"mean": 0.5}] * 2, [b"0.5"] * 2])
def test_what_can_be_no_number_at_all_is_named_too(values: list[Any], tmp_path: Path) -> None:
    polars.DataFrame({"architecture": NETS[:2], "accuracy": values}).write_parquet(tmp_path / "mine.parquet")
    with pytest.raises(BenchmarkError, match=r"column 'accuracy' of .* but it holds (List|Struct|Binary)"):
        benchmarks.from_table(tmp_path / "mine.parquet", OWN, {"accuracy": "validation"})


def test_written_numbers_are_numbers(tmp_path: Path) -> None:
    frame = polars.DataFrame({"v": ["1", "2.5", None]})
    np.testing.assert_array_equal(sources.numbers(frame, "v", tmp_path), [1.0, 2.5, np.nan])


CODES = ["22212220", "00000000"]
RUNS = {f"test_acc_{run}": [90.0, 91.0] for run in range(3)}
ODD = [
    ("nasbench_mr", "nas_bench_mr.parquet", {"a": [1]}, "has no column 'setting'"),
    ("nasbench_mr", "nas_bench_mr.parquet", {"setting": [[1]], "embedding": ["[1]"]}, "is damaged, or no"),
    ("suite_zero", "zc_union.parquet", {"space": ["x"]}, "has no column 'dataset'"),
    ("suite_zero", "zc_union.parquet", {"space": [1], "dataset": [2], "arch": ["x"]}, "is damaged, or no"),
    ("nasbench_macro", "nas_bench_macro/cifar10.parquet", {"arch": CODES, **RUNS}, "has no column 'params'"),
    ("nasbench_macro", "nas_bench_macro/cifar10.parquet",
     {"arch": CODES, **RUNS, "params": ["many", "few"], "flops": [1, 2]}, "column 'params' of .* it holds 'many'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "place", "columns", "said"), ODD)
def test_tables_that_are_none_of_the_benchmark(
    name: str, place: str, columns: dict[str, Any], said: str, tmp_path: Path
) -> None:
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    polars.DataFrame(columns).write_parquet(file)
    with pytest.raises(BenchmarkError, match=said) as caught:
        benchmarks.load(name, data=tmp_path)
    assert file.name in str(caught.value)


def test_a_built_table_with_text_for_seconds(tmp_path: Path) -> None:
    row = {"architecture": NETS[0], "seed": 0, "seconds": "long", "params": 1, "flops": 1, "val_accuracy": [0.5]}
    facts = {"name": "mine", "task": "toy", "metric": "accuracy", "maximise": {"accuracy": True}, "epochs": 1}
    file = write_built(tmp_path / "mine.parquet", [row], facts)
    with pytest.raises(BenchmarkError, match=r"column 'seconds' of .*mine\.parquet .* it holds 'long'"):
        benchmarks.read_built(file, OWN)


def measured() -> Benchmark:
    """A table of the whole space, whose score is the width."""
    columns = {"val_accuracy": np.arange(len(NETS), dtype=float)}
    rows, metric = DecisionRows([(place,) for place in range(len(NETS))]), Metric("val_accuracy", "W.", "validation")
    return Benchmark("own", "", OWN, rows, [metric], columns, signal="val_accuracy", verdict="val_accuracy")


@pytest.fixture(scope="module")
def fitted() -> FittedSurrogate:
    return benchmarks.fit_surrogate(measured(), trees=3)


def test_a_surrogate_that_was_cut_or_changed_is_refused(fitted: FittedSurrogate, tmp_path: Path) -> None:
    file = fitted.save(tmp_path / "mine.npz")
    whole = file.read_bytes()
    cut = [whole[:length] for length in (0, 1, 10, len(whole) // 2, len(whole) - 5)]
    changed = [whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in range(0, len(whole), 61)]
    refused = 0
    for content in [*cut, *changed, b"no archive at all", b"[1, 2]"]:
        file.write_bytes(content)
        try:
            again = benchmarks.load_surrogate(file, OWN)
            assert again.query(OWN.parse(NETS[3])) == fitted.query(OWN.parse(NETS[3]))  # a byte that nothing reads
        except BenchmarkError as error:
            assert str(file) in str(error)  # noqa: PT017 - either is right, nothing else is
            refused += 1
    assert refused > len(cut) + len(changed) // 2


def test_a_surrogate_without_its_quality_is_refused(fitted: FittedSurrogate, tmp_path: Path) -> None:
    with np.load(fitted.save(tmp_path / "mine.npz")) as held:
        arrays = dict(held)
    arrays["content"] = np.array(str(arrays["content"]).replace('"quality"', '"qualities"'))
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(BenchmarkError, match="no surrogate that nasturtium has written"):
        benchmarks.load_surrogate(tmp_path / "mine.npz", OWN)


def test_names_with_dots_are_files_of_their_own(fitted: FittedSurrogate, tmp_path: Path) -> None:
    written = [fitted.save(tmp_path / name) for name in ("m-0.1", "m-0.2", "m-0.3.npz")]
    assert [each.name for each in written] == ["m-0.1.npz", "m-0.2.npz", "m-0.3.npz"]
    for each in written:
        assert benchmarks.load_surrogate(each, OWN).quality == fitted.quality


def test_codes_of_a_space_are_read_as_before(tmp_path: Path) -> None:
    file = tmp_path / "nas_bench_macro" / "cifar10.parquet"
    file.parent.mkdir()
    polars.DataFrame({"arch": CODES, **RUNS, "params": [1, 2], "flops": [3, 4]}).write_parquet(file)
    bench = benchmarks.load("nasbench_macro", data=tmp_path)
    assert bench.query(nasbench_macro().from_notation("00000000"), "flops") == 4.0
