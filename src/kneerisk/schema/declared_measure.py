"""What a club states of one measure of its own, and the measure that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from kneerisk.schema.faults import FaultCode
from kneerisk.schema.measure import (
    Category,
    Direction,
    Equipment,
    Measure,
    MeasurementError,
    Norm,
    Quantity,
)
from kneerisk.words import text

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
#: Neither control characters nor brackets: the text stands in tables, pages and messages.
_PLAIN = r"[^\x00-\x1f<>{}\[\]]*$"
#: A spreadsheet would run one that begins with a sign.
_Label = Annotated[str, Field(min_length=1, max_length=60, pattern=rf"^[^\W_]{_PLAIN}")]
_Sentence = Annotated[str, Field(min_length=1, max_length=300, pattern=rf"^{_PLAIN}")]
#: A choice that begins with a digit would be taken for a number in a file.
_Choice = Annotated[str, Field(min_length=1, max_length=40, pattern=rf"^[^\W\d_]{_PLAIN}")]
#: No quantity of a body is as large, in any of the units (assumption).
_LARGEST = 1e9
_Number = Annotated[float, Field(gt=-_LARGEST, lt=_LARGEST)]
_CLOSED = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


def _by_sex(value: Any) -> dict[str, float]:
    """One number for men and women, or one for each."""
    stated = value if isinstance(value, dict) else {"male": value, "female": value}
    numbers = [number for number in stated.values() if _is_number(number)]
    if stated.keys() != {"male", "female"} or len(numbers) < len(stated):
        raise PydanticCustomError(FaultCode.NOT_A_NUMBER, text("schema.own.by_sex"))
    return {sex: float(number) for sex, number in stated.items()}


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < _LARGEST


class Declared(BaseModel):
    """The keys that a quantity and a category share."""

    model_config = _CLOSED

    label: _Label
    of: Literal["athlete", "leg"]
    source: _Sentence
    protocol: _Sentence = ""
    test: _Label | None = None
    equipment: Equipment = "none"
    modifiable: bool = False
    model_input: bool = True
    minutes: Annotated[float, Field(gt=0, le=240)] | None = None

    def facts(self, name: str) -> dict[str, Any]:
        """What a measure of either kind states."""
        return {
            "label": self.label,
            "protocol": self.protocol or text("schema.own.protocol"),
            "station": "own",
            "group": "own",
            "source": self.source,
            "test": self.test or name,
            "equipment": self.equipment,
            "modifiable": self.modifiable,
            "model_input": self.model_input,
        }


class DeclaredQuantity(Declared):
    """A number with a unit and limits."""

    unit: Literal[tuple(UNITS)]  # type: ignore[valid-type]
    low: _Number
    high: _Number
    mean: Annotated[dict[str, float], PlainValidator(_by_sex)]
    sd: Annotated[dict[str, float], PlainValidator(_by_sex)]
    error: _Number | None = None
    direction: Direction | None = None
    whole: bool = False
    log_scale: bool = False

    def by_sex(self) -> dict[str, tuple[float, float]]:
        """Mean and SD of men and of women."""
        return {sex: (self.mean[sex], self.sd[sex]) for sex in ("male", "female")}

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


class DeclaredCategory(Declared):
    """An answer out of a few."""

    choices: Annotated[list[_Choice], Field(min_length=2, max_length=12)]
    ordered: bool = False

    def measure(self, name: str) -> Measure:
        """The measure that it declares."""
        return Category(**self.facts(name), choices=tuple(self.choices), ordinal=self.ordered)

    def contradictions(self, _: str) -> Iterator[tuple[str, FaultCode, str]]:
        """Each key at fault beside others, its code, and the rule in words."""
        if len(set(self.choices)) < len(self.choices):
            yield "choices", FaultCode.TOLD_TWICE, text("schema.own.choices_twice")
