"""Uploads beyond one sheet: training logs, exports of devices and several files, changed at random.

Each is made from its number alone.
"""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from typing import Any, NamedTuple

import sheet_mutations
import test_device_exports as devices
import test_several_files as several
import training_log_files as logs
from sheet_mutations import CHANGES, Grid

from kneerisk.cohort.sheets.several_files.squad_file import SquadFile

#: Logs in each maker's layout, and one without any.
LOGS: tuple[bytes, ...] = (
    logs.strava(), logs.strava(language="de"), logs.garmin(), logs.garmin(miles=True),
    logs.trainingpeaks(), logs.polar(logs.SESSIONS[0]), logs.table(),
    b"Athlete,Date,Distance (km),Time\nA,2026-05-01,5,30:00\nB,2026-05-02,6,0:35:00\n",
    b"Date,Km\n01/02/2026,5\n03/02/2026,12\n",
)  # fmt: skip
APPLE = logs.apple(logs.SESSIONS[:9])
#: Exports of devices, and the files of a squad that belong together.
EXPORTS = (
    devices.FRAME, devices.BENCH, devices.DYNAMOMETER, devices.PLATES, devices.ISOKINETIC_ROWS,
    several.PEOPLE, several.FRAME, several.BENCH,
)  # fmt: skip
#: What the cells of a log are made to hold besides what those of a sheet are.
ODD_LOG_CELLS = (
    "9999-12-31", "0001-01-01", "1700-01-01", "12/31/9999", "Dec 31, 9999, 5:04:00 PM", "1e999",
    "-5", "inf", "nan", "99:99:99", "1:2:3:4", "10000:00:00", "-1:00", "--", "1e308", "1e-308",
    "9" * 400, "1,234,567.8", "00:00:00", "5 km", "3 mi", "2026-06-15T10:00:00Z",
    "2026-06-15T10:00:00+99:99", "46180", "-1", "1780000000", "1780000000000", "Run",
    "Nordic ski run", "x" * 3_000, "=1+1", "running running", "Lauf",
)  # fmt: skip
NAMES = (
    "",
    "a.csv",
    "../../etc/passwd",
    "a\n.csv",
    "\u202etxt.exe",
    "x" * 400,
    "a/b",
    "=1+1",
    "🦵",
)
_DAYS = ("2026-06-15", "0001-01-01", "9999-12-31", "2026-02-30", "", "15.06.2026", "1e9")


class Upload(NamedTuple):
    """The files of one upload and what is said of them, as JSON."""

    files: list[SquadFile]
    stated: str


def _grid(content: bytes) -> tuple[Grid, str]:
    text = content.decode("utf-8-sig")
    delimiter = max(";,\t", key=text.partition("\n")[0].count)
    return list(csv.reader(text.splitlines(), delimiter=delimiter)), delimiter


