"""Event stores: what is appended is there, whatever happens to the file; and refusals say what would do."""

import itertools
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from nasturtium.errors import StudyError
from nasturtium.study.sql import SQLStore
from nasturtium.study.store import VERSION, MemoryStore, event
from nasturtium.testing import check_reopening, check_store

HERE = Path(__file__).parent


def fill(store, count=5):
    for number in range(count):
        store.append([event("asked", number, decisions=[1, 0], key="k"), event("started", number)])
        store.append([event("told", number, scores={"accuracy": 0.5}, note="ü ∞")])


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_the_laws_of_stores_are_kept(kind, request, tmp_path):
    numbers = itertools.count()

    def new():
        if kind == "memory":
            return MemoryStore
        place = request.getfixturevalue("server").url if kind == "postgres" else tmp_path / f"{next(numbers)}.sqlite"
        return partial(SQLStore, place, name=f"{tmp_path}-{next(numbers)}")

    check_store(new)
    if kind != "memory":
        check_reopening(new())


def test_many_events_are_read_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("nasturtium.study.sql.CHUNK", 7)
    with SQLStore(tmp_path / "s.sqlite", {}) as store:
        store.append([event("e", i) for i in range(50)])
        assert [each.trial for each in store.read(3)] == list(range(3, 50))


def test_the_file_is_plain_sqlite_that_others_can_read(tmp_path):
    with SQLStore(tmp_path / "s.sqlite", {"seed": 1}) as store:
        fill(store, 2)
        other = sqlite3.connect(tmp_path / "s.sqlite")  # beside the open store
        rows = other.execute("SELECT kind, trial, data FROM nasturtium_events ORDER BY id").fetchall()
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.close()
    assert [row[:2] for row in rows] == [(k, n) for n in range(2) for k in ("asked", "started", "told")]
    assert json.loads(rows[0][2])["decisions"] == [1, 0]


def test_opening_again_keeps_all_and_ignores_the_header(tmp_path):
    with SQLStore(tmp_path / "deep" / "s.sqlite", {"seed": 1}) as store:
        fill(store)
        before = list(store.read())
    with SQLStore(tmp_path / "deep" / "s.sqlite", {"seed": 2}) as store:
        assert store.header == {"seed": 1}
        assert list(store.read()) == before
        assert store.append([event("more")]) == 16


def test_what_was_appended_outlives_a_kill(tmp_path):
    script = (
        "import os, signal, sys\n"
        "from nasturtium.study.sql import SQLStore\n"
        "from nasturtium.study.store import event\n"
        "store = SQLStore(sys.argv[1], {})\n"
        "for number in range(100): store.append([event('e', number)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "s.sqlite")], check=False)
    assert done.returncode == -9
    with SQLStore(tmp_path / "s.sqlite") as store:
        assert [each.trial for each in store.read()] == list(range(100))


def test_a_log_torn_at_any_byte_opens_with_a_beginning_of_the_events(tmp_path):
    """A power cut can tear the end of the write-ahead log; it then ends at the last whole commit."""
    whole = tmp_path / "whole"
    store = SQLStore(whole / "s.sqlite", {"seed": 1})
    store.append([event("first")])
    store.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.connection.commit()
    fill(store, 3)
    shutil.copytree(whole, tmp_path / "copy")
    expected = list(store.read())
    store.close()
    log = (tmp_path / "copy" / "s.sqlite-wal").read_bytes()
    main = (tmp_path / "copy" / "s.sqlite").read_bytes()
    found = set()
    for cut in [*range(0, len(log), 397), len(log) - 1, len(log)]:
        torn = tmp_path / "torn"
        shutil.rmtree(torn, ignore_errors=True)
        torn.mkdir()
        (torn / "s.sqlite").write_bytes(main)
        (torn / "s.sqlite-wal").write_bytes(log[:cut])
        with SQLStore(torn / "s.sqlite", {"seed": 9}) as opened:
            events = list(opened.read())
            assert events == expected[: len(events)]
            assert events
            assert opened.append([event("more")]) == len(events) + 1
        found.add(len(events))
    assert found == {1, 3, 4, 6, 7, 9, 10}


def test_a_file_cut_at_any_byte_is_refused(tmp_path):
    path = tmp_path / "s.sqlite"
    with SQLStore(path, {"seed": 1}) as store:
        fill(store, 60)
        expected = list(store.read())
    content = path.read_bytes()
    refused = 0
    size = len(content)
    for cut in [1, 15, 16, 99, 100, 511, *range(512, size, 487), *range(size - 70, size)]:
        for leftover in tmp_path.glob("s.sqlite*"):
            leftover.unlink()
        path.write_bytes(content[:cut])
        try:
            with SQLStore(path, {"seed": 1}) as store:
                assert list(store.read()) == expected  # nothing but padding was cut off
        except StudyError as error:
            assert "damaged" in str(error)  # noqa: PT017 - either is right, nothing else is
            refused += 1
    assert refused > 60


def test_flipped_bytes_are_noticed_or_harmless(tmp_path):
    path = tmp_path / "s.sqlite"
    with SQLStore(path, {"seed": 1}) as store:
        fill(store, 40)
    content = bytearray(path.read_bytes())
    page = content.index(b"asked") // 4096 * 4096
    content[page] ^= 0xFF  # the kind of a page of the table
    path.write_bytes(bytes(content))
    with pytest.raises(StudyError, match="damaged"):
        SQLStore(path, {"seed": 1})


def test_an_empty_file_is_a_study_that_was_killed_at_birth(tmp_path):
    (tmp_path / "s.sqlite").touch()
    with SQLStore(tmp_path / "s.sqlite", {"seed": 1}) as store:
        assert store.header == {"seed": 1}


@pytest.mark.parametrize("content", [b"hello, this is a text", b"\x00" * 5000, b"PK\x03\x04" * 300])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "s.sqlite").write_bytes(content)
    with pytest.raises(StudyError, match="damaged, or no study at all"):
        SQLStore(tmp_path / "s.sqlite", {})
    assert (tmp_path / "s.sqlite").read_bytes() == content


