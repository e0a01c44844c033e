"""Memory limits: holding a worker to one, and what a worker and what it started hold in all."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from nasturtium.errors import StudyError

WATCH_SECONDS = 0.5
"""How often the memory of busy workers is looked at where there is a limit."""


def limit_memory(limit: int) -> None:
    """Bounds the private memory of this process, and of each that it starts, where the system can.

    The kernel then refuses the allocation that goes too far, and Python or torch raises where it was asked for.
    RLIMIT_DATA counts writable private memory alone. RLIMIT_AS would count reserved addresses as well: torch and
    CUDA reserve many times what they use.

    Raises:
        StudyError: If this process holds more already.
    """
    already = held_by(os.getpid())
    if already > limit:
        raise StudyError(
            f"a memory limit of {limit / 2**20:,.0f} MiB is less than the {already / 2**20:,.0f} MiB "
            "that a worker holds before its first trial; give more"
        )
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def held_by(worker: int) -> int:
    """Bytes that a worker and what it started hold, their shared memory counted once where the system tells.

    RLIMIT_DATA bounds each process by itself and no shared memory; a trial with loader processes needs this.
    """
    import psutil

    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(worker)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += held(process)
    return total


def held(process: Any) -> int:
    """Bytes that one process holds, each page that several share divided among them where the system tells."""
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", 0) or getattr(memory, "uss", memory.rss))


def memory_reason(held_bytes: int, limit: int) -> str:
    """The reason of a trial that was ended for its memory."""
    return f"out of memory (it and what it started held {held_bytes / 2**20:,.0f} MiB of {limit / 2**20:,.0f})"
