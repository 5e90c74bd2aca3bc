"""`kneerisk retrain`: records -> cohort -> adapted or trained version -> gates -> approval."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text, variant
from pipelines import console
from pipelines.hazard_lines import hazard_lines
from pipelines.open_records import open_records
from pipelines.options import DEFAULT_REFITS, MODELS, RECORDS_PANEL, Json, Models, Refits, examples
from pipelines.released_pack import release_pack

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from kneerisk.training.new_versions.retraining import Records, Retrained

app = typer.Typer()
#: What a program that runs the command reads: 1 is an error and 2 a wrong option.
EXIT_CODES = {
    "nothing_due": 0,
    "too_early": 0,
    "promoted": 10,
    "waiting": 11,
    "refused": 12,
    "too_few": 13,
}


@app.command(
    help=text("help.retrain.command"),
    rich_help_panel=RECORDS_PANEL,
    epilog=examples("retrain", 'retrain --club "Harbour FC"', 'retrain --approve-by "J. Doe"'),
)
def retrain(
    club: Annotated[str | None, typer.Option(help=text("help.retrain.club"))] = None,
    approve_by: Annotated[
        str | None, typer.Option(metavar="NAME", help=text("help.retrain.approve_by"))
    ] = None,
    refits: Refits = DEFAULT_REFITS,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Make a new version of the records where one is due; serve it where a person approves."""
    if approve_by is not None and not approve_by.strip():
        raise typer.BadParameter(text("command_line.retrain.say_who"), param_hint="--approve-by")
    with console.progress() as progress:
        retrained = retrain_on_records(club, approve_by, models, refits, progress)
        told = []
        if retrained.state == "promoted" and retrained.version is not None:
            told.append(release_pack(models, retrained.version, progress)[1])
    console.result(retrained.as_dict(), as_json, *summary(retrained), *told)
    raise typer.Exit(EXIT_CODES[retrained.state])


def retrain_on_records(
    club: str | None, approved_by: str | None, models: Path, refits: int, progress: Progress
) -> Retrained:
    """Make, judge and, where a person approves it, serve what the records support.

    Parameters
    ----------
    club
        Whose records; None for those of all clubs.
    approved_by
        Who approves of a version that passes all gates; None: it waits.
    models
        The folder of released models.
    refits
        How often a model is built again in bootstrap samples.
    progress
        Called with what is being done.

    Returns
    -------
    What came of it.
    """
    from kneerisk.training.tracking import require_store

    require_store(Path.cwd())
    progress(event("reading_records"))
    # The cohort is a file for as long as the command runs: nothing of a person is left outside of
    # the records.
    with TemporaryDirectory() as folder, open_records() as database:
        from kneerisk.records.audit import COMMAND, note
        from kneerisk.records.clubs import clubs_named
        from kneerisk.training.new_versions.retraining import Retrained, retrain_version
        from kneerisk.training.registry.versions import load_version

        now = datetime.now(UTC)
        with database.reading() as session:
            clubs = clubs_named(session, [] if club is None else [club])
            learnable = _learnable(session, clubs, Path(folder), now.date())
            if learnable is None:
                base = load_version(models).metadata.version
                return Retrained(state="too_early", base=base, events=0)
            asked_for = _next_step(session, None if club is None else clubs[club], now.date())
        retrained = retrain_version(
            learnable, models, asked_for=asked_for, approved_by=approved_by, refits=refits,
            progress=progress,
        )  # fmt: skip
        with database.writing() as session:
            for club_id in clubs.values():
                note(session, now, club_id, COMMAND, retrained.state, retrained.version)
    return retrained


def _learnable(
    session: Session, clubs: dict[str, int], folder: Path, today: date
) -> Records | None:
    """The cohort of the records, as its file gives it; None where no horizon is over."""
    from kneerisk.cohort import read, write
    from kneerisk.records.cohort_of_records.record_cohort import cohort_of_visits
    from kneerisk.records.cohort_of_records.recorded_visits import (
        NoVisits,
        minutes_by_athlete,
        recorded_visits,
    )
    from kneerisk.records.cohort_of_records.watched_knees import weekly_follow_up
    from kneerisk.training.new_versions.retraining import Records

    file = folder / "records.parquet"
    try:
        found = recorded_visits(session, [*clubs.values()], today, None)
    except NoVisits:
        return None
    minutes = minutes_by_athlete(session, [visit.athlete_id for visit in found.visits])
    cohort, _ = cohort_of_visits(found, minutes, [*clubs])
    write(cohort, file)
    weeks = weekly_follow_up(session, found, minutes)
    return Records(cohort=read(file), file=file, weeks=weeks)


def _next_step(session: Session, club_id: int | None, today: date) -> str:
    """What monitoring says is to be done about the version that answered last."""
    from kneerisk.monitoring.monitored_answers import read_answers
    from kneerisk.monitoring.monitoring_report import monitor

    answers = read_answers(session, club_id, today)
    return monitor(answers, answers.required_version(None), today).next_step.step


def summary(retrained: Retrained) -> list[str | console.Table]:
    """The result for a person."""
    lines: list[str | console.Table] = [
        variant(
            "command_line.retrain.state", retrained.state, base=retrained.base,
            version=retrained.version, events=f"{retrained.events:,}",
        )
    ]  # fmt: skip
    if retrained.how is not None:
        step = variant("command_line.adapt.corrected", retrained.step) if retrained.step else None
        lines.append(variant("command_line.retrain.how", retrained.how, step=step))
    lines += hazard_lines(retrained.metrics or {}, retrained.proposed)
    lines += [
        text("command_line.promote.passed", gate=gate["told"])
        if gate["passed"]
        else text("command_line.retrain.failed", gate=gate["told"])
        for gate in (retrained.verdict or {}).get("gates", ())
    ]
    return lines