def test_a_database_of_another_program_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "s.sqlite") as other:
        other.execute("CREATE TABLE trials (id INTEGER)")
    other.close()
    with pytest.raises(StudyError, match="of something else"):
        SQLStore(tmp_path / "s.sqlite", {})


def test_a_newer_study_is_refused(tmp_path):
    SQLStore(tmp_path / "s.sqlite", {}).close()
    with sqlite3.connect(tmp_path / "s.sqlite") as other:
        other.execute("UPDATE nasturtium_studies SET version = ?", (VERSION + 1,))
    other.close()
    with pytest.raises(StudyError, match=rf"format {VERSION + 1}, .* upgrade nasturtium"):
        SQLStore(tmp_path / "s.sqlite", {})


def test_a_study_that_is_not_there_is_not_made_by_looking(tmp_path):
    for options in ({"read_only": True}, {"read_only": True, "header": {}}, {}):
        with pytest.raises(StudyError, match="there is no study"):
            SQLStore(tmp_path / "s.sqlite", **options)


def test_a_second_driver_is_refused_and_told_who_the_first_is(tmp_path):
    with SQLStore(tmp_path / "s.sqlite", {}):
        with pytest.raises(StudyError, match=rf"run by process {os.getpid()} on \S+ since 20"):
            SQLStore(tmp_path / "s.sqlite", {})
        script = "import sys\nfrom nasturtium.study.sql import SQLStore\nSQLStore(sys.argv[1], {})\n"
        command = [sys.executable, "-c", script, str(tmp_path / "s.sqlite")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert f"s.sqlite is being run by process {os.getpid()} on" in done.stderr
    assert subprocess.run(command, check=False).returncode == 0


def test_looking_beside_a_driver_is_allowed(tmp_path):
    with SQLStore(tmp_path / "s.sqlite", {"seed": 1}) as driver:
        fill(driver, 1)
        with SQLStore(tmp_path / "s.sqlite", read_only=True) as looking:
            assert len(list(looking.read())) == 3
            fill(driver, 1)
            assert len(list(looking.read(3))) == 3
            with pytest.raises(StudyError, match="may not be written"):
                looking.append([event("e")])


def test_a_copied_file_can_be_looked_at_in_a_folder_that_may_not_be_written(tmp_path):
    with SQLStore(tmp_path / "s.sqlite", {"seed": 1}) as store:
        fill(store, 2)
    folder = tmp_path / "archive"
    folder.mkdir()
    shutil.copy(tmp_path / "s.sqlite", folder)
    folder.chmod(0o555)
    try:
        with SQLStore(folder / "s.sqlite", read_only=True) as looking:
            assert len(list(looking.read())) == 6
    finally:
        folder.chmod(0o755)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(StudyError, match="give another"):
            SQLStore(tmp_path / "s.sqlite", {})
    finally:
        tmp_path.chmod(0o755)


def test_a_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match="cannot make the folder"):
        SQLStore(tmp_path / "file" / "s.sqlite", {})


def test_a_full_disk_keeps_what_was_there(tmp_path):
    with SQLStore(tmp_path / "s.sqlite", {"seed": 1}) as store:
        fill(store, 3)
        store.connection.exec_driver_sql("PRAGMA max_page_count=10")
        store.connection.commit()
        big = [event("e", text="x" * 4000)] * 20
        with pytest.raises(StudyError, match="the disk is full; all that was recorded is kept"):
            store.append(big)
        kept = list(store.read())
        store.connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        store.connection.commit()
        assert store.append([event("e", text="x" * 4000)]) == kept[-1].id + 1
    with SQLStore(tmp_path / "s.sqlite") as store:
        assert list(store.read())[:-1] == kept


def test_a_file_size_limit_is_like_a_full_disk(tmp_path):
    """The kernel refuses to let files grow: every write fails as it does on a full disk."""
    script = (
        "import resource, signal, sys\n"
        "from nasturtium.study.sql import SQLStore\n"
        "from nasturtium.study.store import event\n"
        "store = SQLStore(sys.argv[1], {})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "while True:\n"
        "    store.append([event('e', 1, text='x' * 500)])\n"
    )
    assert resource.RLIMIT_FSIZE
    command = [sys.executable, "-c", script, str(tmp_path / "s.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "StudyError: the study" in done.stderr
    assert "kept" in done.stderr.splitlines()[-1]
    with SQLStore(tmp_path / "s.sqlite") as store:
        events = list(store.read())
        assert len(events) > 20
        assert [each.id for each in events] == list(range(1, len(events) + 1))


def test_other_databases_are_refused():
    with pytest.raises(StudyError, match=r"cannot be kept in mysql; give a path or postgresql://"):
        SQLStore("mysql://user@host/base", {})
    with pytest.raises(StudyError, match="cannot read the database URL"):
        SQLStore("://", {})
