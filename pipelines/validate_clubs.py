"""`kneerisk validate` of a folder: model + many clubs' cohorts -> a report and a row for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console

#: Where the reports of many clubs go, and the table of them in it.
CLUBS_FOLDER, TABLE = Path("validation"), "clubs.csv"


def validate_clubs(
    version: str | None,
    data: Path,
    out: Path,
    models: Path,
    progress: Progress,
    dask: str | None = None,
) -> dict[str, Any]:
    """Validate a released or registered version on each file of a folder by itself.

    Parameters
    ----------
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    data
        The folder, with one canonical cohort file a club.
    out
        The folder to write to: a page and its numbers for each club, and a table of all.
    models
        The folder of released models.
    progress
        Called with what is being done.
    dask
        The address of a cluster's scheduler, or `local`; None is this process.

    Returns
    -------
    `run_id`, `version`, `folder`, `table`, and `clubs`, the rows of it.
    """
    import pandas as pd

    from kneerisk.evaluation.external.external_validation import validated_model
    from kneerisk.training.club_files import cohort_files
    from kneerisk.training.registry.versions import load_version
    from kneerisk.training.tracking import Tracking, require_store
    from kneerisk.training.validation import validated_clubs
    from kneerisk.training.validation import validation_record as record
    from kneerisk.workers.dask_cluster import workers_at

    require_store(Path.cwd())
    progress(event("loading_model"))
    files, bundle = cohort_files(data), load_version(models, version)
    rows, reports = [], []
    with bundle.model.own.also_in_force(), workers_at(dask) as workers:
        for club in validated_clubs.validate_clubs(bundle, files, Path.cwd(), progress, workers):
            rows.append(club.row())
            if club.report is not None:
                reports.append(club.report)
                console.write_text(club.page, out / f"{club.file.stem}.html")
                console.write_text(club.report.as_json(), out / f"{club.file.stem}.json")
    console.write_table(pd.DataFrame(rows), out / TABLE)
    progress(event("logging_run"))
    tracking, model = Tracking(Path.cwd()), validated_model(bundle)
    tags = record.run_tags("validate", model, bundle.metadata.outcome_kind)
    name = record.clubs_run_name(model, len(reports))
    with tracking.start_run(name, tags, "validate") as run:
        record.log_clubs(run, tracking, model, reports, len(rows) - len(reports))
    return {
        "run_id": run.run_id, "version": model.version, "folder": str(out),
        "table": str(out / TABLE), "clubs": rows,
    }  # fmt: skip


def clubs_validated(result: dict[str, Any]) -> str:
    """The result for a person."""
    clubs = result["clubs"]
    refused = sum(club["refused"] is not None for club in clubs)
    return text(
        "command_line.validate.clubs", clubs=f"{len(clubs):,}", refused=f"{refused:,}",
        version=result["version"], folder=result["folder"], table=result["table"],
    )  # fmt: skip
