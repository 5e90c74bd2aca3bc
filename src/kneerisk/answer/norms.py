"""What is typical of a measure and how large its error is, for a sex and a protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from kneerisk.answer.answer_schema import Typical
from kneerisk.schema import code, columns, quantity
from kneerisk.schema.detectable_change import error_sd, reading_error
from kneerisk.schema.z_scores import CONDITION_OF, location_and_scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What is typical of a measure for a sex and a protocol.

    Attributes
    ----------
    measure
        Name of the measure without its side.
    typical
        Mean and SD in uninjured adults, in the measure's unit; None where the schema has no norm,
        and the numbers are then NaN.
    location
        Mean on the scale of z-scores: the unit, or the logarithm for measures of a log scale.
    scale
        SD on the same scale.
    error_sd
        SD of the error of one reading on the same scale; NaN where no error is published.
    error_per
        Error of one reading, 95 %, in the unit; on a log scale per unit of the value.
    """

    measure: str
    typical: Typical | None
    location: float
    scale: float
    error_sd: float
    error_per: float

    def scaled(self, value: float) -> float:
        """A value on the scale of z-scores."""
        return math.log(value) if quantity(self.measure).log_scale else value

    def value_at(self, z: float) -> float:
        """The value at a z-score, in the measure's unit."""
        scaled = self.location + self.scale * z
        return math.exp(scaled) if quantity(self.measure).log_scale else scaled

    def error(self, value: float) -> float:
        """The error of one reading of this value, 95 %, in the measure's unit."""
        return self.error_per * (value if quantity(self.measure).log_scale else 1.0)


def norm_of(measure: str, row: Mapping[str, Any]) -> Norm:
    """The norm of a measure for the sex and the protocol of a flat row of values."""
    return _norm(measure, row["sex"], row.get(CONDITION_OF.get(measure, "")))


@cache
def _norm(measure: str, sex: str, protocol: str | None) -> Norm:
    data = {"sex": np.array([code(columns()["sex"], sex)])}
    condition = CONDITION_OF.get(measure)
    if condition:
        data[condition] = np.array([code(columns()[condition], protocol)])
    location, scale = location_and_scale(measure, data)
    norm = quantity(measure).norm(protocol)
    pair = (norm.of(sex) or norm.of(None)) if norm else None
    return Norm(
        measure=measure,
        typical=Typical(mean=pair[0], sd=pair[1], source=norm.source) if norm and pair else None,
        location=float(location[0]),
        scale=float(scale[0]),
        error_sd=float(error_sd(measure, data)[0]),
        error_per=float(reading_error(measure, np.array([1.0]), data)[0]),
    )
