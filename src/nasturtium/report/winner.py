"""The winner of a study for a page: its numbers, what it is in words, its drawing."""

from __future__ import annotations

from dataclasses import dataclass

from nasturtium.errors import NasturtiumError, UnknownLayer
from nasturtium.final.earlier import EARLIER
from nasturtium.report.numbers import number_text
from nasturtium.report.reading import FINAL, Reading, winner_text
from nasturtium.report.rebuilding import architecture_of, why_not

COSTS = {"params": "parameters", "flops": "FLOPs of one row", "latency_ms": "latency, ms", "memory_mb": "memory, MB"}


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the winner.

    Attributes:
        key: Its metric, ``test_accuracy`` for one of the test split.
        name: What it is called.
        value: It.
        text: It as people read it.
        more: What belongs to it, such as its spread.
    """

    key: str
    name: str
    value: float
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Winner:
    """The winner.

    Attributes:
        why_none: Why there is none; empty if there is one.
        sentence: Which trial it is, and by what it was chosen.
        text: The architecture.
        numbers: Its scores and costs.
        words: It in a few sentences; None where it cannot be made again.
        drawing: It as SVG; None where it cannot be made again.
        why_no_drawing: Why not.
    """

    why_none: str = ""
    sentence: str = ""
    text: str = ""
    numbers: tuple[Number, ...] = ()
    words: str | None = None
    drawing: str | None = None
    why_no_drawing: str = ""


def winner_of(reading: Reading) -> Winner:
    """The winner of a study, as far as it is known."""
    try:
        text, number, by = winner_text(reading)
    except NasturtiumError as error:
        return Winner(why_none=why_not(error))
    words, drawing, why = pictures(reading, text)
    return Winner("", _sentence(reading, number, by), text, numbers_of(reading, number), words, drawing, why)


def pictures(reading: Reading, text: str) -> tuple[str | None, str | None, str]:
    """An architecture in words and as a drawing; or why not."""
    from nasturtium.report.drawing import draw
    from nasturtium.report.summary import summary

    try:
        architecture = architecture_of(reading, text)
        return summary(architecture), draw(architecture), ""
    except UnknownLayer as error:
        return None, None, f"{why_not(error)}; if it is yours, import the module that defines it: --import MODULE"
    except NasturtiumError as error:
        return None, None, why_not(error)


def _sentence(reading: Reading, number: int | None, by: str) -> str:
    name = "The network" if number is None else f"Trial {number}"
    goals = ", ".join(f"{'more' if g.maximise else 'less'} {g.metric}" for g in reading.goal.objectives)
    limits = f" under {', '.join(map(str, reading.goal.limits))}" if reading.goal.limits else ""
    how = "handed over after the final training" if by == FINAL else f"chosen by its {by}"
    others = ""
    if len(reading.goal.objectives) > 1:
        count = len(reading.study.front)
        others = (
            f" It is best by the first of {len(reading.goal.objectives)} objectives; {count} trials are on the front."
        )
    past = f" {EARLIER[0].upper()}{EARLIER[1:]}." if reading.earlier else ""
    return f"{name}, {how}; the search was for {goals}{limits}.{others}{past}"


def numbers_of(reading: Reading, number: int | None) -> tuple[Number, ...]:
    """The scores of the winner on the test and the validation split, and its costs.

    Of a tuned recipe one validation score is kept, that of the task's metric; those of the trial are of another recipe.
    """
    scores = {} if number is None else reading.study.trials[number].scores
    network, made = reading.handed_over, _test_number(reading)
    if reading.finals is not None and network is not None and network.tuned:
        costs = {name: value for name, value in scores.items() if name in COSTS}
        scores = costs if network.valid is None else {**costs, reading.finals.metric: network.valid}
    wanted = [each.metric for each in reading.goal.objectives]
    for metric in dict.fromkeys(wanted):
        if metric in scores and metric not in COSTS:
            made.append(Number(metric, f"validation {metric}", scores[metric], number_text(scores[metric])))
    for metric, name in COSTS.items():
        if metric in scores:
            made.append(Number(metric, name, scores[metric], number_text(scores[metric])))
    return tuple(made)


def _test_number(reading: Reading) -> list[Number]:
    finals, network = reading.finals, reading.handed_over
    if finals is None or network is None or network.mean is None:
        return []
    runs = len(network.values(finals.metric))
    more = [f"± {number_text(network.sd)} (sd of {runs} runs)"] if network.sd is not None else ["one run"]
    if network.interval is not None:
        more.append(f"95 %: {number_text(network.interval[0])} to {number_text(network.interval[1])}")
    name, key = f"test {finals.metric}", f"test_{finals.metric}"
    return [Number(key, name, network.mean, number_text(network.mean), "; ".join(more))]
