"""What the columns of a device's export are: which test, whose, when, which leg, which value.

Devices name their columns after what they record of any test (`L Max Force (N)`), not after a
measure. The words stand in `export_columns.csv` and `export_quantities.csv`; what is in neither is
read as a column of any other sheet.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, get_args

from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME, Named
from kneerisk.cohort.sheets.columns.own_legs import OwnLeg, own_leg_in, telling_legs
from kneerisk.cohort.sheets.lexicon.folded_text import split_words
from kneerisk.cohort.sheets.lexicon.units import unit_named
from kneerisk.cohort.sheets.lexicon.vocabulary import ATHLETE, DATE, SIDE, sides
from kneerisk.cohort.sheets.rows.headings import Heading
from kneerisk.schema import Side

#: How one number stands for the repetitions of a test: the greatest first.
_GREATEST = frozenset({"max", "maximum", "maximal", "maximale", "peak", "best", "highest", "máx",
                       "máxima", "massima", "maks", "maksimi"})  # fmt: skip
_MEAN = frozenset({"avg", "average", "mean", "mittel", "mittelwert", "moyenne", "media", "média",
                   "gemiddelde", "medel", "snitt"})  # fmt: skip
#: The directions of a force frame, as the device's own interface names them.
_DIRECTIONS = {"inner": "squeeze", "outer": "pull", "squeeze": "squeeze", "pull": "pull"}
#: A column of neither leg: the force of both together.
_NEITHER = frozenset({"n", "none", "both", "bilateral"})
#: What a device tells besides, and no measure is made of.
_OTHER_METRICS = frozenset({
    "rfd", "impulse", "imbalance", "asymmetry", "asym", "time", "ttp", "power", "reps", "rep",
    "repetitions", "work", "fatigue", "rate", "duration", "height", "rsi", "velocity", "stiffness",
    "deficit", "cv", "coeff", "coefficient", "depth", "load", "acceleration", "count",
})  # fmt: skip
_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")

Role = Literal["test", "direction", "position", "speed", "unit", "side",
               "athlete", "date", "housekeeping"]  # fmt: skip


class ValueColumn(NamedTuple):
    """A column of values of whatever test its row is of."""

    at: int
    quantity: str
    unit: str | None
    """As its name says, or as every device of the kind shows it."""
    side: Side | None
    direction: str
    """`squeeze`, `pull` or nothing."""
    is_mean: bool
    """Of the repetitions; else it is their greatest or a single value."""
    own_leg: OwnLeg | None = None
    """The injured leg or the dominant one, or its other, where the column says only that."""

    @property
    def leg(self) -> Side | OwnLeg | None:
        """What the column says of the leg."""
        return self.side or self.own_leg


class Layout(NamedTuple):
    """A kind of export, and the columns that tell it."""

    name: str
    telling: frozenset[str]
    force_unit: str | None
    """Of forces without a unit in their name."""


@dataclass(slots=True)
class ExportColumns:
    """The columns of an export, by their places."""

    by_role: dict[str, list[int]] = field(default_factory=dict)
    values: list[ValueColumn] = field(default_factory=list)
    unused: list[int] = field(default_factory=list)
    """What a device tells besides, and nothing is made of."""
    others: list[int] = field(default_factory=list)
    """Columns as any sheet has them, such as sex and body mass."""

    def of(self, role: Role) -> list[int]:
        """The places of the columns with a role."""
        return self.by_role.get(role, [])

    def of_tests(self) -> list[int]:
        """The places of all columns that say what was tested, and of which leg."""
        others = {"athlete", "date", "housekeeping"}
        return [at for role, own in self.by_role.items() if role not in others for at in own]


def _table(name: str) -> Iterator[dict[str, str]]:
    content = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(content.splitlines())


@cache
def _roles() -> dict[str, Role]:
    roles: dict[str, Role] = {}
    known = {role: role for role in get_args(Role)}
    for row in _table("export_columns.csv"):
        words = (" ".join(split_words(words)) for words in row["words"].split("|"))
        roles |= dict.fromkeys(words, known[row["role"]])
    return roles


@cache
def _quantities() -> dict[frozenset[str], tuple[str, str | None]]:
    return {
        frozenset(split_words(words)): (row["quantity"], row["unit"] or None)
        for row in _table("export_quantities.csv")
        for words in row["words"].split("|")
    }


@cache
def layouts() -> tuple[Layout, ...]:
    """Every kind of export that is known, the first that fits counts."""
    return tuple(
        Layout(row["layout"], frozenset(row["telling"].split("|")), row["force_unit"] or None)
        for row in _table("device_layouts.csv")
    )


def layout_of(names: Sequence[str]) -> Layout | None:
    """The kind of export that has such columns; None where it is none that is known."""
    own = {" ".join(name_words(name)) for name in names if len(name) <= LONGEST_NAME}
    return next((one for one in layouts() if one.telling <= own), None)


def export_columns(heading: Heading) -> ExportColumns:
    """What each column of a table is, if it is the export of a device.

    Parameters
    ----------
    heading
        The names of the columns, and what they would mean in any other sheet.

    Returns
    -------
    ExportColumns
        Every column once.
    """
    found = ExportColumns()
    telling = telling_legs(heading.names)
    for at, (name, named) in enumerate(zip(heading.names, heading.meanings, strict=True)):
        role = None if telling[at] else _role(name, named)
        if role is not None:
            found.by_role.setdefault(role, []).append(at)
        elif telling[at]:
            found.others.append(at)
        elif value := value_column(at, name):
            found.values.append(value)
        elif named.matches and named.matches[0].likeness >= 1:
            found.others.append(at)
        elif _OTHER_METRICS & set(name_words(name)) or not named.matches:
            found.unused.append(at)
        else:
            found.others.append(at)
    _settle_ids(found, heading.names)
    return found


def _role(name: str, named: Named) -> Role | None:
    if len(name) > LONGEST_NAME:
        return None
    if role := _roles().get(" ".join(name_words(name))):
        return role
    if not named.matches or named.matches[0].likeness < 1:
        return None
    kinds: dict[str, Role] = {ATHLETE: "athlete", DATE: "date", SIDE: "side"}
    return kinds.get(named.matches[0].means)


def name_words(name: str) -> list[str]:
    """The words of a name outside brackets, which hold a unit or nothing of use."""
    outside = _BRACKETS.sub(" ", name).strip()
    return split_words(outside or name)


def _settle_ids(found: ExportColumns, names: Sequence[str]) -> None:
    """A bare id tells the test where another column tells the athlete, and the athlete if none."""
    if found.of("athlete"):
        return
    for at in list(found.of("housekeeping")):
        if name_words(names[at]) in (["id"], ["external", "id"]):
            found.by_role["housekeeping"].remove(at)
            found.by_role["athlete"] = [at]
            return


def value_column(at: int, name: str) -> ValueColumn | None:
    """A column of values of any test, by its name; None where it is none.

    Parameters
    ----------
    at
        Its place.
    name
        Its name, such as `leftMaxForce` or `R Max ROM (°)`.

    Returns
    -------
    ValueColumn or None
        What it holds, of which leg and in which unit.
    """
    if len(name) > LONGEST_NAME:
        return None
    own = own_leg_in(name)
    name = own.rest if own else name
    brackets = [bracket[1] for bracket in _BRACKETS.finditer(name)]
    units = [unit for bracket in brackets if (unit := unit_named(bracket))]
    words = [*name_words(name), *(w for b in brackets for w in split_words(b) if w in sides())]
    legs = {sides()[word] for word in words if word in sides()}
    rest = [word for word in words if word not in sides() and word not in _NEITHER]
    direction = next((_DIRECTIONS[word] for word in rest if word in _DIRECTIONS), "")
    plain = frozenset(rest) - _GREATEST - _MEAN - set(_DIRECTIONS)
    # `Best` beside its trials is their value, `L` the one of a leg.
    is_any = not plain and (legs or own or rest == ["best"])
    known = ("any", None) if is_any else _quantities().get(plain)
    if known is None or len(legs) > 1:
        return None
    quantity, usual = known
    # `Max` alone is no quantity, and a share of body weight is told in percent.
    unit = units[0] if units else usual
    quantity = "torque_share" if quantity == "torque" and unit in {"%", "% BW"} else quantity
    side = legs.pop() if legs else None
    is_mean = bool(_MEAN & set(rest))
    own_leg = own.leg if own and not side else None
    return ValueColumn(at, quantity, unit, side, direction, is_mean, own_leg)


def quantity_in(unit: str | None) -> str:
    """What a value is that only its unit tells of."""
    kinds = {"N": "force", "kgf": "force", "lbf": "force", "N/kg": "force_per_mass",
             "Nm": "torque", "ft-lb": "torque", "Nm/kg": "torque_per_mass", "deg": "angle",
             "cm": "distance", "mm": "distance", "inch": "distance", "ratio": "ratio"}  # fmt: skip
    return kinds.get(unit or "", "any")


def greatest_first(found: ExportColumns) -> list[ValueColumn]:
    """The greatest of the repetitions, where a device tells their mean too."""
    first: dict[tuple[Any, ...], ValueColumn] = {}
    for value in sorted(found.values, key=lambda value: value.is_mean):
        first.setdefault((value.quantity, value.leg, value.direction), value)
    return sorted(first.values(), key=lambda value: value.at)
