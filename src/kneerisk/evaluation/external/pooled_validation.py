"""What the validation reports of several clubs say together, if they are of one question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from kneerisk import __version__
from kneerisk.evaluation.external.validation_report import (
    Number,
    ReportRefused,
    ValidatedFile,
    ValidatedModel,
    ValidationReport,
)
from kneerisk.evaluation.pooling import FEWEST_CLUBS, TO_SCALE, Pooled, Scale, pool
from kneerisk.words import listed, plural, text, variant

#: The metrics that are pooled, on which scale, and what the standard error on it is called.
POOLED: dict[str, tuple[Scale, str]] = {
    "auc": ("logit", "auc_logit_error"),
    "observed_to_expected": ("log", "observed_to_expected_log_error"),
    "calibration_slope": ("identity", "calibration_slope_error"),
}
#: What reports must agree in, by the name of the text that says that they don't.
_SAME: dict[str, Callable[[ValidationReport], str]] = {
    "models": lambda report: f"{report.model.version} ({report.model.sha256[:8]})",
    "outcomes": lambda report: report.file.outcome_kind.replace("_", " "),
    "horizons": lambda report: str(report.file.horizon_months or text("validation.no_horizon")),
    "kinds": lambda report: report.file.cohort_kind,
    "units": lambda report: variant("validation.unit", report.file.unit),
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Club(_Section):
    """One club: its file and the metrics that are pooled."""

    label: str
    made_on: date
    athletes: int
    rows: int
    events: int
    metrics: dict[str, Number]


class PooledMetric(_Section):
    """A metric over clubs; see `pooling.Pooled`."""

    metric: str
    scale: Scale
    clubs: int
    mean: Number
    low: Number
    high: Number
    prediction_low: Number | None
    prediction_high: Number | None
    error: Number
    tau2: Number
    tau2_low: Number
    tau2_high: Number
    i2: Number
    q: Number


class PooledValidation(_Section):
    """A model over several clubs."""

    format: Literal["kneerisk pooled validation 1"] = "kneerisk pooled validation 1"
    program: str
    made_on: date
    model: ValidatedModel
    cohort_kind: str
    outcome_kind: str
    horizon_months: int | None
    clubs: tuple[Club, ...]
    metrics: tuple[PooledMetric, ...]

    def as_json(self) -> str:
        """The file, one name a line."""
        return self.model_dump_json(indent=1) + "\n"

    def flat(self) -> dict[str, float]:
        """The pooled metrics by flat name, `pooled_` before each."""
        return {
            f"pooled_{pooled.metric}" + ("" if name == "mean" else f"_{name}"): value
            for pooled in self.metrics
            for name, value in pooled.model_dump(exclude={"metric", "scale"}).items()
            if value is not None
        }


def pool_reports(reports: Sequence[ValidationReport], paths: Sequence[Path]) -> PooledValidation:
    """Pool the reports of several clubs.

    Parameters
    ----------
    reports
        Of one model, one outcome and horizon, each of another file.
    paths
        Where each is from, for the message.

    Returns
    -------
    Every metric that enough of them have.

    Raises
    ------
    ReportRefused
        With every reason why they can't be pooled.
    """
    if faults := list(_faults(reports, paths)):
        raise ReportRefused("\n  ".join([text("validation.refused.not_pooled"), *faults]))
    pooled = {name: _pooled(reports, name) for name in POOLED}
    first = reports[0]
    return PooledValidation(
        program=__version__, made_on=datetime.now(UTC).date(), model=first.model,
        cohort_kind=first.file.cohort_kind, outcome_kind=first.file.outcome_kind,
        horizon_months=first.file.horizon_months,
        clubs=tuple(_club(report) for report in reports),
        metrics=tuple(
            PooledMetric(metric=name, scale=POOLED[name][0], **asdict(result))
            for name, result in pooled.items() if result is not None
        ),
    )  # fmt: skip


def _faults(reports: Sequence[ValidationReport], paths: Sequence[Path]) -> Iterator[str]:
    if len(reports) < FEWEST_CLUBS:
        yield plural("validation.refused.too_few", len(reports), fewest=FEWEST_CLUBS)
    for name, value_of in _SAME.items():
        by_value: dict[str, list[str]] = {}
        for report, path in zip(reports, paths, strict=True):
            by_value.setdefault(value_of(report), []).append(str(path))
        if len(by_value) > 1:
            values = "; ".join(f"{value}: {', '.join(of)}" for value, of in by_value.items())
            yield variant("validation.refused.differ", name, values=values)
    by_file: dict[str, list[str]] = {}
    for report, path in zip(reports, paths, strict=True):
        by_file.setdefault(report.file.rows_sha256, []).append(str(path))
        if report.file.own_cohort:
            yield text("validation.refused.own_cohort", path=path)
        if any(not _is_possible(report, metric) for metric in POOLED):
            yield text("validation.refused.impossible", path=path)
    for same in by_file.values():
        if len(same) > 1:
            yield text("validation.refused.twice", paths=listed(same))


def _is_possible(report: ValidationReport, metric: str) -> bool:
    """Whether numbers are what such a metric can be, or are not there."""
    value, error = (report.metrics.get(name) for name in (metric, POOLED[metric][1]))
    if value is None or error is None:
        return True
    highest = {"logit": 1.0}.get(POOLED[metric][0], np.inf)
    lowest = -np.inf if POOLED[metric][0] == "identity" else 0.0
    return bool(lowest <= value <= highest and error >= 0.0)


def estimate_of(report: ValidationReport, metric: str) -> tuple[float, float] | None:
    """A metric and its standard error on the scale that is pooled on; None if not measured."""
    scale, name = POOLED[metric]
    value, error = report.metrics.get(metric), report.metrics.get(name)
    if value is None or error is None or error <= 0.0:
        return None
    on_scale = TO_SCALE[scale](value)
    return (on_scale, error) if np.isfinite(on_scale) else None


def _pooled(reports: Sequence[ValidationReport], metric: str) -> Pooled | None:
    known = [found for report in reports if (found := estimate_of(report, metric))]
    if len(known) < FEWEST_CLUBS:
        return None
    estimates, errors = np.array(known).T
    return pool(estimates, errors, POOLED[metric][0])


def _club(report: ValidationReport) -> Club:
    file: ValidatedFile = report.file
    names = [f"{name}{end}" for name in POOLED for end in ("", "_low", "_high")]
    return Club(
        label=file.label, made_on=report.made_on, athletes=file.athletes,
        rows=int(report.metrics["rows"]), events=int(report.metrics["events"]),
        metrics={name: report.metrics[name] for name in names if name in report.metrics},
    )  # fmt: skip
