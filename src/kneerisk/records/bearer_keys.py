"""Keys as callers send them: a start, an id that is listed, and a secret that is told once.

A secret has 256 random bits, so that one SHA-256 of it is enough to keep, and is compared in
constant time. Apart from the database: the service has keys of its own too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

_ID_BYTES, _SECRET_BYTES = 6, 32
_ID_AND_SECRET = re.compile(r"([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class NewKey(NamedTuple):
    """A key that was just made."""

    key: str
    """The whole key, for its holder."""
    key_id: str
    secret_sha256: bytes


def new_key(start: str) -> NewKey:
    """Make a key that begins with a start."""
    key_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    return NewKey(f"{start}{key_id}_{secret}", key_id, _sha256(secret))


def id_of(start: str, key: str) -> str | None:
    """The id of what looks like a key with a start; None where it does not."""
    parts = _parts(start, key)
    return parts[1] if parts else None


def has_secret(start: str, key: str, kept: bytes | None) -> bool:
    """Whether a key has the secret that is kept of it.

    Parameters
    ----------
    start
        How such keys begin.
    key
        As it was sent.
    kept
        The hash that is kept under its id; None where there is no such id, which takes the same
        steps as a wrong secret.

    Returns
    -------
    Whether it has.
    """
    parts = _parts(start, key)
    secret = parts[2] if parts else ""
    return hmac.compare_digest(_sha256(secret), kept or b"\0" * 32) and kept is not None


def _parts(start: str, key: str) -> re.Match[str] | None:
    return _ID_AND_SECRET.fullmatch(key[len(start) :]) if key.startswith(start) else None


def _sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
