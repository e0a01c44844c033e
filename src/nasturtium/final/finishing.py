"""The end of a search: the best few and the baselines trained with several seeds, compared, and the winner kept."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.errors import NasturtiumError
from nasturtium.final.baselines import broken, plain_network
from nasturtium.final.classical import fitting, train_classical
from nasturtium.final.files import keep_best, load_weights, read_winner
from nasturtium.final.leaders import by_gain, leading, standing
from nasturtium.final.plan import Plan
from nasturtium.final.reserve import TUNING_SHARE, Reserve
from nasturtium.final.results import TRIALS, Finals, Network, read_finals, scores_of_tests, write_finals
from nasturtium.final.training import WEIGHTS, FinalTraining
from nasturtium.final.trainings import Entry, entry_of, finalist, retune, train_all
from nasturtium.final.tuning import tuned
from nasturtium.final.verdict import compare, contender
from nasturtium.objective import parse_objective
from nasturtium.space import Architecture
from nasturtium.study import Ending
from nasturtium.trial import Budget, Trial

if TYPE_CHECKING:
    import torch

    from nasturtium.estimators import Training
    from nasturtium.study import Executor, Progress, Study
    from nasturtium.tasks import Task

LEAST_SECONDS = 1.0
"""In which final trainings may start in any case, so that there is a network to hand over."""
TAUGHT = "the best networks of the search taught the finalists; what they are compared with learned from the data alone"
UNDONE = {
    "time": "the time was over before all final trainings were done; the same command with more time does the rest",
    "interrupted": "stopped before all final trainings were done; the same command does the rest",
}


@dataclass(frozen=True)
class Wanted:
    """What is to be done at the end of a search.

    Attributes:
        finalists: How many of the leading trials are trained again.
        seeds: How many times each.
        epochs: Passes over train + valid.
        baselines: Whether a plain network and a scikit-learn model are trained beside them.
        tune: How many recipes are tried on the finalists before.
        search_epochs: Passes in each trial of the search, and in each trial of the tuning.
        workers: Trainings at a time.
        seed: The first seed.
        deadline: ``time.monotonic()`` by which all should be done.
    """

    finalists: int
    seeds: int
    epochs: Budget
    baselines: bool
    tune: int
    search_epochs: Budget
    workers: int
    seed: int
    deadline: float | None = None

    @property
    def left(self) -> float | None:
        """Seconds left."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.0)

    def checked(self) -> Wanted:
        """This, if its numbers can be used.

        Raises:
            NasturtiumError: Otherwise, naming the number.
        """
        for name, least in (("finalists", 1), ("seeds", 1), ("epochs", 0), ("tune", 0), ("workers", 1)):
            value = getattr(self, name)
            if value < least:
                raise NasturtiumError(f"{name} must be at least {least}, not {value}")
        if self.tune and not self.epochs:
            raise NasturtiumError("tune tries recipes for final trainings, and final_epochs=0 asks for none; drop one")
        return self


class Finish(NamedTuple):
    """What came of it.

    Attributes:
        finals: The trainings compared.
        model: The winner, on the CPU and in evaluation mode; None if none of its trainings was completed.
        architecture: What the winner is, with its recipe where that was tuned.
        scores: Its test scores (see :func:`nasturtium.final.results.scores_of_tests`).
        known: Its scores by validation: in the search, or in the tuning if its recipe was tuned.
        interrupted: Whether the user ended it before all was done.
    """

    finals: Finals
    model: torch.nn.Module | None
    architecture: Architecture
    scores: dict[str, float]
    known: dict[str, float]
    interrupted: bool


def finish(
    study: Study, training: Training, wanted: Wanted, executor: Callable[[Any, Any], Executor], folder: Path | None,
    header: Mapping[str, Any], progress: Callable[[int], Progress], note: Callable[[str], None],
    recommended: Sequence[Architecture] = (),
) -> Finish:  # fmt: skip
    """Train the best few again, and say how they compare.

    What an earlier call did is not done again.

    Args:
        study: The search; it has at least one complete trial.
        training: How its trials were trained.
        wanted: What is to be done.
        executor: Makes an executor of an estimator and a space.
        folder: Of the search; a temporary one if None.
        header: Of the search, which must not change.
        progress: Makes a line about so many trainings.
        note: Takes what the user should know.
        recommended: What the strategy takes to be best, best first, where that is not what scored best.
    """
    task = training.task
    leaders = leading(study, wanted.finalists, recommended)
    plan = Reserve(training, wanted).plan(study, recommended)
    if plan.cut:
        note(plan.cut)
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nasturtium-")))
        entries = [finalist(trial, training) for trial in leaders[: plan.finalists]]
        if wanted.tune:
            entries = _tuned(entries, leaders, study, training, wanted, executor, folder, header, progress)
        plain = plain_network(task) if plan.baselines and plan.plain else None
        if plain is not None:
            entries.append(entry_of(plain, "plain network", "baseline", training))
            entries[-1].network.breaks = broken(plain, study.goal, training)
        trials = None if folder is None else folder / TRIALS
        taught = trials is not None and training.final_lesson(entries[0].architecture, trials) is not None
        settings = _settings(entries, plan, wanted, study, taught, header)
        kept = None if folder is None else _kept(folder, settings, entries)
        if kept is not None:
            return kept
        count = len(entries) * plan.seeds
        ending = train_all(
            entries, FinalTraining(training, trials, [str(plain)]), executor, plan.seeds, plan.epochs, wanted.seed,
            place, None if wanted.left is None else max(wanted.left, LEAST_SECONDS),
            {**header, "finals": True}, progress(count),
        )  # fmt: skip
        finals = _compared(entries, task, plan, wanted, ending, note)
        finals.verdict += [TAUGHT] if "taught" in settings else []
        finals.settings = settings
        return _concluded(entries, finals, training, folder, ending)


