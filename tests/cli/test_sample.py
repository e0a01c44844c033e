"""``nasturtium sample`` and ``nasturtium list spaces``: what they write, and what they refuse."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nasturtium import spaces
from nasturtium.cli import listing, run
from nasturtium.cli.options import read_option
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.space import Architecture, Space, choice
from nasturtium.space.notations import Notation
from nasturtium.spaces import Published


def write(architecture: Architecture) -> str:
    return f"|{architecture.value.layers[0].out}|"


def read(text: str) -> tuple[int, ...]:
    return ((4, 8, 16).index(int(text.strip("|"))),)


def toy(input: object = (4,), outputs: int = 3, *, gain: float = 1.0, act: bool = True, kind: str = "plain") -> Space:
    """A space with a notation, members and options of several types."""
    assert isinstance(gain, (int, float))
    assert isinstance(act, bool)
    assert isinstance(kind, str)
    net = Sequential(Linear(choice(4, 8, 16)), *([ReLU()] if act else []), Linear(outputs))
    members = {"small": "|4|", "large": "|16|"}
    return Space(net, input=input, name="toy", notation=Notation(write, read), members=members)


@pytest.fixture(autouse=True)
def with_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Published(toy, ("vector",), 3, (4,), "three networks", "Nobody 1999")
    monkeypatch.setitem(spaces.SPACES, "toy", row)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["sample", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_space_gives_input_and_outputs_unless_they_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "toy")[0].endswith("Linear(3))")
    assert said(capsys, "toy", "--outputs", "7")[0].endswith("Linear(7))")
    assert said(capsys, "toy", "--tree")[-1].endswith("input vector 4, output vector 3")
    assert said(capsys, "toy", "--tree", "--input", "9")[-1].endswith("input vector 9, output vector 3")


def test_options_are_numbers_truths_and_texts(capsys: pytest.CaptureFixture[str]) -> None:
    assert "ReLU" in said(capsys, "toy")[0]
    assert "ReLU" not in said(capsys, "toy", "--option", "act=false", "--option", "gain=0.5", "--option", "kind=x")[0]


def test_a_member_is_shown_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "toy", "--member", "large", "--count", "5") == ["Sequential(Linear(16), ReLU(), Linear(3))"]
    assert said(capsys, "toy", "--member", "large", "--notation") == ["|16|"]
    tree = said(capsys, "toy", "--member", "large", "--notation", "--tree")
    assert tree[0] == "|16|"
    assert tree[1].startswith("Sequential ")
    assert tree[-1].startswith(f"{4 * 16 + 16 + 16 * 3 + 3} parameters")


def test_a_summary_says_what_a_network_is(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = said(capsys, "toy", "--member", "large", "--summary")
    assert line.startswith(f"A fully connected network with {4 * 16 + 16 + 16 * 3 + 3} parameters, from 4 numbers to 3")
    lines = said(capsys, "toy", "--member", "large", "--summary", "--notation", "--tree")
    assert lines[:2] == ["|16|", line]
    assert lines[2].startswith("Sequential ")
    assert len(said(capsys, "toy", "--count", "3", "--summary")) == 3


def test_notations_follow_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    first = said(capsys, "toy", "--count", "9", "--notation", "--seed", "4")
    assert set(first) <= {"|4|", "|8|", "|16|"}
    assert len(set(first)) > 1
    assert said(capsys, "toy", "--count", "9", "--notation", "--seed", "4") == first


def test_drawings_are_written_one_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "convnet", "--count", "3", "--svg", str(tmp_path / "net.svg"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net-0.svg", "net-1.svg", "net-2.svg"]
    for number, line in enumerate(lines):
        root = ElementTree.parse(tmp_path / f"net-{number}.svg").getroot()
        counted = Architecture.parse(line, input=(3, 32, 32)).count()
        assert root.get("data-params") == str(counted["params"])
    said(capsys, "toy", "--member", "small", "--count", "3", "--svg", str(tmp_path / "one.svg"))
    assert (tmp_path / "one.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["toy", "--member", "smal"], "did you mean 'small'"),
        (["convnet", "--member", "small"], "knows no member 'small'"),
        (["convnet", "--notation"], "no notation"),
        (["toy", "--option", "gian=2"], "did you mean 'gain'"),
        (["toy", "--option", "gain"], "write NAME=VALUE"),
        (["toy", "--option", "=2"], "write NAME=VALUE"),
        (["toy", "--option", "outputs=2"], "--outputs 2"),
        (["toy", "--svg", "/nowhere/at/all.svg"], "/nowhere/at/all.svg"),
        (["toyy", "--tree"], "did you mean 'toy'"),
        (["toy", "--input", "3,8,8"], "takes vector"),
    ],
)
def test_what_cannot_be_used_is_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("nasturtium: ")
    assert error.count("\n") == 1
    assert says in error


@pytest.mark.parametrize(
    ("size", "text"),
    [(15_625, "15,625"), (3_425_438_016, "3.4e+09"), (math.inf, "infinite"), (None, ""), (10**400, "1e+400")],
)
def test_sizes_are_short(size: float | None, text: str) -> None:
    assert listing.size_text(size) == text


def test_the_table_of_spaces_fits_80_columns_and_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    console = Console(width=80)
    console.print(listing.spaces_table())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    shown = "".join("".join(lines).split())
    for name, published in spaces.SPACES.items():
        assert any(line.strip().startswith(name[:10]) for line in lines)
        assert "".join(published.source.split())[:12] in shown
    assert "small,large" in shown


def test_a_piped_list_has_one_plain_line_a_space(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "spaces"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(spaces.SPACES)
    (line,) = [line for line in lines if line.startswith("toy ")]
    assert line.endswith("3; vector; three networks; members: small, large; Nobody 1999")


def test_members_are_listed_with_their_space(capsys):
    assert run(["list", "members"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == sum(len(row(input=row.input).members) for row in spaces.SPACES.values())
    assert any(line.startswith("darts: DARTS (second order) ") for line in listed)


def test_options_may_be_several_numbers_but_are_given_once(tmp_path, capsys):
    assert read_option("filters=8,8, 16") == ("filters", (8, 8, 16))
    assert read_option("cells=3,") == ("cells", (3,))
    assert read_option('options={"population": 5}') == ("options", {"population": 5})
    for arguments, what in (
        (["sample", "nasbench201", "--option", "cells=3", "--option", "cells=4"], "given twice"),
        (["sample", "nasbench201", "--count", "2", "--svg", str(tmp_path)], "it is a folder"),
        (["sample", "darts", "--option", "drop_path=abc"], "must be like its default"),
        (["sample", "darts", "--option", "input=3,32,32"], "is no option of a space; give --input"),
        (["sample", "darts", "--option", "cells=[3"], "it is no JSON"),
    ):
        assert run(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert what in line
    assert run(["sample", "nasbench201", "--seed", "-1"]) == 2
