"""What makes a cohort unfit to train on or to adapt to: told with the reason, before any fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.layout import ATHLETE_ID, CONSTANTS, GROUP, OUTCOMES, SCREENING_DATE
from kneerisk.errors import CohortRefused
from kneerisk.model import Metadata
from kneerisk.schema import Quantity, athlete_measures, columns, leg_measures
from kneerisk.training.leakage.computed_labels import computed_labels
from kneerisk.training.leakage.required_sample_size import Needed, needed

#: Words of columns that tell who was measured where, when and in which file.
PROVENANCE = frozenset(
    ("batch", "center", "centre", "clinic", "date", "examiner", "file", "filename", "group", "id",
     "operator", "rater", "session", "site", "source", "station", "subject", "year")
)  # fmt: skip
#: A group of fewer athletes says nothing of whether a measure is the group's (assumption).
FEWEST_OF_A_GROUP = 3
#: So many values in a row without a gap are a running number, not a measure (assumption).
FEWEST_IN_A_ROW = 10
#: Two screenings that agree in so many readings are one and the same (assumption): readings are
#: numbers with a fraction, of which two people seldom share even one.
FEWEST_READINGS = 6


@dataclass(frozen=True, slots=True)
class Checked:
    """What a sound cohort still lacks."""

    needed: Needed
    events: int
    warning: str | None

    @property
    def metrics(self) -> dict[str, float]:
        """Outcomes to train on (of the rarer sort), and those that every measure's weight needs."""
        return {"train_events": float(self.events), "events_needed": float(self.needed.whole)}


def refuse_other_outcome(metadata: Metadata, cohort: Cohort) -> None:
    """Refuse a cohort whose outcome or horizon is another one than a model's.

    Raises
    ------
    CohortRefused
        With both outcomes.
    """
    theirs = _outcome(cohort.outcome_kind, cohort.horizon_months)
    ours = _outcome(metadata.outcome_kind, metadata.horizon_months)
    if theirs != ours:
        raise CohortRefused(
            f"{metadata.version} tells {ours}, and the outcome of the cohort is {theirs}: a model "
            "is judged on, and adapted to, the outcome that it was trained for"
        )


def _outcome(kind: str, months: int | None) -> str:
    return kind.replace("_", " ") + (f" within {months} months" if months else "")


def refuse_unsound(
    cohort: Cohort,
    *parts: Cohort,
    from_scratch: bool = True,
    true: bool = False,
    inputs: Iterable[str] | None = None,
) -> Checked:
    """Refuse a cohort that no honest model can come from; gives what it lacks otherwise.

    Parameters
    ----------
    parts
        What it was split into: the athletes to train on first, then those held out.
    from_scratch
        Whether a whole model is to be fitted, which needs a number of outcomes; an adaptation
        takes what there is.
    true
        Whether the true risks are known and learnt from, so that outcomes don't matter.
    inputs
        Columns that a model would read; by default every measure that the cohort has.

    Raises
    ------
    CohortRefused
        With every reason: labels computed from inputs, an athlete on both sides of the split,
        columns that tell where a row came from, or too few outcomes.
    """
    reasons = [*provenance(cohort, inputs), *shared_athletes(parts)]
    if not true:
        reasons += computed_labels(cohort)
    need, events = needed(parts[0] if parts else cohort)
    counted = from_scratch and not true
    lack = need.lack(events) if counted else None
    reasons += [lack] if lack else []
    if reasons:
        lines = [f"{cohort.source} can't be learnt from:", *(f"  {r}" for r in reasons)]
        raise CohortRefused("\n".join(lines))
    return Checked(need, events, need.warning(events) if counted else None)


def shared_athletes(parts: tuple[Cohort, ...]) -> Iterator[str]:
    """Athletes on more than one side of a split, by id or by their readings."""
    for one, other in combinations(parts, 2):
        ids = [set(part.frame[ATHLETE_ID].map(plain_id)) for part in (one, other)]
        if both := ids[0] & ids[1]:
            yield f"{len(both)} athlete(s) are on both sides of the split, by {ATHLETE_ID!r}"
        keys = [_readings(part, ids[1 - i]) for i, part in enumerate((one, other))]
        if twice := keys[0] & keys[1]:
            yield (
                f"{len(twice)} screening(s) stand on both sides of the split with the same "
                f"readings under different {ATHLETE_ID!r}: give a person one id"
            )


def provenance(cohort: Cohort, inputs: Iterable[str] | None = None) -> Iterator[str]:
    """Inputs that tell where a row came from: by their name, or by what they hold."""
    given = tuple(inputs) if inputs is not None else _inputs(cohort)
    outside = (ATHLETE_ID, SCREENING_DATE, GROUP, *CONSTANTS, *OUTCOMES)
    told = [
        name
        for name in given
        if name in outside or (name not in columns() and PROVENANCE & set(_words(name)))
    ]
    if told:
        yield f"{_named(told)} tell(s) where a row came from: not an input"
    for name in given:
        measure = columns().get(name)
        if name in cohort.frame and isinstance(measure, Quantity):
            reason = _not_measured(cohort.frame, name)
            if reason:
                yield f"{name!r} {reason}: it is no measure of the athlete, leave it out"


def _not_measured(frame: pd.DataFrame, name: str) -> str | None:
    """Why the values of a column are not those of a measure, or None."""
    values = frame[name].to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    if known.sum() < FEWEST_IN_A_ROW:
        return None
    if (np.diff(np.sort(values[known])) == 1.0).all():
        return "is a running number, as files have"
    number = frame[ATHLETE_ID].astype(str).str.extract(r"(\d+)\D*$")[0].astype(float).to_numpy()
    if np.unique(values[known]).size > 1 and np.array_equal(values[known], number[known]):
        return f"is the number in {ATHLETE_ID!r}"
    for column, what in ((GROUP, "group"), (SCREENING_DATE, "year")):
        if column in frame and _one_value_each(frame, column, values):
            return f"has one value for each {what}, so that it tells the {what}"
    return None


def _one_value_each(frame: pd.DataFrame, column: str, values: np.ndarray) -> bool:
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
    """Columns of a cohort that models read, and those that it should not have."""
    known = {*athlete_measures(), *(f"{s}_{m}" for s in ("left", "right") for m in leg_measures())}
    read = {name for name in known if columns()[name].model_input}
    own = {ATHLETE_ID, SCREENING_DATE, GROUP, *CONSTANTS, *OUTCOMES, *columns()}
    return tuple(name for name in cohort.frame.columns if name in read or name not in own)


def _readings(part: Cohort, ids: set[str]) -> set[tuple[float, ...]]:
    """The readings of each screening that has enough of them, of athletes not in ``ids``."""
    names = [
        name
        for name, measure in columns().items()
        if isinstance(measure, Quantity) and not measure.whole and name in part.frame
    ]
    rows = part.frame[names].to_numpy(dtype=np.float64)
    fractions = (np.isfinite(rows) & (rows != np.round(rows))).sum(axis=1)
    mine = ~part.frame[ATHLETE_ID].map(plain_id).isin(ids).to_numpy()
    kept = np.nan_to_num(rows[(fractions >= FEWEST_READINGS) & mine], nan=-1e9)
    return {tuple(row) for row in kept.tolist()}


def plain_id(athlete_id: object) -> str:
    """An id as a person would read it: no matter the case or the spaces."""
    return "".join(str(athlete_id).split()).casefold()


def _words(name: str) -> list[str]:
    return name.casefold().replace("-", "_").replace(" ", "_").split("_")


def _named(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
