"""The single source of what is measured: names, units, limits, norms, errors and rules."""

from kneerisk.schema.body_faults import fault_at, faults_of
from kneerisk.schema.columns import (
    Columns,
    FloatArray,
    athlete_measures,
    category,
    code,
    columns,
    fingerprint,
    leg_measures,
    measures_of,
    quantities,
    quantity,
    whole_columns,
)
from kneerisk.schema.faults import STRICT, FaultCode, Violation
from kneerisk.schema.measure import Category, Measure, Quantity
from kneerisk.schema.rules import Contradiction, contradictions
from kneerisk.schema.screening import (
    Screening,
    coded,
    coded_rows,
    from_row,
    read_screening,
    to_row,
)
from kneerisk.schema.sections import SIDES, Leg, Protocol, Side

__all__ = [
    "SIDES",
    "STRICT",
    "Category",
    "Columns",
    "Contradiction",
    "FaultCode",
    "FloatArray",
    "Leg",
    "Measure",
    "Protocol",
    "Quantity",
    "Screening",
    "Side",
    "Violation",
    "athlete_measures",
    "category",
    "code",
    "coded",
    "coded_rows",
    "columns",
    "contradictions",
    "fault_at",
    "faults_of",
    "fingerprint",
    "from_row",
    "leg_measures",
    "measures_of",
    "quantities",
    "quantity",
    "read_screening",
    "to_row",
    "whole_columns",
]
