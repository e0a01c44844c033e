"""Incomplete tables as spaces: everything a strategy can do stays in the rows."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from nasturtium import spaces
from nasturtium.comparison import TableSpace, compare
from nasturtium.comparison.table_space import NEAR
from nasturtium.errors import SpaceError
from nasturtium.strategies import STRATEGIES
from tests.comparison.tables import every, space, table

MODEL_FREE = (
    "random", "local_search", "evolution", "genetic", "genetic_cnn", "reinforce", "mcts", "nsga2", "scalarisation",
    "successive_halving", "hyperband", "asha",
)  # fmt: skip
WITH_MODELS = ("tpe",)

RNG = np.random.default_rng(0)
ROWS = [every()[row] for row in RNG.permutation(len(every()))[:120]]


@pytest.fixture(scope="module")
def rows() -> TableSpace:
    return TableSpace(space(), ROWS)


def test_samples_are_uniform(rows: TableSpace) -> None:
    rng = np.random.default_rng(1)
    counts = Counter(rows.sample(rng).decisions for _ in range(12_000))
    assert set(counts) == set(ROWS)
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_neighbours_are_the_nearest(rows: TableSpace) -> None:
    for decisions in ROWS[:20]:
        found = [each.decisions for each in rows.neighbours(rows.architecture(decisions))]
        apart = sorted(
            sum(a != b for a, b in zip(decisions, other, strict=True)) for other in ROWS if other != decisions
        )
        assert [sum(a != b for a, b in zip(decisions, each, strict=True)) for each in found] == apart[:NEAR]
        assert rows.mutate(rows.architecture(decisions), np.random.default_rng(2)).decisions in found


def test_crossover_is_nearest_to_a_mixture(rows: TableSpace) -> None:
    rng = np.random.default_rng(3)
    first, second = rows.sample(rng), rows.sample(rng)
    for _ in range(20):
        child = rows.cross(first, second, rng)
        assert child.decisions in ROWS
    assert rows.cross(first, first, rng).decisions == first.decisions


def test_derivations_lead_to_rows(rows: TableSpace) -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        derivation = rows.derive()
        while derivation.point is not None:
            prefix = derivation.prefix
            expected = {each[len(prefix)] for each in ROWS if each[: len(prefix)] == prefix}
            assert set(derivation.point.offered) == expected
            derivation.take(int(rng.choice(derivation.point.offered)))
        assert rows.finished(derivation).decisions in ROWS
        assert [step.taken for step in rows.replay(derivation.prefix).taken()] == list(derivation.prefix)
    with pytest.raises(SpaceError, match="no row"):
        rows.derive().take(99)


def test_conditional_spaces() -> None:
    whole = spaces.seqnas((16, 2), 3)
    rng = np.random.default_rng(5)
    held = list({whole.sample(rng).decisions for _ in range(60)})
    small = TableSpace(whole, held)
    sizes = {len(each) for each in held}
    assert len(sizes) > 1
    architecture = small.sample(rng)
    near = [each.decisions for each in small.neighbours(architecture)]
    assert len(near) == NEAR
    assert set(near) <= set(held)
    for decisions in held:
        assert small.finished(small.replay(decisions)).decisions == decisions


@pytest.mark.parametrize("strategy", MODEL_FREE)
def test_every_strategy_works_on_an_incomplete_table(strategy: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a space that is exhausted is not complained of once for each run
        found = compare(table(ROWS), [strategy], 120, 2, workers=1)
    best = max(np.array(ROWS) @ [5, 4, 3, 2, 1])
    assert found.facts[0]["restricted"]
    for track in found.tracks[0, 0]:
        assert (track.asked, track.failed) == (120, 0)
        assert track.validation[-1] <= best
    if strategy in ("random", "evolution", "local_search"):  # never the same twice: all rows are found
        assert found.values(0, strategy, "validation")[:, -1].tolist() == [best, best]


@pytest.mark.parametrize("strategy", WITH_MODELS)
def test_models_learn_from_an_incomplete_table(strategy: str) -> None:
    if strategy not in STRATEGIES:
        pytest.skip("there is no such strategy")
    track = compare(table(ROWS), [strategy], 25, 1, workers=1).tracks[0, 0][0]
    assert (track.asked, track.failed) == (25, 0)


def test_rows_are_whole_architectures() -> None:
    rows, whole = TableSpace(space(), ROWS), space()
    for decisions in ROWS[:5]:
        row, same = rows.architecture(decisions), whole.architecture(decisions)
        assert str(row) == str(same)
        assert [(s.point.address, s.taken) for s in row.steps] == [(s.point.address, s.taken) for s in same.steps]


def test_branches_are_made_where_a_derivation_goes(rows: TableSpace) -> None:
    """A copy of the table, so that what other tests looked at does not count."""
    fresh = TableSpace(space(), rows.rows)
    derivation = fresh.derive()
    made = 1
    while derivation.point is not None:
        derivation.take(derivation.point.offered[0])
        made += 1
    assert made == len(derivation.prefix) + 1
    waiting = [each for each in fresh.branches.below.values() if isinstance(each, tuple)]
    assert len(waiting) == len(fresh.branches.below) - 1
    assert sorted(row for those, _ in waiting for row in those) == [
        row for row, decisions in enumerate(fresh.rows) if decisions[0] != derivation.prefix[0]
    ]


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(SpaceError, match="nothing to search"):
        TableSpace(space(), [])


def test_a_start_is_read_in_the_space_of_the_rows(rows: TableSpace) -> None:
    whole = space()
    there, missing = whole.architecture(ROWS[5]), whole.architecture(next(each for each in every() if each not in ROWS))
    for found in (rows.read(str(there)), rows.parse(str(there)), rows.adopt(there)):
        assert (found.space, found.decisions) == (rows, ROWS[5])
    assert rows.decisions(str(there)) == ROWS[5]
    assert there in rows
    assert missing not in rows
    for read in (rows.read, rows.parse, lambda text: rows.adopt(missing)):
        with pytest.raises(SpaceError, match=r"is no row of the table on 'small', which holds 120 architectures"):
            read(str(missing))


def test_a_comparison_on_some_rows_begins_where_it_is_told() -> None:
    text = str(space().architecture(ROWS[5]))
    benchmark = table(rows=ROWS)
    made = compare([benchmark], ["evolution"], queries=3, runs=1, options={"evolution": {"start": [text]}}, workers=1)
    assert made.values(0, 0)[0, 0] == benchmark.at(5, benchmark.verdict)
    outside = str(space().architecture(next(each for each in every() if each not in ROWS)))
    with pytest.raises(SpaceError, match="is no row of the table"):
        compare([benchmark], ["evolution"], queries=3, runs=1, options={"evolution": {"start": [outside]}}, workers=1)


def test_known_networks_of_a_table_are_rows() -> None:
    whole = spaces.nasbench201()
    name = next(iter(whole.members))
    held = TableSpace(whole, [whole.member(name).decisions, (0, 0, 0, 0, 0, 0)])
    assert held.read(name).decisions == held.member(name).decisions == held.rows[0]
    notation = whole.to_notation(whole.member(name))
    assert held.from_notation(notation).decisions == held.rows[0]
