"""Plots: well-formed SVG whose marks lie where the numbers say, and axes with round ticks that hold all values."""

import math
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasturtium.report.axes import Axis, axis, log_ticks, robust, ticks
from nasturtium.report.numbers import mean_and_spread, number_text, seconds_text
from nasturtium.report.plots import Bar, Plot, bars, fitting, whiskers
from nasturtium.report.wording import text_width

SVG = "{http://www.w3.org/2000/svg}"
values = st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=1, max_size=40)


@given(values)
def test_an_axis_holds_its_values_and_has_few_round_ticks(found: list[float]) -> None:
    made = axis("x", found)
    assert made.low < made.high
    assert all(made.holds(value) and 0 <= made.place(value) <= 1 for value in found)
    if made.high - made.low > 1e-9 * max(abs(made.low), abs(made.high)):
        assert 2 <= len(made.ticks()) <= 11


@given(st.floats(1e-6, 1e9), st.floats(20, 1e9))
def test_logarithmic_ticks_are_one_two_three_or_five_times_powers_of_ten(low: float, span: float) -> None:
    for tick in log_ticks(low, low * span):
        assert low <= tick <= low * span
        digits = tick / 10 ** math.floor(math.log10(tick) + 1e-9)
        assert min(abs(digits - wanted) for wanted in (1, 2, 3, 5)) < 1e-6


def test_ticks() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(0.9, 3.1, 5, whole=True) == [1, 2, 3]


def test_one_terrible_score_does_not_squeeze_the_others() -> None:
    scores = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.1]
    assert robust("accuracy", scores, maximise=True).low > 0.8
    assert robust("accuracy", scores, maximise=True).high > 0.95
    losses = [1 - score for score in scores]
    assert robust("loss", losses, maximise=False).high < 0.2
    assert robust("loss", losses, maximise=False).low < 0.05
    assert robust("accuracy", [0.1, 0.9, 0.91], maximise=True).low < 0.1


def test_points_and_lines_lie_where_the_numbers_say() -> None:
    plot = Plot("title", Axis("x", 0, 10), Axis("y", 0, 1))
    plot.point(0, 0, about="corner & <b>")
    plot.point(10, 1)
    plot.point(5, -3)
    plot.line([(0, 0), (5, 1), (10, 0.5)], "line c0", steps=True)
    root = ElementTree.fromstring(plot.svg(style=True))
    corner, opposite = root.findall(f"{SVG}circle")
    x0, y0, x1, y1 = (float(each.get(name)) for each in (corner, opposite) for name in ("cx", "cy"))
    assert x0 < x1
    assert y0 > y1
    assert corner.find(f"{SVG}title").text == "corner & <b>"
    assert plot.beyond == 1
    path = next(each for each in root.findall(f"{SVG}path") if each.get("class") == "line c0").get("d")
    middle, half = (x0 + x1) / 2, (y0 + y1) / 2
    assert path == f"M{x0:g} {y0:g}H{middle:g}V{y1:g}H{x1:g}V{half:g}"


def test_bars_are_in_proportion() -> None:
    root = ElementTree.fromstring(bars("t", [Bar("a", 0.6, "60%"), Bar("b", 0.15, "15%")], "about", style=True))
    first, second = (float(each.get("width")) for each in root.findall(f"{SVG}rect"))
    assert first / second == pytest.approx(4, rel=0.01)
    assert root.get("aria-label") == "t. about"


def test_whiskers_span_their_intervals() -> None:
    row = Bar("net", 0.5, "0.5", (0.4, 0.7), (0.45, 0.55))
    root = ElementTree.fromstring(whiskers("t", Axis("score", 0, 1), [row], ""))
    line = next(each for each in root.findall(f"{SVG}line") if each.get("class") == "whisker")
    circles = [float(each.get("cx")) for each in root.findall(f"{SVG}circle")]
    low, high = float(line.get("x1")), float(line.get("x2"))
    assert sorted([low, *circles, high]) == [low, circles[0], circles[2], circles[1], high]
    assert (circles[2] - low) / (high - low) == pytest.approx(1 / 3, abs=0.01)


def test_texts_are_cut_to_fit() -> None:
    assert fitting("short", 200) == "short"
    cut = fitting("0.cell.nodes_2_edges_0_operation" * 3, 200)
    assert cut.startswith("…")
    assert text_width(cut, 14) <= 200


def test_numbers_as_people_read_them() -> None:
    assert [number_text(v) for v in (0.98765, 12345.0, 1.5e6, 3e10, 2e-5, 0.0, math.nan, None, -0.5)] == [
        "0.9877", "12,345", "1.5M", "30G", "2e-05", "0.0000", "nan", "–", "-0.5000"
    ]  # fmt: skip
    assert seconds_text(59.94) == "59.9 s"
    assert mean_and_spread([1.0, 2.0, 6.0]) == (3.0, pytest.approx(math.sqrt(7)))
    assert mean_and_spread([1.0]) == (1.0, None)
