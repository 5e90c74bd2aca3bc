"""The columns of a canonical cohort file, in file order."""

from __future__ import annotations

from typing import Final, Literal

from kneerisk.schema import columns

CohortKind = Literal["simulated", "observed", "adapted"]
OutcomeKind = Literal["new_pain", "present_pain", "past_injury"]

COHORT_KINDS: Final[tuple[CohortKind, ...]] = ("simulated", "observed", "adapted")
OUTCOME_KINDS: Final[tuple[OutcomeKind, ...]] = ("new_pain", "present_pain", "past_injury")

ATHLETE_ID = "athlete_id"
SCREENING_DATE = "screening_date"
GROUP = "group"
RED_FLAGS_COLUMN = "red_flags"
OUTCOMES = ("outcome_left", "outcome_right", "outcome_either")

#: One value for the whole cohort, repeated on every row so that a file explains itself.
CONSTANTS = ("cohort_kind", "outcome_kind", "horizon_months", "source")


def row_columns() -> tuple[str, ...]:
    """Columns that differ by row: who and when, the measures, the outcomes."""
    return (ATHLETE_ID, SCREENING_DATE, GROUP, *columns(), RED_FLAGS_COLUMN, *OUTCOMES)
