"""The call that a report gives runs, and makes the same search again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import nasturtium as nt
from nasturtium.report.repeating import call_needs, call_text
from nasturtium.study.folder import read_settings

QUICK = {"trials": 2, "epochs": 1, "final_epochs": 0, "quiet": True}


def states(result: nt.Result) -> list[tuple[str, float | None]]:
    return [(str(trial.architecture), trial.scores.get("accuracy")) for trial in result.trials]


def again(folder: Path, **known: object) -> list[tuple[str, float | None]]:
    """What the call gives that the settings hold."""
    text = call_text(read_settings(folder))
    return states(eval(text, {"nasturtium": nt, **known}))  # noqa: S307  it is what we wrote ourselves


def test_of_a_file_with_its_options(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{int(a + b > 0)},{int(a > b)}" for a, b in rng.normal(size=(120, 2))]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,one,two", *rows]))
    result = nt.search(
        tmp_path / "data.csv", "mlp", "random", out=tmp_path / "out", limits=["params<=1M"], seed=3,
        task_options={"target": "one", "metric": "f1"}, space_options={"depth": 1}, **QUICK,
    )  # fmt: skip
    settings = read_settings(tmp_path / "out")
    assert '"target": "one"' in call_text(settings)
    assert call_needs(settings) == ""
    assert again(tmp_path / "out") == states(result)


def test_of_arrays_and_what_no_text_can_say(tmp_path: Path) -> None:
    y = np.arange(90) % 2
    x = np.random.default_rng(0).normal(size=(90, 5)).astype(np.float32) + 3 * y[:, None]
    space = nt.spaces.mlp(input=(5,), outputs=2)
    recipe = nt.Recipe(lr=0.01) if hasattr(nt, "Recipe") else None
    metric = nt.tasks.Metric(lambda outputs, targets: float(len(targets)), maximise=True, name="rows")
    options = {"metrics": [metric], "layout": "vector"}
    result = nt.search((x, y), space, "random", out=tmp_path, recipe=recipe, task_options=options, **QUICK)
    settings = read_settings(tmp_path)
    assert call_text(settings).startswith("nasturtium.search((x, y), ")
    assert "(x, y), metrics, space" in call_needs(settings)
    assert again(tmp_path, x=x, y=y, space=space, recipe=recipe, metrics=[metric]) == states(result)


def test_of_a_task_that_was_loaded_before(tmp_path: Path) -> None:
    result = nt.search(nt.tasks.load("digits", metric="f1"), "mlp", out=tmp_path / "same", **QUICK)
    assert call_text(read_settings(tmp_path / "same")).startswith('nasturtium.search("digits", task_options={"metric"')
    assert again(tmp_path / "same") == states(result)
    nt.search(nt.tasks.load("digits", seed=7), "mlp", out=tmp_path / "other", **QUICK)  # another split
    settings = read_settings(tmp_path / "other")
    assert call_text(settings).startswith("nasturtium.search(task, ")
    assert call_needs(settings) == "Before it, make what no text can say: task."


def test_of_an_older_folder_that_noted_no_call() -> None:
    known = {"task": "digits", "space": "mlp", "trials": 3}
    assert call_text(known) == 'nasturtium.search("digits", space="mlp", trials=3)'
    assert "the final trainings" in call_needs(known)
    unknown = {**known, "task": "orders"}
    assert call_text(unknown) == 'nasturtium.search(data, space="mlp", trials=3)'
    assert "orders, and how they were to be read" in call_needs(unknown)
