"""The space and the winner of a study made again from what was recorded, where that is possible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nasturtium.errors import Mismatch, NasturtiumError, SpaceError
from nasturtium.report.reading import Reading
from nasturtium.space import Architecture, Signal
from nasturtium.space.architecture import from_json_signal
from nasturtium.space.signal import image, sequence, vector

if TYPE_CHECKING:
    from nasturtium.space import Space

SIGNAL = re.compile(r"^(vector|image|sequence) (\?|\d+)(?:x(\d+))?(?:x(\d+))?( masked)?$")
ASKED = re.compile(r"-> (?:(\d+) classes|regression of (\d+))")


def inputs_of(reading: Reading) -> tuple[Signal, ...]:
    """The signals that the networks of a study receive.

    Raises:
        SpaceError: If neither the settings nor the final training nor the summary of the task says them.
    """
    noted = reading.settings.get("signals")
    if noted is not None:
        try:
            return tuple(from_json_signal(signal) for signal in noted)
        except (TypeError, ValueError, KeyError) as error:
            raise SpaceError(f"the input signals in the settings cannot be read: {error}") from None
    recorded = (reading.best or {}).get("json")
    if isinstance(recorded, str):
        return Architecture.from_json(recorded).input
    received = str(reading.settings["summary"]).split(": ", 1)[-1].split(" -> ", 1)[0]
    return tuple(signal_of(text) for text in received.split(" and "))


def signal_of(text: str) -> Signal:
    """A signal from its text.

    Raises:
        SpaceError: If the text does not say all about it, as that of tokens.

    >>> signal_of("image 3x32x32")
    Signal(kind='image', shape=(3, 32, 32), grid=None, mask=False, vocabulary=(), members=())
    """
    match = SIGNAL.match(text)
    if match is None:
        raise SpaceError(f"the input {text!r} cannot be made again from its text")
    kind, *sizes = match.groups()[:4]
    known = [None if size == "?" else int(size) for size in sizes if size is not None]
    try:
        if kind == "sequence":
            length, channels = known
            return sequence(length, channels or 1, mask=match.group(5) is not None)
        rest = [size for size in known if size is not None]
        return image(*rest) if kind == "image" else vector(*rest)
    except (TypeError, ValueError):
        raise SpaceError(f"the input {text!r} cannot be made again from its text") from None


def outputs_of(reading: Reading) -> int:
    """How many numbers leave a network of a study.

    Raises:
        SpaceError: If neither the settings nor the summary of the task says it.
    """
    noted = reading.settings.get("outputs")
    if isinstance(noted, int):
        return noted
    asked = ASKED.search(str(reading.settings["summary"]))
    if asked is None:
        raise SpaceError("the summary of the task does not say how many numbers leave a network")
    return int(asked.group(1) or asked.group(2))


def space_of(reading: Reading) -> Space:
    """The space of a study, with the same fingerprint as when the study was made.

    Raises:
        SpaceError: If it is no published space, or was made with options that were not recorded.
    """
    from nasturtium import spaces

    name, header = str(reading.settings.get("space")), getattr(reading.study.store, "header", {})
    if name not in spaces.SPACES:
        raise SpaceError(f"the space {name!r} is none that this release knows by name")
    options = reading.settings.get("space_options") or {}
    made = spaces.make(name, inputs_of(reading), outputs_of(reading), **options)
    if header.get("fingerprint") not in (None, made.fingerprint):
        raise SpaceError(f"the space {name!r} was another one then: made with options, or by another release")
    return made


def architecture_of(reading: Reading, text: str) -> Architecture:
    """An architecture of a study from its text, in its space where that can be made.

    Raises:
        NasturtiumError: If its parts are not known here, or its input is not.
    """
    architecture = network_of(text, inputs_of(reading))
    try:
        return space_of(reading).adopt(architecture)
    except NasturtiumError:
        return architecture


def network_of(text: str, inputs: tuple[Signal, ...]) -> Architecture:
    """An architecture from its text; of a tuned winner the network alone, without the recipe that stands beside it.

    Raises:
        NasturtiumError: If its parts are not known here.
    """
    if not text.startswith("Trained("):
        return Architecture.parse(text, inputs)
    from nasturtium.estimators.recipe import Trained

    value = Architecture.parse(text, inputs).value
    return Architecture(value.network if isinstance(value, Trained) else value, input=inputs)


def why_not(error: NasturtiumError | Mismatch) -> str:
    """What an error says, as a sentence without a full stop at its end."""
    return " ".join(str(error).split()).rstrip(".")
