"""Processes that a trial started and left behind: loaders of data, programs; none may outlive it for nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

TICK = 0.05
"""Seconds by which the system's clock of processes may be behind."""

BOOT = getattr(time, "CLOCK_BOOTTIME", None) if Path("/proc/self/stat").exists() else None
"""Linux counts the start of processes in ticks since the machine was started."""


def process_time() -> float:
    """This moment on the clock by which the system tells when processes started."""
    return time.time() if BOOT is None else time.clock_gettime(BOOT)


def started(child: Any) -> float:
    """When a process started, on that clock."""
    if BOOT is None:
        return float(child.create_time())
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / float(os.sysconf("SC_CLK_TCK"))


def end_leftovers(since: float) -> int:
    """Kills what this process started, directly or not, since a moment; says how many.

    Args:
        since: A :func:`process_time`.
    """
    import psutil

    killed = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            if started(child) >= since - TICK:
                child.kill()
                killed.append(child)
    psutil.wait_procs(killed, timeout=1.0)
    return len(killed)


def end_group(worker: int) -> None:
    """Kills a worker and all that it started, in its group or in one of their own."""
    import psutil

    family = []
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(worker)
        family = [*process.children(recursive=True), process]
    if sys.platform != "win32":
        # The group too: when the worker has died already, its children are nobody's, but still in its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
