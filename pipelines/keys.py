"""`kneerisk keys`: keys of a club's records and of the service, made, listed and ended."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kneerisk.errors import KneeriskError
from kneerisk.records.roles import Role
from kneerisk.words import text
from pipelines import console
from pipelines.open_records import open_records
from pipelines.options import Json, examples

if TYPE_CHECKING:
    from kneerisk.records.access_keys import KeyState
    from serving.service_keys import KeyFile, ServiceKey

app = typer.Typer(help=text("help.keys.command"), no_args_is_help=True)

_FILE_VARIABLE, _RECORDS_VARIABLE = "KNEERISK_KEYS", "KNEERISK_RECORDS"
File = Annotated[Path | None, typer.Option(envvar=_FILE_VARIABLE, help=text("help.keys.file"))]


class KeyRole(StrEnum):
    """What a key may do: the first three with a club's records, the others with the service."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    CALL = "call"
    METRICS = "metrics"

    @property
    def of_records(self) -> Role | None:
        """The role as the records know it; None where it is one of the service."""
        return Role(self.value) if self.value in set(Role) else None


@app.command(
    help=text("help.keys.add.command"),
    epilog=examples(
        'keys add --club "Harbour FC" --role write --expires 2027-06-30',
        'keys add --name "team app" --role call --per-minute 60 --file keys.json',
    ),
)
def add(
    role: Annotated[KeyRole, typer.Option(help=text("help.keys.add.role"))],
    club: Annotated[str | None, typer.Option(help=text("help.option.club"))] = None,
    name: Annotated[str | None, typer.Option(help=text("help.keys.add.name"))] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=text("help.keys.add.expires")),
    ] = None,
    per_minute: Annotated[int | None, typer.Option(min=1, help=text("help.keys.add.limit"))] = None,
    per_day: Annotated[int | None, typer.Option(min=1, help=text("help.keys.add.limit"))] = None,
    file: File = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once."""
    ends = None if expires is None else expires.replace(tzinfo=UTC)
    has_limits = per_minute is not None or per_day is not None
    if (club is None) == (name is None) or (club is None) == (role.of_records is not None):
        raise KneeriskError(text("command_line.keys.whose"))
    if club is not None and has_limits:
        raise KneeriskError(text("command_line.keys.no_limits"))
    if club is not None and role.of_records is not None:
        key = _club_key(club, role.of_records, ends)
    else:
        from serving.service_keys import KeyUse

        now, use = datetime.now(UTC), KeyUse(role.value)
        key = _key_file(file).add(str(name), use, now, ends, per_minute, per_day)
    console.result({"key": key}, as_json, key)


def _club_key(club: str, role: Role, ends: datetime | None) -> str:
    with open_records() as database:
        from kneerisk.records.access_keys import add_key

        return add_key(database, club, role, datetime.now(UTC), ends)


@app.command("list", help=text("help.keys.list.command"), epilog=examples("keys list"))
def list_(file: File = None, as_json: Json = False) -> None:
    """List every key without its secret."""
    now, of_records, of_service = datetime.now(UTC), [], []
    if file is not None:
        of_service = [_service_row(key, now) for key in _key_file(file).every_key()]
    if file is None or os.environ.get(_RECORDS_VARIABLE):
        with open_records() as database:
            from kneerisk.records.access_keys import list_keys

            of_records = [_club_row(key, now) for key in list_keys(database)]
    clubs, names = (
        ("key", "club", "role", "made", "ends"),
        ("key", "name", "role", "made", "ends", "per_minute", "per_day"),
    )
    result = {
        "keys": [dict(zip(clubs, row, strict=True)) for row in of_records],
        "service_keys": [dict(zip(names, row, strict=True)) for row in of_service],
    }
    tables = [
        console.Table(columns, rows)
        for columns, rows in ((clubs, of_records), (names, of_service))
        if rows or (columns is clubs and file is None)
    ]
    console.result(result, as_json, *tables)


def _club_row(key: KeyState, now: datetime) -> list[str]:
    made = key.created_at.date().isoformat()
    return [key.key_id, key.club, key.role.value, made, _ends(key, now)]


def _service_row(key: ServiceKey, now: datetime) -> list[str]:
    made, limits = key.created_at.date().isoformat(), (key.per_minute, key.per_day)
    told = ["" if most is None else f"{most:,}" for most in limits]
    return [key.key_id, key.name, key.use.value, made, _ends(key, now), *told]


@app.command(help=text("help.keys.revoke.command"), epilog=examples("keys revoke 3b70262a24e1"))
def revoke(
    key: Annotated[str, typer.Argument(help=text("help.keys.revoke.key"))],
    file: File = None,
    as_json: Json = False,
) -> None:
    """End a key at once."""
    now = datetime.now(UTC)
    is_revoked = file is not None and _key_file(file).revoke(key, now)
    if file is not None and not is_revoked and not os.environ.get(_RECORDS_VARIABLE):
        raise KneeriskError(text("records.no_key"))
    if not is_revoked:
        with open_records() as database:
            from kneerisk.records.access_keys import revoke_key

            revoke_key(database, key, now)
    console.result({"revoked": key}, as_json, text("command_line.keys.revoked", key=key))


def _key_file(file: Path | None) -> KeyFile:
    from serving.service_keys import KeyFile

    if file is None:
        raise KneeriskError(text("command_line.keys.no_file", variable=_FILE_VARIABLE))
    return KeyFile(file)


def _ends(key: KeyState | ServiceKey, now: datetime) -> str:
    """When a key ends, or since when it opens nothing."""
    if key.revoked_at is not None:
        return text("command_line.keys.ended", day=key.revoked_at.date())
    if key.expires_at is None:
        return text("command_line.keys.never")
    day = key.expires_at.date()
    if key.has_ended(now):
        return text("command_line.keys.ended", day=day)
    return text("command_line.keys.ends", day=day)
