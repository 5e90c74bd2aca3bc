"""One reader for the evidence tables: every cell checked, every bad one named."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from functools import cache
from importlib.resources import files
from types import UnionType
from typing import Any, ClassVar, Literal, Protocol, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as hints_of

from kneerisk.errors import BadCells, CellFault
from kneerisk.evidence.table_models import (
    Advice,
    BaseRate,
    Condition,
    Correlation,
    Effect,
    ImbalanceFacts,
    Range,
    RedFlag,
    Reference,
    ReverseCausation,
    ScreeningTest,
    StopRule,
    Urgency,
    UrgencyFacts,
)
from kneerisk.schema import Measure, athlete_measures, columns, leg_measures
from kneerisk.schema.measure import Equipment

#: The quantity that the simulator starts from, one row a sport.
SPORT_RISK = "risk_12_months_either_knee"


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Dataclass)


class _BadCell(Exception):
    """A cell that breaks its column's rule; the argument is what is allowed."""


def read_table(name: str, row: type[T]) -> tuple[T, ...]:
    """The rows of ``<name>.csv`` in this package, each as a ``row``.

    Cells are read by the annotation of the field: str, int, float, bool (yes or no), a Literal,
    ``tuple[str, ...]`` (split on spaces), or one of these or None. A field with a default may be
    empty. A column ``sources`` holds keys of the references, ``measure`` a name of the schema.

    Raises
    ------
    BadCells
        With every bad cell of the table: file, line, column and what is allowed.
    """
    rows: tuple[T, ...] = _read_once(name, row)
    return rows


