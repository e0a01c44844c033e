"""The preprocessing that exported files carry gives what the fitted one gives, without numpy and polars."""

from __future__ import annotations

import json
import runpy
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import nasturtium as nt
from nasturtium.errors import TaskError
from nasturtium.export.carried.answers import answers
from nasturtium.export.carried.arrays import encode_arrays
from nasturtium.export.carried.files import read_csv, read_npz
from nasturtium.export.carried.tables import as_moment, encode_table, values_of
from nasturtium.export.carried.tensors import encode_tensors
from nasturtium.export.carried.weights import read_weights
from nasturtium.export.usage import MAIN

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 3


def ragged(width: tuple[int, ...], kind: str) -> list[Any]:
    lengths = RNG.integers(2, 7, 60)
    if kind == "tokens":
        return [RNG.integers(0, 9, n) for n in lengths]
    return [RNG.normal(2, 3, (n, *width)) for n in lengths]


def with_gaps() -> Any:
    values = RNG.normal(5, 2, (60, 6, 2))
    for row, length in enumerate(RNG.integers(2, 7, 60)):
        values[row, length:] = np.nan
    return values


CASES = {
    "vector": (RNG.normal(3, 2, (60, 5)), {}),
    "constant column": (np.column_stack((RNG.normal(3, 2, (60, 3)), np.ones(60))), {}),
    "integers": (RNG.integers(0, 255, (60, 4)), {}),
    "large times": (1.7e9 + RNG.normal(0, 5, (60, 2)), {}),
    "grey": (RNG.integers(0, 256, (60, 6, 6)).astype(np.uint8), {}),
    "channels last": (RNG.normal(0, 1, (60, 5, 6, 3)), {}),
    "channels first": (RNG.normal(0, 1, (60, 3, 5, 6)), {}),
    "flat image": (RNG.normal(0, 1, (60, 16)), {"layout": "image"}),
    "sequence": (RNG.normal(4, 1, (60, 7, 2)), {}),
    "one channel": (RNG.normal(4, 1, (60, 7)), {"layout": "sequence"}),
    "ragged": (ragged((2,), "sequence"), {}),
    "ragged, one channel": (ragged((), "sequence"), {}),
    "filled with NaN": (with_gaps(), {}),
    "tokens": (RNG.integers(0, 9, (60, 5)), {"layout": "tokens"}),
    "ragged tokens": (ragged((), "tokens"), {}),
    "one far longer": ([RNG.normal(2, 3, (90, 2)), *ragged((2,), "sequence")[1:]], {}),
    "tokens, one far longer": ([RNG.integers(0, 9, 90), *ragged((), "tokens")[1:]], {}),
}


@pytest.mark.parametrize("case", CASES)
def test_arrays_are_encoded_as_in_training(case: str) -> None:
    raw, options = CASES[case]
    preprocessing = nt.tasks.load((raw, LABELS), **options).preprocessing
    assert preprocessing is not None
    coding = json.loads(preprocessing.to_json())["inputs"]
    some = raw[:7]
    expected = preprocessing.apply(some)
    for given in (some, [row.tolist() for row in some]):
        encoded = encode_arrays(given, coding)
        assert len(encoded) == len(expected)
        for ours, theirs in zip(encoded, expected, strict=True):
            assert str(theirs.dtype) == str(ours.dtype).removeprefix("torch.")
            np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("case", "raw"),
    [
        ("vector", np.ones((2, 4))),
        ("vector", np.full((2, 5), np.nan)),
        ("grey", np.ones((2, 7, 7))),
        ("ragged", [np.ones((9, 2))]),
        ("one far longer", [np.ones((9, 3)), np.ones((8, 3))]),
        ("tokens", np.full((2, 5), 9)),
        ("sequence", np.ones((2, 7))),
        ("channels last", np.ones((2, 5, 6))),
    ],
)
def test_what_the_preprocessing_refuses_is_refused(case: str, raw: Any) -> None:
    preprocessing = nt.tasks.load((CASES[case][0], LABELS), **CASES[case][1]).preprocessing
    assert preprocessing is not None
    with pytest.raises(TaskError):
        preprocessing.apply(raw)
    with pytest.raises(ValueError, match=r"row|array|sequence|tokens|missing"):
        encode_arrays(raw, json.loads(preprocessing.to_json())["inputs"])


