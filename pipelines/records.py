"""`kneerisk records`: a club's database; its tables, what a person may ask for, and backups."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.words import plural, text, variant
from pipelines import console
from pipelines.open_records import open_records
from pipelines.options import Club, Json, examples

if TYPE_CHECKING:
    from kneerisk.cohort.knee_weeks import KneeWeeks

app = typer.Typer(help=text("help.records.command"), no_args_is_help=True)

Athlete = Annotated[str, typer.Option(help=text("help.records.athlete"))]


@app.command(help=text("help.records.upgrade.command"), epilog=examples("records upgrade"))
def upgrade(as_json: Json = False) -> None:
    """Make the tables, or bring older ones up to date."""
    with open_records(current=False) as database:
        before = database.revision()
        database.upgrade()
        result = {"before": before, "now": database.revision()}
    done = text("command_line.records.upgraded", revision=result["now"])
    console.result(result, as_json, done)


@app.command(
    help=text("help.records.export.command"),
    epilog=examples('records export --club "Harbour FC" --athlete A7 --out a7.json'),
)
def export(
    club: Club,
    athlete: Athlete,
    out: Annotated[Path, typer.Option(help=text("help.records.export.out"))],
    as_json: Json = False,
) -> None:
    """Write all that is kept of an athlete."""
    import json

    with open_records() as database:
        from kneerisk.records.audit import COMMAND, note
        from kneerisk.records.clubs import club_id_of
        from kneerisk.records.personal_data import everything_about, require_known

        with database.writing() as session:
            club_id = club_id_of(session, club)
            kept = require_known(everything_about(session, club_id, athlete))
            note(session, datetime.now(UTC), club_id, COMMAND, "athlete_exported")
            console.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", out)
    counts: dict[str, Any] = {name: len(kept[name]) for name in ("visits", "outcomes", "exposure")}
    result = {"file": str(out), **counts}
    console.result(result, as_json, text("command_line.records.exported", file=out, **counts))


@app.command(
    help=text("help.records.erase.command"),
    epilog=examples('records erase --club "Harbour FC" --athlete A7'),
)
def erase(club: Club, athlete: Athlete, as_json: Json = False) -> None:
    """Delete all that is kept of an athlete."""
    with open_records() as database:
        from kneerisk.records.audit import COMMAND
        from kneerisk.records.clubs import club_id_of
        from kneerisk.records.personal_data import erase_athlete

        with database.reading() as session:
            club_id = club_id_of(session, club)
        erase_athlete(database, club_id, athlete, COMMAND, datetime.now(UTC))
    console.result({"erased": 1}, as_json, text("command_line.records.erased"))


@app.command(
    help=text("help.records.expire.command"),
    epilog=examples(
        "records expire --months 24",
        'records expire --club "Harbour FC" --before 2024-07-01 --dry-run',
    ),
)
def expire(
    club: Annotated[list[str] | None, typer.Option(help=text("help.records.expire.club"))] = None,
    months: Annotated[
        int | None, typer.Option(min=1, max=600, help=text("help.records.expire.months"))
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=text("help.records.expire.before")),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=text("help.records.expire.dry_run"))
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete athletes of whom everything is older than a day."""
    if (months is None) == (before is None):
        raise typer.BadParameter(text("command_line.records.months_or_before"))
    with open_records() as database:
        from kneerisk.records.audit import COMMAND
        from kneerisk.records.clubs import clubs_named
        from kneerisk.records.followed_legs import days_of_months
        from kneerisk.records.personal_data import erase_older, older_athletes

        now = datetime.now(UTC)
        young = before.date() if before else now.date() - timedelta(days_of_months(months or 0))
        with database.reading() as session:
            clubs = clubs_named(session, club or [])
            old = sum(len(older_athletes(session, one, young)) for one in clubs.values())
        count = old if dry_run else erase_older(database, clubs.values(), young, COMMAND, now)
    result = {"erased": 0 if dry_run else count, "older": count, "before": young.isoformat()}
    console.result(result, as_json, _expired(count, young, dry_run=dry_run))


def _expired(count: int, before: date, *, dry_run: bool) -> str:
    if dry_run:
        return plural("command_line.records.would_expire", count, before=before)
    return plural("command_line.records.expired", count, before=before)


@app.command(help=text("help.records.vacuum.command"), epilog=examples("records vacuum"))
def vacuum(as_json: Json = False) -> None:
    """Overwrite what deleted rows left in the files."""
    with open_records() as database:
        database.empty_deleted()
    console.result({"vacuumed": True}, as_json, text("command_line.records.vacuumed"))


@app.command(
    help=text("help.records.backup.command"), epilog=examples("records backup records.jsonl.gz")
)
def backup(
    file: Annotated[Path, typer.Argument(help=text("help.records.backup.file"))],
    as_json: Json = False,
) -> None:
    """Write every row to a file."""
    with open_records() as database:
        from kneerisk.records.backup import back_up

        counts = back_up(database, file)
    rows = sum(counts.values())
    done = text("command_line.records.backed_up", rows=f"{rows:,}", file=file)
    console.result({"file": str(file), "rows": counts}, as_json, done)


