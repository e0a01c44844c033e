"""``nasturtium score``: scores of an architecture and of a space, as text and JSON."""

import json
import math

import pytest

from nasturtium.cli import run
from nasturtium.proxies import PROXIES

NET = "Sequential(ConvBlock(4), GlobalPool(), Linear(10))"


def test_an_architecture_has_a_line_and_a_row(tmp_path, capsys):
    file = tmp_path / "rows.json"
    assert run(["score", NET, "--task", "digits", "--rows", "16", "--json", str(file)]) == 0
    head, line, *_ = capsys.readouterr().out.splitlines()
    assert set(PROXIES) <= set(head.split())
    assert NET in line
    (row,) = json.loads(file.read_text())
    assert row["params"] == 4 * 9 + 8 + 50  # no bias before the norm
    assert row["task"] == "digits"
    assert all(math.isfinite(row[name]) for name in PROXIES)


def test_architectures_of_a_space_are_drawn_by_the_seed(tmp_path, capsys):
    rows = []
    for place in ("a", "b"):
        file = tmp_path / place
        command = ["score", "mlp", "--task", "digits", "--proxies", "snip,params", "--count", "3", "--seed", "4"]
        assert run([*command, "--json", str(file)]) == 0
        rows.append(json.loads(file.read_text()))
    assert rows[0] == rows[1]
    assert [row["number"] for row in rows[0]] == [0, 1, 2]
    assert len({row["architecture"] for row in rows[0]}) > 1


def test_what_has_no_value_is_null_and_said(tmp_path, capsys):
    file = tmp_path / "rows.json"
    text = "Sequential(Flatten(), Linear(10))"
    assert run(["score", text, "--task", "digits", "--proxies", "nwot,flops", "--json", str(file)]) == 0
    assert "no nwot: the network has no activation that it knows (# 0)" in capsys.readouterr().out
    (row,) = json.loads(file.read_text())
    assert row["nwot"] is None
    assert row["reasons"] == {"nwot": "the network has no activation that it knows"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([NET, "--task", "digits", "--proxies", "synflo"], "did you mean 'synflow'"),
        (["convnt", "--task", "digits"], "convnet"),
        ([NET, "--task", "nothing"], "unknown task"),
        ([NET, "--task", "digits", "--space-option", "depth=2"], "belongs to a space"),
        (["mlp", "--task", "digits", "--space-option", "deep=2"], "did you mean 'depth'"),
    ],
)
def test_what_cannot_be_used_is_said_on_one_line(arguments, said, capsys):
    assert run(["score", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
