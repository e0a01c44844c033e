"""Worker processes: what becomes of them when a comparison ends before its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from nasturtium.comparison import Contender, compare
from tests.comparison.slow import SECONDS, Failing, Slow
from tests.comparison.tables import table


def gone(number: int, within: float = 10.0) -> bool:
    """Whether a process ends in a while."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def begun(folder: Path) -> int:
    """The process in which a slow run is under way."""
    end = time.monotonic() + 60
    while time.monotonic() < end and not list(folder.iterdir()):
        time.sleep(0.05)
    return int(next(folder.iterdir()).name)


def test_an_error_ends_the_runs_under_way(tmp_path: Path) -> None:
    both = [Contender(made.__name__, made, {"folder": str(tmp_path)}) for made in (Slow, Failing)]
    with pytest.raises(ValueError, match="it fails"):
        compare(table(), both, 5, 1, workers=2)
    assert gone(begun(tmp_path), within=SECONDS / 3)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_comparison(sent: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "seen"
    folder.mkdir()
    lines = [
        "from nasturtium.comparison import compare",
        "from tests.comparison.slow import Slow",
        "from tests.comparison.tables import table",
        "if __name__ == '__main__':",
        f"    compare(table(), [Slow], 5, 4, workers=2, options={{'Slow': {{'folder': {str(folder)!r}}}}})",
    ]
    (tmp_path / "driver.py").write_text("\n".join(lines))
    known = os.pathsep.join([str(Path(__file__).parents[2]), *[each for each in sys.path if each]])
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "driver.py")], env={**os.environ, "PYTHONPATH": known}, stderr=subprocess.PIPE
    ) as driver:
        try:
            worker = begun(folder)
            driver.send_signal(sent)
            _, said = driver.communicate(timeout=SECONDS / 3)  # it does not wait for the runs under way
        finally:
            driver.kill()
    assert gone(worker)
    assert b"in thread" not in said