def assumed(name: str) -> tuple[int, int]:
    """How many rows of ``<name>.csv`` are a judgement made here, and how many it has."""
    text = files(__package__).joinpath(f"{name}.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), strict=True))
    return sum(row["assumption"] == "yes" for row in rows), len(rows)


@cache
def _read_once(name: str, row: type[Any]) -> tuple[Any, ...]:
    file = f"{name}.csv"
    return parse_table(file, files(__package__).joinpath(file).read_text("utf-8"), row)


def parse_table(source: str, text: str, row: type[T]) -> tuple[T, ...]:
    """The rows of a table given as text; `read_table` without the file.

    Raises
    ------
    BadCells
        As `read_table`.
    """
    reader = csv.reader(text.splitlines(), strict=True)
    expected = [field.name for field in fields(row)]
    header = next(reader, [])
    if header != expected:
        fault = CellFault(
            line=1, column=", ".join(header), rule="header", allowed=", ".join(expected)
        )
        raise BadCells(source, [fault])
    faults: list[CellFault] = []
    rows = []
    for cells in reader:
        values, bad = _values(row, cells, reader.line_num)
        faults += bad
        if not bad:
            rows.append(row(**values))
    if faults:
        raise BadCells(source, faults)
    return tuple(rows)


def _values(
    row: type[_Dataclass], cells: list[str], line: int
) -> tuple[dict[str, Any], list[CellFault]]:
    declared = fields(row)
    if len(cells) != len(declared):
        allowed = f"{len(declared)} cells"
        return {}, [CellFault(line=line, column="", rule="number of cells", allowed=allowed)]
    hints = hints_of(row)
    values: dict[str, Any] = {}
    faults = []
    for field, cell in zip(declared, cells, strict=True):
        try:
            values[field.name] = _checked(field, hints[field.name], cell.strip())
        except _BadCell as bad:
            faults.append(
                CellFault(line=line, column=field.name, rule="bad cell", allowed=str(bad))
            )
    return values, faults


def _checked(field: Field[Any], hint: Any, cell: str) -> Any:
    if not cell:
        if field.default is MISSING:
            raise _BadCell("not empty")
        return field.default
    value = _read(hint, cell)
    if field.name == "measure" and cell not in measure_names():
        raise _BadCell("a measure of the schema")
    if field.name == "sources" and not set(value) <= set(references()):
        raise _BadCell("keys of references.csv, separated by spaces")
    return value


def _read(hint: Any, cell: str) -> Any:
    choices = tuple(_choices(hint))
    if choices:
        if cell not in choices:
            raise _BadCell("one of " + ", ".join(choices))
        return cell
    if hint is bool:
        if cell not in {"yes", "no"}:
            raise _BadCell("yes or no")
        return cell == "yes"
    if get_origin(hint) is tuple:
        return tuple(cell.split())
    if get_origin(hint) in {Union, UnionType}:
        hint = next(option for option in get_args(hint) if option is not type(None))
    return cell if hint is str else _number(hint, cell)


def _choices(hint: Any) -> Iterator[str]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    elif get_origin(hint) in {Union, UnionType}:
        for option in get_args(hint):
            yield from _choices(option)


def _number(kind: Any, cell: str) -> float:
    if kind not in {int, float}:
        raise TypeError(f"no rule to read a cell as {kind}")
    try:
        value = kind(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _BadCell("a whole number" if kind is int else "a finite number")
    return float(value) if kind is float else int(value)


@cache
def measure_names() -> frozenset[str]:
    """Every name a table may give as a measure: a leg's measure has no side in it."""
    sided = {name for name in columns() if name.startswith(("left_", "right_"))}
    plain = {name.removeprefix("left_").removeprefix("right_") for name in sided}
    return frozenset((set(columns()) - sided) | plain | set(leg_measures()))


@cache
def references() -> dict[str, Reference]:
    """Every source, by its key."""
    return {found.key: found for found in read_table("references", Reference)}


@cache
def effects() -> dict[str, Effect]:
    """What raises or lowers the risk of knee pain, by factor; nulls are in it as nulls."""
    return {effect.factor: effect for effect in read_table("effects", Effect)}


def base_rates() -> tuple[BaseRate, ...]:
    """How often knees hurt, by population."""
    return read_table("base_rates", BaseRate)


@cache
def sport_base_rates() -> dict[str, Range]:
    """Risk of new pain in either knee within 12 months, by sport of the schema."""
    rows = [rate for rate in base_rates() if rate.quantity == SPORT_RISK]
    return {
        rate.sport: Range(low=rate.low, central=rate.central, high=rate.high)
        for rate in rows
        if rate.low is not None and rate.central is not None and rate.high is not None
    }


@cache
def correlations() -> dict[str, Correlation]:
    """Correlations between measures, by pair."""
    return {found.pair: found for found in read_table("correlations", Correlation)}


@cache
def imbalances() -> dict[str, ImbalanceFacts]:
    """The five imbalances by name, in the order of a model's answers."""
    return {found.name: found for found in read_table("imbalances", ImbalanceFacts)}


@cache
def red_flags() -> dict[str, RedFlag]:
    """The red flags, by the code that a screening names them with."""
    return {flag.code: flag for flag in read_table("red_flags", RedFlag)}


def advice() -> tuple[Advice, ...]:
    """What to do, in the order to show it."""
    return read_table("advice", Advice)


@cache
def urgencies() -> dict[Urgency, UrgencyFacts]:
    """How soon a red flag is to be seen, the most pressing first."""
    return {facts.urgency: facts for facts in read_table("urgencies", UrgencyFacts)}


@cache
def stop_rules() -> dict[str, StopRule]:
    """When to stop and see a clinician, by the code that advice names."""
    return {rule.code: rule for rule in read_table("stop_rules", StopRule)}


@cache
def conditions() -> dict[str, Condition]:
    """What advice and grades may depend on, by name."""
    return {found.condition: found for found in read_table("conditions", Condition)}


@cache
def reverse_causation() -> dict[str, ReverseCausation]:
    """What present pain does to the measures of the leg that hurts, by measure."""
    return {found.measure: found for found in read_table("reverse_causation", ReverseCausation)}


@cache
def screening_tests() -> dict[str, ScreeningTest]:
    """Every test and question that a screening may still do, by name."""
    return {row.test: row for row in read_table("tests", ScreeningTest)}


@cache
def measures_of_test(test: str) -> dict[str, Measure]:
    """The measures that a model may learn from a test or a question, without their side."""
    asked = screening_tests()[test].measures
    every = athlete_measures() | leg_measures()
    if asked:
        return {name: every[name] for name in asked}
    return {name: m for name, m in every.items() if m.test == test and m.model_input}


@cache
def equipment_of_test(test: str) -> Equipment:
    """What a test needs; the measures of one test need the same, or nothing."""
    needed: set[Equipment] = {m.equipment for m in measures_of_test(test).values()}
    return next(iter(needed - {"none"}), "none")
