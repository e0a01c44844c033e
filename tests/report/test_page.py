"""The report as text: complete for complete studies, honest about what is missing for all others, and safe."""

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nasturtium import spaces
from nasturtium.errors import SpaceError, StudyError
from nasturtium.report.page import render, write_plots, write_report
from nasturtium.report.reading import read_folder
from nasturtium.report.rebuilding import inputs_of, signal_of, space_of
from nasturtium.report.winner import pictures
from nasturtium.space.signal import image, sequence, tokens, vector
from tests.report.studies import Made, make_study, write_best, write_finals

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Checked(HTMLParser):
    """Reads a page, and that its tags are closed in order, its ids are there once, and its links lead somewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert {link[1:] for link in self.links} <= set(self.ids)
        assert not any(re.match("(https?:)?//", address) for address in self.loaded)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.loaded += [given[name] for name in ("src", "href") if name in given]

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def page_of(made: Made) -> tuple[str, Checked]:
    write_report(made.folder, made.folder / "page.html")
    text = (made.folder / "page.html").read_text(encoding="utf-8")
    return text, Checked(text)


def test_a_whole_study(tmp_path: Path) -> None:
    command = ["nasturtium", "search", "digits", "--limit", "params<=1M"]
    made = make_study(tmp_path, 24, settings={"command": command, "versions": {"python": "3.12.1", "torch": "2.13.0"}})
    finals = write_finals(made)
    text, page = page_of(made)
    words = page.words
    assert "Left out" not in words
    assert "24 trials: 24 complete; 48.0 s of training in all" in words
    assert finals["verdict"][0] in words
    assert "nasturtium search digits --limit 'params<=1M'" in words
    assert "It ran with python 3.12.1, torch 2.13.0." in words
    assert "drew valid (253 rows) from the training rows" in words
    assert "A convolutional network with" in words
    assert re.search("complete 24 48.0 s trained and scored", words)
    assert text.count("<svg") == 8
    assert "<script" not in text
    assert {"winner", "finals", "progress", "fronts", "curves", "decisions", "endings", "repeat", "notes"} <= set(
        page.ids
    )
    winner = next(network for network in finals["networks"] if network["name"] == finals["winner"])
    assert f'data-metric="test_accuracy" data-value="{winner["mean"]}"' in text
    assert f'data-metric="params" data-value="{winner["params"]}"' in text


def test_a_study_without_a_final_training(tmp_path: Path) -> None:
    _, page = page_of(make_study(tmp_path, 12))
    assert "No final training was recorded, so there are no test scores" in page.words
    assert "chosen by its validation score" in page.words
    assert "The command was not recorded" in page.words
    assert 'nasturtium.search("digits", space="nasbench201", strategy="random", trials=12' in page.words
    assert "The versions it ran with were not recorded." in page.words


def test_a_folder_of_an_older_release(tmp_path: Path) -> None:
    made = make_study(tmp_path, 12)
    write_best(made)
    text, page = page_of(made)
    best = max(made.complete(), key=lambda trial: trial["scores"]["accuracy"])
    assert f"Trial {best['number']}, handed over after the final training" in page.words
    assert 'data-metric="test_accuracy" data-value="0.92"' in text
    assert "± 0.0283 (sd of 2 runs)" in page.words


def test_settings_that_hold_no_more_than_they_must(tmp_path: Path) -> None:
    made = make_study(tmp_path, 12)
    kept = {"summary": "anything", "objectives": ["max:accuracy"], "limits": []}
    (tmp_path / "settings.json").write_text(json.dumps(kept))
    _, page = page_of(made)
    assert "Search of anything in a space of its own" in page.words
    assert "Notes on the data None." in page.words


def test_only_failed_trials(tmp_path: Path) -> None:
    reason = "RuntimeError: <script>alert('x')</script> [bold]\n  net.py:3 in forward: y = x @ w"
    text, page = page_of(make_study(tmp_path, 5, ends=lambda number: ("failed", reason)))
    assert "There is no winner: no trial ended with a score (5 failed)" in page.words
    assert "RuntimeError: <script>alert('x')</script> [bold]" in page.words
    assert "net.py:3 in forward: y = x @ w" in page.words
    assert "<script" not in text
    assert page.words.count("Left out") == 4


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_trials(tmp_path: Path, count: int) -> None:
    _, page = page_of(make_study(tmp_path, count))
    if count:
        assert f"Trial {count - 1 if count == 1 else ''}".strip() in page.words
        assert "There is no winner" not in page.words
    else:
        assert "There is no winner: nothing was tried" in page.words


def test_several_objectives(tmp_path: Path) -> None:
    made = make_study(tmp_path, 20, objectives=["max:accuracy", "min:params"])
    reading = read_folder(tmp_path)
    front = len(reading.study.front)
    reading.close()
    _, page = page_of(made)
    assert f"It is best by the first of 2 objectives; {front} trials are on the front." in page.words
    assert "plot-front_params" in page.ids


def test_a_recursive_space(tmp_path: Path) -> None:
    _, page = page_of(make_study(tmp_path, 14, space="einspace"))
    assert "Which operations mattered" in page.words
    assert "the space is recursive" in page.words
    assert "the drawing" not in page.words


def test_a_space_that_is_not_known_here(tmp_path: Path) -> None:
    made = make_study(
        tmp_path, 12, settings={"space": "mine", "summary": "words: tokens 70 -> 2 classes; judged by accuracy"}
    )
    _, page = page_of(made)
    assert "Left out: the drawing, because the input 'tokens 70' cannot be made again from its text." in page.words
    assert (
        "described by how often each operation occurs (the space 'mine' is none that this release knows" in page.words
    )


def test_another_fingerprint_is_another_space(tmp_path: Path) -> None:
    make_study(tmp_path, 12)
    reading = read_folder(tmp_path)
    assert space_of(reading).fingerprint == spaces.make("nasbench201", (1, 8, 8), 10).fingerprint
    reading.study.store.header["fingerprint"] = "another"
    with pytest.raises(SpaceError, match="made with options"):
        space_of(reading)
    reading.close()


@pytest.mark.parametrize("signal", [image(3, 32, 32), vector(16), sequence(96, 3), sequence(None, 3, mask=True)])
def test_signals_are_read_from_their_text(signal) -> None:
    assert signal_of(str(signal)) == signal


def test_signals_that_their_text_does_not_hold_are_refused() -> None:
    with pytest.raises(SpaceError, match="cannot be made again"):
        signal_of(str(tokens(70, 10_000)))


def test_input_of_the_final_training_comes_first(tmp_path: Path) -> None:
    made = make_study(tmp_path, 12, settings={"summary": "nothing that can be read"})
    write_best(made)
    reading = read_folder(tmp_path)
    assert inputs_of(reading) == (image(1, 8, 8),)
    reading.close()


def test_broken_files_beside_the_study_are_named(tmp_path: Path) -> None:
    made = make_study(tmp_path, 12)
    (tmp_path / "finals.json").write_text('{"metric": "accuracy"')
    (tmp_path / "best.json").write_text("[]")
    _, page = page_of(made)
    assert f"cannot read {tmp_path / 'finals.json'}" in page.words
    assert "best.json holds no JSON object; it is left out." in page.words


def test_no_study_and_no_room(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no study in"):
        write_report(tmp_path, tmp_path / "page.html")
    made = make_study(tmp_path / "study", 2)
    with pytest.raises(StudyError, match="give another place"):
        write_report(made.folder, made.folder / "study.db" / "page.html")


def test_plots_are_files_of_their_own(tmp_path: Path) -> None:
    made = make_study(tmp_path, 14)
    write_finals(made)
    written = write_plots(tmp_path, tmp_path / "plots")
    names = [path.stem for path in written]
    assert names == ["finals", "progress_trials", "progress_time", "front_params", "front_flops", "learning_curves",
                     "importance", "winner"]  # fmt: skip
    for path in written:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag.endswith("svg")
        assert "prefers-color-scheme:dark" in path.read_text(encoding="utf-8")


def test_a_large_study_makes_a_page_that_is_not_too_large(tmp_path: Path) -> None:
    make_study(tmp_path, 1500, space="mlp", epochs=1)
    reading = read_folder(tmp_path)
    text = render(reading)
    reading.close()
    assert len(text) < 1_500_000
    assert json.dumps(text).count("<circle") > 1500


def test_a_baseline_that_breaks_a_limit_says_so_in_the_table(tmp_path: Path) -> None:
    made = make_study(tmp_path, 8, limits=["params<=30000"])
    finals = write_finals(made)
    plain = next(each for each in finals["networks"] if each["kind"] == "baseline")
    plain["breaks"] = ["params<=30000"]
    (made.folder / "finals.json").write_text(json.dumps(finals))
    _, page = page_of(made)
    assert "plain network baseline, breaks params<=30000" in page.words


def test_of_a_tuned_winner_the_network_is_drawn_as_if_it_were_not_tuned(tmp_path: Path) -> None:
    made = make_study(tmp_path, 12)
    reading = read_folder(tmp_path)
    text = made.trials[0]["architecture"]
    tuned = f"Trained({text}, recipe=Recipe(learning_rate=0.1))"
    assert pictures(reading, tuned) == pictures(reading, text)
    reading.close()
