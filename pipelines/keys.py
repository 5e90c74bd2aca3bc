"""`kneerisk keys`: keys that open a club's records, made, listed and ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kneerisk.records.roles import Role
from kneerisk.words import text
from pipelines import console
from pipelines.open_records import open_records
from pipelines.options import Club, Json, examples

if TYPE_CHECKING:
    from kneerisk.records.access_keys import KeyState

app = typer.Typer(help=text("help.keys.command"), no_args_is_help=True)


@app.command(
    help=text("help.keys.add.command"),
    epilog=examples('keys add --club "Harbour FC" --role write --expires 2027-06-30'),
)
def add(
    club: Club,
    role: Annotated[Role, typer.Option(help=text("help.keys.add.role"))],
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=text("help.keys.add.expires")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once."""
    with open_records() as database:
        from kneerisk.records.access_keys import add_key

        ends = None if expires is None else expires.replace(tzinfo=UTC)
        key = add_key(database, club, role, datetime.now(UTC), ends)
    console.result({"key": key}, as_json, key)


@app.command("list", help=text("help.keys.list.command"), epilog=examples("keys list"))
def list_(as_json: Json = False) -> None:
    """List every key without its secret."""
    with open_records() as database:
        from kneerisk.records.access_keys import list_keys

        keys = list_keys(database)
    now = datetime.now(UTC)
    rows = [
        [key.key_id, key.club, key.role.value, key.created_at.date().isoformat(), _ends(key, now)]
        for key in keys
    ]
    names = ("key", "club", "role", "made", "ends")
    result = {"keys": [dict(zip(names, row, strict=True)) for row in rows]}
    console.result(result, as_json, console.Table(names, rows))


@app.command(help=text("help.keys.revoke.command"), epilog=examples("keys revoke 3b70262a24e1"))
def revoke(
    key: Annotated[str, typer.Argument(help=text("help.keys.revoke.key"))], as_json: Json = False
) -> None:
    """End a key at once."""
    with open_records() as database:
        from kneerisk.records.access_keys import revoke_key

        revoke_key(database, key, datetime.now(UTC))
    console.result({"revoked": key}, as_json, text("command_line.keys.revoked", key=key))


def _ends(key: KeyState, now: datetime) -> str:
    """When a key ends, or since when it opens nothing."""
    if key.revoked_at is not None:
        return text("command_line.keys.ended", day=key.revoked_at.date())
    if key.expires_at is None:
        return text("command_line.keys.never")
    day = key.expires_at.date()
    if key.has_ended(now):
        return text("command_line.keys.ended", day=day)
    return text("command_line.keys.ends", day=day)
