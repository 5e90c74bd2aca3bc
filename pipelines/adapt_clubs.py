"""`kneerisk adapt` of a folder: champion + many clubs' cohorts -> a version and a row for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneerisk.progress import Progress
from kneerisk.words import text
from pipelines import console
from pipelines.options import DEFAULT_REFITS

#: Where the rows of many clubs go.
CLUBS_TABLE = Path("adapted-clubs.csv")


def adapt_clubs(
    folder: Path,
    version: str | None,
    models: Path,
    progress: Progress,
    table: Path = CLUBS_TABLE,
    refits: int = DEFAULT_REFITS,
    dask: str | None = None,
) -> dict[str, Any]:
    """Update a version (the champion, if none is named) by each file of a folder by itself.

    Parameters
    ----------
    folder
        With one canonical cohort file a club.
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    models
        The folder of released models.
    progress
        Called with what is being done.
    table
        The file to write, CSV or Parquet, with a row for each club.
    refits
        How often the version is updated again in bootstrap samples of a club's athletes.
    dask
        The address of a cluster's scheduler, or `local`; None is this process.

    Returns
    -------
    `base`, `table` and `clubs`, the rows of it.
    """
    from kneerisk.training.tracking import require_store

    require_store(Path.cwd())
    import pandas as pd

    from kneerisk.cohort.file_rows import suffix_of
    from kneerisk.training.club_files import cohort_files
    from kneerisk.training.new_versions import adapted_clubs
    from kneerisk.training.registry.versions import load_version
    from kneerisk.training.updating.count_updating import refuse_counted
    from kneerisk.workers.dask_cluster import workers_at

    suffix_of(table)
    files, base = cohort_files(folder), load_version(models, version)
    refuse_counted(base)
    with base.model.own.also_in_force(), workers_at(dask) as workers:
        rows = list(adapted_clubs.adapt_clubs(base, files, refits, progress, workers))
    console.write_table(pd.DataFrame(rows), table)
    return {"base": base.metadata.version, "table": str(table), "clubs": rows}


def clubs_summary(result: dict[str, Any]) -> list[str | console.Table]:
    """The result of many clubs for a person."""
    clubs = result["clubs"]
    refused = sum(club["refused"] is not None for club in clubs)
    versions = sum(club.get("version") is not None for club in clubs)
    return [text(
        "command_line.adapt.clubs", clubs=f"{len(clubs):,}", versions=f"{versions:,}",
        kept=f"{len(clubs) - refused - versions:,}", refused=f"{refused:,}",
        base=result["base"], table=result["table"],
    )]  # fmt: skip
