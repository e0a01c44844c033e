"""Comparisons on surrogates: the noise that strategies see, and runs that end at a target."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium import cli
from nasturtium.benchmarks import Metric, Surrogate, fit_surrogate
from nasturtium.cli import benching
from nasturtium.comparison import Subject, compare
from nasturtium.errors import NasturtiumError
from tests.comparison.tables import space, table

DEVIATION = 3.0


def made(noisy: bool = True) -> Surrogate:
    metric = Metric("val_accuracy", "The sum.", "validation")
    spread = (lambda decisions: [DEVIATION]) if noisy else None
    return Surrogate(
        "sum", "", space(), [metric], lambda decisions: [float(sum(decisions))], spread=spread,
        signal="val_accuracy", verdict="val_accuracy",
    )  # fmt: skip


def test_strategies_see_noise_and_true_values_are_reported() -> None:
    found = compare(made(), ["random", "evolution"], 30, 6, workers=1, noise=True)
    tracks = [track for pair in found.tracks.values() for track in pair]
    off = np.concatenate([np.array(track.signal) - np.array(track.validation) for track in tracks])
    assert np.abs(off).max() > DEVIATION
    assert all(value == round(value) for track in tracks for value in track.validation)
    assert all((np.diff(track.signal) > 0).all() for track in tracks)
    assert any((np.diff(track.validation) < 0).any() for track in tracks)  # luck takes the incumbent's place
    first = [found.tracks[0, place][2].signal[0] for place in (0, 1)]
    assert first[0] == first[1]  # the same training of the same architecture, whatever the strategy


def test_without_noise_signals_are_the_values() -> None:
    found = compare(made(), ["random"], 10, 2, workers=1)
    assert all(track.signal == track.validation for track in found.tracks[0, 0])


@pytest.mark.parametrize("make", [made, table])
def test_a_run_ends_with_the_first_incumbent_that_is_good_enough(make) -> None:
    whole = compare(make(), ["evolution"], 40, 4, workers=1)
    values = whole.values(0, 0, "validation")
    target = float(np.quantile(values[:, -1], 0.5))
    ended = compare(make(), ["evolution"], 40, 4, workers=1, target=target)
    for run, track in zip(values, ended.tracks[0, 0], strict=True):
        reached = np.flatnonzero(run >= target)
        assert track.spent == (reached[0] + 1 if len(reached) else 40)
        assert (track.validation[-1] >= target) == bool(len(reached))


def test_runs_with_another_target_are_other_runs(tmp_path) -> None:
    for target in (None, 5.0, 6.0):
        compare(made(), ["random"], 10, 2, workers=1, target=target, out=tmp_path)
    assert len((tmp_path / "runs.jsonl").read_text().splitlines()) == 1 + 3 * 2


def test_a_surrogate_answers_for_the_table_alone_that_it_was_fitted_on(tmp_path) -> None:
    fitted = fit_surrogate(table()).save(tmp_path / "small.npz")
    compare(Subject("small", held=table(), surrogate=str(fitted)), ["random"], 3, 1, workers=1)
    other = table()
    other.dataset = "elsewhere"
    with pytest.raises(
        NasturtiumError, match=r"was fitted on small \(data\), and cannot answer for small \(elsewhere\)"
    ):
        compare(Subject("small", "elsewhere", held=other, surrogate=str(fitted)), ["random"], 3, 1, workers=1)


def test_one_surrogate_is_given_for_one_data_set(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(benching, "datasets_of", lambda *_: ["jigsaw", "normal"])
    command = ["bench", "transnas_micro", "--strategy", "random", "--surrogate", str(tmp_path / "s.npz")]
    assert cli.run([*command, "--dataset", "all"]) == 2
    assert "not for 2; give one --dataset" in capsys.readouterr().err
