"""A strategy whose trainings take their time, and one that fails, for worker processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from nasturtium.strategies import RandomSearch

SECONDS = 30.0


class Slow(RandomSearch):
    """Says in a folder in which process it runs, and takes long."""

    def __init__(self, space, *, folder: str, **common) -> None:
        super().__init__(space, **common)
        self.folder = Path(folder)

    def ask(self, n=1):
        (self.folder / str(os.getpid())).touch()
        time.sleep(SECONDS)
        return super().ask(n)


class Failing(Slow):
    """Fails as soon as the slow one runs in another process."""

    def ask(self, n=1):
        while not list(self.folder.iterdir()):
            time.sleep(0.01)
        raise ValueError("it fails")
