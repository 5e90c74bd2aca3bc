"""A club's `measures.toml`: what it declares becomes measures, or is refused with every fault.

Each table of the file is a measure, named as a screening and a cohort file name it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kneerisk.errors import Fault, MeasuresRefused
from kneerisk.schema.body_faults import faults_of
from kneerisk.schema.columns import columns, leg_measures
from kneerisk.schema.declared_measure import Declared, DeclaredCategory, DeclaredQuantity
from kneerisk.schema.faults import FaultCode, json_pointer
from kneerisk.schema.own_measures import NO_OWN_MEASURES, OwnMeasures
from kneerisk.words import text

#: How large a file may be, and how many measures it may declare (assumptions): a club has some
#: five of its own, and each costs every screening some time.
MOST_BYTES, MOST_MEASURES = 100_000, 40
#: A name is written in a body, the heading of a file and a command line.
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME = 60
#: What a column that begins so is: of one leg, an outcome, or whether the sport is this one.
_RESERVED_STARTS = ("left_", "right_", "outcome_", "sport_")
#: Columns that a file of screenings has besides measures, and what a model calls female.
_RESERVED = frozenset(
    {"athlete_id", "screening_date", "group", "red_flags", "cohort_kind", "outcome_kind",
     "horizon_months", "source", "athlete", "left", "right", "pain", "female", "tests_done"}
)  # fmt: skip
#: Beyond any instrument's range, and still a floating-point number (assumption).
_HUGE = 1e300


def read_measures_file(path: Path) -> OwnMeasures:
    """The own measures that a file declares.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    The measures, in the file's order.

    Raises
    ------
    MeasuresRefused
        Where it can't be read, or with every fault of what it declares.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MeasuresRefused(
            str(path), text("schema.own.unreadable", reason=error.strerror)
        ) from None
    if len(content) > MOST_BYTES:
        raise MeasuresRefused(str(path), text("schema.own.too_large", most=f"{MOST_BYTES:,}"))
    try:
        declared = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MeasuresRefused(str(path), text("schema.own.not_toml", reason=str(error))) from None
    return own_measures(declared, str(path))


def own_measures(declared: Mapping[str, Any], source: str) -> OwnMeasures:
    """The own measures of a declaration.

    Parameters
    ----------
    declared
        By the name of a measure what it states, as the file has it.
    source
        What to call the declaration in a message.

    Returns
    -------
    The measures, in their order.

    Raises
    ------
    MeasuresRefused
        With every fault.
    """
    if not 0 < len(declared) <= MOST_MEASURES:
        raise MeasuresRefused(source, text("schema.own.how_many", most=MOST_MEASURES))
    read: dict[str, DeclaredQuantity | DeclaredCategory] = {}
    # A name or a label is taken whatever else is in force at the time.
    with NO_OWN_MEASURES.in_force():
        faults = list(_name_faults(declared))
        for name, stated in declared.items():
            kind = _kind_of(stated)
            try:
                read[name] = kind.model_validate(stated)
            except ValidationError as error:
                faults += [_within(name, f, kind.model_fields) for f in faults_of(error)]
                faults += _limits_faults(name, stated)
        for name, measure in read.items():
            faults += [
                Fault(pointer=json_pointer(name, key), code=code, message=rule)
                for key, code, rule in measure.contradictions(name)
            ]
        faults += _label_faults(read)
    if faults:
        raise MeasuresRefused(source, text("schema.own.refused", count=len(faults)), faults)
    measures = {name: measure.measure(name) for name, measure in read.items()}
    return OwnMeasures(
        athlete={name: measures[name] for name in read if read[name].of == "athlete"},
        leg={name: measures[name] for name in read if read[name].of == "leg"},
        declared={name: dict(stated) for name, stated in declared.items()},
    )


def _kind_of(stated: Any) -> type[DeclaredQuantity | DeclaredCategory]:
    """What one table states: a category where it has choices, else a quantity."""
    has_choices = isinstance(stated, dict) and "choices" in stated
    return DeclaredCategory if has_choices else DeclaredQuantity


def _limits_faults(name: str, stated: Any) -> Iterator[Fault]:
    """Limits upside down in a table that has other faults too, so that all are told at once."""
    if not isinstance(stated, dict):
        return
    low, high = (_number(stated.get(key)) for key in ("low", "high"))
    if low is not None and high is not None and low >= high:
        rule = text("schema.own.upside_down", low=f"{low:g}", high=f"{high:g}")
        code = FaultCode.LIMITS_UPSIDE_DOWN
        yield Fault(pointer=json_pointer(name, "low"), code=code, message=rule)


def _number(stated: Any) -> float | None:
    """A limit as it was stated; None where it is none that a measure may have."""
    return float(stated) if type(stated) in {int, float} and abs(stated) < _HUGE else None


def _within(name: str, fault: Fault, keys: Iterable[str]) -> Fault:
    """A fault of one table as one of the file."""
    message = fault.message
    if fault.code == FaultCode.UNKNOWN_NAME:
        message = text("schema.own.unknown_key", keys=", ".join(keys))
    if fault.code == "string_pattern_mismatch":
        message = text("schema.own.not_plain")
    return Fault(pointer=json_pointer(name) + fault.pointer, code=fault.code, message=message)


def _name_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    """Names that are taken, or can't be the name of a measure."""
    taken = {*columns(), *leg_measures(), *_RESERVED}
    taken |= {column.partition("_")[2] for column in columns() if column.startswith("left_")}
    for name in declared:
        code, rule = None, ""
        if name in taken:
            code, rule = FaultCode.NAME_TAKEN, text("schema.own.name_taken")
        elif not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            code, rule = FaultCode.NOT_A_NAME, text("schema.own.not_a_name", most=_LONGEST_NAME)
        elif name.startswith(_RESERVED_STARTS):
            starts = ", ".join(_RESERVED_STARTS)
            code, rule = FaultCode.NOT_A_NAME, text("schema.own.reserved_start", starts=starts)
        if code is not None:
            yield Fault(pointer=json_pointer(name), code=code, message=rule)


def _label_faults(read: Mapping[str, Declared]) -> list[Fault]:
    """Labels that another measure has: a form would show two fields that look alike."""
    taken = {measure.label.casefold() for measure in columns().values()}
    faults = []
    for name, measure in read.items():
        if measure.label.casefold() in taken:
            rule = text("schema.own.label_taken")
            faults.append(
                Fault(pointer=json_pointer(name, "label"), code=FaultCode.NAME_TAKEN, message=rule)
            )
        taken.add(measure.label.casefold())
    return faults
