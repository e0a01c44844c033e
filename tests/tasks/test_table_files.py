"""Tables in files: decimal commas, fields that are missing, files that cannot be used."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from nasturtium.errors import TaskError
from nasturtium.tasks import load


@pytest.fixture
def write(tmp_path):
    def save(text, name="table.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return save


def test_text_of_a_new_file_is_read_as_text_whatever_it_looks_like(write):
    rows = [("01234", "TRUE"), ("A1B", "FALSE"), ("00500", "maybe"), ("2024-01-01", "TRUE")] * 30
    lines = "".join(f"{code},{flag},{number},{'xy'[number % 2]}\n" for number, (code, flag) in enumerate(rows))
    task = load(write("code,flag,number,label\n" + lines))
    new = "number;flag;code;further\n" + "1;TRUE;01234;0\n2;FALSE;00500;0\n3;TRUE;2024-01-01;1\n"
    split, _ = task.preprocessing.rows(write(new, "new.csv"))
    frame = pl.DataFrame({"code": ["01234", "00500", "2024-01-01"], "flag": ["TRUE", "FALSE", "TRUE"],
                          "number": [1, 2, 3]})  # fmt: skip
    assert np.array_equal(split.inputs[0], task.preprocessing.apply(frame)[0])


def test_a_stray_word_among_numbers_is_noted(write):
    task = load(write("a,label\n" + "1,x\n2.5,y\n" * 30 + "n.a.,x\n"))
    assert any("column 'a' is read as categories, though all but 1 values are numbers" in n for n in task.notes)


def decimals(rows=200):
    """Prices that decide the class, as Excel writes them in much of Europe."""
    rng = np.random.default_rng(0)
    prices = rng.uniform(-2000, 2000, rows).round(2)
    sizes = rng.integers(1, 9, rows)
    return prices, sizes, np.where(prices > 0, "dear", "cheap")


def comma(number):
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))  # 1.234,50


@pytest.mark.parametrize(("separator", "name"), [(";", "table.csv"), ("\t", "table.tsv")])
def test_decimal_commas_are_numbers_with_a_note(write, separator, name):
    prices, sizes, labels = decimals()
    lines = [separator.join(map(str, row)) for row in zip(map(comma, prices), sizes, labels, strict=True)]
    task = load(write("\n".join([separator.join(("price", "size", "class")), *lines]), name))
    assert any(note.startswith("read with decimal commas, 1,5 as 1.5: 'price'") for note in task.notes)
    plain = load(pl.DataFrame({"price": prices, "size": sizes, "class": labels}), name=task.name)
    assert task.fingerprint == plain.fingerprint
    few = write(separator.join(("price", "size")) + f"\n1.234,50{separator}3\n 7,5 {separator}4\n", "new" + name)
    expected = plain.preprocessing.apply(pl.DataFrame({"price": [1234.5, 7.5], "size": [3, 4]}))
    assert np.array_equal(task.preprocessing.rows(few)[0].inputs[0], expected[0])


def test_text_of_new_files_stays_text_also_where_it_looks_like_decimals(write):
    rows = [f"{k % 2},{k % 3};{k % 5};{'ab'[k % 2]}" for k in range(60)]
    task = load(write("\n".join(["code;size;class", *rows, "none;1;a"])))
    assert [column.kind for column in task.preprocessing.inputs.columns] == ["category", "number"]
    note = "column 'code' is read as categories, though all but 1 values are numbers (such as 'none')"
    assert any(note in each for each in task.notes)
    new = write("code;size\n1,1;3\n0,2;4\n", "new.csv")
    assert task.preprocessing.rows(new)[0].inputs[0][:, :-1].sum() == 2  # each a category that is known


def test_commas_are_left_alone_where_decimals_have_points(write):
    rows = [f"{k % 2},{k % 3};{k / 7:.3f};{'ab'[k % 2]}" for k in range(60)]
    task = load(write("\n".join(["code;size;class", *rows])))
    assert [column.kind for column in task.preprocessing.inputs.columns] == ["category", "number"]
    assert any("'code' is taken for text, though it looks like numbers with decimal commas" in n for n in task.notes)


def test_rows_with_too_few_fields_are_noted(write):
    rows = [f"{k},{k % 7},{'ab'[k % 2]},{k % 3}" for k in range(60)]
    whole = load(write("\n".join(["a,b,class,c", *rows])))
    assert not any("fields" in note for note in whole.notes)
    cut = load(write("\n".join(["a,b,class,c", *rows[:30], "30,2,a", *rows[31:], "60,4,b"])))
    assert any("2 rows of " in n and "fewer than 4 fields (first in line 32)" in n for n in cut.notes)
    gaps = load(write("\n".join(["a,b,class,c", *rows, "60,4,b,"]), "gaps.csv"))
    assert not any("fields" in note for note in gaps.notes)


@pytest.mark.parametrize(
    ("text", "options", "line"),
    [
        ("", {}, "table.csv is empty"),
        ("a,label\n", {}, "has 0 rows and 2 columns"),
        ("label\nx\n", {}, "has 1 rows and 1 columns"),
        ("a,b\n1,2\n" * 20, {"target": "c"}, "has no column 'c'"),
        (
            "age,label\n" + "1,x\n" * 20,
            {"target": "lable"},
            "has no column 'lable'; its columns are age, label; did you mean 'label'",
        ),
        ("a,label\n" + "1,x\n" * 20, {}, "column 'label' holds a single class, 'x'"),
        (
            "a,label\n" + "1,x\n2,y\n" * 20 + "3,\n",
            {},
            r"column 'label' has 1 missing values among 41 rows \(first at row 40\)",
        ),
        ("a,y\n" + "1,0.5\n2,1.5\n" * 20 + "3,\n", {}, "column 'y' has 1 missing values"),
        ("a,y\n" + "1,0.5\ninf,1.5\n" * 20, {}, r"column 'a' has 20 infinite values \(first at row 1\)"),
        (
            "a,label\n" + "1,x\n1,y\n" * 20,
            {},
            r"no column can be used as an input: a \(tells no rows apart\)",
        ),
        ("a,label\n" + "1,x\n2,y\n" * 3, {}, "6 rows are too few"),
        ("a,label\n1,x\n2,y,z,w\n", {}, "cannot read .*table.csv as a table"),
        ("a,y\n" + "1,2024-01-01\n2,2024-01-02\n" * 20, {}, "column 'y' of .* is of type Date"),
        ("a,label\n" + "1,x\n2,y\n" * 20, {"kind": "regression"}, "a regression needs numbers"),
        ("a,label\n" + "1,x\n2,y\n" * 20, {"layout": "image"}, "layout='image' does not apply"),
    ],
)
def test_tables_that_cannot_be_used_are_named(write, text, options, line):
    with pytest.raises(TaskError, match=line):
        load(write(text), **options)


def test_unreadable_tables_are_named(tmp_path, write):
    with pytest.raises(TaskError, match=r"cannot read .*bad.parquet as a table"):
        load(write("no parquet", "bad.parquet"))
    (tmp_path / "latin.csv").write_bytes("a,label\ncaf\xe9,x\n".encode("latin-1"))
    with pytest.raises(TaskError, match=r"cannot read .*latin.csv as a table"):
        load(tmp_path / "latin.csv")
