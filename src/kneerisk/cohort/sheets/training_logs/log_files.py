"""The files that logs come in: delimited text, Excel, an archive of them, Apple Health's XML."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, is_zipfile

from kneerisk.cohort.sheets.files.counted_archive import BROKEN_ARCHIVE
from kneerisk.cohort.sheets.files.sheet_limits import MOST_LOGS, Lines, SheetLimits, too_much
from kneerisk.cohort.sheets.files.workbook import open_sheet
from kneerisk.cohort.sheets.training_logs.apple_health import Workout, workouts_of
from kneerisk.cohort.sheets.training_logs.log_columns import LogLayout, find_layout
from kneerisk.errors import CohortRefused
from kneerisk.words import text

#: Thirty years of two sessions a day, and a session of eight hours second by second; as many
#: columns as Strava writes, twice over (assumptions).
LOGS = SheetLimits(30_000, 250, 3_000_000, 30_000_000, 3_000_000)
#: What one table of an archive may unpack to (assumption: twenty years of Strava are 10 MB).
_MOST_UNPACKED = 60_000_000
_PIECE, _START = 65_536, 200
#: What tells a workbook, of Excel or OpenDocument, from an archive of logs.
_WORKBOOK_MEMBERS = frozenset({"[Content_Types].xml", "content.xml"})


class LogTable(NamedTuple):
    """A file of rows."""

    lines: Lines
    layout: LogLayout
    delimiter: str


class AppleExport(NamedTuple):
    """The workouts of an export of Apple Health."""

    workouts: list[Workout]
    unread: int


def open_logs(source: bytes | Path) -> list[LogTable | AppleExport]:
    """What a file holds, or each file of an archive.

    Parameters
    ----------
    source
        The bytes of a file, or where it is: a large export of Apple Health is never held whole.

    Returns
    -------
    list
        Tables and exports; none where nothing in it is a training log.

    Raises
    ------
    CohortRefused
        Where it can't be read, or has more of something than is read.
    """
    with _opened(source) as file:
        start = file.read(_START)
        file.seek(0)
        if _is_xml(start):
            return _apple(_pieces(file))
        if is_zipfile(file):
            try:
                archive = ZipFile(file)
                if _WORKBOOK_MEMBERS.isdisjoint(archive.namelist()):
                    return _of_archive(archive)
            except BROKEN_ARCHIVE:
                raise CohortRefused(text("training_log.broken_archive")) from None
        file.seek(0)
        content = file.read(_MOST_UNPACKED + 1)
    if len(content) > _MOST_UNPACKED:
        raise too_much("unpacked", _MOST_UNPACKED)
    return _table(content)


def _opened(source: bytes | Path) -> IO[bytes]:
    if isinstance(source, bytes):
        return BytesIO(source)
    try:
        return source.open("rb")
    except OSError as error:
        reason = error.strerror
        raise CohortRefused(text("cohort.file.unreadable", file=source, reason=reason)) from None


def _is_xml(start: bytes) -> bool:
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith((b"<?xml", b"<HealthData", b"<!DOCTYPE HealthData"))


def _apple(pieces: Iterator[bytes]) -> list[LogTable | AppleExport]:
    workouts, unread = workouts_of(pieces)
    return [AppleExport(workouts, unread)] if workouts else []


def _table(content: bytes) -> list[LogTable | AppleExport]:
    sheet = open_sheet(content, limits=LOGS)
    layout = find_layout(sheet.lines)
    return [LogTable(sheet.lines, layout, sheet.delimiter or "")] if layout else []


def _of_archive(archive: ZipFile) -> list[LogTable | AppleExport]:
    members = archive.infolist()
    if any(member.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for member in members):
        raise BadZipFile
    paths = {member.filename: PurePosixPath(member.filename) for member in members}
    exports = [
        name for name, path in paths.items()
        if path.suffix.lower() == ".xml" and len(path.parts) <= 2 and "cda" not in path.stem.lower()
    ]  # fmt: skip
    if exports:
        with archive.open(exports[0]) as file:
            return _apple(_pieces(file))
    tables = [name for name, path in paths.items() if path.suffix.lower() in {".csv", ".txt"}]
    # Strava's archive has a dozen tables besides; one of them is the log.
    own = [name for name in tables if paths[name].stem.lower() in {"activities", "workouts"}]
    chosen = own or tables
    if len(chosen) > MOST_LOGS:
        raise too_much("members", MOST_LOGS)
    read: list[LogTable | AppleExport] = []
    unpacked = 0
    for name in chosen:
        content = bytearray()
        with archive.open(name) as file:
            for piece in _pieces(file):
                unpacked += len(piece)
                if unpacked > _MOST_UNPACKED:
                    raise too_much("unpacked", _MOST_UNPACKED)
                content += piece
        read += _table(bytes(content))
    return read


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