def _concluded(entries: list[Entry], finals: Finals, training: Training, folder: Path | None, ending: str) -> Finish:
    """The winner, kept with its files."""
    model, best = _winner(entries, finals)
    scores = scores_of_tests(finals.best, finals.metric)
    if folder is not None:
        if model is not None:
            _keep(folder, model, best, training, finals, scores)
        write_finals(finals, folder)  # the last: who finds it finds all that it speaks of
    return Finish(finals, model, best.architecture, scores, dict(best.scores), ending == Ending.INTERRUPTED)


def _settings(
    entries: list[Entry], plan: Plan, wanted: Wanted, study: Study, taught: bool, header: Mapping[str, Any]
) -> dict[str, Any]:
    """What the results follow from; as JSON gives it back. What is not so is not said, as it was before it could be."""
    networks, limits = [str(entry.architecture) for entry in entries], [str(each) for each in study.goal.limits]
    further = {**({"limits": limits} if limits else {}), **({"taught": True} if taught else {})}
    return {**header, **further, "networks": networks, "final_epochs": plan.epochs, "final_seeds": plan.seeds,
            "baselines": plan.baselines, "first_seed": wanted.seed}  # fmt: skip


def _kept(folder: Path, settings: dict[str, Any], entries: list[Entry]) -> Finish | None:
    """What an earlier call made of the same trainings, if all of them were completed and all its files are whole."""
    try:
        finals = read_finals(folder)
        if finals is None or finals.settings != settings:
            return None
        loaded = read_winner(folder)
    except NasturtiumError:  # the files follow from the trainings, which are kept: they are written anew
        return None
    runs = [run for network in finals.networks for run in network.runs]
    best = next((entry for entry in entries if entry.network.name == finals.winner), None)
    whole = all(len(network.runs) == len(finals.seeds) for network in finals.networks)
    if best is None or not whole or any(run.state != "complete" for run in runs):
        return None
    scores = scores_of_tests(finals.best, finals.metric)
    same = loaded.content.get("architecture") == str(best.architecture) and loaded.content.get("scores") == scores
    if loaded.rows is None or not same:
        return None
    return Finish(finals, loaded.model, best.architecture, scores, dict(best.scores), False)


def _tuned(
    entries: list[Entry], leaders: list[Trial], study: Study, training: Training, wanted: Wanted, executor: Any,
    folder: Path | None, header: Mapping[str, Any], progress: Callable[[int], Progress],
) -> list[Entry]:  # fmt: skip
    """The finalists with the better recipes that a search over recipes finds; who gained enough moves up."""
    seconds = None if wanted.left is None else TUNING_SHARE * wanted.left
    found = tuned(
        leaders[: len(entries)], training.untaught(), study.goal, executor, wanted.tune, float(wanted.search_epochs),
        wanted.seed, folder, seconds, dict(header), progress(wanted.tune),
    )  # fmt: skip
    standings = []
    for entry, leader in zip(entries, leaders, strict=False):
        better, before = found.get(str(entry.architecture)), standing(study.goal, leader.scores)
        now = before if better is None else standing(study.goal, {**leader.scores, **better.scores})
        standings.append((before, now))
        if better is not None:
            retune(entry, better, training.task.metric)
    return [entries[place] for place in by_gain(standings)]


def _compared(
    entries: list[Entry], task: Task, plan: Plan, wanted: Wanted, ending: str, note: Callable[[str], None]
) -> Finals:
    """Finalists and baselines side by side, the scikit-learn model among them."""
    networks = [entry.network for entry in entries]
    outputs = {entry.network.name: entry.outputs() for entry in entries}
    maximise = parse_objective(task.objective).maximise
    seeds = list(range(wanted.seed, wanted.seed + plan.seeds))
    classical = fitting(task) if plan.baselines and ending != Ending.INTERRUPTED else None
    if classical is not None:
        runs, given = train_classical(classical, task, seeds, wanted.deadline, note)
        networks.append(Network(classical.name, "classical", runs=runs))
        outputs[classical.name] = given
    able = [network.name for network in networks if contender(network, task.metric)]
    finals = Finals(task.metric, maximise, plan.epochs, seeds, networks, (able or [networks[0].name])[0])
    compare(finals, task, outputs, wanted.deadline)
    finals.verdict += [plan.cut] if plan.cut else []
    undone = any(len(entry.network.runs) < plan.seeds for entry in entries)
    finals.verdict += [UNDONE[ending]] if undone and ending in UNDONE else []
    return finals


def _winner(entries: list[Entry], finals: Finals) -> tuple[torch.nn.Module | None, Entry]:
    """The network of the first completed training of the winner, as :func:`_keep` says by its seed."""
    best = next(entry for entry in entries if entry.network.name == finals.winner)
    if not best.folders:
        return None, best
    return load_weights(best.architecture, best.folders[0] / WEIGHTS), best


def _keep(
    folder: Path, model: torch.nn.Module, best: Entry, training: Training, finals: Finals, scores: dict[str, float]
) -> None:
    from nasturtium.estimators.recipe import recipe_of

    content = {
        "name": finals.winner,
        "number": best.network.number,
        "epochs": finals.epochs,
        "seeds": len(finals.seeds),
        "seed": next(run.seed for run in best.network.runs if run.state == "complete"),
        "recipe": str(recipe_of(best.architecture, training.recipe)),
        "scores": scores,
        "runs": [run.scores for run in best.network.runs if run.state == "complete"],
        "verdict": finals.verdict,
    }
    keep_best(folder, model, best.architecture, training.task, content)
