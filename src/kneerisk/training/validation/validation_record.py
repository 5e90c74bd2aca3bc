"""What MLflow records of a validation, and of reports that were pooled: numbers, page, version."""

from __future__ import annotations

from collections.abc import Sequence

from kneerisk.cohort import Cohort
from kneerisk.evaluation.external.pooled_validation import PooledValidation
from kneerisk.evaluation.external.validation_report import ValidatedModel, ValidationReport
from kneerisk.training.provenance import Source, digest, environment, git_sha
from kneerisk.training.tracking import HELD_OUT, Run, Tracking
from kneerisk.training.tracking.run_lookup import registered_here
from kneerisk.words import text

#: Artifacts of a run.
PAGE, NUMBERS = "report.html", "report.json"


def validation_run_name(report: ValidationReport) -> str:
    """Of the run, for people."""
    return text("training.run.validation", version=report.model.version, label=report.file.label)


def clubs_run_name(model: ValidatedModel, clubs: int) -> str:
    """Of the run of many clubs, for people."""
    return text("training.run.validated_clubs", version=model.version, count=f"{clubs:,}")


def pooled_run_name(pooled: PooledValidation) -> str:
    """Of the run, for people."""
    count = len(pooled.clubs)
    return text("training.run.pooled", version=pooled.model.version, count=count)


def run_tags(command: str, model: ValidatedModel, outcome_kind: str) -> dict[str, str]:
    """The tags by which such runs are found.

    Parameters
    ----------
    command
        ``validate`` or ``pool``.
    model
        That was validated.
    outcome_kind
        What it predicts.

    Returns
    -------
    By name.
    """
    return {
        "version": model.version,
        "outcome_kind": outcome_kind,
        "mlflow.source.name": f"kneerisk {command}",
        "mlflow.source.git.commit": git_sha() or "",
    }


def log_validation(
    run: Run,
    tracking: Tracking,
    report: ValidationReport,
    page: str,
    source: Source,
    cohort: Cohort,
    sentences: Sequence[str],
) -> None:
    """Log a validation.

    Parameters
    ----------
    run
        Its run, which is still being written.
    tracking
        The store of runs.
    report
        What was found.
    page
        The same as HTML.
    source
        Where the cohort can be had again.
    cohort
        The athletes that it was validated on.
    sentences
        What the numbers say.
    """
    _link(run, tracking, report.model)
    sha256 = digest(cohort)
    run.log_dataset(cohort, HELD_OUT, sha256, source.params())
    file = report.file
    parameters = {
        "version": report.model.version, "bundle_sha256": report.model.sha256,
        "data_sha256": sha256, "rows_sha256": file.rows_sha256, "label": file.label,
        "cohort_kind": file.cohort_kind, "outcome_kind": file.outcome_kind,
        "horizon_months": file.horizon_months or "none", "smallest_cell": report.smallest_cell,
        **source.params(), **environment(),
    }  # fmt: skip
    recalibrated = {
        f"recalibrated_{each.step}_{name}": value
        for each in report.recalibrations
        for name, value in each.metrics.items()
    }
    run.log_values(parameters, {**report.metrics, **recalibrated})
    _log_documents(run, page, report.as_json(), sentences)


def log_clubs(
    run: Run,
    tracking: Tracking,
    model: ValidatedModel,
    reports: Sequence[ValidationReport],
    refused: int,
) -> None:
    """Log the validations of many clubs as one run.

    Parameters
    ----------
    run
        Its run, which is still being written.
    tracking
        The store of runs.
    model
        That was validated.
    reports
        Of the clubs that could be reported on.
    refused
        How many could not.
    """
    _link(run, tracking, model)
    parameters = {"version": model.version, "bundle_sha256": model.sha256, **environment()}
    run.log_values(parameters, {"clubs": float(len(reports)), "clubs_refused": float(refused)})
    for number, report in enumerate(reports, start=1):
        run.log_text(report.as_json(), f"reports/{number}.json")


def log_pooled(
    run: Run,
    tracking: Tracking,
    pooled: PooledValidation,
    page: str,
    reports: Sequence[ValidationReport],
    sentences: Sequence[str],
) -> None:
    """Log what the reports of several clubs say together.

    Parameters
    ----------
    run
        Its run, which is still being written.
    tracking
        The store of runs.
    pooled
        What came out.
    page
        The same as HTML.
    reports
        Of the clubs.
    sentences
        What the numbers say.
    """
    _link(run, tracking, pooled.model)
    parameters = {
        "version": pooled.model.version, "bundle_sha256": pooled.model.sha256,
        "clubs": len(pooled.clubs), "cohort_kind": pooled.cohort_kind,
        "outcome_kind": pooled.outcome_kind, "horizon_months": pooled.horizon_months or "none",
        **environment(),
    }  # fmt: skip
    run.log_values(parameters, pooled.flat())
    for number, report in enumerate(reports, start=1):
        run.log_text(report.as_json(), f"reports/{number}.json")
    _log_documents(run, page, pooled.as_json(), sentences)


def _link(run: Run, tracking: Tracking, model: ValidatedModel) -> None:
    version = registered_here(tracking, model.version, model.sha256)
    if version is not None:
        run.link_version(version)


def _log_documents(run: Run, page: str, numbers: str, sentences: Sequence[str]) -> None:
    run.log_text(page, PAGE)
    run.log_text(numbers, NUMBERS)
    address = f"/#/experiments/{run.experiment}/runs/{run.run_id}/artifacts/{PAGE}"
    lines = [f"- {sentence}" for sentence in sentences]
    run.set_note("\n".join([f"[{text('training.run.link.report')}]({address})", "", *lines]))
