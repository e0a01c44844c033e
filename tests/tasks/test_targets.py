"""Targets: which kind they are, their coding, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.errors import TaskError
from nasturtium.tasks.targets import check_target, class_coding, decide_kind, number_coding


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b"] * 5, "classification"),
        ([True, False] * 5, "classification"),
        (np.arange(10) % 3, "classification"),
        (np.arange(200) % 40, "classification"),
        (np.arange(200) % 41 + 1, "regression"),
        (np.arange(100) % 30, "regression"),
        (np.arange(30), "regression"),
        ((np.arange(40) % 5) * 1.0, "classification"),
        ((np.arange(40) % 5) * 0.5, "regression"),
        ((np.arange(400) % 25) * 1.0, "regression"),
        (np.linspace(0, 1, 30), "regression"),
        (np.eye(3)[np.arange(9) % 3], "classification"),
        (np.random.default_rng(0).normal(size=(9, 2)), "regression"),
    ],
)
def test_the_rule(values, kind):
    assert decide_kind(check_target(values, "y"), "y", None)[0] == kind


def test_doubtful_cases_are_noted_and_can_be_forced():
    ratings = np.arange(50) % 5 + 1
    assert "5 whole numbers: read as classes" in decide_kind(ratings, "y", None)[1]
    assert decide_kind(ratings, "y", "regression") == ("regression", None)
    assert decide_kind(np.linspace(0, 1, 50), "y", "classification") == ("classification", None)


def test_many_whole_numbers_are_never_read_without_a_word():
    amounts = np.arange(5000) % 101
    kind, note = decide_kind(amounts, "y", None)
    assert (kind, note) == ("classification", "y holds 101 whole numbers: read as classes (else: kind='regression')")
    kind, note = decide_kind(amounts, "column 'y'", None, column=True)
    told = "column 'y' holds 101 whole numbers from 0 to 100: a regression (else: kind='classification')"
    assert (kind, note) == ("regression", told)
    assert decide_kind(amounts % 20, "y", None, column=True)[0] == "classification"
    assert "26 whole numbers from 1 to 26" in decide_kind(1 + np.arange(260) % 26, "y", None)[1]
    assert decide_kind(amounts, "y", "classification", column=True) == ("classification", None)


def test_classes_are_numbered_in_order_and_decoded():
    coding = class_coding(np.array(["dog", "ant", "cat", "ant"]), "y", None)
    assert coding.names == ("ant", "cat", "dog")
    codes = coding.encode(np.array(["dog", "ant", "cat", "ant"]))
    assert codes.tolist() == [2, 0, 1, 0]
    assert codes.dtype == np.int64
    assert coding.decode(np.eye(3)[codes]).tolist() == ["dog", "ant", "cat", "ant"]
    with pytest.raises(TaskError, match="y holds 'eel' at row 1"):
        coding.encode(["dog", "eel"])


def test_numbers_can_have_gaps_and_names():
    coding = class_coding(np.array([7, -1, 7, 3]), "y", None)
    assert coding.names == ("-1", "3", "7")
    assert coding.encode([3, 7]).tolist() == [1, 2]
    assert class_coding(np.array([0, 2, 2]), "y", ["x", "y", "z"]).names == ("x", "z")
    assert class_coding(np.array([1.0, 2.0]), "y", None).names == ("1", "2")
    assert class_coding(np.array([True, False]), "y", None).names == ("False", "True")


def test_names_of_classes_belong_to_labels():
    named = class_coding(np.array(["yes", "no", "yes"]), "y", ["no", "maybe", "yes"])
    assert (named.labels, named.names) == (("no", "yes"), ("no", "yes"))
    assert class_coding(np.array([True, False]), "y", ["no", "yes"]).names == ("no", "yes")
    assert class_coding(np.array([0.0, 1.0]), "y", ["no", "yes"]).names == ("no", "yes")


@pytest.mark.parametrize(
    ("values", "names", "line"),
    [
        ([1, 2, 1], ["no", "yes"], r"y holds 1, 2, which classes=\['no', 'yes'\] does not name; number the .* 0 to 1"),
        ([-1, 1], ["no", "yes"], "number the classes 0 to 1"),
        ([0.5, 1.0], ["no", "yes"], "y holds 0.5, 1, which"),
        (["a", "b"], ["b", "c"], "y holds 'a', 'b', which .* give the names that stand there, or leave classes out"),
        ([0, 1], ["yes", "yes"], "classes holds 'yes' twice; give each class its own name"),
    ],
)
def test_names_that_belong_to_no_label_are_refused(values, names, line):
    with pytest.raises(TaskError, match=line):
        class_coding(np.array(values), "y", names)


def test_one_logit_decides_between_two_classes():
    coding = class_coding(np.array(["no", "yes"]), "y", None)
    assert coding.decode(np.array([[-0.2], [0.3]])).tolist() == ["no", "yes"]


def test_regression_is_standardised_by_the_training_rows():
    values = np.array([1.0, 3.0, 5.0, 1000.0])
    coding = number_coding(values, "y", np.array([0, 1, 2]))
    encoded = coding.encode(values)
    assert encoded.shape == (4, 1)
    assert encoded.dtype == np.float32
    assert encoded[:3].mean() == pytest.approx(0, abs=1e-6)
    assert encoded[:3].std() == pytest.approx(1, abs=1e-6)
    assert coding.decode(encoded)[:, 0] == pytest.approx(values, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([1.0, np.nan, 2.0, np.nan], r"y has 2 missing values \(NaN\) among 4 rows \(first at row 1\)"),
        (["a", None, "b"], r"y has 1 missing values among 3 rows \(first at row 1\)"),
        ([1.0, 2.0, np.inf], r"y has 1 infinite values among 3 rows \(first at row 2\)"),
        ([[1, 2], [3]], "y is ragged"),
        (np.array([[1, 2], [3], None], dtype=object), "y is ragged"),
        ([], r"y has shape \(0,\)"),
        (np.zeros((3, 2, 2)), r"y has shape \(3, 2, 2\)"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "y is of type datetime64"),
    ],
)
def test_targets_that_cannot_be_used_are_named(values, line):
    with pytest.raises(TaskError, match=line):
        check_target(values, "y")


def test_kinds_that_cannot_be_had_are_named():
    with pytest.raises(TaskError, match="y holds text such as 'a'; a regression needs numbers"):
        decide_kind(np.array(["a", "b"]), "y", "regression")
    with pytest.raises(TaskError, match="unknown kind 'ranking'"):
        decide_kind(np.array([1, 2]), "y", "ranking")
    with pytest.raises(TaskError, match="y marks several or no classes a row"):
        decide_kind(np.array([[1, 1], [0, 1]]), "y", None)
    with pytest.raises(TaskError, match=r"y has shape \(2, 2\); classes are one value a row"):
        decide_kind(np.array([[1.5, 1], [0, 1]]), "y", "classification")
    with pytest.raises(TaskError, match="y holds a single class, 'a'"):
        class_coding(np.array(["a", "a"]), "y", None)
    with pytest.raises(TaskError, match="y has the same value, 2, in every training row"):
        number_coding(np.array([2.0, 2.0, 3.0]), "y", np.array([0, 1]))
