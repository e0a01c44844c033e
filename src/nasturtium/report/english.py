"""English for summaries: numbers as words, articles, plurals, lists."""

from __future__ import annotations

import re
from collections.abc import Sequence

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

MASS = ("pooling", "mixing", "sampling")
"""Nouns that end so are not counted: two rounds of mean pooling."""

VOWEL_LETTERS = "AEFHILMNORSX"
"""Capital letters whose name begins with a vowel: an LSTM, a GRU."""


def number_word(number: int) -> str:
    """A count in a sentence: three, twelve, 1,024."""
    return WORDS[number] if number < len(WORDS) else f"{number:,}"


def plural(noun: str) -> str:
    """The plural of a noun; those that are not counted have none."""
    if noun.endswith(MASS):
        return noun
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search("[^aeiou]y$", noun) else f"{noun}s"


def article(text: str) -> str:
    """``a`` or ``an``, as the text after it is spoken: an 8-way branch, an LSTM, a GRU, a 16x16 patch."""
    digits = re.match(r"[\d,]+", text)
    if digits:
        number = digits.group().replace(",", "")
        groups = len(number) % 3 or 3
        return "an" if number[0] == "8" or (groups == 2 and number[:2] in ("11", "18")) else "a"
    first = text.split(" ", maxsplit=1)[0].split("-", maxsplit=1)[0]
    if len(first) > 1 and first[:2].isupper():
        return "an" if first[0] in VOWEL_LETTERS else "a"
    if re.match("(?i)(uni|use|one|eu)", first):
        return "a"
    return "an" if first[:1].lower() in "aeiou" else "a"


def counted(number: int, before: str, noun: str, after: str = "") -> str:
    """So many of a thing: ``counted(2, "3x3 ", "convolution")`` is "two 3x3 convolutions"."""
    if noun.endswith(MASS):
        return f"{before}{noun}{after}" if number == 1 else f"{number_word(number)} rounds of {before}{noun}{after}"
    if number == 1:
        return f"{article(before + noun)} {before}{noun}{after}"
    return f"{number_word(number)} {before}{plural(noun)}{after}"


def total(number: int, noun: str) -> str:
    """A number of things in digits: 1 convolution, 20 convolutions, 2 rounds of pooling."""
    if noun.endswith(MASS):
        return f"{number:,} round{'s' * (number != 1)} of {noun}"
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def listed(texts: Sequence[str]) -> str:
    """A list in a sentence: a, b and c; with a comma before the last where others hold an "and" themselves."""
    if len(texts) < 2:
        return "".join(texts)
    nested = any(" and " in text for text in texts)
    return f"{', '.join(texts[:-1])}{',' * nested} and {texts[-1]}"


def spaced(name: str) -> str:
    """The words of a class name: ``ClassToken`` is "class token", ``GRUCell`` "GRU cell"."""
    words = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+(?:\d+[a-z]?\b)?|\d+", name)
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in words)
