"""The event store on a real PostgreSQL server of the system's packages; skipped where there is none."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from nasturtium.errors import StudyError
from nasturtium.study.sql import SQLStore
from nasturtium.study.store import event


def binary(name):
    """Where the server's program is: on the path, or where Debian puts it."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(places[0]) if places else shutil.which(name)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")
    if binary("initdb") is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    folder = tmp_path_factory.mktemp("postgres")
    user = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        folder.parent.chmod(0o755)
        folder.parent.parent.chmod(0o755)
        user = {"user": "postgres"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binary("initdb"), "-D", folder / "data", "-U", "postgres", "-A", "trust"]
    subprocess.run(command, check=True, capture_output=True, cwd="/", **user)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    control = [binary("pg_ctl"), "-D", folder / "data", "-w"]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], check=True, cwd="/", **user)
    yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd="/", **user)


def test_events_come_back(server):
    with SQLStore(server, {"seed": 1}, name="one") as store:
        store.append([event("asked", 0, text="ü ∞"), event("told", 0)])
        assert store.append([event("asked", 1)], durable=True) == 3
    with SQLStore(server, {"seed": 2}, name="one") as store:
        assert store.header == {"seed": 1}
        found = [(each.kind, each.trial, each.id) for each in store.read(1)]
        assert found == [("told", 0, 2), ("asked", 1, 3)]
        assert next(store.read()).data == {"text": "ü ∞"}


def test_studies_of_one_database_do_not_mix(server):
    with SQLStore(server, {"seed": 1}, name="a") as a, SQLStore(server, {"seed": 2}, name="b") as b:
        a.append([event("e", 1)])
        b.append([event("e", 2)])
        assert [each.trial for each in a.read()] == [1]
        assert [each.trial for each in b.read()] == [2]


def test_a_second_driver_is_refused_and_a_dead_ones_lock_is_free(server):
    with SQLStore(server, {}, name="locked") as store:
        with pytest.raises(StudyError, match=rf"run by process {os.getpid()} on"):
            SQLStore(server, {}, name="locked")
        with SQLStore(server, name="locked", read_only=True) as looking:
            store.append([event("e")])
            assert len(list(looking.read())) == 1
    SQLStore(server, {}, name="locked").close()


def test_a_newer_study_and_a_missing_one_are_refused(server):
    with pytest.raises(StudyError, match="there is no study 'missing' in postgresql"):
        SQLStore(server, name="missing")
    with SQLStore(server, {}, name="newer") as store:
        store.connection.exec_driver_sql("UPDATE nasturtium_studies SET version = 99 WHERE name = 'newer'")
        store.connection.commit()
    with pytest.raises(StudyError, match="upgrade nasturtium"):
        SQLStore(server, {}, name="newer")


def test_a_lost_connection_is_one_clear_line(server):
    store = SQLStore(server, {}, name="cut")
    with SQLStore(server, {}, name="other") as other:
        other.connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    with pytest.raises(StudyError, match="the study 'cut' in postgresql"):
        store.append([event("e")])
    store.close()
    with SQLStore(server, {}, name="cut") as again:
        assert again.append([event("e")]) == 1
