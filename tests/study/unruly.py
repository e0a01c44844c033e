"""Estimators that misbehave with processes, memory and disks; importable by the workers that run them."""

import ctypes
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HOLD = (
    "import sys, time; block = bytearray(int(sys.argv[1])); block[::4096] = b'x' * len(block[::4096]); time.sleep(300)"
)


def note(folder, pids):
    (folder / "new").write_text("\n".join(map(str, pids)))
    (folder / "new").rename(folder / "pids")


def end(how):
    if how == "segfault":
        ctypes.string_at(0)
    if how == "exit":
        os._exit(4)
    if how == "raise":
        raise ValueError("after the loaders had started")
    time.sleep(300)


@dataclass
class Loaders:
    """Starts the loader processes of torch, notes who they are, and ends in some way."""

    how: str

    def evaluate(self, architecture, budget, report):
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        data = TensorDataset(torch.arange(64.0))
        self.batches = iter(DataLoader(data, batch_size=4, num_workers=2, persistent_workers=True))
        next(self.batches)
        note(report.folder, [worker.pid for worker in self.batches._workers])
        end(self.how)


@dataclass
class Programs:
    """Starts a program in a session of its own, where the signals of its group do not reach it."""

    how: str

    def evaluate(self, architecture, budget, report):
        child = subprocess.Popen(["sleep", "300"], start_new_session=True)
        note(report.folder, [child.pid])
        end(self.how)


@dataclass
class Hoarders:
    """Starts programs each of which keeps within the limit, and which together do not."""

    each: int
    count: int

    def evaluate(self, architecture, budget, report):
        children = [subprocess.Popen([sys.executable, "-c", HOLD, str(self.each)]) for _ in range(self.count)]
        note(report.folder, [child.pid for child in children])
        time.sleep(300)


@dataclass
class Tensor:
    """Takes a tensor of so many bytes."""

    size: int

    def evaluate(self, architecture, budget, report):
        import torch

        return {"accuracy": float(torch.ones(self.size // 4).sum() > 0)}


@dataclass
class Writer:
    """Writes a file of so many bytes into a folder; ``wrapped`` says so by an error of its own."""

    folder: Path
    size: int
    wrapped: bool = False

    def evaluate(self, architecture, budget, report):
        try:
            (self.folder / "weights").write_bytes(b"x" * self.size)
        except OSError as error:
            if self.wrapped:
                raise RuntimeError("cannot save the weights") from error
            raise
        return {"accuracy": 0.5}


class Own:
    """A user's own estimator with a mistake in it."""

    def evaluate(self, architecture, budget, report):
        scores = {"accuracy": 0.5}
        if sum(architecture.decisions) == 4:
            raise KeyError(f"another mistake, of {id(report)}")
        return scores["acuracy"]
