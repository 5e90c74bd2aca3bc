"""External validation: how good a model is on a file from elsewhere, as a report that can be sent.

All counts come from parts without small cells: groups of risk for calibration and decisions, and
slices. Intervals are robust to rows of one athlete being alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk import __version__
from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import ATHLETE_ID, SCREENING_DATE
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.calibration.recalibration import Recalibrated, recalibrate
from kneerisk.evaluation.external import small_cells
from kneerisk.evaluation.external.validated_risks import curve_points, decision_points, risk_groups
from kneerisk.evaluation.external.validation_metrics import (
    baseline_metrics,
    other_tasks,
    precise_metrics,
)
from kneerisk.evaluation.external.validation_needs import design_effect, needs
from kneerisk.evaluation.external.validation_report import (
    FORMAT,
    Recalibration,
    SlicePart,
    ValidatedFile,
    ValidatedModel,
    ValidationReport,
)
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.slices import SLICE_RESAMPLES, row_labels
from kneerisk.evaluation.task_rows import Risks, TaskRows, own_task
from kneerisk.model import Bundle
from kneerisk.words import text

#: Metrics of a slice that are reported; the counts are of no small cell.
_OF_SLICES = ("rows", "events", "athletes", "observed_to_expected", "auc", "auc_low", "auc_high",
              "calibration_slope", "calibration_slope_low", "calibration_slope_high")  # fmt: skip
#: Of the digest of a file, in the name that it gets where it is given none.
_DIGITS_OF_NAME = 6


def validation_report(
    bundle: Bundle,
    cohort: Cohort,
    predicted: Risks,
    others: Mapping[str, Risks],
    label: str | None = None,
    *,
    own_cohort: bool = False,
) -> ValidationReport:
    """Validate a model on a cohort.

    Parameters
    ----------
    bundle
        The model.
    cohort
        Athletes that it was not trained on, with outcomes.
    predicted
        The model's risks of its screenings.
    others
        Those of the baselines, by name.
    label
        What the cohort is called in the report; None makes a name of a digest.
    own_cohort
        Whether they are held-out athletes of the cohort that the model was trained on.

    Returns
    -------
    The report.

    Raises
    ------
    CohortRefused
        Where too few athletes have the outcome, or don't have it, for a report without small cells.
    """
    rows = own_task(cohort, predicted)
    if not small_cells.is_large(rows):
        fewest = small_cells.SMALLEST_CELL
        raise CohortRefused(text("validation.refused.few", source=cohort.source, fewest=fewest))
    metrics = precise_metrics(rows) | other_tasks(cohort, predicted)
    metrics |= baseline_metrics(cohort, predicted, others)
    metrics["athletes"] = small_cells.rounded(metrics["athletes"])
    cuts = small_cells.safe_cuts(rows)
    recalibrated = [each for step in ("intercept", "slope") if (each := recalibrate(rows, step))]
    decision = decision_points(rows, cuts, recalibrated[-1] if recalibrated else None)
    parts, not_shown = _slices(cohort, rows)
    return ValidationReport(
        format=FORMAT,
        program=__version__,
        made_on=datetime.now(UTC).date(),
        smallest_cell=small_cells.SMALLEST_CELL,
        model=validated_model(bundle),
        file=_file(cohort, rows, label, own_cohort=own_cohort),
        metrics=metrics,
        groups=risk_groups(rows, cuts),
        curve=curve_points(rows, cuts),
        decision=decision,
        slices=parts,
        not_shown=not_shown,
        recalibrations=tuple(_recalibration(each) for each in recalibrated),
        design_effect=design_effect(rows),
        needs=needs(rows, metrics, decision),
    )


def validated_model(bundle: Bundle) -> ValidatedModel:
    """Which model is validated."""
    metadata = bundle.metadata
    return ValidatedModel(
        version=metadata.version, sha256=bundle.sha256, trained_on=metadata.cohort
    )


def _recalibration(fitted: Recalibrated) -> Recalibration:
    return Recalibration(
        step=fitted.step,
        intercept=fitted.intercept,
        slope=fitted.slope,
        metrics=fitted.metrics,
    )


def _slices(cohort: Cohort, rows: TaskRows) -> tuple[tuple[SlicePart, ...], tuple[str, ...]]:
    rows = replace(rows, resamples=SLICE_RESAMPLES)
    parts, not_shown = [], []
    for by, labels in row_labels(cohort, rows):
        large = small_cells.large_parts(rows, labels)
        if not large:
            not_shown.append(by)
        for part in large:
            values = measure(rows.take(part.rows), "slice")
            shown = {name: values[name] for name in _OF_SLICES if name in values}
            shown["athletes"] = small_cells.rounded(shown["athletes"])
            parts.append(SlicePart(by=by, name=part.name, metrics=shown))
    return tuple(parts), tuple(not_shown)


def _file(cohort: Cohort, rows: TaskRows, label: str | None, *, own_cohort: bool) -> ValidatedFile:
    """What the file is, as far as nobody can be made out of it."""
    judged = cohort.frame.iloc[np.unique(rows.screening)]
    people = judged.drop_duplicates(ATHLETE_ID)
    ages = people["age_years"].dropna() if "age_years" in people else people[ATHLETE_ID].iloc[:0]
    enough = len(ages) >= small_cells.SMALLEST_CELL
    sha256 = _rows_digest(rows)
    years = _years(judged)
    return ValidatedFile(
        label=label or text("validation.club", name=sha256[:_DIGITS_OF_NAME]),
        cohort_kind=cohort.kind,
        outcome_kind=cohort.outcome_kind,
        horizon_months=cohort.horizon_months,
        unit="leg" if rows.sided else "athlete",
        own_cohort=own_cohort,
        screenings=small_cells.rounded(len(judged)),
        athletes=small_cells.rounded(len(people)),
        mean_age_years=float(ages.mean()) if enough else None,
        sd_age_years=float(ages.std()) if enough else None,
        first_year=int(years.min()) if len(years) else None,
        last_year=int(years.max()) if len(years) else None,
        rows_sha256=sha256,
    )


def _years(frame: pd.DataFrame) -> NDArray[np.intp]:
    """The years in which enough athletes were screened to be named."""
    if SCREENING_DATE not in frame:
        return np.array([], dtype=np.intp)
    dated = frame.dropna(subset=[SCREENING_DATE])
    athletes = dated.groupby(dated[SCREENING_DATE].astype(str).str[:4])[ATHLETE_ID].nunique()
    return athletes.index[athletes >= small_cells.SMALLEST_CELL].to_numpy().astype(np.intp)


def _rows_digest(rows: TaskRows) -> str:
    """Of risks, to six digits, and outcomes, whatever their order and the athletes' ids."""
    order = np.lexsort((rows.outcome, rows.probability))
    weight = [] if rows.weight is None else [np.round(rows.weight, 6)]
    lines = np.column_stack([np.round(rows.probability, 6), rows.outcome, *weight])[order]
    return hashlib.sha256((lines + 0.0).astype("<f8").tobytes()).hexdigest()
