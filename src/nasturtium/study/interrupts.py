"""Ctrl-C: the first lets running trials finish, the second ends them, and neither tears a transaction."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


class Interrupts:
    """Counts Ctrl-C instead of dying of the first; the second raises, but only where that is allowed.

    Attributes:
        count: How often Ctrl-C was pressed.
    """

    def __init__(self) -> None:
        self.count = 0
        self.raising = False

    @contextlib.contextmanager
    def caught(self, first: Callable[[], None]) -> Iterator[None]:
        """Counts while this lasts, and calls ``first`` at the first; works in the main thread alone."""

        def handle(number: int, frame: FrameType | None) -> None:
            self.count += 1
            if self.count == 1:
                first()
            elif self.raising:
                raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Where the second may raise at once: while trials are waited for."""
        self.raising = True
        try:
            self.check()  # the second may have come just before
            yield
        finally:
            self.raising = False

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Where it must wait, within what is allowed; it raises at the end."""
        before, self.raising = self.raising, False
        yield
        self.raising = before
        self.check()

    def check(self) -> None:
        """Raises if there was a second.

        Raises:
            KeyboardInterrupt: Then.
        """
        if self.count > 1:
            raise KeyboardInterrupt
