"""A whole seeded search as a program, for tests that kill it: DIR-OR-URL EXECUTOR STRATEGY TRIALS [NAME]."""

import os
import sys
from pathlib import Path

from bit_space import BitSpace, OneMax

from nasturtium.objective import Goal
from nasturtium.strategies import make
from nasturtium.study import InProcess, LocalProcesses, Silent, open_study, run

SPACE = BitSpace(8)
LARGE = BitSpace(12)
ESTIMATOR = OneMax(seconds=float(os.environ.get("NASTURTIUM_TEST_SECONDS", "0.01")), steps=3)
GOAL = Goal.of(["accuracy", "-params"], ["params<=60"])


class Announced(Silent):
    """Says when the first trial runs."""

    said = False

    def update(self, study, running):
        if running and not self.said:
            self.said = True
            self.note("begun")

    def note(self, text):
        if text.startswith(("begun", "finishing")):
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()


def search(place, executor, strategy, trials=40, space=SPACE, progress=None, name="study"):
    study = open_study(place, GOAL, space, {"seed": 3, "strategy": strategy}, name=name)
    chosen = make(strategy, space=space, seed=3, objectives=GOAL.objectives, limits=GOAL.limits)
    options = {"trials": trials, "seed": 3, "cost": space.cost, "progress": progress}
    ending = run(study, chosen, executor, **options)
    return study, ending


def main():
    folder, kind, strategy, trials, *name = sys.argv[1:]
    place = folder if "://" in folder else Path(folder) / "s.sqlite"
    workers = {"in_process": 0, "one_worker": 1, "two_workers": 2}[kind]
    executor = LocalProcesses(ESTIMATOR, LARGE, workers) if workers else InProcess(ESTIMATOR)
    study, ending = search(place, executor, strategy, int(trials), LARGE, Announced(), *name)
    sys.stdout.write(f"{ending} {len(study)}\n")
    study.close()


if __name__ == "__main__":
    main()