def _text(grid: Grid, delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(grid)
    return text.getvalue().encode("utf-8", "replace")


def _changed(rng: random.Random, content: bytes, odd: tuple[str, ...]) -> bytes:
    grid, delimiter = _grid(content)
    for _ in range(rng.choice((0, 1, 2, 4))):
        if rng.random() < 0.5 and len(grid) > 1 and (row := rng.choice(grid[1:])):
            row[rng.randrange(len(row))] = rng.choice(odd)
        elif rng.random() < 0.3 and grid and grid[0]:
            at, value = rng.randrange(len(grid[0])), rng.choice(odd)
            for row in grid[1:]:
                row[at : at + 1] = [value] * (at < len(row))
        else:
            rng.choice(CHANGES)(rng, grid)
    return _text(grid, delimiter)


def _zipped(rng: random.Random, *contents: bytes) -> bytes:
    packed = io.BytesIO()
    names = ("activities.csv", "a/b/c.csv", "../x.csv", "export.xml", "apple/export.xml", "a.fit")
    with zipfile.ZipFile(packed, "w", rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as to:
        for at, content in enumerate(contents):
            to.writestr(f"{at}{rng.choice(names)}" if rng.random() < 0.5 else "export.xml", content)
    return packed.getvalue()


def _apple(rng: random.Random) -> bytes:
    content = APPLE
    for _ in range(rng.choice((0, 1, 2, 3))):
        old, new = rng.choice(
            [(b"2026-", b"9999-"), (b"2026-", b"0001-"), (b'duration="', b'duration="-'),
             (b'duration="36.0', b'duration="1e400'), (b'sum="', b'sum="nan'),
             (b'totalDistance="', b'totalDistance="inf" x="'), (b'"km"', b'"smoot"'),
             (b"<Workout ", b"<Workout><Workout "), (b"Running", b"x" * 500), (b"/>", b">"),
             (b"</HealthData>", b""), (b'durationUnit="min"', b'durationUnit="h"'),
             (b"<ExportDate", b"<a>" * 60 + b"<ExportDate"), (b"\n]>", b'<!ENTITY a "b">]>')]
        )  # fmt: skip
        content = content.replace(old, new, rng.choice((1, 3, 99)))
    return _zipped(rng, content) if rng.random() < 0.5 else content


def log_upload(seed: int) -> Upload:
    """Training logs of a person or a squad."""
    rng = random.Random(f"log {seed}")
    contents = []
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = (
            _apple(rng)
            if rng.random() < 0.15
            else _changed(rng, rng.choice(LOGS), ODD_LOG_CELLS + sheet_mutations.ODD_CELLS)
        )
        contents.append(_zipped(rng, content) if rng.random() < 0.1 else content)
    damaged = [
        sheet_mutations.damaged(rng, content) if rng.random() < 0.1 else content
        for content in contents
    ]
    files = [SquadFile(rng.choice(NAMES), content) for content in damaged]
    return Upload(files, json.dumps(_stated_of_log(rng)))


def _stated_of_log(rng: random.Random) -> dict[str, Any]:
    choices: dict[str, tuple[Any, ...]] = {
        "date": _DAYS if rng.random() < 0.3 else _DAYS[:3],
        "athlete": ("A", "", "x" * 300, "A", "x" * 301), "day_first": (True, False),
        "distance_unit": ("km", "mile", "m"), "duration_unit": ("h", "min", "s", "h:mm"),
        "sport": ("running", "other"), "sports": ({"Run": "other"}, {"": "running"}, {}),
        "athlete_column": (True, False), "outside": ("no_training", "not_known"),
    }  # fmt: skip
    return {name: rng.choice(of) for name, of in choices.items() if rng.random() < 0.25}


def squad_upload(seed: int) -> Upload:
    """Exports of devices, alone or several together, some with a training log."""
    rng = random.Random(f"squad {seed}")
    chosen = [text.encode() for text in rng.choices(EXPORTS, k=rng.choice((1, 1, 2, 3)))]
    if rng.random() < 0.3:
        chosen.append(rng.choice(LOGS))
    if rng.random() < 0.2:
        chosen[0] = rng.choice(sheet_mutations.GOOD).encode()
    odd = sheet_mutations.ODD_CELLS + ODD_LOG_CELLS
    files = [SquadFile(rng.choice(NAMES), _changed(rng, content, odd)) for content in chosen]
    return Upload(files, json.dumps(_stated_of_squad(rng, files)))


def _stated_of_squad(rng: random.Random, files: list[SquadFile]) -> dict[str, Any]:
    grid, _ = _grid(files[0].content)
    stated = sheet_mutations.stated_of(rng, grid) if rng.random() < 0.3 else {}
    if rng.random() < 0.2:
        stated["within_days"] = rng.choice((0, 14, 366, 367, -1))
    if rng.random() < 0.2:
        stated["same_athletes"] = {rng.choice(("1:2", "2:2", "2:3", "x")): rng.choice(("", "1:2"))}
    if rng.random() < 0.1:
        stated["cells"] = {rng.choice(("A2", "B3", "ZZ9", "A")): rng.choice((1, "", "x", 10**40))}
    return stated
