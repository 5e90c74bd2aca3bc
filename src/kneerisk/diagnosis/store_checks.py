"""The stores: MLflow, asked by a real call; a club's records; a file of own measures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kneerisk.diagnosis.findings import Finding, Place
from kneerisk.errors import KneeriskError
from kneerisk.schema.measures_file import read_measures_file
from kneerisk.words import text

_MEASURES, _RECORDS = "KNEERISK_MEASURES", "KNEERISK_RECORDS"


def check_mlflow(place: Place) -> Sequence[Finding]:
    """Ask MLflow for its runs, and for the files of the last one."""
    from kneerisk.training.tracking import (
        EVALUATION,
        EXPERIMENTS,
        Tracking,
        has_runs,
    )
    from kneerisk.training.tracking.store_errors import without_password

    if not has_runs(place.folder):
        return [Finding("MLflow", "ok", text("diagnosis.mlflow.none", path=place.folder))]
    tracking = Tracking(place.folder, sweep=False)
    runs = tracking.find_runs(EXPERIMENTS)
    if runs and not tracking.has_artifact(runs[0].run_id, EVALUATION):
        told = text("diagnosis.mlflow.no_files", run=runs[0].run_id[:8])
        return [Finding("MLflow", "note", told)]
    address = without_password(tracking.uri)
    told = text("diagnosis.mlflow.ok", runs=f"{len(runs):,}", address=address)
    return [Finding("MLflow", "ok", told)]


def check_records(place: Place) -> Sequence[Finding]:
    """Open the records as the service does, where the settings name any."""
    del place
    if not os.environ.get(_RECORDS):
        return [Finding("records", "ok", text("diagnosis.records.none", variable=_RECORDS))]
    try:
        from kneerisk.records.database import Database
    except ModuleNotFoundError as error:
        told = text("diagnosis.records.not_installed", module=error.name)
        return [Finding("records", "fault", told, text("diagnosis.records.install"))]
    database = Database.from_environment(current=True)
    try:
        told = text("diagnosis.records.ok", revision=database.revision())
    finally:
        database.close()
    return [Finding("records", "ok", told)]


def check_measures_file(place: Place) -> Sequence[Finding]:
    """Read the declarations of own measures that the settings name."""
    del place
    named = os.environ.get(_MEASURES)
    if not named:
        return []
    try:
        own = read_measures_file(Path(named))
    except KneeriskError as error:
        cure = text("diagnosis.measures.cure", variable=_MEASURES)
        return [Finding(text("diagnosis.measures.about"), "fault", str(error), cure)]
    told = text("diagnosis.measures.ok", count=len(own.measures))
    return [Finding(text("diagnosis.measures.about"), "ok", told)]
