"""What a measure is: unit, limits, norms, error and source, and the one check of its values.

`Measure.violation` is the only place that decides whether a value is allowed. Requests reach it
through pydantic, files through `kneerisk.cohort.file_validation`, and the page's form reads the
same limits, choices and words from the JSON Schema that `Measure.published` gives.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from kneerisk.schema.faults import FaultCode, Violation
from kneerisk.words import text, variant

Group = Literal["strength", "mobility", "control", "load", "history", "body", "own"]
Station = Literal["athlete", "log", "history", "wall", "table", "groin", "camera", "lab", "own"]
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
        pairs = [pair for pair in (self.male, self.female) if pair is not None]
        if not pairs:
            return None
        return sum(m for m, _ in pairs) / len(pairs), sum(s for _, s in pairs) / len(pairs)


def both_sexes(mean: float, sd: float, source: str, condition: str | None = None) -> Norm:
    """A norm that the source gives for men and women together.

    Parameters
    ----------
    mean
        Mean, in the measure's unit.
    sd
        Standard deviation, in the same unit.
    source
        Who published them, or `ASSUMPTION`.
    condition
        The protocol that they hold for; None where it does not matter.

    Returns
    -------
    The norm.
    """
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
        """From a published intraclass correlation: SD times the square root of 1 - ICC.

        Parameters
        ----------
        sd
            Standard deviation of the sample, in the measure's unit.
        icc
            Intraclass correlation of its repeated readings, 0 to 1.
        source
            Who published them.

        Returns
        -------
        The error, in the measure's unit.
        """
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

    @abstractmethod
    def violation(self, value: Any) -> Violation | None:
        """How a given value breaks the rule; None where it is allowed."""

    @property
    def _must_be(self) -> str:
        return text("shared.limits.must_be", allowed=self.allowed)

    def _accepted(self, value: Any) -> Any:
        """The value as a screening holds it."""
        violation = self.violation(value)
        if violation is not None:
            raise PydanticCustomError(violation.code, violation.message)
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        checked = core_schema.no_info_plain_validator_function(self._accepted)
        # Null means "not measured", where the annotation allows it.
        return core_schema.nullable_schema(checked) if type(None) in get_args(source) else checked

    def published(self) -> dict[str, Any]:
        """The measure as JSON Schema, with what a form shows beside its field."""
        return {
            "title": self.label,
            "description": self.protocol,
            "allowed": self.allowed,
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
        schema = self.published()
        if core["type"] == "nullable":
            schema["type"] = [schema["type"], "null"]
            schema["enum"] = [*schema["enum"], None] if "enum" in schema else None
        return {key: value for key, value in schema.items() if value is not None}


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
        return variant(
            "schema.allowed.number", "whole" if self.whole else "any",
            low=f"{self.low:g}", high=f"{self.high:g}", unit=self.unit,
        )  # fmt: skip

    def violation(self, value: Any) -> Violation | None:
        """How a given value breaks the rule; None where it is allowed."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            kind = "not_whole" if self.whole else "not_a_number"
            return Violation(FaultCode.NOT_A_NUMBER, variant("shared.fault", kind))
        if isinstance(value, float) and not math.isfinite(value):
            return Violation(FaultCode.NOT_FINITE, text("shared.fault.not_finite"))
        if self.whole and value != int(value):
            return Violation(FaultCode.NOT_A_NUMBER, text("shared.fault.not_whole"))
        if not self.low <= value <= self.high:
            return Violation(FaultCode.OUTSIDE_LIMITS, self._must_be)
        return None

    def allows(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """`violation` of a whole column at once.

        Parameters
        ----------
        values
            Numbers in the measure's unit, shape (n,).

        Returns
        -------
        Whether each is allowed, shape (n,); False where it is missing.
        """
        within = (values >= self.low) & (values <= self.high)
        return within & (values == np.round(values)) if self.whole else within

    def _accepted(self, value: Any) -> Any:
        # 2.0 counts as 2: JSON Schema's integers include it, and a table with gaps has no other way.
        kind = int if self.whole else float
        return kind(super(Quantity, self)._accepted(value))

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
        return text("schema.allowed.one_of", choices=", ".join(self.choices))

    def violation(self, value: Any) -> Violation | None:
        """How a given value breaks the rule; None where it is allowed."""
        if not isinstance(value, str):
            return Violation(FaultCode.NOT_TEXT, text("shared.fault.not_text"))
        if value not in self.choices:
            return Violation(FaultCode.UNKNOWN_CHOICE, self._must_be)
        return None

    def published(self) -> dict[str, Any]:
        """The measure as JSON Schema, with what a form shows beside its field."""
        default = {"default": self.default} if self.default else {}
        return {
            "type": "string",
            "enum": list(self.choices),
            **default,
            **super(Category, self).published(),
        }


def _published_norm(norm: Norm) -> dict[str, Any]:
    pairs = {sex: pair for sex in ("male", "female") if (pair := getattr(norm, sex)) is not None}
    by_sex = {sex: {"mean": mean, "sd": sd} for sex, (mean, sd) in pairs.items()}
    return {**by_sex, "condition": norm.condition, "source": norm.source}