@app.command(
    help=text("help.records.restore.command"), epilog=examples("records restore records.jsonl.gz")
)
def restore(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help=text("help.records.restore.file")),
    ],
    as_json: Json = False,
) -> None:
    """Fill empty records from a backup."""
    with open_records(current=False) as database:
        from kneerisk.records.backup import restore as restored

        database.upgrade()
        counts = restored(database, file)
    done = text("command_line.records.restored", rows=f"{sum(counts.values()):,}", file=file)
    console.result({"rows": counts}, as_json, done)


@app.command(
    help=text("help.records.cohort.command"),
    epilog=examples(
        "records cohort --out club.parquet",
        "records cohort --out club.parquet --weeks weeks.parquet",
        'records cohort --out autumn.parquet --club "Harbour FC" --months 6',
    ),
)
def cohort(
    out: Annotated[Path, typer.Option(help=text("help.records.cohort.out"))],
    club: Annotated[list[str] | None, typer.Option(help=text("help.records.cohort.club"))] = None,
    months: Annotated[
        int | None, typer.Option(min=1, max=60, help=text("help.records.cohort.months"))
    ] = None,
    weeks: Annotated[Path | None, typer.Option(help=text("help.records.cohort.weeks"))] = None,
    as_json: Json = False,
) -> None:
    """Write visits with what became of them, to train, adapt or evaluate on."""
    with open_records() as database:
        from kneerisk.cohort import write
        from kneerisk.cohort.knee_weeks import weeks_table
        from kneerisk.records.audit import COMMAND, note
        from kneerisk.records.clubs import clubs_named
        from kneerisk.records.cohort_of_records.record_cohort import cohort_of_visits
        from kneerisk.records.cohort_of_records.recorded_visits import (
            minutes_by_athlete,
            recorded_visits,
        )
        from kneerisk.records.cohort_of_records.watched_knees import weekly_follow_up

        now = datetime.now(UTC)
        with database.reading() as session:
            clubs = clubs_named(session, club or [])
            found = recorded_visits(session, [*clubs.values()], now.date(), months)
            minutes = minutes_by_athlete(session, [visit.athlete_id for visit in found.visits])
            made, account = cohort_of_visits(found, minutes, [*clubs])
            weekly = weekly_follow_up(session, found, minutes)
        _refuse_no_weeks(weekly, weeks)
        with database.writing() as session:
            for club_id in clubs.values():
                note(session, now, club_id, COMMAND, "cohort_written")
            write(made, out)
    counts = account.as_dict() | {"weeks": 0 if weekly is None else len(weekly.week)}
    if weekly is not None and weeks is not None:
        console.write_table(weeks_table(weekly, made), weeks)
    console.result({"file": str(out), **counts}, as_json, _account_in_words(out, counts))


def _refuse_no_weeks(weekly: KneeWeeks | None, weeks: Path | None) -> None:
    from kneerisk.records.database import RecordsFailed

    if weekly is None and weeks is not None:
        raise RecordsFailed(text("command_line.records.cohort.not_weekly"))


def _account_in_words(out: Path, counts: dict[str, Any]) -> str:
    lines = [text("command_line.records.cohort.rows", file=out, **_counted(counts))]
    lines += [
        "  " + text("command_line.records.cohort.ended", count=f"{count:,}",
                    why=variant("command_line.records.cohort.why", ended))
        for ended, count in sorted(counts["legs"].items(), key=lambda leg: -leg[1])
    ]  # fmt: skip
    lines += [
        variant("command_line.records.cohort.left_out", why, count=f"{counts[why]:,}")
        for why in ("too_recent", "repeated", "unreadable")
        if counts[why]
    ]
    if counts["known"]:
        lines.append(text("command_line.records.cohort.weights", **_counted(counts)))
    if counts["weeks"]:
        lines.append(text("command_line.records.cohort.weeks", **_counted(counts)))
    return "\n".join(lines)


def _counted(counts: dict[str, Any]) -> dict[str, str]:
    """Numbers as a person reads them: counts whole, weights and shares with their digits."""
    digits = {"least_weight": 2, "largest_weight": 2, "effective": 0}
    per_cent = ("weighted_share", "plain_share")
    return {
        name: f"{value:.1%}" if name in per_cent else f"{value:,.{digits.get(name, 0)}f}"
        for name, value in counts.items()
        if name != "legs"
    }


@app.command(help=text("help.records.audit.command"), epilog=examples("records audit --json"))
def audit(as_json: Json = False) -> None:
    """List who did what and when."""
    with open_records() as database:
        from kneerisk.records.audit import audit_lines

        lines = audit_lines(database)
    names = ("at", "club", "actor", "action", "subject")
    rows = [
        [line.at.isoformat(timespec="seconds"), line.club or "", line.actor, line.action,
         line.subject or ""]
        for line in lines
    ]  # fmt: skip
    result = {"audit": [dict(zip(names, row, strict=True)) for row in rows]}
    console.result(result, as_json, console.Table(names, rows))
