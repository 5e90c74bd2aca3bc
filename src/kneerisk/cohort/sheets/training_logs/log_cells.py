"""Distances and times as logs write them: `5,81`, `"1,500"`, `00:31:24`, `1:02`, `62 min`, `--`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.training_logs.log_answer import DurationUnit
from kneerisk.cohort.sheets.training_logs.log_columns import unit_word

Floats = NDArray[np.float64]

_NUMBER = re.compile(r"([+-]?[\d.,\u00a0\u202f' ]*\d)\s*([^\W\d_]{0,12})\.?")
_CLOCK = re.compile(r"(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?(?:[.,](\d{1,6}))?", re.ASCII)
#: `1h 02m 03s`, `1 h 2 min`, and the periods of ISO 8601 (`PT1H2M3S`).
_SPOKEN = re.compile(
    r"(?:PT)?(?:(\d{1,3})\s*(?:h|hrs?|std|hours?)\.?)?\s*(?:(\d{1,4})\s*(?:m|min|mins|minutes)\.?)?"
    r"\s*(?:(\d{1,5})(?:\.\d+)?\s*(?:s|sec|secs|seconds)\.?)?",
    re.IGNORECASE,
)
_SECONDS = {"h": 3600.0, "min": 60.0, "s": 1.0}
#: A longer cell is a remark (assumption).
_LONGEST = 40


class Numbers(NamedTuple):
    """A column of numbers."""

    values: Floats
    """NaN where nothing was recorded or it can't be read."""
    unit: str | None
    """The unit that the cells carry with them."""
    bad: int
    """Cells with an entry that is no number and no dash."""


def numbers(cells: Sequence[Any], *, commas_likely: bool) -> Numbers:
    """The numbers of a column; its decimal mark is told by the column itself.

    Parameters
    ----------
    cells
        The column.
    commas_likely
        Whether the file writes decimals with a comma, where the column does not tell.

    Returns
    -------
    Numbers
        The values, the unit in the cells, and how many can't be read.
    """
    texts = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    commas = _decimal_commas([t for t in texts if isinstance(t, str)], commas_likely=commas_likely)
    values = np.full(len(texts), np.nan)
    units: dict[int, str] = {}
    bad = 0
    for at, entry in enumerate(texts):
        if not isinstance(entry, str):
            values[at] = float(entry) if isinstance(entry, int | float) else np.nan
            continue
        match = _NUMBER.fullmatch(entry) if len(entry) <= _LONGEST else None
        plain = _plain(match[1], commas=commas) if match else None
        unit = unit_word(match[2]) if match and match[2] else None
        if plain is None or (match and match[2] and unit is None):
            bad += any(character.isalnum() for character in entry)
            continue
        values[at] = float(plain)
        if unit is not None:
            units[at] = unit
    usual = next((unit for unit, _ in Counter(units.values()).most_common(1)), None)
    # A number in another unit than the others is none of theirs.
    others = [at for at, unit in units.items() if unit != usual]
    values[others] = np.nan
    return Numbers(values, usual, bad + len(others))


def _decimal_commas(texts: Sequence[str], *, commas_likely: bool) -> bool:
    """Whether the comma is the decimal mark: three digits behind it may be a thousand."""
    commas = points = 0
    for entry in texts:
        match = _NUMBER.match(entry[:_LONGEST])
        figures = match[1] if match else ""
        last = max(figures.rfind(","), figures.rfind("."))
        is_decimal = last >= 0 and (len(figures) - last - 1 != 3 or figures.startswith(("0", ",")))
        mixed = "," in figures and "." in figures
        if max(figures.count(","), figures.count(".")) > 1 and not mixed:
            # A mark that stands twice parts thousands, so the other one parts decimals.
            commas, points = commas + (figures[last] == "."), points + (figures[last] == ",")
        elif is_decimal or mixed:
            commas += figures[last] == ","
            points += figures[last] == "."
    return commas > points or (commas == points and commas_likely)


def _plain(figures: str, *, commas: bool) -> str | None:
    decimal, thousands = (",", ".") if commas else (".", ",")
    whole, _, part = re.sub(r"[\u00a0\u202f' ]", "", figures).partition(decimal)
    # A mark of thousands stands before three digits each time.
    groups = whole.split(thousands)
    if len(groups) > 1 and any(len(group) != 3 for group in groups[1:]):
        return None
    plain = "".join(groups) + (f".{part}" if part else "")
    return plain if re.fullmatch(r"[+-]?\d*(\.\d+)?", plain) and plain[-1:].isdigit() else None


class Durations(NamedTuple):
    """A column of times, in seconds as far as they say so themselves."""

    seconds: Floats
    """NaN where nothing was recorded, or the form is open."""
    pairs: Floats
    """Two figures each (`1:02`), as minutes and seconds; NaN elsewhere."""
    plain: Floats
    """Numbers without a unit; NaN elsewhere."""
    bad: int

    def known(self, unit: DurationUnit | None) -> Floats:
        """In hours, the open ones read in a unit; without one they are NaN."""
        seconds = self.seconds.copy()
        if unit in _SECONDS:
            seconds = np.where(np.isnan(seconds), self.plain * _SECONDS[unit], seconds)
        # Of a column of pairs, most have two figures; `h:mm` is sixty times as long as `m:ss`.
        factor = 60.0 if unit == "h:mm" else 1.0 if unit is not None else np.nan
        return np.where(np.isnan(seconds), self.pairs * factor, seconds) / 3600.0


def durations(cells: Sequence[Any], unit: str | None, *, commas_likely: bool) -> Durations:
    """The times of a column.

    Parameters
    ----------
    cells
        The column.
    unit
        The unit that its name states: `h`, `min` or `s`.
    commas_likely
        Whether the file writes decimals with a comma, where the column does not tell.

    Returns
    -------
    Durations
        What is known in seconds, and what is open.
    """
    seconds, pairs = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    rest: list[Any] = []
    for at, cell in enumerate(cells):
        rest.append(cell)
        if isinstance(cell, datetime):
            # Excel shows a time of up to a day as a moment of its first day.
            seconds[at], rest[at] = cell.hour * 3600 + cell.minute * 60 + cell.second, ""
        elif isinstance(cell, str) and len(cell) <= _LONGEST:
            spoken = _spoken(cell.strip())
            clock = _CLOCK.fullmatch(cell.strip())
            if clock or spoken is not None:
                rest[at] = ""
            if clock and clock[3] is None:
                pairs[at] = int(clock[1]) * 60 + int(clock[2])
            elif clock:
                seconds[at] = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
            elif spoken is not None:
                seconds[at] = spoken
    if np.isfinite(seconds).sum() > np.isfinite(pairs).sum():
        # Beside `1:02:03` the shorter ones are minutes and seconds.
        seconds, pairs = np.where(np.isnan(seconds), pairs, seconds), np.full(len(cells), np.nan)
    read = numbers(rest, commas_likely=commas_likely)
    unit = unit or (read.unit if read.unit in _SECONDS else None)
    if unit in _SECONDS:
        seconds = np.where(np.isnan(seconds), read.values * _SECONDS[unit], seconds)
        return Durations(seconds, pairs, np.full(len(cells), np.nan), read.bad)
    return Durations(seconds, pairs, read.values, read.bad)


def _spoken(entry: str) -> float | None:
    match = _SPOKEN.fullmatch(entry)
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