def table() -> pl.DataFrame:
    days = [date(2020, 1, 1) + timedelta(days=int(n)) for n in RNG.integers(0, 900, 60)]
    moments = [datetime(2021, 5, 1, 3, 4, 5) + timedelta(seconds=int(n)) for n in RNG.integers(0, 10**7, 60)]
    return pl.DataFrame(
        {
            "amount": [None if n % 7 == 0 else float(n) / 3 for n in range(60)],
            "count": RNG.integers(0, 9, 60),
            "town": [None if n % 11 == 0 else ("Bonn", "Köln", "Trier")[n % 3] for n in range(60)],
            "rare": ["a" if n < 58 else f"only {n}" for n in range(60)],
            "member": [n % 2 == 0 for n in range(60)],
            "since": [None if n % 13 == 0 else day for n, day in enumerate(days)],
            "seen": moments,
            "hour": [moment.time() for moment in moments],
            "target": LABELS,
        }
    )


def test_tables_are_encoded_as_in_training() -> None:
    frame = table()
    preprocessing = nt.tasks.load(frame, target="target").preprocessing
    assert preprocessing is not None
    coding = json.loads(preprocessing.to_json())["inputs"]
    new = frame.head(20).with_columns(town=pl.Series(["Aachen", *frame["town"][1:20]]))
    (expected,) = preprocessing.apply(new)
    for given in (new, new.to_dict(as_series=False), new.to_dicts()):
        (encoded,) = encode_table(given, coding)
        np.testing.assert_allclose(encoded.numpy(), expected, rtol=1e-6, atol=1e-6)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    for content, reader, problem in (
        ("", read_csv, "it is empty"),
        ("a,b\n1,2\n3\n", read_csv, "row 2 has 1 cells, the header 2"),
        ("a,b\n1,2\n", read_npz, "it is no .npz file"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=problem):
            reader(path)


def test_csv_files_are_read_as_in_training(tmp_path: Path) -> None:
    frame = table().drop("hour")
    path = tmp_path / "table.csv"
    frame.write_csv(path, separator=";")
    task = nt.tasks.load(path, target="target")
    assert task.preprocessing is not None
    coding = json.loads(task.preprocessing.to_json())["inputs"]
    (encoded,) = encode_table(read_csv(path), coding)
    (expected,) = task.preprocessing.apply(pl.read_csv(path, separator=";", try_parse_dates=True))
    np.testing.assert_allclose(encoded.numpy(), expected, rtol=1e-6, atol=1e-6)


def test_unfit_tables_are_refused() -> None:
    preprocessing = nt.tasks.load(table(), target="target").preprocessing
    assert preprocessing is not None
    coding = json.loads(preprocessing.to_json())["inputs"]
    rows = table().head(3).to_dicts()
    with pytest.raises(ValueError, match="no column 'amount'"):
        encode_table([{"count": 1}], coding)
    with pytest.raises(ValueError, match="'many', which is no number"):
        encode_table([{**row, "amount": "many"} for row in rows], coding)
    with pytest.raises(ValueError, match="no date"):
        encode_table([{**row, "since": "soon"} for row in rows], coding)


@pytest.mark.parametrize(
    "text", ["2024-01-31", "2024/01/31", "31-01-2024", "31/01/2024", "31.01.2024", "2024-01-31 00:00"]
)
def test_dates_are_read_in_the_usual_ways(text: str) -> None:
    assert as_moment(text, "day") == datetime(2024, 1, 31)


@pytest.mark.parametrize("outputs", [1, 3])
def test_answers_are_those_of_the_preprocessing(outputs: int) -> None:
    logits = RNG.normal(0, 1, (20, outputs)).astype(np.float32)
    labels = np.array(["low", "high"])[LABELS % 2] if outputs == 1 else np.array(["a", "b", "c"])[LABELS]
    for target in (labels, RNG.normal(5, 3, (60, outputs))):
        preprocessing = nt.tasks.load((RNG.normal(0, 1, (60, 2)), target)).preprocessing
        assert preprocessing is not None
        given = answers(torch.from_numpy(logits), json.loads(preprocessing.to_json())["target"])
        expected = preprocessing.decode(logits)
        if preprocessing.target.kind == "classification":
            assert given == expected.tolist()
        else:
            np.testing.assert_allclose(np.array(given).reshape(20, -1), expected)


def test_npz_files_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        kind: RNG.integers(0, 2, (3, 4)).astype(kind) for kind in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "?")
    }
    arrays |= {
        "fortran": np.asfortranarray(RNG.normal(0, 1, (2, 3, 4))),
        "empty": np.zeros((0, 3)),
        "one": np.float32(2),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays, text=np.array(["no", "number"]))
    held = read_npz(tmp_path / "a.npz")
    assert set(held) == set(arrays)
    for name, array in arrays.items():
        assert held[name].numpy().dtype == array.dtype
        np.testing.assert_array_equal(held[name].numpy(), array)


