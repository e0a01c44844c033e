"""Runs trials with the loader processes of torch that end in every way, as a program: DIR."""

import sys
from pathlib import Path

from bit_space import Bits, BitSpace
from unruly import Loaders

from nasturtium.study import Job, LocalProcesses


def main():
    for how in ("raise", "hang", "segfault", "exit"):
        folder = Path(sys.argv[1]) / how
        executor = LocalProcesses(Loaders(how), BitSpace(20), 1, preload=("torch",))
        executor.submit(Job(0, Bits((1,) * 20), 1, seed=1, folder=folder, seconds=60))
        ended = []
        while not ended:
            if how == "hang" and (folder / "pids").exists():
                executor.workers[0].deadline = 0.0  # as if the time were over
            ended = executor.wait(0.1, lambda *report: True)
        loaders = len((folder / "pids").read_text().splitlines())
        sys.stdout.write(f"{how} {ended[0].state} {loaders}\n")
        executor.shutdown()


if __name__ == "__main__":
    main()
