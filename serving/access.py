"""Who may call: under which names, from which sites' pages, and with which key.

A web page anywhere can point a name of its own at 127.0.0.1 and have its visitor's browser call the
service (DNS rebinding), so only addresses and names that were stated are answered. Whoever can
reach the service from another machine needs the key, or one of a file of keys
(`serving.service_keys`). Where records are kept, a club's key will do
too; the records are asked for it (`serving.club_records`).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import Scope

from kneerisk.errors import KneeriskError
from kneerisk.records.identifiers import KEY_START, SERVICE_KEY_START
from kneerisk.words import text
from serving.monitoring import LOGGER
from serving.private_files import is_open_to_others
from serving.problem import Refusal
from serving.rate_limits import Limits
from serving.service_keys import KeyFile, KeyFileRefused, KeyUse

#: 128 bits in hexadecimal; shorter keys can be guessed.
MIN_KEY_CHARACTERS = 32
_MAX_KEY_FILE_BYTES = 4_096
_LOCAL_NAMES = frozenset({"localhost"})
_ORIGIN = re.compile(r"https?://[a-z0-9._-]+(:[0-9]{1,5})?")
_HOST = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
#: Goes with a refusal for want of a key (RFC 9110).
SEND_KEY = {"www-authenticate": "Bearer"}
_MAKE_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(32))' > FILE; chmod 600 FILE"


class AccessRefused(KneeriskError):
    """Settings with which the service may not start."""


class Admitted(NamedTuple):
    """Who has come in."""

    caller: str = ""
    """Whose requests are counted together; empty: those that came without a key."""
    limits: Limits | None = None
    """Limits of the key's own."""
    by_club_key: bool = False
    """Whether it may come in only if the club's key that it sent is a good one."""


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one service, the same in all its workers."""

    hosts: frozenset[str] = _LOCAL_NAMES
    """Names in the Host header, in lower case and without a port."""
    origins: frozenset[str] = frozenset()
    """Origins of other sites whose pages may call, as browsers write them."""
    key_sha256: bytes | None = None
    """Digest of the key that callers send; None: callers need none."""
    has_club_keys: bool = False
    """Whether there are records, whose clubs' keys open the service too."""
    key_file: KeyFile | None = None
    """Keys with a name and limits of their own; None: there are none."""

    @classmethod
    def from_environment(cls) -> Access:
        """Read the rules that the start of the service has set.

        Returns
        -------
        Access
            The rules.

        Raises
        ------
        AccessRefused
            Where the key's file is missing, readable by others, or its key too short.
        KeyFileRefused
            Where the same holds of the file of keys, or it is damaged.
        """
        hosts, origins = _listed("KNEERISK_HOSTS"), _listed("KNEERISK_ORIGINS")
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise AccessRefused(text("service.access.not_an_origin", origin=repr(origin)))
        file = os.environ.get("KNEERISK_KEY_FILE")
        key = hashlib.sha256(_key(Path(file))).digest() if file else None
        has_club_keys = bool(os.environ.get("KNEERISK_RECORDS"))
        keys = os.environ.get("KNEERISK_KEYS")
        key_file = KeyFile(Path(keys)) if keys else None
        if key_file is not None:
            key_file.every_key()
        return cls(_LOCAL_NAMES | hosts, origins, key, has_club_keys, key_file)

    @property
    def is_closed(self) -> bool:
        """Whether callers of this machine need a key too."""
        return self.key_sha256 is not None or self.key_file is not None

    def admit(self, scope: Scope, *, needs_key: bool, for_metrics: bool = False) -> Admitted:
        """Refuse a request that may not come in.

        Parameters
        ----------
        scope
            The request, with its headers and the address at which it arrived.
        needs_key
            False for what anybody may see: the page's files and whether the service runs.
        for_metrics
            Whether a key for the metrics alone will do.

        Returns
        -------
        Who has come in.

        Raises
        ------
        Refusal
            With what is missing.
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name = _name(host)
        if name not in self.hosts and not _is_address(name):
            detail = text("service.access.unknown_host")
            raise Refusal("unknown_host", detail)
        origin = headers.get("origin")
        if origin is not None and not self._known_origin(origin, host):
            detail = text("service.access.foreign_origin")
            raise Refusal("foreign_origin", detail)
        return self._caller(headers, scope, for_metrics=for_metrics) if needs_key else Admitted()

    def is_club_key(self, headers: Headers) -> bool:
        """Whether a request came with what looks like a club's key, where there are records."""
        return self.has_club_keys and sent_key(headers).startswith(KEY_START)

    def _known_origin(self, origin: str, host: str) -> bool:
        own = (f"http://{host}".lower(), f"https://{host}".lower())
        return origin in self.origins or origin.lower() in own

    def _caller(self, headers: Headers, scope: Scope, *, for_metrics: bool) -> Admitted:
        """Whose key came with a request; a club's is still to be looked up."""
        if not self.is_closed and is_local(scope.get("server")):
            return Admitted()
        if not self.is_closed and not self.has_club_keys:
            raise Refusal("key_required", text("service.access.no_key"))
        key = sent_key(headers)
        sent = hashlib.sha256(key.encode("latin-1")).digest()
        if self.key_sha256 is not None and hmac.compare_digest(sent, self.key_sha256):
            return Admitted("key")
        if self.has_club_keys and key.startswith(KEY_START):
            return Admitted(by_club_key=True)
        if self.key_file is not None and key.startswith(SERVICE_KEY_START):
            return _by_service_key(self.key_file, key, for_metrics=for_metrics)
        raise Refusal("key_required", text("service.access.send_key"), headers=SEND_KEY)


