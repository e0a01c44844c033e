"""What the pages of results share: tables, what made them and with which versions, and where they stand in a page."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

END = "<!-- end -->"


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def made_by(packages: Sequence[str], places: Mapping[str, str] | None = None, without: Sequence[str] = ()) -> str:
    """The command of this process, the day, the versions and the machine.

    Args:
        packages: Those that matter.
        places: What is written for folders of this machine.
        without: Options that computed nothing.
    """
    words = [(places or {}).get(each, each) for each in sys.argv[1:] if each not in without]
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words])
    versions = ", ".join(f"{each} {version(each)}" for each in ("nasturtium", *packages))
    return (
        f"Made by `{command}` on {date.today().isoformat()}: {versions}, Python {platform.python_version()}, "
        f"one thread of {platform.machine()}."
    )


def put(page: Path, title: str, made: str) -> None:
    """Write what was made between two marks of a page, whose other text stays; a new page begins with a title.

    >>> import sys, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page, sys.argv[0] = Path(folder, "page.md"), "benchmarks/some.py"
    ...     put(page, "Some", "old")
    ...     _ = page.write_text(page.read_text() + "What it says.")
    ...     put(page, "Other", "new")
    ...     print(page.read_text())
    # Some
    <BLANKLINE>
    <!-- made by benchmarks/some.py -->
    <BLANKLINE>
    new
    <BLANKLINE>
    <!-- end -->
    What it says.
    """
    begin = f"<!-- made by benchmarks/{Path(sys.argv[0]).name} -->"
    text = page.read_text(encoding="utf-8") if page.exists() else f"# {title}\n\n{begin}\n{END}\n"
    before, found, rest = text.partition(begin)
    if not found:
        raise SystemExit(f"{page} lacks the mark {begin}, between which and {END} the results go; write both")
    page.write_text(f"{before}{begin}\n\n{made}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
