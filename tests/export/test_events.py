"""Event networks used on new events: by the library and by the exported file, with the same answers."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import nasturtium as nt
from nasturtium.errors import TaskError
from nasturtium.export import export
from nasturtium.export.carried.events import encode_events, owned
from nasturtium.export.carried.files import read_csv
from tests.tasks.event_tables import OPTIONS, customers

EVENTS, LABELS = customers(60)
BASE = datetime(2024, 1, 1)
MOMENTS = EVENTS.with_columns(
    when=pl.Series([BASE + timedelta(hours=row) for row in EVENTS["when"]]),
    member=EVENTS["when"].cast(pl.Int64) % 2 == 0,
    amount=pl.col("amount").fill_nan(None),
)


@pytest.mark.parametrize("frame", [EVENTS, MOMENTS], ids=["numbers", "moments"])
def test_events_are_encoded_as_in_training(frame: pl.DataFrame, tmp_path: Path) -> None:
    task = nt.tasks.load(frame, labels=LABELS, categorical=["shop"], max_events=8, **OPTIONS)
    assert task.preprocessing is not None
    held = json.loads(task.preprocessing.to_json())
    assert held["kind"] == "events"
    new = frame.with_columns(kind=pl.Series(["fax", *frame["kind"][1:]]), amount=pl.col("amount").fill_nan(None))
    new.write_csv(tmp_path / "new.csv")
    expected = task.preprocessing.apply(new)
    for given in (new, new.to_dict(as_series=False), new.to_dicts(), read_csv(tmp_path / "new.csv")):
        encoded = encode_events(given, held["inputs"])
        assert len(encoded) == len(expected)
        for ours, theirs in zip(encoded, expected, strict=True):
            assert str(theirs.dtype) == str(ours.dtype).removeprefix("torch.")
            np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (pl.lit("soon").alias("when"), "'soon', which is no date"),
        (pl.lit(None).alias("when"), "column 'when' holds None, which is no time"),
        (pl.lit(None).alias("who"), "column 'who' has no value at row 0"),
        (pl.lit("many").alias("amount"), "column 'amount' holds 'many', which is no number"),
    ],
)
def test_unfit_events_are_refused(change: pl.Expr, line: str) -> None:
    task = nt.tasks.load(EVENTS, labels=LABELS, **OPTIONS)
    assert task.preprocessing is not None
    coding = json.loads(task.preprocessing.to_json())["inputs"]
    with pytest.raises(ValueError, match=line):
        encode_events(EVENTS.with_columns(change).to_dict(as_series=False), coding)
    with pytest.raises(ValueError, match="no column 'kind'"):
        encode_events(EVENTS.drop("kind").to_dicts(), coding)
    with pytest.raises(ValueError, match="there are no events"):
        owned({"who": []}, coding)


def test_a_search_predicts_new_entities_and_is_exported(tmp_path: Path) -> None:
    quick = {"finalists": 1, "final_seeds": 1, "baselines": False, "quiet": True, "epochs": 1, "final_epochs": 2}
    options = {**OPTIONS, "labels": LABELS, "max_events": 6}
    result = nt.search(EVENTS, trials=2, task_options=options, out=tmp_path / "run", **quick)
    assert result.space.name == "seqnas_plus"
    best = nt.load_best(tmp_path / "run")
    new, _ = customers(25, seed=3)
    new = new.with_columns(amount=pl.col("amount").fill_nan(None))
    new.write_parquet(tmp_path / "new.parquet")
    new.write_csv(tmp_path / "new.csv")
    said = best.predict(tmp_path / "new.parquet")
    assert said.columns == ["who", "prediction", "p_no", "p_yes"]
    assert said["who"].to_list() == new["who"].unique(maintain_order=True).to_list()
    assert ((said["p_yes"] > 0.5) == (said["prediction"] == "yes")).all()
    one = best.predict(new.filter(pl.col("who") == said["who"][4]))
    assert one["p_yes"][0] == pytest.approx(said["p_yes"][4], abs=1e-5), "an answer does not depend on other entities"

    made = export(tmp_path / "run", tmp_path / "stays.py")
    assert made.real
    assert made.difference <= made.bound
    found = importlib.util.spec_from_file_location("stays", tmp_path / "stays.py")
    assert found is not None
    assert found.loader is not None
    stays = importlib.util.module_from_spec(found)
    found.loader.exec_module(stays)
    assert stays.entities(new) == said["who"].to_list()
    shares = stays.outputs(new).softmax(1)[:, 1].numpy()
    np.testing.assert_allclose(shares, said["p_yes"].to_numpy(), atol=1e-5)
    command = [sys.executable, "-I", str(tmp_path / "stays.py"), str(tmp_path / "new.csv")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert pl.read_csv(io.StringIO(printed)).equals(said.select("who", "prediction"))
    named = new.with_columns(who=pl.format('no. {}, "new"', "who")).select("who", *new.columns[1:])
    named.write_csv(tmp_path / "named.csv")
    command[-1] = str(tmp_path / "named.csv")
    quoted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert pl.read_csv(io.StringIO(quoted))["who"].to_list() == named["who"].unique(maintain_order=True).to_list()

    program = export(tmp_path / "run", tmp_path / "stays.pt2")
    assert program.difference <= program.bound


def test_entities_called_as_the_answers_keep_their_column(tmp_path: Path) -> None:
    quick = {"finalists": 1, "final_seeds": 1, "baselines": False, "quiet": True, "epochs": 1, "final_epochs": 1}
    events, labels = (frame.rename({"who": "prediction"}) for frame in (EVENTS, LABELS))
    options = {**OPTIONS, "entity": "prediction", "labels": labels, "max_events": 3}
    nt.search(events, trials=1, task_options=options, out=tmp_path / "run", **quick)
    new = events.with_columns(pl.col("amount").fill_nan(None))
    said = nt.load_best(tmp_path / "run").predict(new)
    assert said.columns[:2] == ["entity", "prediction"]
    assert said["entity"].to_list() == new["prediction"].unique(maintain_order=True).to_list()
    assert set(said["prediction"]) <= {"no", "yes"}
    export(tmp_path / "run", tmp_path / "stays.py")
    new.write_csv(tmp_path / "new.csv")
    command = [sys.executable, "-I", str(tmp_path / "stays.py"), str(tmp_path / "new.csv")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert pl.read_csv(io.StringIO(printed)).equals(said.select("entity", "prediction"))


def test_predictions_of_rows_and_of_what_does_not_fit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3)).astype(np.float32)
    quick = {"finalists": 1, "final_seeds": 1, "baselines": False, "quiet": True, "epochs": 1, "final_epochs": 1}
    nt.search((x, 3 * x[:, 0] + 7), trials=1, out=tmp_path / "run", **quick)
    best = nt.load_best(tmp_path / "run")
    said = best.predict(x[:5])
    assert said.columns == ["prediction"]
    outputs = best.preprocessing.target.restore(best.model(_tensor(best, x[:5])).detach().numpy())
    np.testing.assert_allclose(said["prediction"].to_numpy(), outputs[:, 0], rtol=1e-5)
    with pytest.raises(TaskError, match=r"there is no file nowhere\.csv"):
        best.predict("nowhere.csv")


def _tensor(best, x):
    import torch

    return torch.from_numpy(best.preprocessing.apply(x)[0])
