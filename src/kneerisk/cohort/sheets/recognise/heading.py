"""Where the names of the columns stand, and which lines below them are no athlete."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.filelines import Lines
from kneerisk.cohort.sheets.folding import fold
from kneerisk.cohort.sheets.recognise.names import Named, name_read, only_side
from kneerisk.cohort.sheets.recognise.vocabulary import plain_words
from kneerisk.cohort.sheets.units import unit_named
from kneerisk.cohort.sheets.worksheet import joined_names
from kneerisk.errors import CohortRefused

#: Names of columns are looked for in so many lines.
_LOOKED_AT = 20
_NUMBER = re.compile(r"[+-]?[\d.,]+\s*\S{0,3}")


class Heading(NamedTuple):
    """The names of the columns, and the lines that they were put together from."""

    names: list[str]
    read: list[Named]
    lines: list[int]


class Body(NamedTuple):
    """The rows below the names, each as wide as they are, and what was left out of them."""

    rows: list[list[Any]]
    lines: list[int]
    left_out: dict[int, str]
    """Lines that are no athlete, with the reason's code."""
    too_long: list[int]
    """Lines with entries to the right of the last name."""


def heading(lines: Lines, asked_line: int | None) -> Heading:
    """The line, or up to two with a line of units, whose cells are most like names of measures.

    Raises
    ------
    CohortRefused
        Where no line looks like names, or the line that was asked for is empty.
    """
    at = [number for number, _ in lines]
    if asked_line is not None and asked_line not in at:
        raise CohortRefused(f"line {asked_line} is empty, so it can't name the columns")
    first = range(min(len(lines), _LOOKED_AT))
    starts = first if asked_line is None else [at.index(asked_line)]
    best: tuple[float, Heading] | None = None
    for start in starts:
        for many in (1, 2):
            block = lines[start : start + many]
            if len(block) < many or not _may_be_names(block):
                continue
            # The units stand in a line of their own below the names.
            block += [row for row in lines[start + many : start + many + 1] if _is_units(row[1])]
            found = _read([row for _, row in block], [number for number, _ in block])
            score = _score(found) - 0.1 * many
            if best is None or score > best[0]:
                best = (score, found)
    if best is None or (best[0] < 0.5 and asked_line is None):
        raise CohortRefused("no line in it looks like the names of columns (Name, Age, Sex, ...)")
    return best[1]


def _may_be_names(block: Lines) -> bool:
    """Names are words."""
    filled = [cell for _, row in block for cell in row if cell != ""]
    return all(isinstance(cell, str) and not _NUMBER.fullmatch(cell) for cell in filled)


def _is_units(row: list[Any]) -> bool:
    filled = [cell for cell in row if cell != ""]
    return bool(filled) and all(isinstance(c, str) and unit_named(c.strip("()[] ")) for c in filled)


def _read(rows: list[list[Any]], lines: list[int]) -> Heading:
    names = joined_names([list(row) for row in rows])
    parts = [
        [str(row[place]) if place < len(row) else "" for row in rows] for place in range(len(names))
    ]
    return Heading(names, [_best(*both) for both in zip(names, parts, strict=True)], lines)


def _best(joined: str, parts: list[str]) -> Named:
    """A column under another's heading may be named well enough by its own part alone."""
    whole = name_read(joined) if joined else Named((), None, None)
    for end in range(len(parts), 0, -1):
        own = " ".join(filter(None, parts[1:end] if len(parts) > 1 else parts))
        if not own or only_side(own) or unit_named(own):
            continue
        alone = name_read(own)
        if _likeness(alone) > _likeness(whole):
            return alone._replace(side=alone.side or whole.side, unit=alone.unit or whole.unit)
    return whole


def _likeness(named: Named) -> float:
    return named.matches[0].likeness if named.matches else 0.0


def _score(found: Heading) -> float:
    """How many different columns are recognised."""
    best: dict[tuple[str, str | None], float] = {}
    for named in found.read:
        if named.matches:
            key = (named.matches[0].means, named.side)
            best[key] = max(best.get(key, 0.0), named.matches[0].likeness)
    return sum(best.values())


def body(lines: Lines, found: Heading) -> Body:
    """The rows below the names without totals, repeated names and remarks."""
    width = len(found.names)
    names = [fold(name) for name in found.names]
    below = Body([], [], {}, [])
    for line, row in lines:
        if line <= found.lines[-1]:
            continue
        cells = [*row, *[""] * (width - len(row))][:width]
        below.rows.append(cells)
        below.lines.append(line)
        if any(cell != "" for cell in row[width:]):
            below.too_long.append(line)
        if code := _no_athlete(cells, names):
            below.left_out[line] = code
    return below


def _no_athlete(cells: list[Any], names: list[str]) -> str | None:
    filled = {at: cell for at, cell in enumerate(cells) if cell != ""}
    words = {at: fold(cell).rstrip(":. ") for at, cell in filled.items() if isinstance(cell, str)}
    first = next(iter(words.values()), "")
    if first in plain_words("total") and next(iter(words)) <= 2:
        return "totals"
    if len(words) > 1 and all(word == names[at].rstrip(":. ") for at, word in words.items()):
        return "names_again"
    if len(filled) > 1 and _is_units(cells):
        return "units_again"
    if len(filled) == 1 and len(names) > 2 and words and next(iter(words)) == 0:
        return "remark"
    return None
