"""Small computations in one thread, whatever the machine has: for what is too small to be shared out."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

BRINGING = ("scipy.linalg", "sklearn", "torch", "lightgbm", "xgboost")
"""What brings libraries with threads when it is imported."""


def one_thread() -> AbstractContextManager[Any]:
    """While it is entered, linear algebra and loops of libraries (BLAS, OpenMP) run in one thread.

    Threads that share out small matrices wait for each other, on a busy machine many times as long as the work takes:
    a Gaussian process on 150 points takes sixteen times the CPU time with two threads on two cores, one of them busy.
    """
    limited: AbstractContextManager[Any] = _libraries(*(name in sys.modules for name in BRINGING)).limit(limits=1)
    return limited


@lru_cache(maxsize=4)
def _libraries(*loaded: bool) -> Any:
    """The libraries with threads; looked for anew when one of those that bring some was loaded since."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
