"""Records of two clubs with keys, for a service to keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kneerisk.records.access_keys import add_key, revoke_key
from kneerisk.records.database import Database
from kneerisk.records.roles import Role

HARBOUR, RIVER = "Harbour FC", "River FC"


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


def to_record(
    key: str, athlete: str = "A7", day: str = "2026-03-01", **more: str
) -> dict[str, str]:
    """The headers of a screening that is to be recorded."""
    stated = {"kneerisk-record": "yes", "kneerisk-athlete": athlete, "kneerisk-date": day}
    return bearer(key) | stated | {name.replace("_", "-"): value for name, value in more.items()}


def new_records(address: str) -> ClubKeys:
    """Make the tables at an address, and the keys of two clubs."""
    database, now = Database(address), datetime.now(UTC)
    database.upgrade()
    long_ago = now - timedelta(days=9)
    keys = ClubKeys(
        address=address,
        write=add_key(database, HARBOUR, Role.WRITE, now),
        read=add_key(database, HARBOUR, Role.READ, now),
        other_club=add_key(database, RIVER, Role.ADMIN, now),
        ended=add_key(database, HARBOUR, Role.ADMIN, long_ago, now - timedelta(days=1)),
        revoked=add_key(database, HARBOUR, Role.ADMIN, long_ago),
    )
    revoke_key(database, keys.revoked[3:15], now)
    database.close()
    return keys
