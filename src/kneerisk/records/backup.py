"""Backups: every row as a line of JSON in one compressed file, whatever the database.

So a club may move from SQLite to PostgreSQL and back. A backup is as secret as the records are.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Date, Integer, LargeBinary, func, insert, select
from sqlalchemy import Table as SqlTable
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from kneerisk.records.database import Database, RecordsFailed, newest_revision
from kneerisk.records.tables import Moment, Table
from kneerisk.words import text

_FORMAT = "kneerisk records 1"
#: Rows that are written together.
_AT_ONCE = 500


def back_up(database: Database, file: Path) -> dict[str, int]:
    """Write all rows of the records, as they were at one moment.

    Parameters
    ----------
    database
        The records.
    file
        The file to write, for its owner alone; it is whole or not there.

    Returns
    -------
    The number of rows by table.

    Raises
    ------
    RecordsFailed
        Where the database can't be read.
    OSError
        Where the file can't be written.
    """
    part = file.with_name(f"{file.name}.part")
    counts: dict[str, int] = {}
    try:
        with (
            database.reading() as session,
            os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed,
        ):
            _one_state(session)
            _write(packed, {"format": _FORMAT, "revision": database.revision()})
            for table in Table.metadata.sorted_tables:
                counts[table.name] = 0
                for row in session.execute(select(table).order_by(*table.primary_key)).mappings():
                    values = {name: _plain(value) for name, value in row.items()}
                    _write(packed, {"table": table.name, "row": values})
                    counts[table.name] += 1
            _write(packed, {"end": counts})
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return counts


def restore(database: Database, file: Path) -> dict[str, int]:
    """Fill empty records from a backup.

    Parameters
    ----------
    database
        With the tables of this program and no row.
    file
        A backup.

    Returns
    -------
    The number of rows by table.

    Raises
    ------
    RecordsFailed
        Where the records are not empty, or the file is no whole backup of these tables; nothing
        is then changed.
    """
    database.require_current()
    tables = {table.name: table for table in Table.metadata.sorted_tables}
    counts = dict.fromkeys(tables, 0)
    with database.writing() as session:
        if any(session.scalar(select(func.count()).select_from(t)) for t in tables.values()):
            raise RecordsFailed(text("records.not_empty"))
        for name, rows in groupby(_rows(file, tables), key=itemgetter(0)):
            while some := [row for _, row in islice(rows, _AT_ONCE)]:
                _insert(session, tables[name], some, file)
                counts[name] += len(some)
        _go_on_counting(session, tables)
    return counts


def _insert(session: Session, table: SqlTable, rows: list[dict[str, Any]], file: Path) -> None:
    try:
        session.execute(insert(table), rows)
    except IntegrityError:  # a row without the one that it hangs on
        raise RecordsFailed(text("records.bad_backup", file=file)) from None


def _one_state(session: Session) -> None:
    """All tables as they are at the same moment; SQLite's transactions see one anyway."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def _go_on_counting(session: Session, tables: dict[str, SqlTable]) -> None:
    """PostgreSQL counts rows by itself: on from the restored ones."""
    if session.get_bind().dialect.name == "sqlite":
        return
    for name, table in tables.items():
        if isinstance(table.c.id.type, Integer):
            sequence = func.pg_get_serial_sequence(f'"{name}"', "id")
            last, any_row = func.coalesce(func.max(table.c.id), 1), func.count() > 0
            session.execute(select(func.setval(sequence, last, any_row)).select_from(table))


def _rows(file: Path, tables: Mapping[str, SqlTable]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a backup with their tables; raises where it is not whole."""
    counts = dict.fromkeys(tables, 0)
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            first = json.loads(next(lines, "{}"))
            if first != {"format": _FORMAT, "revision": newest_revision()}:
                raise _NotWhole
            for line in map(json.loads, lines):
                if "end" in line:
                    if line["end"] != counts:
                        raise _NotWhole
                    return
                name = line["table"]
                counts[name] += 1
                yield name, _row(tables[name], line["row"])
        raise _NotWhole
    except (OSError, EOFError, ValueError, KeyError, TypeError, _NotWhole):
        raise RecordsFailed(text("records.bad_backup", file=file)) from None


class _NotWhole(Exception):
    """A file that ends before its end, or begins as another program's."""


def _write(packed: IO[bytes] | gzip.GzipFile, line: dict[str, Any]) -> None:
    packed.write(json.dumps(line).encode() + b"\n")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value


def _row(table: SqlTable, values: dict[str, Any]) -> dict[str, Any]:
    return {column.name: _read(column.type, values[column.name]) for column in table.columns}


def _read(kind: TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value
