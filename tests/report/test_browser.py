"""The report in a real browser: headless Chromium opens it, reads its numbers, walks through it by keyboard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nasturtium.report.page import write_report
from tests.report.studies import Made, make_study, write_finals

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is missing: pip install 'nasturtium[dev]'")

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    BROWSER is None or DRIVER is None,
    reason="Chromium or its driver is missing: apt-get install chromium chromium-driver",
)

VIEWS = [(400, "light"), (400, "dark"), (1600, "light"), (1600, "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("study")

    def ends(number: int) -> tuple[str, str]:
        long = "ValueError: " + "a_name_that_cannot_be_broken_" * 6
        return ("failed", f"{long}\n  net.py:3 in forward: x") if number in (3, 9) else ("complete", "")

    command = ["nasturtium", "search", "digits", "--space", "nasbench201", "--trials", "26", "--out", "runs/digits"]
    versions = {"python": "3.12.1", "nasturtium": "0.1.0"}
    made = make_study(folder, 26, ends=ends, settings={"command": command, "versions": versions})
    finals = write_finals(made)
    write_report(folder, folder / "page.html")
    return made, finals


def opened(browser: Any, folder: Path, width: int, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("performance")
    browser.get((folder / "page.html").as_uri())


def table_in(browser: Any, selector: str) -> list[list[str]]:
    script = """return [...document.querySelector(arguments[0]).tBodies[0].rows].map(
        row => [...row.cells].map(cell => cell.textContent.trim()))"""
    return browser.execute_script(script, selector)


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_opens_without_errors_without_network_and_without_overflow(browser, study, width: int, scheme: str) -> None:
    opened(browser, study[0].folder, width, scheme)
    browser.execute_script("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    assert asked
    assert all(address.startswith(("file:", "data:")) for address in asked)
    wide, room = browser.execute_script("const e = document.documentElement; return [e.scrollWidth, e.clientWidth]")
    assert wide == room
    assert width - 20 < room <= width  # a scrollbar may take some
    beyond = browser.execute_script("""return [...document.querySelectorAll('main *')].filter(each =>
        !each.closest('svg, .scroll, pre') &&
        each.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(
        each => each.outerHTML.slice(0, 80))""")
    assert beyond == []


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_colours_follow_the_scheme_and_texts_stand_out(browser, study, width: int, scheme: str) -> None:
    """Contrast ratio of WCAG 2.1, at least 4.5 for every text on the page, those in pictures included."""
    opened(browser, study[0].folder, width, scheme)
    script = """
    const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
        v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce(
        (sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = each => { for (let e = each; e; e = e.parentElement) {
        const colour = parse(getComputedStyle(e).backgroundColor);
        if (colour.length === 3 || colour[3] > 0) return colour } return [255, 255, 255] };
    const found = [];
    for (const each of document.querySelectorAll('body *')) {
        const own = [...each.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || ['STYLE', 'TITLE', 'title', 'desc', 'style'].includes(each.tagName)) continue;
        const drawn = each.closest('svg.architecture') !== null;
        if (drawn) continue;
        const look = getComputedStyle(each);
        const text = parse(each.closest('svg') ? look.fill : look.color), back = behind(each);
        const [a, b] = [light(text), light(back)].sort((x, y) => y - x);
        found.push([(a + 0.05) / (b + 0.05), each.outerHTML.slice(0, 80)]);
    }
    return [light(behind(document.body)), found]"""
    back, found = browser.execute_script(script)
    assert (back < 0.05) == (scheme == "dark")
    assert len(found) > 200
    assert [each for each in found if each[0] < 4.5] == []


def test_its_numbers_are_those_of_the_study(browser, study) -> None:
    made, finals = study
    opened(browser, made.folder, 1600, "light")
    shown = browser.execute_script("""return Object.fromEntries([...document.querySelectorAll('[data-metric]')].map(
        each => [each.dataset.metric, Number(each.dataset.value)]))""")
    winner = finals["networks"][0]
    trial = made.trials[winner["number"]]
    wanted = {name: trial["scores"][name] for name in ("accuracy", "params", "flops")}
    assert shown == {**wanted, "test_accuracy": winner["mean"]}
    rows = {row[0]: row for row in table_in(browser, "#finals-table")}
    assert rows.keys() == {network["name"] for network in finals["networks"]}
    for network in finals["networks"]:
        mean = "–" if network["mean"] is None else f"{network['mean']:.4f}"
        assert rows[network["name"]][2] == mean
    best = sorted(made.complete(), key=lambda each: -each["scores"]["accuracy"])[:10]
    top = table_in(browser, "#trials table")
    assert [(row[0], row[1]) for row in top] == [
        (str(each["number"]), f"{each['scores']['accuracy']:.4f}") for each in best
    ]
    ended = {row[0]: row[1:3] for row in table_in(browser, "#endings table")}
    assert ended == {"complete": ["24", "48.0 s"], "failed": ["2", "4.0 s"]}


def test_plots_have_a_mark_for_each_trial(browser, study) -> None:
    made, _ = study
    opened(browser, made.folder, 1600, "light")
    marks = ", ".join(f"#plot-progress_trials {mark}" for mark in (".point:not(.d0)", ".beyond"))
    count = f"return document.querySelectorAll('{marks}').length"
    assert browser.execute_script(count) == len(made.complete())
    labels = browser.execute_script(
        "return [...document.querySelectorAll('svg')].map(e => e.getAttribute('aria-label'))"
    )
    assert len(labels) == 8
    assert all(labels)


def test_everything_can_be_reached_by_keyboard(browser, study) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, study[0].folder, 400, "light")
    wanted = browser.execute_script("""window.wanted = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')
        ].filter(each => each.checkVisibility()); return wanted.length""")
    reached = []
    for _ in range(wanted):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        place, outline = browser.execute_script("""const active = document.activeElement;
            return [wanted.indexOf(active), getComputedStyle(active).outlineStyle]""")
        reached.append(place)
        assert outline != "none"
    assert reached == list(range(wanted))


def test_details_open_by_keyboard_and_regions_have_names(browser, study) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, study[0].folder, 400, "dark")
    summary = browser.find_element("css selector", "#winner details summary")
    summary.send_keys(Keys.ENTER)
    assert browser.find_element("id", "architecture").is_displayed()
    unnamed = browser.execute_script("""return [...document.querySelectorAll('[role="region"], nav, section')].filter(
        each => !each.getAttribute('aria-label') &&
        !document.getElementById(each.getAttribute('aria-labelledby'))).length""")
    assert unnamed == 0
    headless = browser.execute_script("""return [...document.querySelectorAll('table')].filter(
        each => !each.caption || !each.querySelector('thead th[scope=col]') ||
        !each.querySelector('tbody th[scope=row]')).length""")
    assert headless == 0
    levels = browser.execute_script("return [...document.querySelectorAll('h1, h2, h3')].map(e => e.tagName).join(' ')")
    assert levels.startswith("H1 H2")
    assert levels.count("H1") == 1
