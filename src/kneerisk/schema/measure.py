"""What a measure is: its unit, limits, norms, error and source, and how a value is checked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Group = Literal["strength", "mobility", "control", "load", "history", "body"]
Station = Literal["athlete", "log", "history", "wall", "table", "groin", "camera", "lab"]
Equipment = Literal["none", "tape_or_phone", "dynamometer", "isokinetic", "emg", "gait_lab"]
Direction = Literal["raises", "lowers"]

#: A change between two visits exceeds error with 95 % confidence at 1.96 * sqrt(2) standard
#: errors of measurement (the usual definition of the minimal detectable change).
MDC_PER_SEM = 2.772

ASSUMPTION = "assumption"


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """Mean and standard deviation in uninjured adults, in the measure's unit."""

    male: tuple[float, float] | None
    female: tuple[float, float] | None
    source: str
    condition: str | None = None
    """The protocol (task or mode) the norm holds for, where it matters."""

    def of(self, sex: str | None) -> tuple[float, float] | None:
        """Mean and SD for a sex; the mean of both where the sex is not stated."""
        if sex == "male":
            return self.male
        if sex == "female":
            return self.female
        known = [pair for pair in (self.male, self.female) if pair is not None]
        if not known:
            return None
        return sum(m for m, _ in known) / len(known), sum(s for _, s in known) / len(known)


def both_sexes(mean: float, sd: float, source: str, condition: str | None = None) -> Norm:
    """A norm that the source gives for men and women together."""
    return Norm(male=(mean, sd), female=(mean, sd), source=source, condition=condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementError:
    """Standard error of measurement, in the measure's unit, and who reported it."""

    sem: float
    source: str

    @classmethod
    def from_mdc(cls, mdc: float, source: str) -> Self:
        """From a published minimal detectable change (95 %)."""
        return cls(sem=mdc / MDC_PER_SEM, source=source)

    @classmethod
    def from_icc(cls, sd: float, icc: float, source: str) -> Self:
        """From a published intraclass correlation and the spread it was found in."""
        return cls(sem=float(sd * (1.0 - icc) ** 0.5), source=source)

    @property
    def mdc(self) -> float:
        """Minimal detectable change between two visits (95 %), in the measure's unit."""
        return MDC_PER_SEM * self.sem


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(ABC):
    """One quantity or answer of a screening; the base of `Quantity` and `Category`."""

    label: str
    protocol: str
    station: Station
    group: Group
    source: str
    test: str = "interview"
    """The test it comes from: the measures of one test are done, or left out, together."""
    equipment: Equipment = "none"
    modifiable: bool = False
    model_input: bool = True
    """False for what is recorded for people only, and never enters a model."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The rule in words, for messages and the dictionary."""

    def published(self) -> dict[str, Any]:
        """The measure as JSON Schema, with what a form shows beside its field."""
        return {
            "title": self.label,
            "description": self.protocol,
            "station": self.station,
            "group": self.group,
            "test": self.test,
            "equipment": self.equipment,
            "modifiable": self.modifiable,
            "source": self.source,
        }

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        own = self.published()
        if core["type"] == "nullable":
            own["type"] = [own["type"], "null"]
            own["enum"] = [*own["enum"], None] if "enum" in own else None
        return {key: value for key, value in own.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity(Measure):
    """A number with a unit and inclusive hard limits (what instrument and body can give)."""

    unit: str
    low: float
    high: float
    norms: tuple[Norm, ...] = ()
    error: MeasurementError | None = None
    direction: Direction | None = None
    """What more of it does to the risk of knee pain; None where the evidence supports neither."""
    log_scale: bool = False
    """Ratios and other positive, skewed quantities enter a model as logarithms."""
    whole: bool = False

    def norm(self, condition: str | None = None) -> Norm | None:
        """The norm for a protocol; the first one where the protocol has none of its own."""
        for norm in self.norms:
            if norm.condition == condition:
                return norm
        return self.norms[0] if self.norms else None

    @property
    def allowed(self) -> str:
        """The rule in words, for messages and the dictionary."""
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g} to {self.high:g} {self.unit}"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        number: CoreSchema = (
            core_schema.no_info_before_validator_function(
                _as_whole, core_schema.int_schema(strict=True)
            )
            if self.whole
            else core_schema.float_schema(strict=True, allow_inf_nan=False)
        )
        checked = core_schema.no_info_after_validator_function(self._within_limits, number)
        return _optional(source, checked)

    def published(self) -> dict[str, Any]:
        """The measure as JSON Schema, with what a form shows beside its field."""
        return {
            "type": "integer" if self.whole else "number",
            "minimum": self.low,
            "maximum": self.high,
            **super(Quantity, self).published(),
            "unit": self.unit,
            "typical": [_published_norm(norm) for norm in self.norms],
            "sem": round(self.error.sem, 3) if self.error else None,
            "mdc": round(self.error.mdc, 3) if self.error else None,
            "error_source": self.error.source if self.error else None,
            "direction": self.direction,
        }

    def _within_limits(self, value: float) -> float:
        if self.low <= value <= self.high:
            return value
        raise PydanticCustomError("outside_limits", "must be {allowed}", {"allowed": self.allowed})


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Measure):
    """An answer out of a few; the order of `choices` is the order of its codes."""

    choices: tuple[str, ...]
    default: str | None = None
    ordinal: bool = False
    """The codes rise with severity, so that a model may read them as a scale."""

    @property
    def allowed(self) -> str:
        """The rule in words, for messages and the dictionary."""
        return "one of " + ", ".join(self.choices)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = core_schema.str_schema(strict=True)
        checked = core_schema.no_info_after_validator_function(self._one_of, text)
        return _optional(source, checked)

    def published(self) -> dict[str, Any]:
        """The measure as JSON Schema, with what a form shows beside its field."""
        stated = {"default": self.default} if self.default else {}
        return {
            "type": "string",
            "enum": list(self.choices),
            **stated,
            **super(Category, self).published(),
        }

    def _one_of(self, value: str) -> str:
        if value in self.choices:
            return value
        raise PydanticCustomError("unknown_choice", "must be {allowed}", {"allowed": self.allowed})


def _as_whole(value: Any) -> Any:
    """2.0 as 2: JSON Schema's integers include it, and a table with gaps has no other way."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _optional(source: Any, checked: CoreSchema) -> CoreSchema:
    """Accept null (not measured) where the annotation does."""
    return core_schema.nullable_schema(checked) if type(None) in get_args(source) else checked


def _published_norm(norm: Norm) -> dict[str, Any]:
    pairs = {sex: pair for sex in ("male", "female") if (pair := getattr(norm, sex)) is not None}
    by_sex = {sex: {"mean": mean, "sd": sd} for sex, (mean, sd) in pairs.items()}
    return {**by_sex, "condition": norm.condition, "source": norm.source}
