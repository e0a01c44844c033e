"""A small study with trials in every state, in a folder as a search leaves it."""

import json

from nasturtium.objective import Goal
from nasturtium.spaces import convnet
from nasturtium.strategies import make
from nasturtium.study import open_study
from nasturtium.study.store import event
from nasturtium.trial import State

SPACE = convnet(input=(1, 8, 8), outputs=10)
ENDS = (State.COMPLETE, State.COMPLETE, State.STOPPED, State.FAILED, State.INFEASIBLE, State.COMPLETE)


def write_study(folder, objectives=("accuracy",), limits=("params<=2M",), trials=18):
    folder.mkdir()
    goal = Goal.of(objectives, limits)
    settings = {"task": "digits", "space": "convnet", "strategy": "random", "seed": 4, "summary": "digits: a test"}
    settings |= {"objectives": [str(each) for each in goal.objectives], "limits": [str(each) for each in goal.limits]}
    (folder / "settings.json").write_text(json.dumps(settings))
    study = open_study(folder / "study.db", goal, SPACE, {"seed": 4})
    strategy = make("random", space=SPACE, seed=4, budget=3)
    for number in range(trials):
        trial = study.ask(strategy)
        study.record([event("started", number)])
        study.record([event("reported", number, step=s, accuracy=(number + s) / 40, loss=1 / s) for s in (1, 2, 3)])
        state = ENDS[number % len(ENDS)]
        gave = state in (State.COMPLETE, State.STOPPED)
        scores = {"accuracy": 0.3 + (number * 7 % 18) / 30, "params": 1000.0 + number} if gave else {}
        study.tell(trial, state, scores, 0.5 + number, "" if gave else "why")
    study.ask(strategy)
    study.record([event("started", study.ask(strategy).number)])
    study.close()
    return folder
