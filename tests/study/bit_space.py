"""A space of bit strings with the interface of the real ones, and estimators over it."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
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

    @property
    def recursive(self) -> bool:
        return False

    def parse(self, text):
        return Bits(tuple(map(int, text.removeprefix("Bits(").removesuffix(")"))))

    def adopt(self, architecture):
        return architecture

    def architecture(self, decisions):
        return Bits(tuple(decisions))

    def architecture_from_json(self, text):
        return Bits(tuple(json.loads(text)["decisions"]))


@dataclass(frozen=True)
class OneMax:
    """Accuracy = share of ones, with noise from the trial's seed; takes ``seconds`` over ``steps`` reports."""

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


class Faulty:
    """Meets each fault by the number of ones in the architecture; see FAULTS."""

    def evaluate(self, architecture, budget, report):
        return FAULTS[sum(architecture.decisions)]()


def raises():
    raise ValueError("no such thing as this")


def segfault():
    ctypes.string_at(0)


def hang():
    time.sleep(600)


def out_of_memory():
    raise MemoryError


class OutOfMemoryError(RuntimeError):
    pass


def cuda_out_of_memory():
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


FAULTS = [
    lambda: {"accuracy": 0.5},
    raises,
    lambda: {"accuracy": float("nan")},
    lambda: {"accuracy": float("inf")},
    out_of_memory,
    cuda_out_of_memory,
    hang,
    segfault,
    lambda: os._exit(3),
    lambda: {"accuracy": "good"},
    lambda: None,
    lambda: {"loss": 1.0},
    lambda: exit(5),
]
