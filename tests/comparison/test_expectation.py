"""The expectation of the best of n against all subsets, and random search on NAS-Bench-201 against it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasturtium.comparison import compare, expected_best
from tests.comparison.tables import nasbench201


def first_best(drawn: tuple[int, ...], signal: np.ndarray, maximise: bool) -> int:
    return (max if maximise else min)(drawn, key=lambda row: signal[row])  # of equals the first drawn


@pytest.mark.parametrize("maximise", [True, False])
@pytest.mark.parametrize("replacement", [True, False])
def test_equals_every_draw(maximise: bool, replacement: bool) -> None:
    signal, verdict = np.array([1.0, 3.0, 3.0, 2.0, 0.0]), np.array([5.0, 1.0, 2.0, 9.0, 4.0])
    for n in (1, 2, 3):
        rows = range(5)
        draws = itertools.product(rows, repeat=n) if replacement else itertools.permutations(rows, n)
        expected = np.mean([verdict[first_best(drawn, signal, maximise)] for drawn in draws])
        found = expected_best(signal, verdict, [n], maximise=maximise, replacement=replacement)
        assert found == pytest.approx([expected])


def test_large_tables_and_missing_rows() -> None:
    signal = np.arange(15_625, dtype=float)
    expected = [n * 15_626 / (n + 1) - 1 for n in (1, 10, 500)]  # the mean of the maximum of n of 1..N, less one
    assert expected_best(signal, None, [1, 10, 500]) == pytest.approx(expected)
    assert expected_best([np.nan, 1.0, 2.0], [7.0, 1.0, 2.0], [5]) == pytest.approx([2.0])


def test_random_search_on_nasbench201() -> None:
    table = nasbench201()
    found = compare(table, ["random"], 100, 300, workers=1, seed=5)
    for what, verdict in (("validation", None), ("test", table.column("test_accuracy"))):
        curve = found.curve(0, "random", what)
        expected = expected_best(table.column(), verdict, range(1, 101))
        apart = np.abs(curve.mean - expected)[9:] / curve.error[9:]
        assert apart.max() < 3
