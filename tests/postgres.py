"""A PostgreSQL of a test's own: on a socket in a folder, as Debian installs the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from kneerisk.records.database import Database

#: PostgreSQL refuses to run as root; Debian's package makes this user.
USER = "postgres"


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, or None where it is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@contextmanager
def postgres(where: Path) -> Iterator[str]:
    """Run one until the end of the block; gives the URL of its empty database.

    Its address is a socket, whose path has to be short.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, USER)
    data, log = folder / "data", folder / "log"

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(where / program), *arguments]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run("initdb", "-D", str(data), "-A", "trust", "-U", "kneerisk", "--no-sync", "-E", "UTF8")
    settings = f"-c listen_addresses= -k {folder} -c max_connections=150"
    run("pg_ctl", "-D", str(data), "-o", settings, "-l", str(log), "-w", "start")
    try:
        yield f"postgresql://kneerisk@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def empty_records(kind: str, folder: Path) -> Iterator[Database]:
    """Records with their tables, in a `sqlite` file of a folder or on a `postgres` of their own."""
    where = programs()
    if kind == "postgres" and where is None:
        pytest.skip("PostgreSQL is not installed")
    server = postgres(where) if kind == "postgres" else nullcontext(str(folder / "club.sqlite"))
    with server as address:
        database = Database(address)
        database.upgrade()
        yield database
        database.close()
