"""Leakage checks: what makes a cohort unfit to train on or to adapt to is refused before any fit.

Refused are labels computed from inputs, duplicate athletes on both sides of a split, inputs that
give away where a row came from (provenance), too few outcomes, and the outcome of another model
(Kapoor & Narayanan 2023, Patterns 4:100804, doi 10.1016/j.patter.2023.100804, on leakage).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.layout import ATHLETE_ID, CONSTANTS, GROUP, OUTCOMES, SCREENING_DATE, WEIGHTS
from kneerisk.errors import CohortRefused
from kneerisk.model import Metadata
from kneerisk.schema import FloatArray, Quantity, athlete_measures, columns, leg_measures
from kneerisk.training.leakage.computed_labels import labels_computed_from_inputs
from kneerisk.training.leakage.required_sample_size import RequiredEvents, required_events
from kneerisk.words import text

#: Words in the names of columns about where, when, by whom and in which file a row was measured.
PROVENANCE = frozenset(
    ("batch", "center", "centre", "clinic", "date", "examiner", "file", "filename", "group", "id",
     "operator", "rater", "session", "site", "source", "station", "subject", "year")
)  # fmt: skip
#: Groups of fewer athletes cannot show that a value is the group's (assumption).
FEWEST_OF_A_GROUP = 3
#: So many consecutive whole numbers are a running number, not a measure (assumption).
FEWEST_CONSECUTIVE = 10
#: To learn from: as many as a cross-validation has folds (assumption: five are the usual choice).
FEWEST_ATHLETES = 5
#: Two screenings that agree in so many readings are one and the same (assumption): readings are
#: numbers with a fraction, of which two people seldom share even one.
FEWEST_READINGS = 6


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Outcomes that a sound cohort has, and those that a model of it needs.

    Attributes
    ----------
    required
        By Riley's criteria.
    events
        To train on, of the rarer sort.
    warning
        What they are too few for; None where they are enough.
    """

    required: RequiredEvents
    events: int
    warning: str | None

    @property
    def metrics(self) -> dict[str, float]:
        """Outcomes to train on (of the rarer sort), and those that a full model needs."""
        return {"train_events": float(self.events), "events_needed": float(self.required.full)}


def refuse_other_outcome(metadata: Metadata, cohort: Cohort) -> None:
    """Refuse a cohort whose outcome or horizon is not the model's.

    Parameters
    ----------
    metadata
        Of the model.
    cohort
        To evaluate on or to adapt to.

    Raises
    ------
    CohortRefused
        With both outcomes.
    """
    theirs = _outcome(cohort.outcome_kind, cohort.horizon_months)
    ours = _outcome(metadata.outcome_kind, metadata.horizon_months)
    if theirs != ours:
        raise CohortRefused(
            text(
                "training.outcome.other", version=metadata.version, predicted=ours, recorded=theirs
            )
        )


def _outcome(kind: str, months: int | None) -> str:
    outcome = kind.replace("_", " ")
    return text("shared.within_months", outcome=outcome, months=months) if months else outcome


def refuse_unsound(
    cohort: Cohort,
    *parts: Cohort,
    from_scratch: bool = True,
    true: bool = False,
    inputs: Iterable[str] | None = None,
) -> SampleSize:
    """Refuse a cohort that no honest model can come from.

    Parameters
    ----------
    cohort
        All of it.
    *parts
        What it was split into: the athletes to train on first, then those held out.
    from_scratch
        Whether a whole model is to be fitted, which needs a number of outcomes; an adaptation
        takes what there is.
    true
        Whether the true risks are known and learnt from, so that outcomes don't matter.
    inputs
        Columns that a model would read; by default every measure that the cohort has.

    Returns
    -------
    How its outcomes compare with those that are needed.

    Raises
    ------
    CohortRefused
        With every reason: labels computed from inputs, an athlete on both sides of the split,
        inputs that give away where a row came from, or too few outcomes.
    """
    few = _too_few_athletes(parts)
    reasons = [*few, *provenance_inputs(cohort, inputs), *duplicate_athletes(parts)]
    if not true:
        reasons += labels_computed_from_inputs(cohort)
    required, events = required_events(parts[0] if parts else cohort)
    events_matter = from_scratch and not true
    shortage = required.shortage(events) if events_matter else None
    reasons += [shortage] if shortage else []
    if reasons:
        heading = text("training.leak.faults", source=cohort.source)
        raise CohortRefused("\n  ".join([heading, *reasons]))
    return SampleSize(required, events, required.warning(events) if events_matter else None)


def _too_few_athletes(parts: tuple[Cohort, ...]) -> Iterator[str]:
    """Why a split can't be learnt from: hardly anybody is on one of its sides."""
    athletes = [part.frame[ATHLETE_ID].map(plain_id).nunique() for part in parts]
    if len(athletes) == 2 and (athletes[0] < FEWEST_ATHLETES or athletes[1] < 1):
        yield text(
            "training.leak.few_athletes",
            train=athletes[0],
            held_out=athletes[1],
            least=FEWEST_ATHLETES,
        )


