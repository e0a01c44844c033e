"""Tasks from tables: columns of every kind, gaps, targets, and bad files."""

from __future__ import annotations

import datetime
import tracemalloc

import numpy as np
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from nasturtium.errors import TaskError
from nasturtium.tasks import Preprocessing, load
from nasturtium.tasks.table_coding import Column, as_dates, describe_column


@pytest.fixture
def frame(generator):
    rows = 400
    age = generator.integers(18, 90, size=rows).astype(object)
    age[generator.random(rows) < 0.1] = None
    city = generator.choice(["Rome", "Oslo", "Lima", None], p=[0.5, 0.3, 0.15, 0.05], size=rows).tolist()
    city[3] = "Nome"
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(k)) for k in generator.integers(0, 700, rows)]
    return pl.DataFrame(
        {
            "id": [f"row{k}" for k in range(rows)],
            "age": pl.Series(age.tolist(), dtype=pl.Int64),
            "income": generator.lognormal(10, 1, size=rows),
            "city": city,
            "member": generator.random(rows) < 0.3,
            "since": days,
            "same": ["x"] * rows,
            "label": generator.choice(["buys", "leaves"], size=rows),
        }
    )


def test_a_csv_of_all_kinds_of_columns(frame, tmp_path):
    frame.write_csv(tmp_path / "people.csv")
    task = load(tmp_path / "people.csv")
    assert task.name == "people"
    assert task.classes == ("buys", "leaves")
    notes = " | ".join(task.notes)
    assert "the target is 'label', taken by its name" in notes
    assert "dropped 2 columns: id (tells no rows apart), same (tells no rows apart)" in notes
    assert "filled missing values in 2 columns: age" in notes
    values = task.train.inputs[0]
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    kept = {column.name: column for column in task.preprocessing.inputs.columns}
    assert {name: column.kind for name, column in kept.items()} == {
        "id": "category", "age": "number", "income": "number", "city": "category", "member": "number",
        "since": "date", "same": "category",
    }  # fmt: skip
    assert kept["city"].categories == ("Rome", "Oslo", "Lima")


def test_parquet_and_frames_give_the_same_task(frame, tmp_path):
    frame.write_parquet(tmp_path / "people.parquet")
    frame.write_csv(tmp_path / "people.csv")
    frame.write_csv(tmp_path / "semicolons.csv", separator=";")
    frame.write_csv(tmp_path / "tabs.tsv", separator="\t")
    prints = {
        load(tmp_path / name).fingerprint for name in ("people.parquet", "people.csv", "semicolons.csv", "tabs.tsv")
    }
    assert prints == {load(frame).fingerprint}


def test_numbers_and_categories_equal_scikit_learn(frame):
    columns = ["age", "city"]
    task = load(frame.select(*columns, "label").with_columns(split=pl.Series(["train", "valid"] * 160 + ["test"] * 80)))
    train = frame[:320:2]
    age = train["age"].cast(pl.Float64).to_numpy().reshape(-1, 1)
    filled = SimpleImputer(strategy="median", add_indicator=True).fit_transform(age)
    filled[:, 0] = (filled[:, 0] - filled[:, 0].mean()) / filled[:, 0].std()
    city = train["city"].fill_null("missing").to_numpy().reshape(-1, 1)
    encoder = OneHotEncoder(
        categories=[["Rome", "Oslo", "Lima", "missing"]], handle_unknown="ignore", sparse_output=False
    )
    hot = encoder.fit_transform(city)
    assert (hot.sum(axis=1) == 1).all(), "no other city among these rows, so no feature for others"
    expected = np.column_stack((filled, hot))
    assert task.train.inputs[0] == pytest.approx(expected, abs=1e-5)


def test_new_tables_are_encoded_alike_also_with_unknown_values(frame):
    task = load(frame)
    coding = Preprocessing.from_json(task.preprocessing.to_json())
    assert coding == task.preprocessing
    rows = coding.apply(frame)[0]
    assert (rows[:, None, :] == task.test.inputs[0][None, :5]).all(axis=2).any(axis=0).all()
    new = {
        "id": ["?"],
        "age": ["41"],
        "income": [None],
        "city": ["Atlantis"],
        "member": [None],
        "same": [None],
    }
    new["since"] = ["2024-05-01"]
    assert np.isfinite(coding.apply(new)[0]).all()
    with pytest.raises(TaskError, match="has no column 'city'; did you mean 'City'"):
        coding.apply(frame.rename({"city": "City"}))
    with pytest.raises(TaskError, match="column 'age' holds 'old' at row 0, which is no number"):
        coding.apply({**new, "age": ["old"]})
    with pytest.raises(TaskError, match="column 'since' holds 'May' at row 0, which is no date"):
        coding.apply({**new, "since": ["May"]})


def test_dates_are_days_and_cycles():
    moment = datetime.datetime(2024, 2, 29, 18, 0)
    values, missing = as_dates(pl.Series("t", [moment, None]))
    assert missing.tolist() == [False, True]
    assert values[0, 0] == pytest.approx(moment.replace(tzinfo=datetime.UTC).timestamp() / 86400)
    assert values[0, 5:] == pytest.approx([-1, 0], abs=1e-9)
    assert values[0, 3] == pytest.approx(np.sin(2 * np.pi * 60 / 365.25))
    week, _ = as_dates(pl.Series("t", [datetime.date(2024, 3, day) for day in range(1, 16)]))
    assert week[0, 1:3] == pytest.approx(week[7, 1:3])
    assert len({tuple(np.round(row, 6)) for row in week[:, 1:3]}) == 7


