"""Units: seconds from text such as ``1h30m``, bytes from text such as ``4G``."""

from __future__ import annotations

import re

from nasturtium.errors import NasturtiumError

SIZES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def duration(given: float | str | None) -> float | None:
    """Seconds from a number or from text such as ``90s``, ``10m``, ``1h30m``.

    Raises:
        NasturtiumError: If it is neither, or not positive; or if a number beside others has no unit, as ``1h30`` is 90
            minutes to one reader and an hour and 30 seconds to another.

    >>> duration("1h30m")
    5400.0
    """
    if given is None:
        return None
    if isinstance(given, str):
        found = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", given.strip().lower())
        written = "".join(number + unit for number, unit in found)
        if not found or written != re.sub(r"\s", "", given.lower()) or any(unit not in UNITS for _, unit in found):
            raise NasturtiumError(f"cannot read {given!r} as a time; write 90s, 10m or 1h30m")
        bare = [number for number, unit in found if not unit]
        if bare and len(found) > 1:
            raise NasturtiumError(f"cannot read {given!r} as a time: {bare[0]} has no unit; write 90s, 10m or 1h30m")
        given = sum(float(number) * UNITS[unit] for number, unit in found)
    if not given > 0:
        raise NasturtiumError(f"a time must be positive, not {given:g} s")
    return float(given)


def size(given: int | str | None) -> int | None:
    """Bytes from a number or from text such as ``800M`` or ``4G``.

    Raises:
        NasturtiumError: If it is neither, or not positive.

    >>> size("4G")
    4294967296
    """
    if given is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt]?)b?", str(given).strip().lower())
    if found is None:
        raise NasturtiumError(f"cannot read {given!r} as an amount of memory; write 800M or 4G")
    number = int(float(found[1]) * SIZES[found[2]])
    if number <= 0:
        raise NasturtiumError(f"an amount of memory must be positive, not {given!r}")
    return number
