"""What is sent to a worker process when it starts: its work as bytes, and the environment it is born into."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import types
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.reduction import ForkingPickler

from nasturtium.errors import StudyError
from nasturtium.study.worker import THREADS, Work


@contextlib.contextmanager
def starting(threads: int, hidden: bool) -> Iterator[None]:
    """What holds while a process starts: few threads in its environment, no script run again for nothing.

    A child imports the main script again to find what was defined there, which fails for scripts without
    the ``__name__`` guard. Where nothing of the script is sent, it is hidden, and any script works.

    Args:
        threads: Threads that numerical libraries may use there.
        hidden: Whether to hide the script.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    script = sys.modules["__main__"]
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    if hidden:
        sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        with deaf():
            yield
    finally:
        sys.modules["__main__"] = script
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Ctrl-C waits while a process is born, and never reaches that process: it is the driver's alone.

    A worker can only ignore it once it runs; until then, while it imports, the first Ctrl-C would end it.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # it would lift the block when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def packed(work: Work) -> tuple[bytes, bool]:
    """The work as bytes for the pipes to our own workers, and whether reading them needs the main script.

    What the standard library cannot send, or only by running the script again (functions and classes of a
    script, lambdas in a space), goes by value if cloudpickle is there, which scikit-learn brings.

    Raises:
        StudyError: If something in it cannot be sent.
    """
    try:
        plain = bytes(ForkingPickler.dumps(work))
        if b"__main__" not in plain:
            return plain, False
    except Exception as error:  # picklers raise whatever the objects in their way raise
        plain, problem = b"", error
    with contextlib.suppress(Exception):  # then the plain bytes, or the first complaint, must do
        return importlib.import_module("cloudpickle").dumps(work), False
    if plain:
        return plain, True
    raise StudyError(
        f"the estimator or the space cannot be sent to worker processes ({problem}); define what it uses "
        "at the top of a module, not inside a function and not as a lambda, or run in the process itself"
    )