def test_rare_categories_share_a_feature():
    series = pl.Series("c", ["a"] * 300 + ["b"] * 5 + ["c"] * 4 + ["d"])
    column = describe_column(series, np.arange(len(series)))
    assert column == Column("c", "category", gaps=False, categories=("a", "b"))
    assert column.encode(pl.Series("c", ["a", "b", "c", "new", None])).tolist() == [
        [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]
    ]  # fmt: skip
    many = pl.Series("m", [f"k{number}" for number in range(100)] * 9)
    assert len(describe_column(many, np.arange(900)).categories) == 64


def test_many_categories_take_little_more_memory_than_their_features(generator):
    words = np.array([f"word{number}" for number in range(64)])
    columns = {f"c{k}": generator.choice(words, 4000).tolist() for k in range(10)}
    table = pl.DataFrame({**columns, "label": generator.choice(["a", "b"], 4000)})
    load(table)
    tracemalloc.start()
    task = load(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = sum(part.inputs[0].nbytes for part in (task.train, task.valid, task.test))
    assert held == 4000 * 640 * 4
    assert peak < 1.5 * held


def test_a_gap_that_training_never_saw_is_filled(frame):
    whole = frame.with_columns(pl.col("age").fill_null(50))
    coding = load(whole.select("age", "income", "label")).preprocessing
    assert coding.inputs.columns[0].gaps is False
    assert np.isfinite(coding.apply({"age": [None], "income": [None]})[0]).all()


def test_the_target_is_found(frame):
    assert load(frame, target="member").preprocessing.target.name == "column 'member'"
    assert load(frame, target="income").kind == "regression"
    assert load(frame.rename({"label": "CLASS"})).classes == ("buys", "leaves")
    last = load(frame.rename({"label": "outcome"}))
    assert last.notes[0] == "the target is 'outcome', taken as the last column (else: target=...)"
    task = load(frame.with_columns(pl.col("label").cast(pl.Categorical)))
    assert task.fingerprint == load(frame).fingerprint


def test_a_split_column_is_the_split(frame, generator):
    split = generator.choice(["train", "test"], p=[0.8, 0.2], size=400)
    task = load(frame.with_columns(Split=pl.Series(split)), target="label")
    assert len(task.test) == (split == "test").sum()
    assert "Split" not in [column.name for column in task.preprocessing.inputs.columns]


@pytest.mark.parametrize(
    ("third", "line"),
    [("holdout", "column 'split' holds 'holdout'"), (None, "column 'split' holds a missing value")],
)
def test_a_split_column_with_a_strange_value_is_no_input(frame, third, line):
    split = ["train", "train", "dev", third] * 100
    with pytest.raises(TaskError, match=line):
        load(frame.with_columns(split=pl.Series(split)), target="label")


def test_numbers_in_a_split_column_are_the_split(frame):
    task = load(frame.with_columns(split=pl.Series([0, 0, 1, 2] * 100)), target="label")
    assert [len(part) for part in (task.train, task.valid, task.test)] == [200, 100, 100]
    assert "column 'split' is read as the split: 0 trains, 1 validates, 2 tests (else: rename it)" in task.notes
    for codes in ([0, 1, 2, 3], [[0], [1], [2], [0]]):
        other = load(frame.with_columns(split=pl.Series(codes * 100)), target="label")
        assert any("split" in note for note in other.notes) == isinstance(codes[0], list)


def test_a_column_of_many_whole_numbers_is_a_regression(generator):
    ages = pl.DataFrame({"a": generator.normal(size=1000), "age": np.arange(1000) % 90})
    task = load(ages, target="age")
    assert task.kind == "regression"
    assert any("90 whole numbers from 0 to 89: a regression (else: kind='classification')" in n for n in task.notes)
    assert load(ages, target="age", kind="classification").outputs == 90


def test_columns_that_are_no_use_are_noted(frame):
    odd = frame.select("income", "label").with_columns(
        nothing=pl.lit(None),
        listed=pl.Series([[1]] * 400),
        clock=pl.Series([datetime.time(k % 24) for k in range(400)]),
    )
    task = load(odd, target="label")
    assert "dropped 2 columns: nothing (has no values), listed (is of type List(Int64))" in " | ".join(task.notes)
    assert task.inputs[0].channels == 2


def test_durations_and_times_are_numbers():
    spans = pl.Series("span", range(40)).cast(pl.Duration("us"))
    column = describe_column(spans, np.arange(40))
    assert column.encode(spans)[:, 0] == pytest.approx(np.arange(40) / 1e6)
    clock = pl.Series("clock", [datetime.time(6, 30), datetime.time(18)])
    assert describe_column(clock, np.arange(2)).encode(clock)[:, 0].tolist() == [6.5, 18.0]


def test_real_tables_can_be_learned(datasets):
    task = load(datasets / "tabular/Satellite.parquet")
    assert task.outputs == 6
    assert task.inputs[0].channels == 36
    model = LogisticRegression(max_iter=200).fit(task.train.inputs[0], task.train.targets)
    assert model.score(task.test.inputs[0], task.test.targets) > 0.83
    task = load(datasets / "tabular/LetterRecognition.parquet", target="lettr")
    assert (task.outputs, task.inputs[0].channels) == (26, 16)