def _by_service_key(file: KeyFile, key: str, *, for_metrics: bool) -> Admitted:
    """Look a key up in the file of keys."""
    try:
        known = file.find(key)
    except KeyFileRefused as error:
        LOGGER.warning("%s", error)
        detail = text("service.access.keys_away")
        raise Refusal("busy", detail, headers={"retry-after": "2"}) from None
    if known is None:
        detail = text("service.access.key_refused")
        raise Refusal("key_refused", detail, headers=SEND_KEY)
    if known.has_ended(datetime.now(UTC)):
        raise Refusal("key_ended", text("service.records.key_ended"), headers=SEND_KEY)
    if known.use is KeyUse.METRICS and not for_metrics:
        raise Refusal("role_needed", text("service.access.metrics_only"))
    return Admitted(f"{SERVICE_KEY_START}{known.key_id}", Limits(known.per_minute, known.per_day))


def refuse_open_start(host: str, access: Access) -> None:
    """Refuse to listen where other machines reach, without a key.

    Parameters
    ----------
    host
        The address to listen at.
    access
        The rules that the service would have.

    Raises
    ------
    AccessRefused
        With what to do.
    """
    has_key = access.is_closed or access.has_club_keys
    if not has_key and not is_local((host, 0)):
        raise AccessRefused(text("service.access.open_start", host=host, make_key=_MAKE_KEY))


def sent_key(headers: Headers) -> str:
    """The bearer token of a request; empty where it has none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _listed(variable: str) -> frozenset[str]:
    names = os.environ.get(variable, "").lower().split(",")
    return frozenset(name.strip().rstrip("/") for name in names if name.strip())


def _name(host: str) -> str:
    """The name in a Host header, in lower case and without its port; empty where it is none."""
    name = _HOST.fullmatch(host.lower())
    return name[1].strip("[]") if name else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_local(server: tuple[str, int | None] | None) -> bool:
    """Whether an address of this machine is one that only itself reaches."""
    if server is None or server[0] == "localhost" or server[1] is None:
        return True  # a socket in the file system has no address
    try:
        return ipaddress.ip_address(server[0]).is_loopback
    except ValueError:
        return False


def _key(file: Path) -> bytes:
    try:
        status = file.stat()
        key = file.read_bytes()[:_MAX_KEY_FILE_BYTES].strip()
    except OSError as error:
        raise AccessRefused(text("service.access.key_unreadable", reason=error.strerror)) from None
    if is_open_to_others(status):
        raise AccessRefused(text("service.access.key_readable", file=file))
    if len(key) < MIN_KEY_CHARACTERS or not key.isascii() or len(key.split()) != 1:
        raise AccessRefused(
            text("service.access.bad_key", least=MIN_KEY_CHARACTERS, make_key=_MAKE_KEY)
        )
    return key
