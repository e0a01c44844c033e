"""From two Parquet files to a scored test set, as the guide to events says, on the purchases of CDNOW."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

import nasturtium as nt
from nasturtium.cli import run

COLUMNS = ["--entity", "case_id", "--timestamp", "t", "--target", "label"]
SMALL = ["--trials", "1", "--epochs", "1", "--finalists", "1", "--final-seeds", "1", "--final-epochs", "4",
         "--no-baselines", "--quiet"]  # fmt: skip


def test_purchases_are_foretold(datasets: Path, tmp_path: Path) -> None:
    tables = [datasets / "events" / f"cdnow_repurchase_{part}.parquet" for part in ("events", "labels")]
    out, program = tmp_path / "run", tmp_path / "net.py"
    assert run(["search", str(tables[0]), "--labels", str(tables[1]), *COLUMNS, *SMALL, "--out", str(out)]) == 0
    found = json.loads((out / "best.json").read_text())["scores"]["test_auroc"]
    assert found > 0.688  # an embedding and a GRU of 32 in two epochs

    events, labels = (pl.read_parquet(table) for table in tables)
    labels = labels.filter(pl.col("split") == "test").select("case_id", "label")
    new = events.join(labels, on="case_id", how="semi")
    scored = nt.load_best(out).predict(new).join(labels, on="case_id")
    assert len(scored) == len(labels) == 1924
    assert roc_auc_score(scored["label"], scored["p_1"]) == pytest.approx(found, abs=1e-6)

    assert run(["export", str(out), str(program)]) == 0
    few = scored.head(40)
    new.join(few, on="case_id", how="semi").select(events.columns).write_csv(tmp_path / "new.csv")
    read = nt.load_best(out).predict(tmp_path / "new.csv")  # the weekday, text that looks like numbers, among it
    assert read["p_1"].to_list() == pytest.approx(few["p_1"].to_list(), abs=1e-5)
    said = subprocess.run([sys.executable, str(program), str(tmp_path / "new.csv")], capture_output=True, text=True)
    answers = dict(csv.reader(said.stdout.splitlines()))
    assert {entity: answers[str(entity)] for entity in few["case_id"]} == {
        entity: str(answer) for entity, answer in few.select("case_id", "prediction").iter_rows()
    }