def provenance_inputs(cohort: Cohort, inputs: Iterable[str] | None = None) -> Iterator[str]:
    """Why inputs are refused that give away where a row came from, by name or by content.

    Parameters
    ----------
    cohort
        With the columns.
    inputs
        Columns that a model would read; by default every measure that the cohort has.

    Yields
    ------
    A reason for the names, and one for each column that holds no measure of the athlete.
    """
    names = tuple(inputs) if inputs is not None else _inputs(cohort)
    not_measures = (ATHLETE_ID, SCREENING_DATE, GROUP, *CONSTANTS, *OUTCOMES, *WEIGHTS)
    revealing = [
        name
        for name in names
        if name in not_measures or (name not in columns() and PROVENANCE & set(_words(name)))
    ]
    if revealing:
        yield text("training.leak.revealing", names=_quoted(revealing))
    numbers = _numbers_of_ids(cohort.frame)
    for name in names:
        measure = columns().get(name)
        if name in cohort.frame and isinstance(measure, Quantity):
            reason = _not_measured(cohort.frame, name, numbers)
            if reason:
                yield text("training.leak.not_a_measure", name=repr(name), reason=reason)


def duplicate_athletes(parts: tuple[Cohort, ...]) -> Iterator[str]:
    """Why a split is refused: athletes on more than one side of it, by id or by their readings."""
    for pair in combinations(parts, 2):
        ids = [set(part.frame[ATHLETE_ID].map(plain_id)) for part in pair]
        if both := ids[0] & ids[1]:
            yield text("training.leak.both_sides", count=len(both), column=repr(ATHLETE_ID))
        readings = [_readings(part, ids[1 - side]) for side, part in enumerate(pair)]
        if repeated := readings[0] & readings[1]:
            yield text("training.leak.same_readings", count=len(repeated), column=repr(ATHLETE_ID))


def _readings(part: Cohort, ids: set[str]) -> set[bytes]:
    """The readings of each screening that has enough of them, of athletes not in ``ids``.

    As bytes, since a number of Python each would take gigabytes of a large cohort.
    """
    names = [
        name
        for name, measure in columns().items()
        if isinstance(measure, Quantity) and not measure.whole and name in part.frame
    ]
    rows = part.frame[names].to_numpy(dtype=np.float64)
    fractions = (np.isfinite(rows) & (rows != np.round(rows))).sum(axis=1)
    others = ~part.frame[ATHLETE_ID].map(plain_id).isin(ids).to_numpy()
    # Adding 0 makes one zero of two.
    readings = np.nan_to_num(rows[(fractions >= FEWEST_READINGS) & others], nan=-1e9) + 0.0
    return set(readings.view(f"V{readings.itemsize * len(names)}").ravel().tolist())


def plain_id(athlete_id: object) -> str:
    """An id as a person reads it: without spaces and whatever the case."""
    return "".join(str(athlete_id).split()).casefold()


def _numbers_of_ids(frame: pd.DataFrame) -> FloatArray:
    """The last whole number in each row's id, NaN where there is none, shape (n,)."""
    digits = frame[ATHLETE_ID].astype(str).str.extract(r"(\d+)\D*$")[0]
    return digits.to_numpy(dtype=np.float64)


def _not_measured(frame: pd.DataFrame, name: str, numbers: FloatArray) -> str | None:
    """Why the values of a column are not those of a measure, or None."""
    values = frame[name].to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    if known.sum() < FEWEST_CONSECUTIVE:
        return None
    if (np.diff(np.sort(values[known])) == 1.0).all():
        return text("training.leak.row_number")
    if np.unique(values[known]).size > 1 and np.array_equal(values[known], numbers[known]):
        return text("training.leak.number_of_id", column=repr(ATHLETE_ID))
    for column, label in ((GROUP, "group"), (SCREENING_DATE, "year")):
        if column in frame and _is_constant_by(frame, column, values):
            return text("training.leak.single_value", label=label)
    return None


def _is_constant_by(frame: pd.DataFrame, column: str, values: np.ndarray) -> bool:
    key = frame[column].astype(object)
    if column == SCREENING_DATE:
        key = key.where(key.isna(), key.astype(str).str[:4])
    table = pd.DataFrame({"key": key, "value": values, "athlete": frame[ATHLETE_ID]}).dropna()
    by = table.groupby("key")
    large = by["athlete"].nunique() >= FEWEST_OF_A_GROUP
    spread = by["value"].nunique()[large]
    first = by["value"].first()[large]
    return bool(len(first) > 1 and (spread == 1).all() and np.ptp(first) > 0.0)


def _inputs(cohort: Cohort) -> tuple[str, ...]:
    """Columns of a cohort that models read, and those that are no columns of a cohort."""
    known = {*athlete_measures(), *(f"{s}_{m}" for s in ("left", "right") for m in leg_measures())}
    read = {name for name in known if columns()[name].model_input}
    own = {ATHLETE_ID, SCREENING_DATE, GROUP, *CONSTANTS, *OUTCOMES, *WEIGHTS, *columns()}
    return tuple(name for name in cohort.frame.columns if name in read or name not in own)


def _words(name: str) -> list[str]:
    return name.casefold().replace("-", "_").replace(" ", "_").split("_")


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
