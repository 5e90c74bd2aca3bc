"""The files that logs come in: delimited text, Excel, an archive of them, Apple Health's XML."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import PurePosixPath
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, is_zipfile

from kneerisk.cohort.sheets.sheet_limits import Lines, SheetLimits, too_much
from kneerisk.cohort.sheets.training_logs.apple_health import Workout, pieces_of, workouts_of
from kneerisk.cohort.sheets.training_logs.log_columns import LogLayout, find_layout
from kneerisk.cohort.sheets.workbook import open_sheet
from kneerisk.errors import CohortRefused
from kneerisk.words import text

#: Thirty years of two sessions a day, and a session of eight hours second by second; as many
#: columns as Strava writes, twice over (assumptions).
LOGS = SheetLimits(30_000, 250, 3_000_000, 30_000_000, 3_000_000)
#: Files of one archive, or dropped together; a season of sessions of one file each (assumption).
MOST_FILES = 400
#: What one table of an archive may unpack to (assumption: twenty years of Strava are 10 MB).
_MOST_UNPACKED = 60_000_000
_PIECE = 65_536
_EXCEL_MEMBER = "[Content_Types].xml"
_BROKEN = (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zlib.error)


class LogTable(NamedTuple):
    """A file of rows."""

    lines: Lines
    layout: LogLayout
    delimiter: str


class AppleExport(NamedTuple):
    """The workouts of an export of Apple Health."""

    workouts: list[Workout]
    unread: int


def open_logs(content: bytes) -> list[LogTable | AppleExport]:
    """What a file holds, or each file of an archive.

    Parameters
    ----------
    content
        The file.

    Returns
    -------
    list
        Tables and exports; none where nothing in it is a training log.

    Raises
    ------
    CohortRefused
        Where it can't be read, or has more of something than is read.
    """
    if _is_xml(content):
        return _apple(pieces_of(content))
    if is_zipfile(BytesIO(content)):
        try:
            archive = ZipFile(BytesIO(content))
            if _EXCEL_MEMBER not in archive.namelist():
                return _of_archive(archive)
        except _BROKEN:
            raise CohortRefused(text("training_log.broken_archive")) from None
    return _table(content)


def _is_xml(content: bytes) -> bool:
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith((b"<?xml", b"<HealthData", b"<!DOCTYPE HealthData"))


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
        return _apple(_pieces(archive, exports[0]))
    tables = [name for name, path in paths.items() if path.suffix.lower() in {".csv", ".txt"}]
    # Strava's archive has a dozen tables besides; one of them is the log.
    own = [name for name in tables if paths[name].stem.lower() in {"activities", "workouts"}]
    chosen = own or tables
    if len(chosen) > MOST_FILES:
        raise too_much("members", MOST_FILES)
    read: list[LogTable | AppleExport] = []
    unpacked = 0
    for name in chosen:
        content = bytearray()
        for piece in _pieces(archive, name):
            unpacked += len(piece)
            if unpacked > _MOST_UNPACKED:
                raise too_much("unpacked", _MOST_UNPACKED)
            content += piece
        read += _table(bytes(content))
    return read


def _pieces(archive: ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as file:
        while piece := file.read(_PIECE):
            yield piece


def log_of_sheet(lines: Sequence[tuple[int, list[object]]]) -> bool:
    """Whether the lines of a sheet are a training log."""
    return find_layout(list(lines)) is not None
