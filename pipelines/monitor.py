"""`kneerisk monitor`: records -> told risks against what happened, alarm, drift, what to do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.words import text
from pipelines import console
from pipelines.open_records import open_records
from pipelines.options import MODELS, RECORDS_PANEL, Json, Models, examples

if TYPE_CHECKING:
    from kneerisk.monitoring.monitored_answers import MonitoredAnswers
    from kneerisk.monitoring.monitoring_schema import MonitoringReport

app = typer.Typer()


@app.command(
    help=text("help.monitor.command"),
    rich_help_panel=RECORDS_PANEL,
    epilog=examples("monitor", 'monitor --club "Harbour FC" --json'),
)
def monitor(
    club: Annotated[str | None, typer.Option(help=text("help.monitor.club"))] = None,
    version: Annotated[str | None, typer.Option(help=text("help.monitor.version"))] = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Look at a served version and say what to do."""
    from kneerisk.monitoring import report_lines

    report = look_at(club, version, models, datetime.now(UTC).date())
    result = {"club": club, **report_lines.with_to_do(report).model_dump(mode="json")}
    result["run_id"] = _log(report, club)
    rows = [report_lines.part_row(part) for part in report.parts]
    table = console.Table(report_lines.part_columns(), rows, text("monitoring.table"))
    console.result(
        result, as_json, "\n".join(report_lines.head_lines(report)), *([table] if rows else []),
        "\n".join(report_lines.more_lines(report)),
    )  # fmt: skip


def look_at(club: str | None, version: str | None, models: Path, today: date) -> MonitoringReport:
    """The state of a version on a day, from the records that the environment names.

    Parameters
    ----------
    club
        Whose athletes; None for those of all clubs.
    version
        Which version; None for the one that answered last.
    models
        The folder of released models.
    today
        The day.

    Returns
    -------
    The report.

    Raises
    ------
    KneeriskError
        Where there are no records, no such club, or no answers.
    """
    with open_records() as database, database.reading() as session:
        from kneerisk.monitoring.monitored_answers import read_answers
        from kneerisk.monitoring.monitoring_report import monitor as monitored
        from kneerisk.records.clubs import club_id_of

        club_id = None if club is None else club_id_of(session, club)
        answers = read_answers(session, club_id, today)
    chosen = answers.required_version(version)
    return monitored(answers, chosen, today, _drift(answers.of_version(chosen), chosen, models))


def _drift(answers: MonitoredAnswers, version: str, models: Path) -> Any:
    """Drift of the inputs against the version's bundle; None where it is not released here."""
    from kneerisk.model import bundle
    from kneerisk.monitoring.input_drift import drift_of_screenings

    folder = models / version
    if not folder.is_dir():
        return None
    return drift_of_screenings(bundle.load(folder).model, answers.newest_screenings())


def _log(report: MonitoringReport, club: str | None) -> str | None:
    """Add the look to the version's run, where there is a store of runs; gives the run's id."""
    from kneerisk.training.tracking import has_runs

    if not has_runs(Path.cwd()):
        return None
    from kneerisk.training.tracking import Look, Tracking

    step = (report.day - report.first_visit).days
    look = Look(version=report.version, club=club, metrics=report.metrics(), step=step)
    return Tracking(Path.cwd()).log_look(look)
