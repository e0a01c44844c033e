"""The split: proportions, strata, rare classes, and what the user gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.errors import TaskError
from nasturtium.tasks.split import TEST, TRAIN, VALID, complete_split, deciles, draw_groups, is_split, read_split


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(3, 90), min_size=2, max_size=8), st.integers(0, 10_000))
def test_each_class_gives_its_share_to_within_one_row(sizes, seed):
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    if len(strata) < 20:
        return
    codes, drawn = complete_split(strata, None, seed)
    assert drawn == ("test", "valid")
    for label, size in enumerate(sizes):
        counts = np.bincount(codes[strata == label], minlength=3)
        assert abs(counts[TEST] - 0.15 * size) <= 1
        assert abs(counts[VALID] - (size - counts[TEST]) * 0.15 / 0.85) <= 1
    assert abs((codes == TEST).sum() - 0.15 * len(strata)) <= 1


def test_the_seed_decides_the_split():
    strata = np.repeat([0, 1], 100)
    first, again, other = (complete_split(strata, None, seed)[0] for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_rows_are_drawn_evenly_from_all_places():
    strata = np.zeros(40, dtype=int)
    often = sum((complete_split(strata, None, seed)[0] == TEST).astype(int) for seed in range(2000))
    assert abs(often - 300).max() < 5 * np.sqrt(2000 * 0.15 * 0.85)


def test_a_class_of_one_or_two_rows_trains():
    strata = np.array([0] * 50 + [1] * 50 + [2] + [3] * 2)
    for seed in range(20):
        codes, _ = complete_split(strata, None, seed)
        assert (codes[100:] == TRAIN).all()


def test_given_parts_stay_and_missing_ones_are_drawn_from_train():
    given_codes = np.array([TRAIN] * 100 + [TEST] * 30, dtype=np.int8)
    codes, drawn = complete_split(np.tile([0, 1], 65), given_codes, 0)
    assert drawn == ("valid",)
    assert (codes[100:] == TEST).all()
    assert 15 <= (codes == VALID).sum() <= 20
    given_codes[100:] = VALID
    codes, drawn = complete_split(np.tile([0, 1], 65), given_codes, 0)
    assert drawn == ("test",)
    assert (codes[100:] == VALID).all()
    assert 14 <= (codes == TEST).sum() <= 16


@pytest.mark.parametrize(
    "values",
    [
        ["train", "valid", "test"],
        ["TRAIN", "val", "test"],
        ["train", "dev", "test"],
        [0.0, 1.0, 2.0],
        [b"train", b"validation", b"test"],
        [0, 1, 2],
        ["train ", " Valid", "test\t"],
        ["0", "1", "2"],
    ],
)
def test_a_split_is_read_in_words_and_numbers(values):
    assert read_split(np.array(values), 3, "split").tolist() == [TRAIN, VALID, TEST]


def test_a_column_of_that_name_is_a_split_if_a_value_says_so():
    for values in (
        ["train", "holdout"],
        ["TEST", None],
        ["train ", " test"],
        [0, 1, 2],
        [0, None, 2],
        ["0", "1"],
        [0.0, 1.0],
    ):
        assert is_split(values)
    for values in (["a", "b"], [0, 1, 3], [True, False], [0.5, 1.0], [None, None]):
        assert not is_split(values)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["train", None], "split holds a missing value"),
        ([0.0, np.nan], "split holds a missing value"),
        (["train", "holdout"], "split holds 'holdout'; use train, valid and test"),
        (["train"], r"split has shape \(1,\), but there are 2 rows"),
        (["test", "valid"], "split marks no row as train"),
    ],
)
def test_a_split_that_cannot_be_used_is_named(values, line):
    with pytest.raises(TaskError, match=line):
        read_split(values, 2, "split")


def test_too_few_rows_are_refused():
    with pytest.raises(TaskError, match="9 rows are too few"):
        complete_split(np.zeros(9, dtype=int), None, 0)
    with pytest.raises(TaskError, match="seed -1 is negative"):
        complete_split(np.zeros(20, dtype=int), None, -1)
    with pytest.raises(TaskError, match="test split would get no row: 10 rows in 5 classes of 2 to 2 rows"):
        complete_split(np.repeat(np.arange(5), 2), None, 0)


def test_deciles_are_tenths_of_the_sorted_values(generator):
    values = generator.lognormal(size=1000)
    groups = deciles(values[:, None])
    assert np.bincount(groups).tolist() == [100] * 10
    edges = np.quantile(values, np.linspace(0, 1, 11))
    assert (groups == np.searchsorted(edges[1:-1], values, side="right")).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=12, max_size=80), st.integers(0, 9))
def test_in_an_order_later_rows_test_and_equal_moments_stay_together(moments, seed):
    order = np.array(moments)
    if len(np.unique(order)) < 10:
        return
    codes, _ = complete_split(np.zeros(len(order), dtype=int), None, seed, order=order)
    ends = [order[codes == part] for part in (TRAIN, VALID, TEST)]
    assert ends[0].max() < ends[1].min()
    assert ends[1].max() < ends[2].min()


def test_the_latest_share_is_taken():
    order = np.random.default_rng(0).permutation(100)
    codes, drawn = complete_split(np.zeros(100, dtype=int), None, 0, order=order)
    assert drawn == ("test", "valid")
    assert sorted(order[codes == TEST]) == list(range(85, 100))
    assert sorted(order[codes == VALID]) == list(range(70, 85))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=20, max_size=90), st.integers(0, 50))
def test_groups_stay_together(members, seed):
    groups = np.array(members)
    if len(np.unique(groups)) < 3:
        return
    codes, _ = complete_split(np.zeros(len(groups), dtype=int), None, seed, groups=groups)
    assert set(codes.tolist()) == {TRAIN, VALID, TEST}
    assert all(len(np.unique(codes[groups == group])) == 1 for group in np.unique(groups))


def by_prefix(groups, rows, share, generator):
    """How groups of equal size were drawn before sizes were looked at: the first of a random order, at least one."""
    found, counts = np.unique(groups[rows], return_counts=True)
    order = generator.permutation(len(found))
    held = np.cumsum(counts[order])
    enough = 1 + int(np.argmin(np.abs(held - share * len(rows))))
    return np.sort(rows[np.isin(groups[rows], found[order[: min(enough, len(found) - 1)]])])


@pytest.mark.parametrize(("count", "size"), [(2, 6), (3, 7), (10, 10), (20, 1), (50, 40), (7, 30)])
def test_groups_of_equal_size_are_drawn_as_ever(count, size):
    groups = np.random.default_rng(1).permutation(np.repeat(np.arange(count), size))
    for seed in range(10):
        for share in (0.15, 0.15 / 0.85):
            drawn = draw_groups(groups, np.arange(len(groups)), share, np.random.default_rng(seed))
            expected = by_prefix(groups, np.arange(len(groups)), share, np.random.default_rng(seed))
            assert drawn.tolist() == expected.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=3, max_size=20), st.integers(0, 50))
def test_unequal_groups_leave_most_rows_for_training(sizes, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    if len(groups) < 10:
        return
    codes, _ = complete_split(np.zeros(len(groups), dtype=int), None, seed, groups=groups)
    left = np.arange(len(groups))
    for part, share in ((TEST, 0.15), (VALID, 0.15 / 0.85)):
        smallest = np.unique(groups[left], return_counts=True)[1].min()
        assert 0 < (codes == part).sum() <= max(2 * share * len(left), smallest)
        left = left[codes[left] != part]
    assert len(left) > 0


def test_one_large_group_trains_whatever_the_seed():
    groups = np.repeat(["a", "b", "c"], [80, 10, 10])
    for seed in range(20):
        codes, _ = complete_split(np.zeros(100, dtype=int), None, seed, groups=groups)
        assert (codes[:80] == TRAIN).all()
        assert sorted(codes[[80, 90]]) == [VALID, TEST]


def test_a_group_that_the_split_tears_apart_is_named():
    groups = np.array(["ann", "bob"] * 20)
    torn = np.repeat(np.array([TRAIN, TEST], dtype=np.int8), 20)
    with pytest.raises(TaskError, match="2 of 2 groups into several parts, such as group 'ann' into train and test"):
        complete_split(np.zeros(40, dtype=int), torn, 0, groups=groups)
    whole = np.repeat(np.array([TRAIN, TEST], dtype=np.int8), [30, 10])
    codes, drawn = complete_split(np.zeros(40, dtype=int), whole, 0, groups=np.repeat(np.arange(4), 10))
    assert drawn == ("valid",)
    assert [len(set(codes[start : start + 10])) for start in (0, 10, 20, 30)] == [1, 1, 1, 1]


def test_too_few_groups_or_moments_are_refused():
    with pytest.raises(TaskError, match="valid split would get no row: 20 rows in 2 groups of 10 to 10 rows"):
        complete_split(np.zeros(20, dtype=int), None, 0, groups=np.arange(20) // 10)
    with pytest.raises(TaskError, match="test split would get no row"):
        complete_split(np.zeros(20, dtype=int), None, 0, order=np.zeros(20))
