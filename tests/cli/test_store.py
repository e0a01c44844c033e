"""Passwords are not written down, and a study in a database can be shown, tracked and examined with its password."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nasturtium.cli import machine, run, searching
from nasturtium.report.repeating import command_text
from nasturtium.searching.settings import command
from nasturtium.study.folder import scrubbed, without_password

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))

URL, SAFE = "postgresql://me:s3cr:e/t@host:5433/base?sslmode=require", "postgresql://me@host:5433/base?sslmode=require"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        (URL, SAFE),
        ("postgresql://me:se@cr/et@host/base", "postgresql://me@host/base"),
        ("postgresql://me:sec?ret@host/base", "postgresql://me@host/base"),
        ("postgresql+psycopg://:secret@host", "postgresql+psycopg://@host"),
        ("postgresql://host/base?password=secret", "postgresql://host/base"),
        ("postgresql://host/base?password=secret&user=me", "postgresql://host/base?user=me"),
        ("postgresql://me@host/base?application_name=a@b", "postgresql://me@host/base?application_name=a@b"),
        ("params<=20k", "params<=20k"),
    ],
)
def test_words_lose_their_password_and_nothing_else(url: str, safe: str) -> None:
    assert scrubbed(url) == safe
    assert scrubbed(f"--store={url}") == f"--store={safe}"


def test_the_noted_command_has_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (["--store", URL], [f"--store={URL}"]):
        monkeypatch.setattr(sys, "argv", ["/bin/nasturtium", "search", "digits", *given])
        noted = command()
        assert noted is not None
        assert "s3cr" not in " ".join(noted)
        assert SAFE in " ".join(noted)


def test_a_command_noted_by_an_older_release_is_shown_without_its_password() -> None:
    shown = command_text({"command": ["nasturtium", "search", "digits", "--store", URL]})
    assert shown == f"nasturtium search digits --store '{SAFE}'"


def test_a_url_that_cannot_be_read_is_not_repeated_with_its_password() -> None:
    from nasturtium.errors import StudyError

    with pytest.raises(StudyError, match="cannot read the database URL") as refused:
        without_password("post gres://me:s3cret@host:x/base")
    assert "s3cret" not in str(refused.value)


def test_what_is_said_after_a_search_is_read_with_the_url_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    from nasturtium.cli import showing

    asked = []
    monkeypatch.setattr(showing, "show", lambda folder, wanted: asked.append((folder, wanted)))
    searching.say(Path("runs/x"), URL)
    assert asked == [(Path("runs/x"), showing.Shown(5, store=URL))]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of a database that asks for a password."""
    from servers import made_server

    with tempfile.TemporaryDirectory(prefix="nasturtium-postgres-") as name:
        server = made_server(Path(name))
        try:
            import psycopg

            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("CREATE ROLE me LOGIN SUPERUSER PASSWORD 's3cret'")
            rules = server.folder / "data" / "pg_hba.conf"
            rules.write_text(f"host all me 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
            server.call("pg_ctl", "-D", server.folder / "data", "reload")
            yield server.url.replace("postgres@", "me:s3cret@")
        finally:
            server.stop()


def test_a_search_in_a_database_with_a_password_ends_well(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "SPEED_SECONDS", 0.0)
    y = np.arange(90) % 2
    np.savez(tmp_path / "blobs.npz", x=np.random.default_rng(0).normal(size=(90, 5)) + 3 * y[:, None], y=y)
    out = tmp_path / "secret-study"
    given = ["search", str(tmp_path / "blobs.npz"), "--trials", "2", "--epochs", "1", "--final-epochs", "0", "--quiet",
             "--out", str(out), "--store", url]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["/bin/nasturtium", *given])
    assert run(given) == 0
    said = capsys.readouterr()
    assert "2 complete" in said.out
    written = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert not any(b"s3cret" in each for each in (*written, (said.out + said.err).encode()))
    assert run(["show", str(out)]) == 2  # the settings have no password, and none is given
    capsys.readouterr()
    assert run(["track", str(out), "--csv", str(tmp_path / "table.csv"), "--store", url]) == 0
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 3
    capsys.readouterr()
    assert run(["doctor", str(out), "--json", "--store", url]) == 0
    assert json.loads(capsys.readouterr().out)["study"]["trials"] == 2
