"""A study on a real PostgreSQL server of the system's packages; skipped where there is none."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bit_space import BitSpace, OneMax
from search_driver import GOAL, SPACE, search

from nasturtium.errors import StudyError
from nasturtium.objective import Goal
from nasturtium.strategies import RandomSearch
from nasturtium.study import InProcess, LocalProcesses, open_study, run
from nasturtium.study.places import FULL, LOST
from nasturtium.study.sql import SQLStore
from nasturtium.study.store import event
from nasturtium.trial import State


@pytest.fixture
def url(server):
    return server.url


def test_events_come_back(url):
    with SQLStore(url, {"seed": 1}, name="one") as store:
        store.append([event("asked", 0, text="ü ∞"), event("told", 0)])
        assert store.append([event("asked", 1)], durable=True) == 3
    with SQLStore(url, {"seed": 2}, name="one") as store:
        assert store.header == {"seed": 1}
        found = [(each.kind, each.trial, each.id) for each in store.read(1)]
        assert found == [("told", 0, 2), ("asked", 1, 3)]
        assert next(store.read()).data == {"text": "ü ∞"}


def test_studies_of_one_database_do_not_mix(url):
    with SQLStore(url, {"seed": 1}, name="a") as a, SQLStore(url, {"seed": 2}, name="b") as b:
        a.append([event("e", 1)])
        b.append([event("e", 2)])
        assert [each.trial for each in a.read()] == [1]
        assert [each.trial for each in b.read()] == [2]


def test_a_second_driver_is_refused_and_a_dead_ones_lock_is_free(url):
    with SQLStore(url, {}, name="locked") as store:
        with pytest.raises(StudyError, match=rf"run by process {os.getpid()} on"):
            SQLStore(url, {}, name="locked")
        with SQLStore(url, name="locked", read_only=True) as looking:
            store.append([event("e")])
            assert len(list(looking.read())) == 1
    SQLStore(url, {}, name="locked").close()


def test_a_newer_study_and_a_missing_one_are_refused(url):
    with pytest.raises(StudyError, match="there is no study 'missing' in postgresql"):
        SQLStore(url, name="missing")
    with SQLStore(url, {}, name="newer") as store:
        store.connection.exec_driver_sql("UPDATE nasturtium_studies SET version = 99 WHERE name = 'newer'")
        store.connection.commit()
    with pytest.raises(StudyError, match="upgrade nasturtium"):
        SQLStore(url, {}, name="newer")


def test_a_lost_connection_is_one_clear_line(url):
    store = SQLStore(url, {}, name="cut")
    with SQLStore(url, {}, name="other") as other:
        other.connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    with pytest.raises(StudyError, match="the study 'cut' in postgresql"):
        store.append([event("e")])
    store.close()
    with SQLStore(url, {}, name="cut") as again:
        assert again.append([event("e")]) == 1


def comparable(study):
    return [(t.number, t.state, t.architecture, t.scores, t.curve, t.reason) for t in study]


@pytest.mark.parametrize("strategy", ["random", "evolution"])
def test_a_search_gives_what_it_gives_in_memory_and_goes_on(url, strategy):
    whole, _ = search(None, InProcess(OneMax(steps=2)), strategy)
    name = f"search {strategy}"
    header = {"seed": 3, "strategy": strategy}
    for trials in (15, 40):
        study, _ = search(url, InProcess(OneMax(steps=2)), strategy, trials, name=name)
        study.close()
    study = open_study(url, GOAL, SPACE, header, name=name)
    assert comparable(study) == comparable(whole)
    study.close()
    with pytest.raises(StudyError, match="was made with seed 3, now it is 4"):
        open_study(url, GOAL, SPACE, header | {"seed": 4}, name=name)
    watcher = open_study(url, GOAL, name=name, read_only=True)
    assert [trial.scores for trial in watcher] == [trial.scores for trial in whole]
    watcher.close()


def test_who_closes_a_study_lets_go_of_it_at_once(url, monkeypatch):
    """Also while the server has not yet noticed that the session which held it is closed."""
    first = SQLStore(url, {}, name="let go")
    session = first.place.locking
    monkeypatch.setattr(session, "close", lambda: None)
    first.close()
    SQLStore(url, {}, name="let go").close()
    monkeypatch.undo()
    session.close()


def test_looking_gives_no_right_to_write(url):
    SQLStore(url, {}, name="looked at").close()
    with SQLStore(url, name="looked at", read_only=True) as looking:
        with pytest.raises(StudyError, match="it may not be written; ask for another role"):
            looking.append([event("e")])
        assert list(looking.read()) == []


def test_a_full_disk_of_the_server_is_one_clear_line(url):
    """As the server says it, by a trigger: SQLSTATE 53100."""
    full = (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.kind = 'big' THEN RAISE "
        "EXCEPTION 'could not extend file \"base/5/16403\": No space left on device' USING ERRCODE = '53100'; "
        "END IF; RETURN NEW; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON nasturtium_events FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    with SQLStore(url, {}, name="full") as store:
        store.append([event("small")])
        for each in full:
            store.connection.exec_driver_sql(each)
        store.connection.commit()
        try:
            with pytest.raises(StudyError) as told:
                store.append([event("small"), event("big")])
            assert str(told.value).endswith(FULL)
            assert store.append([event("small")]) == 2  # all or none of those before
        finally:
            store.connection.exec_driver_sql("DROP FUNCTION full_disk CASCADE")
            store.connection.commit()


class Cut(OneMax):
    """Stops the server in the middle of the search."""

    def __init__(self, server):
        object.__setattr__(self, "server", server)
        object.__setattr__(self, "count", 0)

    def evaluate(self, architecture, budget, report):
        object.__setattr__(self, "count", self.count + 1)
        if self.count == 7:
            self.server.stop()
        return {"accuracy": sum(architecture.decisions) / 8 + (report.seed % 1000) / 1e6}


def test_a_server_that_dies_ends_the_search_in_one_line_and_it_goes_on_when_it_is_back(server):
    space, goal = BitSpace(8), Goal.of("accuracy")
    study = open_study(server.url, goal, space, {"seed": 0}, name="server dies")
    with pytest.raises(StudyError) as told:
        run(study, RandomSearch(space), InProcess(Cut(server)), trials=20)
    assert str(told.value).endswith(LOST)
    study.close()
    with pytest.raises(StudyError, match="no server answers there; start it"):
        open_study(server.url, goal, space, {"seed": 0}, name="server dies")
    server.start()
    again = open_study(server.url, goal, space, {"seed": 0}, name="server dies")
    assert again.counts[State.COMPLETE] == 6
    run(again, RandomSearch(space), InProcess(OneMax()), trials=20)
    assert again.counts[State.COMPLETE] == 20
    again.close()


@pytest.mark.parametrize("kind", ["in_process", "two_workers"])
def test_a_killed_driver_lets_go_of_the_study_and_loses_nothing(url, kind):
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
    command = [sys.executable, here / "search_driver.py", url, kind, "random", "300"]
    header = {"seed": 3, "strategy": "random"}
    told = {}
    for _ in range(2):
        driver = subprocess.Popen([*command, f"killed {kind}"], env=environment, stdout=subprocess.PIPE, text=True)
        assert driver.stdout.readline() == "begun\n"
        with pytest.raises(StudyError, match=rf"is being run by process {driver.pid} on"):
            open_study(url, GOAL, BitSpace(12), header, name=f"killed {kind}")
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
        study = open_study(url, GOAL, BitSpace(12), header, name=f"killed {kind}")
        assert {number: study.trials[number].scores for number in told} == told
        told = {trial.number: trial.scores for trial in study if trial.state.ended}
        study.close()


def test_workers_and_the_database_go_together(url):
    study, _ = search(url, LocalProcesses(OneMax(steps=2), SPACE, 2), "random", 12, name="workers")
    assert study.counts[State.COMPLETE] == 12
    study.close()


def test_a_search_in_a_database_is_shown_reported_and_read(url, tmp_path, capsys):
    from nasturtium.cli import run as command
    from nasturtium.report.reading import read_folder

    out = tmp_path / "digits"
    quick = ["--trials", "2", "--epochs", "1", "--final-epochs", "0", "--space", "mlp"]
    assert command(["search", "digits", "--store", url, "--out", str(out), *quick]) == 0
    capsys.readouterr()
    reading = read_folder(out, url)
    assert len(reading.study.trials) == 2
    reading.close()
    assert command(["show", str(out), "--store", url]) == 0
    assert "2 complete" in capsys.readouterr().out
