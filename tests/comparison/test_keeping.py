"""What a comparison keeps: going on, damaged files, and runs that are not taken for those of something else."""

from __future__ import annotations

import itertools
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from nasturtium.benchmarks import Benchmark
from nasturtium.comparison import Contender, compare
from nasturtium.comparison import pool as pool_room
from nasturtium.comparison.keeping import FILE, Kept
from nasturtium.errors import StudyError
from nasturtium.strategies import RandomSearch, make
from tests.comparison.tables import surrogate, table


def same(first, second) -> bool:
    return list(first.rows()) == list(second.rows())


def test_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare(table(), ["random", "evolution"], 20, 6, workers=1)
    done: list[int] = []
    simulate = pool_room.Simulation.run

    def counted(self, strategy):
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(1)
        return simulate(self, strategy)

    monkeypatch.setattr(pool_room.Simulation, "run", counted)
    with pytest.raises(KeyboardInterrupt):
        compare(table(), ["random", "evolution"], 20, 6, workers=1, out=tmp_path)
    kept = len((tmp_path / FILE).read_text().splitlines()) - 1  # a line says what is known of the benchmark
    assert 3 <= kept <= 7
    done.clear()
    monkeypatch.setattr(
        pool_room.Simulation, "run", lambda self, strategy: (done.append(1), simulate(self, strategy))[1]
    )
    assert same(compare(table(), ["random", "evolution"], 20, 6, workers=1, out=tmp_path), whole)
    assert len(done) == 12 - kept
    done.clear()
    assert same(compare(table(), ["random", "evolution"], 20, 6, workers=1, out=tmp_path), whole)
    assert not done
    compare(table(), ["random", "evolution"], 20, 8, workers=1, out=tmp_path)  # two more runs of each
    assert len(done) == 4
    compare(table(), ["random"], 21, 2, workers=1, out=tmp_path)  # another budget: nothing fits
    assert len(done) == 6


def test_a_line_cut_short_is_written_over(tmp_path: Path) -> None:
    whole = compare(table(), ["random"], 20, 4, workers=1, out=tmp_path)
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text[:-40])
    assert same(compare(table(), ["random"], 20, 4, workers=1, out=tmp_path), whole)
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert sorted(line["run"] for line in lines if "run" in line) == [0, 1, 2, 3]


def test_a_damaged_line_costs_its_own_run_alone(tmp_path: Path) -> None:
    whole = compare(table(), ["random"], 20, 4, workers=1, out=tmp_path)
    lines = (tmp_path / FILE).read_text().splitlines(keepends=True)
    lines[2] = "\0" * 20 + lines[2][20:]  # the second run; the first line says what is known of the table
    lines.insert(4, '{"key": "x", "run": 3}\n')
    (tmp_path / FILE).write_text("".join([*lines, lines[-1][:30]]))
    with pytest.warns(UserWarning, match=r"2 damaged lines \(3, 5\)"):
        kept = Kept(tmp_path)
    kept.close()
    assert sorted(run for _, run in kept.runs) == [0, 2, 3]
    assert (tmp_path / FILE).read_text() == "".join(lines)  # what was cut short is gone, all else is there
    (tmp_path / FILE).write_text("".join(["{\n", *lines[1:]]))  # nor is what was known of the table
    with pytest.warns(UserWarning, match="damaged"):
        assert same(compare(table(), ["random"], 20, 4, workers=1, out=tmp_path), whole)


def test_one_at_a_time_in_a_folder(tmp_path: Path) -> None:
    holder = Kept(tmp_path)
    try:
        with pytest.raises(StudyError, match="already"):
            compare(table(), ["random"], 5, 1, workers=1, out=tmp_path)
    finally:
        holder.close()


def drawing(seed: int):
    """A strategy that draws at random, from a seed of its own."""

    def made(space, **given):
        return RandomSearch(space, **{**given, "seed": seed})

    return made


def test_two_functions_of_one_factory_are_two_strategies(tmp_path: Path) -> None:
    both = [Contender("first", drawing(1)), Contender("second", drawing(2))]
    for out in (None, tmp_path):
        found = compare(table(), both, 10, 3, workers=1, out=out)
        assert not np.array_equal(found.values(0, "first"), found.values(0, "second"))
    again = compare(table(), [Contender("first", drawing(2))], 10, 3, workers=1, out=tmp_path)
    assert np.array_equal(again.values(0, "first"), found.values(0, "second"))  # not those that are kept of drawing(1)
    bound = [Contender("one", partial(RandomSearch, repeats=repeats)).text for repeats in (True, False)]
    assert bound[0] != bound[1]


def shifted(by: float) -> Benchmark:
    """The small table with every test value moved."""
    plain = table()
    columns = {name: plain.held(name) for name in plain.metrics} | {"test_accuracy": plain.held("test_accuracy") + by}
    return Benchmark(
        plain.name, plain.dataset, plain.space, plain.rows, list(plain.metrics.values()), columns,
        signal=plain.signal, verdict=plain.verdict, cost=plain.cost,
    )  # fmt: skip


def test_what_is_kept_of_one_table_is_not_told_of_another(tmp_path: Path) -> None:
    first = compare(table(), ["random"], 10, 2, workers=1, out=tmp_path)
    second = compare(shifted(100), ["random"], 10, 2, workers=1, out=tmp_path)
    assert np.array_equal(second.values(0, 0), first.values(0, 0) + 100)
    assert second.facts[0]["optimum"] == first.facts[0]["optimum"] + 100
    assert same(compare(table(), ["random"], 10, 2, workers=1, out=tmp_path), first)


def test_another_folder_of_files_is_another_table(tmp_path: Path) -> None:
    kept = []
    for number, by in enumerate((0.0, 100.0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        names = ["".join(map(str, each)) for each in itertools.product(range(3), repeat=8)]
        held = {name: {"test_acc": 3 * [by + place], "params": 1, "flops": 1} for place, name in enumerate(names)}
        (folder / "nas-bench-macro_cifar10.json").write_text(json.dumps(held))
        kept.append(compare("nasbench_macro", ["random"], 5, 1, workers=1, data=folder, out=tmp_path / "runs"))
    assert np.allclose(kept[1].values(0, 0), kept[0].values(0, 0) + 100)


def test_surrogates_are_told_apart_by_their_answers() -> None:
    made = [surrogate(by) for by in (0.0, 1.0, 0.0)]
    digests = [each.digest() for each in made]
    assert digests[0] != digests[1]
    assert digests[0] == digests[2]
    assert not len(made[0])  # it was not asked on behalf of anybody


def test_functions_that_hold_other_arrays_are_told_apart():
    def made(weights):
        return lambda *, space, **common: make("random", space=space, **common, repeats=bool(weights[0]))

    first, second = np.zeros(5000), np.zeros(5000)
    second[2500] = 1.0
    texts = [Contender("own", made(each)).text for each in (first, first.copy(), second)]
    assert texts[0] == texts[1] != texts[2]
    bound = [Contender("own", partial(make, name="random", weights=each)).text for each in (first, second)]
    assert bound[0] != bound[1]
