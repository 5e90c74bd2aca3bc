"""Records of two clubs with keys, for a service to keep."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kneerisk.records.access_keys import add_key, revoke_key
from kneerisk.records.clubs import club_id_of
from kneerisk.records.database import Database
from kneerisk.records.roles import Role
from kneerisk.records.tables import Key
from serving.route import find_route
from serving.routes import ROUTES

HARBOUR, RIVER = "Harbour FC", "River FC"
#: Opens every `new_records` for writing, so that a request can be made before they are.
WRITE_KEY = f"kr_{'ab' * 6}_{'A' * 43}"


@dataclass(frozen=True, slots=True)
class ClubKeys:
    """The address of records, and keys that open them."""

    address: str
    write: str
    read: str
    other_club: str
    ended: str
    revoked: str


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def key_of(path: str) -> dict[str, str]:
    """The header that a route needs which works on a club's records; none of any other."""
    route = find_route(ROUTES, path.partition("?")[0])
    return bearer(WRITE_KEY) if route and route.role else {}


def to_record(
    key: str, athlete: str = "A7", day: str = "2026-03-01", **more: str
) -> dict[str, str]:
    """The headers of a screening that is to be recorded."""
    stated = {"kneerisk-record": "yes", "kneerisk-athlete": athlete, "kneerisk-date": day}
    return bearer(key) | stated | {name.replace("_", "-"): value for name, value in more.items()}


def recording(folder: Path) -> dict[str, str]:
    """The environment of a service that keeps records in a folder."""
    return {"KNEERISK_RECORDS": new_records(str(folder / "club.sqlite")).address}


def new_records(address: str) -> ClubKeys:
    """Make the tables at an address, and the keys of two clubs."""
    database, now = Database(address), datetime.now(UTC)
    database.upgrade()
    long_ago = now - timedelta(days=9)
    read = add_key(database, HARBOUR, Role.READ, now)
    with database.writing() as session:
        _, key_id, secret = WRITE_KEY.split("_")
        session.add(Key(
            id=key_id, club_id=club_id_of(session, HARBOUR), role=Role.WRITE.value,
            secret_sha256=hashlib.sha256(secret.encode()).digest(), created_at=now,
        ))  # fmt: skip
    keys = ClubKeys(
        address=address,
        write=WRITE_KEY,
        read=read,
        other_club=add_key(database, RIVER, Role.ADMIN, now),
        ended=add_key(database, HARBOUR, Role.ADMIN, long_ago, now - timedelta(days=1)),
        revoked=add_key(database, HARBOUR, Role.ADMIN, long_ago),
    )
    revoke_key(database, keys.revoked[3:15], now)
    database.close()
    return keys
