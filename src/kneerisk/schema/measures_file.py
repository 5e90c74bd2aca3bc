"""A club's `measures.toml`: what it declares becomes measures, or is refused with every fault.

Each table of the file is a measure, named as a screening and a cohort file name it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kneerisk.errors import Fault, MeasuresRefused
from kneerisk.schema.columns import columns, leg_measures
from kneerisk.schema.faults import FaultCode, json_pointer
from kneerisk.schema.measure import (
    Category,
    Direction,
    Equipment,
    Measure,
    MeasurementError,
    Norm,
    Quantity,
)
from kneerisk.schema.own_measures import NO_OWN_MEASURES, OwnMeasures
from kneerisk.schema.screening import faults_of
from kneerisk.words import text

#: How large a file may be, and how many measures it may declare (assumptions): a club has some
#: five of its own, and each costs every screening some time.
MOST_BYTES, MOST_MEASURES = 100_000, 40
#: A name is written in a body, the heading of a file and a command line.
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME = 60
#: What the unit of a measure may be, and how its name then ends. A count or a score has no ending:
#: its name may be any.
UNITS: Mapping[str, str] = {
    "mm": "_mm", "cm": "_cm", "m": "_m", "km": "_km", "ms": "_ms", "s": "_s", "min": "_min",
    "weeks": "_weeks", "years": "_years", "kg": "_kg", "kg/m2": "_kg_m2", "N": "_n",
    "N/kg": "_n_kg", "Nm": "_nm", "Nm/kg": "_nm_kg", "W": "_w", "W/kg": "_w_kg", "deg": "_deg",
    "deg/s": "_deg_s", "m/s": "_mps", "km/h": "_kmh", "steps/min": "_spm", "beats/min": "_bpm",
    "ml/kg/min": "_ml_kg_min", "h/week": "_hours_per_week", "h/day": "_hours_per_day",
    "sessions/week": "_sessions_per_week", "%": "_pct", "% BW": "_pct_bw", "ratio": "_ratio",
    "points": "", "grade": "", "of 10": "", "repetitions": "", "episodes": "", "count": "",
}  # fmt: skip
#: What a column that begins so is: of one leg, an outcome, or whether the sport is this one.
_RESERVED_STARTS = ("left_", "right_", "outcome_", "sport_")
#: Columns that a file of screenings has besides measures, and what a model calls female.
_RESERVED = frozenset(
    {"athlete_id", "screening_date", "group", "red_flags", "cohort_kind", "outcome_kind",
     "horizon_months", "source", "athlete", "left", "right", "pain", "female", "tests_done"}
)  # fmt: skip

_Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f<>]*$")]
_Sentence = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f<>]*$")]
_CLOSED = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class _BySex(BaseModel):
    model_config = _CLOSED

    male: float
    female: float


class _Declared(BaseModel):
    model_config = _CLOSED

    label: _Label
    of: Literal["athlete", "leg"]
    source: _Sentence
    protocol: _Sentence = ""
    test: _Label | None = None
    equipment: Equipment = "none"
    modifiable: bool = False
    minutes: Annotated[float, Field(gt=0, le=240)] | None = None

    def facts(self, name: str) -> dict[str, Any]:
        """What a measure of either kind states."""
        return {
            "label": self.label,
            "protocol": self.protocol or text("schema.own.protocol", label=self.label),
            "station": "own",
            "group": "own",
            "source": self.source,
            "test": self.test or name,
            "equipment": self.equipment,
            "modifiable": self.modifiable,
        }


class _DeclaredQuantity(_Declared):
    unit: Literal[tuple(UNITS)]  # type: ignore[valid-type]
    low: float
    high: float
    mean: float | _BySex
    sd: float | _BySex
    error: float | None = None
    direction: Direction | None = None
    whole: bool = False
    log_scale: bool = False

    def by_sex(self) -> dict[str, tuple[float, float]]:
        """Mean and SD of men and of women."""
        return {sex: (_of(self.mean, sex), _of(self.sd, sex)) for sex in ("male", "female")}

    def measure(self, name: str) -> Measure:
        """The measure that it declares."""
        usual = self.by_sex()
        error = MeasurementError(sem=self.error, source=self.source) if self.error else None
        return Quantity(
            **self.facts(name),
            unit=self.unit,
            low=self.low,
            high=self.high,
            norms=(Norm(male=usual["male"], female=usual["female"], source=self.source),),
            error=error,
            direction=self.direction,
            whole=self.whole,
            log_scale=self.log_scale,
        )

    def contradictions(self, name: str) -> Iterator[tuple[str, FaultCode, str]]:
        """Each key at fault beside others, its code, and the rule in words."""
        upside_down, outside = FaultCode.LIMITS_UPSIDE_DOWN, FaultCode.OUTSIDE_LIMITS
        if not name.endswith(UNITS[self.unit]):
            rule = text("schema.own.name_without_unit", unit=self.unit, ending=UNITS[self.unit])
            yield "unit", FaultCode.NAME_WITHOUT_UNIT, rule
        if self.low >= self.high:
            yield (
                "low",
                upside_down,
                text("schema.own.upside_down", low=f"{self.low:g}", high=f"{self.high:g}"),
            )
        elif not all(self.low < mean < self.high for mean, _ in self.by_sex().values()):
            yield (
                "mean",
                outside,
                text("schema.own.mean", low=f"{self.low:g}", high=f"{self.high:g}"),
            )
        elif not all(0.0 < sd < self.high - self.low for _, sd in self.by_sex().values()):
            yield "sd", outside, text("schema.own.sd", width=f"{self.high - self.low:g}")
        if self.error is not None and not 0.0 <= self.error < min(
            sd for _, sd in self.by_sex().values()
        ):
            yield "error", outside, text("schema.own.error")
        if self.log_scale and self.low <= 0.0:
            yield "log_scale", outside, text("schema.own.log_scale")


def _of(value: float | _BySex, sex: str) -> float:
    return float(getattr(value, sex)) if isinstance(value, _BySex) else float(value)


class _DeclaredCategory(_Declared):
    choices: Annotated[list[_Label], Field(min_length=2, max_length=12)]
    ordered: bool = False

    def measure(self, name: str) -> Measure:
        """The measure that it declares."""
        return Category(**self.facts(name), choices=tuple(self.choices), ordinal=self.ordered)

    def contradictions(self, _: str) -> Iterator[tuple[str, FaultCode, str]]:
        """Each key at fault beside others, its code, and the rule in words."""
        if len(set(self.choices)) < len(self.choices):
            yield "choices", FaultCode.TOLD_TWICE, text("schema.own.choices_twice")
        if len(self.choices) > 2 and not self.ordered:
            yield "ordered", FaultCode.NOT_ORDERED, text("schema.own.not_ordered")


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
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
    read: dict[str, _DeclaredQuantity | _DeclaredCategory] = {}
    # A name or a label is taken whatever else is in force at the time.
    with NO_OWN_MEASURES.in_force():
        faults = list(_name_faults(declared))
        for name, stated in declared.items():
            kind = _kind_of(stated)
            try:
                read[name] = kind.model_validate(stated)
            except ValidationError as error:
                faults += [_within(name, f, kind.model_fields) for f in faults_of(error)]
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
        declared={name: measure.model_dump(exclude_unset=True) for name, measure in read.items()},
    )


def _kind_of(stated: Any) -> type[_DeclaredQuantity | _DeclaredCategory]:
    """What one table states: a category where it has choices, else a quantity."""
    has_choices = isinstance(stated, dict) and "choices" in stated
    return _DeclaredCategory if has_choices else _DeclaredQuantity


def _within(name: str, fault: Fault, keys: Iterable[str]) -> Fault:
    """A fault of one table as one of the file."""
    message = fault.message
    if fault.code == FaultCode.UNKNOWN_NAME:
        message = text("schema.own.unknown_key", keys=", ".join(keys))
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


def _label_faults(read: Mapping[str, _Declared]) -> list[Fault]:
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
