"""A study cut off at any byte opens with its whole transactions or is refused in one line; nothing goes in silence."""

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nasturtium.errors import StudyError
from nasturtium.study.sql import SQLStore
from nasturtium.study.store import event

COMMITS = 12


class Files:
    """What lies in the folder of a study while its driver runs: some of it in the file, some in the log."""

    def __init__(self, folder):
        path = folder / "s.sqlite"
        store = SQLStore(path, {"seed": 1})
        store.connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")
        for number in range(COMMITS):
            store.append([event("asked", number, text="x" * 700), event("started", number)])
            if number == COMMITS // 2:
                store.connection.commit()
                store.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                store.connection.commit()
                self.checkpointed = store.last
        self.events = list(store.read())
        self.main = path.read_bytes()
        self.log = path.with_name("s.sqlite-wal").read_bytes()
        store.close()
        self.closed = path.read_bytes()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("whole"))


def opened(main, log, mark=b"a study was made here\n", **options):
    """The events that a study of these bytes gives."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("s.sqlite", main), ("s.sqlite-wal", log), ("s.sqlite.lock", mark)):
            if content is not None:
                (Path(folder) / name).write_bytes(content)
        with SQLStore(Path(folder) / "s.sqlite", {"seed": 1}, **options) as store:
            found = list(store.read())
            if not options:
                assert store.append([event("more")]) == len(found) + 1
            return found


CUTS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(share=st.floats(0, 1), read_only=st.booleans())
@example(share=0.0, read_only=False)
@CUTS
def test_a_log_cut_at_any_byte_gives_all_its_whole_transactions(files, share, read_only):
    cut = round(share * len(files.log))
    found = opened(files.main, files.log[:cut], **({"read_only": True} if read_only else {}))
    assert found == files.events[: len(found)]
    assert len(found) % 2 == 0  # two events to a transaction
    whole = (cut - 32) // ((len(files.log) - 32) // (COMMITS - COMMITS // 2 - 1)) if cut > 32 else 0
    assert len(found) >= files.checkpointed + 2 * (whole - 1)


@given(share=st.floats(0, 1), with_log=st.booleans(), read_only=st.booleans())
@example(share=0.0, with_log=True, read_only=False)
@example(share=0.0, with_log=False, read_only=False)
@example(share=0.0, with_log=True, read_only=True)
@CUTS
def test_a_file_cut_at_any_byte_is_whole_or_refused(files, share, with_log, read_only):
    main = files.main if with_log else files.closed
    cut = round(share * len(main))
    try:
        found = opened(main[:cut], files.log if with_log else None, **({"read_only": True} if read_only else {}))
    except StudyError as error:
        assert "damaged" in str(error) or "there is no study" in str(error)  # noqa: PT017 - or all is there
        assert cut < len(main)
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert found == files.events


def test_a_file_that_is_gone_or_empty_beside_its_log_is_refused_and_not_written(tmp_path, files):
    for main in (None, b""):
        path = tmp_path / "s.sqlite"
        path.unlink(missing_ok=True)
        if main is not None:
            path.write_bytes(main)
        (tmp_path / "s.sqlite-wal").write_bytes(files.log)
        with pytest.raises(StudyError, match=r"a study was there; put back a copy, or remove s.sqlite\* to begin anew"):
            SQLStore(path, {"seed": 1})
        assert (tmp_path / "s.sqlite-wal").read_bytes() == files.log


def test_an_empty_file_where_a_study_was_made_is_refused(tmp_path):
    SQLStore(tmp_path / "s.sqlite", {"seed": 1}).close()
    (tmp_path / "s.sqlite").write_bytes(b"")
    with pytest.raises(StudyError, match="the file is empty, but a study was there"):
        SQLStore(tmp_path / "s.sqlite", {"seed": 1})
    (tmp_path / "s.sqlite").unlink()  # the user's own decision
    SQLStore(tmp_path / "s.sqlite", {"seed": 2}).close()


def test_a_value_changed_by_hand_is_noticed(tmp_path):
    with SQLStore(tmp_path / "s.sqlite", {}) as store:
        store.append([event("told", 0, scores={"accuracy": 0.5})])
    with sqlite3.connect(tmp_path / "s.sqlite") as base:
        base.execute("UPDATE nasturtium_events SET data = replace(data, '0.5', '0.9')")
    base.close()
    with SQLStore(tmp_path / "s.sqlite") as store, pytest.raises(StudyError, match="event 1 is damaged"):
        list(store.read())


def test_a_copy_with_its_log_in_a_folder_that_may_not_be_written_shows_all(open_folder, files):
    """SQLite alone would pass over the log there."""
    (open_folder / "s.sqlite").write_bytes(files.main)
    (open_folder / "s.sqlite-wal").write_bytes(files.log)
    open_folder.chmod(0o555)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)
        with SQLStore(open_folder / "s.sqlite", read_only=True) as looking:
            assert list(looking.read()) == files.events
    finally:
        os.seteuid(before)
        open_folder.chmod(0o755)
    assert (open_folder / "s.sqlite-wal").read_bytes() == files.log
