"""Isokinetic reports with a column for each movement, leg and speed, one row an athlete.

Peak torque over body weight is told in percent: 100 times Nm/kg in metric reports, 100 times
ft-lb/lb in those with US units, which is a third of it. The report's other units tell which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median
from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import number_shown
from kneerisk.cohort.sheets.cells.decimal_marks import Marks
from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME, Named, read_name
from kneerisk.cohort.sheets.columns.own_legs import own_leg_in
from kneerisk.cohort.sheets.device_exports.device_tests import USUAL_SPEEDS, words_of
from kneerisk.cohort.sheets.device_exports.read_tests import DoneTest, ReadTest, read_test
from kneerisk.cohort.sheets.device_exports.tidy_table import TidyColumn, TidyTable, untouched
from kneerisk.cohort.sheets.lexicon.other_quantities import is_inverse
from kneerisk.cohort.sheets.lexicon.units import unit_named
from kneerisk.cohort.sheets.lexicon.vocabulary import MASS, sides
from kneerisk.cohort.sheets.rows.headings import Heading, Table
from kneerisk.words import text, variant

#: Peak torque over body weight: of metric reports, and of those with US units.
METRIC, US = "% (Nm/kg)", "% (ft-lb/lb)"
#: Between the typical shares of the two: 126 to 319 against 42 to 107 for knee extension and
#: flexion of men and women (the schema's norms, isokinetic at 60 deg/s; assumption: the middle).
_BETWEEN = 115.0
_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_IN_US_UNITS = frozenset({"ft-lb", "lb"})
_IN_METRIC_UNITS = frozenset({"Nm", "kg", "Nm/kg"})
_BARE_SPEED = re.compile(r"(?<![\d./])(" + "|".join(map(str, USUAL_SPEEDS)) + r")(?![\d./])")
_OF_TORQUE = frozenset({"torque", "pt", "drehmoment", "couple", "moment", "koppel"})
_OF_RATIO = ({"agon", "antag"}, {"agonist", "antagonist"}, {"hq", "ratio"}, {"h", "q", "ratio"},
             {"flex", "ext", "ratio"}, {"flexion", "extension", "ratio"},
             {"flexors", "extensors", "ratio"})  # fmt: skip
_OVER_WEIGHT = ({"bw"}, {"body", "weight"}, {"bodyweight"}, {"kg"})


def share_units(heading: Heading, cells: Sequence[Any]) -> tuple[str, ...]:
    """The units that a share of body weight may be in, the likeliest first.

    Parameters
    ----------
    heading
        The names of the report's columns: torques and masses name their units.
    cells
        The shares, as they stand.

    Returns
    -------
    tuple of str
        One where the report tells, else both.
    """
    units = set()
    for name, named in zip(heading.names, heading.meanings, strict=True):
        if len(name) > LONGEST_NAME:
            continue
        if {"torque", "weight", "mass"} & words_of(name) or (
            named.matches and named.matches[0].means == MASS
        ):
            units |= {named.unit, *_units_in(name)}
    is_us, is_metric = bool(units & _IN_US_UNITS), bool(units & _IN_METRIC_UNITS)
    numbers = [n for cell in cells if (n := number_shown(cell, Marks(commas=False))) is not None]
    looks_metric = not numbers or median(numbers) > _BETWEEN
    likeliest = (METRIC, US) if looks_metric else (US, METRIC)
    if is_us != is_metric and (likeliest[0] == METRIC) == is_metric:
        return likeliest[:1]
    return likeliest


def _units_in(name: str) -> list[str]:
    return [unit for part in _BRACKETS.findall(name) if (unit := unit_named(part))]


def share_asked(read: ReadTest, units: tuple[str, ...]) -> ReadTest:
    """A share of body weight with the question in which units it is, if the report does not say."""
    if len(units) == 1 or not read.named.matches:
        return read
    asked = read.question or text("sheet.test.share_unit", name="{name}")
    return read._replace(question=asked, other_units=units[1:])


def isokinetic_columns(heading: Heading, table: Table) -> TidyTable | None:
    """A report with a column for each movement, leg and speed; None where it is none.

    Parameters
    ----------
    heading
        The names of its columns.
    table
        Its rows.

    Returns
    -------
    TidyTable or None
        The same rows, with what the names say of movement, speed and unit.
    """
    kinds = [_quantity(name) for name in heading.names]
    if not any(kinds):
        return None
    tidy = untouched(heading, table, variant("sheet.layout", "isokinetic"))
    shares = [
        row[at] for at, kind in enumerate(kinds) if kind == "torque_share" for row in table.rows
    ]
    units = share_units(heading, shares)
    for at, kind in enumerate(kinds):
        if kind:
            read = _read(heading.names[at], kind, units)
            tidy.columns[at] = _column(heading.names[at], heading.meanings[at], read)
    _without_second_telling(tidy, kinds)
    return tidy


def _quantity(name: str) -> str | None:
    """What an isokinetic column tells: a torque, its share of body weight, or a ratio."""
    if len(name) > LONGEST_NAME:
        return None
    words = words_of(name)
    units = _units_in(name)
    is_told_in_percent = bool({"%", "% BW"} & {*units}) or "%" in name
    is_isokinetic = "/s" in _with_speed(name) or "isokinetic" in words
    if is_inverse("hamstring_quad_ratio", name):
        return None
    if any(parts <= words for parts in _OF_RATIO) and (is_isokinetic or "agon" in words):
        return "ratio"
    if not words & _OF_TORQUE:
        return None
    if is_told_in_percent and any(parts <= words for parts in _OVER_WEIGHT):
        return "torque_share"
    if not is_isokinetic or not ({"peak", "max", "pt"} & words or "/s" in words):
        return None
    return "torque_per_mass" if {"Nm/kg"} & {*units} else "torque"


def _with_speed(name: str) -> frozenset[str]:
    """The words of a heading; of an isokinetic one a usual speed is one without its unit too."""
    words = words_of(name)
    if "/s" in words:
        return words
    bare = _BARE_SPEED.findall(_BRACKETS.sub(" ", name))
    return words | ({f"{bare[0]}/s", "/s"} if len(bare) == 1 else set())


def _read(name: str, kind: str, units: tuple[str, ...]) -> ReadTest:
    words = _with_speed(name)
    named = {sides()[word] for word in words if word in sides()}
    side = named.pop() if len(named) == 1 else None
    told = read_name(name).unit or next(iter(_units_in(name)), None)
    unit = units[0] if kind == "torque_share" else "%" if kind == "ratio" and "%" in name else told
    done = DoneTest(name, (name,), words - set(sides()), frozenset(), unit, side)
    read = read_test(done, kind, unit, side)
    own = own_leg_in(name)
    read = read._replace(named=read.named._replace(own_leg=own.leg if own and not side else None))
    return share_asked(read, units) if kind == "torque_share" else read


def _column(name: str, own: Named, read: ReadTest) -> TidyColumn:
    if not read.named.matches and own.matches and read.why is None:
        return TidyColumn(name, own)
    asked = read.question.format(name=repr(name)) if read.question else None
    return TidyColumn(name, read.named, read.why, asked, read.protocol, read.other_units)


def _without_second_telling(tidy: TidyTable, kinds: Sequence[str | None]) -> None:
    """A torque that the report tells both ways is read from the one that needs nothing else."""
    has_mass = any(c.named.matches and c.named.matches[0].means == MASS for c in tidy.columns)
    order = ["torque", "torque_share"] if has_mass else ["torque_share", "torque"]
    held: dict[tuple[str, str | None], str] = {}
    for wanted in ["torque_per_mass", *order]:
        for at, column in enumerate(tidy.columns):
            if kinds[at] != wanted or not column.named.matches:
                continue
            key = (column.named.matches[0].means, column.named.side or column.named.own_leg)
            if key in held:
                why = text("sheet.test.told_twice", column=repr(held[key]))
                named = Named((), column.named.side, column.named.unit)
                tidy.columns[at] = TidyColumn(column.name, named, why)
            held.setdefault(key, column.name)
