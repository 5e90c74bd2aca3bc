"""The machine: Python and packages, clock, disk, ports."""

from __future__ import annotations

import platform
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.message import Message
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import kneerisk
from kneerisk.diagnosis.findings import Finding, Place
from kneerisk.words import text

_GIGABYTE = 1e9
#: A run with its bundle and plots takes some 10 MB, a service's logs and temporary sheets more
#: (assumption: with less than one gigabyte something will soon fail).
_LEAST_FREE_GB, _LITTLE_FREE_GB = 1.0, 5.0
#: Two machines' clocks differ by less (assumption); keys and follow-ups end by the day.
_CLOCK_HOURS = 24.0
_HOST = "127.0.0.1"
_ANSWER_SECONDS = 3.0


def check_packages(place: Place) -> Sequence[Finding]:
    """Python, and every installed package that kneerisk names, against what it needs."""
    del place
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    installed = metadata.distribution("kneerisk")
    python, needs = platform.python_version(), installed.metadata["Requires-Python"] or ""
    if not SpecifierSet(needs).contains(python, prereleases=True):
        return [Finding("Python", "fault", text("diagnosis.python.told", found=python, needs=needs),
                        text("diagnosis.python.cure"))]  # fmt: skip
    wrong = []
    for line in installed.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in _extras()):
            continue
        version = _version_of(requirement.name)
        if version and not requirement.specifier.contains(version, prereleases=True):
            wrong.append(text("diagnosis.packages.told", name=requirement.name, found=version,
                              needs=requirement.specifier))  # fmt: skip
    if wrong:
        return [Finding("packages", "fault", "; ".join(wrong), text("diagnosis.packages.cure"))]
    told = text("diagnosis.packages.ok", python=python, version=kneerisk.__version__)
    return [Finding("packages", "ok", told)]


def _extras() -> Sequence[str]:
    return metadata.metadata("kneerisk").get_all("Provides-Extra") or ()


def _version_of(package: str) -> str | None:
    """The installed version; None where the package is not installed, as of an extra not wanted."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def check_clock(place: Place) -> Sequence[Finding]:
    """Whether files here were written after what the clock says is now."""
    now = time.time()
    newest = max(_written(place), default=0.0)
    if newest > now + 3_600.0 * _CLOCK_HOURS:
        written = datetime.fromtimestamp(newest, UTC).date().isoformat()
        today = datetime.fromtimestamp(now, UTC).date().isoformat()
        told = text("diagnosis.clock.told", written=written, today=today)
        return [Finding("clock", "fault", told, text("diagnosis.clock.cure"))]
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [Finding("clock", "ok", moment)]


def _written(place: Place) -> Iterator[float]:
    """When things were written that can only be older than now, in seconds since 1970."""
    for path in (Path(kneerisk.__file__), place.models, place.folder / "mlflow.db"):
        if path.exists():
            yield path.stat().st_mtime


def check_disk(place: Place) -> Sequence[Finding]:
    """Free space where runs and models are kept."""
    findings = {}
    for path in (place.folder, place.models):
        if not path.exists():
            continue
        free = shutil.disk_usage(path).free / _GIGABYTE
        told = text("diagnosis.disk.told", path=path, free=f"{free:.1f}")
        if free < _LEAST_FREE_GB:
            cure = text("diagnosis.disk.cure", least=f"{_LEAST_FREE_GB:.0f}")
            findings[path.stat().st_dev] = Finding("disk", "fault", told, cure)
        else:
            state = "note" if free < _LITTLE_FREE_GB else "ok"
            findings.setdefault(path.stat().st_dev, Finding("disk", state, told))  # type: ignore[arg-type]
    return list(findings.values())


def check_ports(place: Place) -> Sequence[Finding]:
    """Whether the service and MLflow run on their ports, or could be started there."""
    return [
        _port(place.service_port, "service", "PORT", "/livez"),
        _port(place.mlflow_port, "MLflow", "MLFLOW_PORT", "/health"),
    ]


def _port(port: int, program: str, variable: str, path: str) -> Finding:
    """One port: free, held by the program that belongs there, or by another."""
    about = text("diagnosis.ports.about", port=port)
    if _is_free(port):
        return Finding(about, "ok", text("diagnosis.ports.free", program=program))
    status, headers = _asked(f"http://{_HOST}:{port}{path}")
    # Each of our answers has an id, and MLflow's health page nothing but two letters.
    known = "x-request-id" in headers if program == "service" else headers["content-length"] == "2"
    if status != 200 or not known:
        told = text("diagnosis.ports.other", program=program)
        cure = text("diagnosis.ports.cure", variable=variable, other=port + 1)
        return Finding(about, "fault", told, cure)
    if program == "service" and _asked(f"http://{_HOST}:{port}/readyz")[0] != 200:
        told = text("diagnosis.ports.not_ready")
        return Finding(about, "fault", told, text("diagnosis.ports.not_ready_cure"))
    return Finding(about, "ok", text("diagnosis.ports.runs", program=program))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: closed connections that linger don't make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _asked(address: str) -> tuple[int, Message]:
    """Status and headers of what answers on a port of this machine; status 0 where nothing does."""
    try:
        with urlopen(address, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - always http
            return int(answer.status), answer.headers
    except HTTPError as error:
        return error.code, error.headers
    except (URLError, HTTPException, OSError, ValueError):
        return 0, Message()
