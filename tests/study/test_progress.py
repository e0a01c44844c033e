"""The line about a running search: what it says, and where it keeps quiet."""

import io

from bit_space import BitSpace, OneMax
from rich.console import Console

from nasturtium.objective import Goal
from nasturtium.strategies import RandomSearch
from nasturtium.study import InProcess, Line, MemoryStore, Silent, Study, make_progress, run
from nasturtium.study.progress import clock, describe


def searched(progress=None, trials=6):
    study = Study(MemoryStore(), Goal.of("accuracy", ["params<=100"]), BitSpace(20))
    options = {"trials": trials, "cost": BitSpace(20).cost, "progress": progress}
    run(study, RandomSearch(BitSpace(20)), InProcess(OneMax(steps=2)), **options)
    return study


def test_the_line_says_what_matters():
    study = searched()
    refused = len(study) - 6
    best = study.best
    assert describe(study, 2, 10, 192.0) == (
        f"6/10 trials, 2 running, {refused} infeasible, "
        f"best accuracy {best.scores['accuracy']:.5g} (trial {best.number}), 3:12 left"
    )


def test_nothing_is_said_of_what_is_not_there():
    study = Study(MemoryStore(), Goal.of("accuracy"), BitSpace(4))
    assert describe(study, 0, 10, None) == "0/10 trials"
    assert describe(study, 0, None, None) == "0 trials"


def test_times_are_written_as_people_do():
    assert [clock(seconds) for seconds in (0.4, 59.6, 192, 3792)] == ["0:00", "1:00", "3:12", "1:03:12"]


def test_without_a_terminal_a_line_comes_now_and_then():
    out = io.StringIO()
    searched(Line(6, console=Console(file=out, width=200)), trials=50)
    assert 1 <= len(out.getvalue().splitlines()) <= 2
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_the_line_is_redrawn_and_cleared():
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=True)
    line = Line(6, console=console)
    searched(line)
    assert "/6 trials" in out.getvalue()
    assert "\x1b[2K" in out.getvalue()
    line.note("a word")
    assert "a word" in out.getvalue()


def test_the_time_left_follows_the_pace_of_this_run_and_the_limit():
    line = Line(10, seconds=100.0, console=Console(file=io.StringIO()))
    line.begun, line.before = 0.0, 2
    assert line.left(2, 10.0) == 90.0  # nothing done here yet: the limit alone
    assert line.left(4, 10.0) == 30.0  # two in ten seconds, six to go
    assert line.left(4, 95.0) == 5.0


def test_quiet_is_quiet():
    assert isinstance(make_progress(5, quiet=True), Silent)
