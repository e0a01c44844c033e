"""A space of bit strings with the interface of the real ones, and estimators over it."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from itertools import product


@dataclass(frozen=True)
class Bits:
    decisions: tuple[int, ...]

    @cached_property
    def canonical(self) -> str:
        return str(self)

    @property
    def hash(self) -> str:
        return hashlib.sha256(str(self).encode()).hexdigest()

    def __str__(self) -> str:
        return "Bits(" + "".join(map(str, self.decisions)) + ")"

    def to_json(self) -> str:
        return json.dumps({"space": "bits", "decisions": self.decisions})

    def count(self, params: bool = True, flops: bool = True) -> dict[str, int]:
        return {"params": 10 * sum(self.decisions), "flops": 100 * sum(self.decisions)}


@dataclass(frozen=True)
class BitSpace:
    length: int = 20
    name: str = "bits"

    @property
    def fingerprint(self) -> str:
        return f"bits-{self.length}"

    @property
    def size(self) -> int:
        return 2**self.length

    def sample(self, rng, uniform=False):
        return Bits(tuple(rng.integers(0, 2, size=self.length).tolist()))

    def mutate(self, a, rng):
        i = int(rng.integers(self.length))
        return Bits((*a.decisions[:i], 1 - a.decisions[i], *a.decisions[i + 1 :]))

    def cross(self, a, b, rng):
        cut = int(rng.integers(1, self.length))
        return Bits((*a.decisions[:cut], *b.decisions[cut:]))

    def enumerate(self):
        return (Bits(bits) for bits in product((0, 1), repeat=self.length))

    def cost(self, architecture):
        return architecture.count()

    @property
    def recursive(self) -> bool:
        return False

    def read(self, text):
        return Bits(tuple(map(int, text.removeprefix("Bits(").removesuffix(")"))))

    def adopt(self, architecture):
        return architecture

    def architecture(self, decisions):
        return Bits(tuple(decisions))

    def architecture_from_json(self, text):
        return Bits(tuple(json.loads(text)["decisions"]))


@dataclass(frozen=True)
class OneMax:
    """Accuracy is the share of ones, with noise from the seed; takes ``seconds`` over ``steps`` reports."""

    seconds: float = 0.0
    steps: int = 0

    def evaluate(self, architecture, budget, report):
        share = sum(architecture.decisions) / len(architecture.decisions)
        noise = (report.seed % 1000) / 1e6
        for step in range(1, self.steps + 1):
            time.sleep(self.seconds / self.steps)
            if not report(step, {"accuracy": share * step / self.steps}):
                return {"accuracy": share * step / self.steps + noise}
        if not self.steps and self.seconds:
            time.sleep(self.seconds)
        return {"accuracy": share + noise, "params": 10.0 * sum(architecture.decisions)}


class Placed:
    """Says which worker it is in, after a while."""

    def evaluate(self, architecture, budget, report):
        time.sleep(0.3)
        return {"place": float(os.environ["NASTURTIUM_WORKER"])}


class Sized:
    """Accuracy by the number of parameters; for real spaces."""

    def evaluate(self, architecture, budget, report):
        return {"accuracy": 1 / architecture.count()["params"]}


class Faulty:
    """Meets each fault by the number of ones in the architecture."""

    def evaluate(self, architecture, budget, report):
        return list(TABLE.values())[sum(architecture.decisions)]()


class Greedy:
    """Takes 100 MB for each one in the architecture."""

    def evaluate(self, architecture, budget, report):
        block = bytearray(100 * 2**20 * sum(architecture.decisions))
        return {"accuracy": len(block)}


class Children:
    """Starts a process, as data loaders do, and hangs; with many ones it dies instead."""

    def evaluate(self, architecture, budget, report):
        child = subprocess.Popen(["sleep", "300"])
        (report.folder / "new").write_text(str(child.pid))
        (report.folder / "new").rename(report.folder / "pid")
        if sum(architecture.decisions) > 5:
            os._exit(1)
        time.sleep(300)


@dataclass(frozen=True)
class Stubborn:
    """Will not be interrupted, whatever is raised."""

    def evaluate(self, architecture, budget, report):
        while True:
            with contextlib.suppress(BaseException):
                report(1, {})
                time.sleep(0.01)


class Teller:
    """Tells what it was told."""

    def evaluate(self, architecture, budget, report):
        return {
            "seed": report.seed,
            "folder": report.folder.is_dir(),
            "previous": report.previous.is_dir(),
            "left": round(report.deadline - time.monotonic()),
            "threads": int(os.environ["OMP_NUM_THREADS"]),
            "other_process": multiprocessing.parent_process() is not None,
        }


def raises():
    raise ValueError("no such thing as this")


def out_of_memory():
    raise MemoryError


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


def cuda_out_of_memory():
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


TABLE = {
    "fine": lambda: {"accuracy": 0.5},
    "raises": raises,
    "nan": lambda: {"accuracy": float("nan")},
    "infinite": lambda: {"accuracy": float("inf")},
    "out_of_memory": out_of_memory,
    "cuda_out_of_memory": cuda_out_of_memory,
    "hang": lambda: time.sleep(600),
    "segfault": lambda: ctypes.string_at(0),
    "exits": lambda: os._exit(3),
    "text": lambda: {"accuracy": "good"},
    "nothing": lambda: None,
    "system_exit": lambda: sys.exit(5),
}
FAULTS = list(TABLE)