def test_weights_are_read_as_safetensors_reads_them(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    kinds = (
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.uint8,
        torch.bool,
    )
    weights = {str(kind): torch.randint(0, 2, (2, 3)).to(kind) for kind in kinds}
    weights |= {"scalar": torch.tensor(3), "empty": torch.empty(0, 4)}
    save_file(weights, tmp_path / "w.safetensors", metadata={"note": "x"})
    ours, theirs = read_weights(tmp_path / "w.safetensors"), load_file(tmp_path / "w.safetensors")
    assert set(ours) == set(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype
        assert ours[name].shape == tensor.shape
        assert torch.equal(ours[name], tensor)


@pytest.mark.parametrize(
    "items",
    [
        [(np.full((3, 4, 4), 4 * n, dtype=np.uint8), n % 2) for n in range(60)],
        [((RNG.normal(size=(5, 2)).astype(np.float32), np.arange(5) <= n % 5), n % 2) for n in range(60)],
        [(RNG.integers(0, 255, (6, 6)).astype(np.uint8), n % 2) for n in range(60)],
        [(RNG.integers(0, 9, 7), n % 2) for n in range(60)],
    ],
    ids=["bytes", "masked", "grey", "tokens"],
)
def test_items_of_a_dataset(items: list[Any]) -> None:
    task = nt.Task.from_dataset(items)
    held = json.loads(task.preprocessing.to_json())
    assert held["kind"] == "tensors"
    first = items[0][0]
    several = isinstance(first, tuple)
    raw = tuple(np.stack([x[k] for x, _ in items]) for k in range(2)) if several else np.stack([x for x, _ in items])
    expected = task.preprocessing.apply(raw)
    ours = encode_tensors(raw, held["inputs"])
    assert len(ours) == len(expected)
    for mine, theirs in zip(ours, expected, strict=True):
        assert mine.dtype == torch.from_numpy(theirs).dtype
        assert torch.equal(mine, torch.from_numpy(theirs))
    with pytest.raises(ValueError, match=r"was trained with|has 2 tensors"):
        encode_tensors(np.zeros((2, 9)), held["inputs"])


class NAType:
    """As the NA of pandas: whatever is compared with it is neither true nor false."""

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


def test_what_data_frames_have_for_a_gap_is_a_gap() -> None:
    assert values_of({"a": [1, NAType(), float("nan"), None, "x"]}, "a") == [1, None, None, None, "x"]


def test_more_than_ten_arrays_are_given_in_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "main_of_tensors.py"
    lines = ["from __future__ import annotations", "from pathlib import Path", MAIN["tensors"]]
    file.write_text("\n".join([*lines, "read_npz = dict.copy", "predict = list"]))
    main = runpy.run_path(str(file))["main"]
    main({f"input{number}": number for number in (11, 3, 10, 0, 2, 1, 4, 5, 6, 7, 9, 8)})
    assert capsys.readouterr().out.split() == [str(number) for number in range(12)]
