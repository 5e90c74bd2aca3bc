"""Other callers while the service is attacked: how long they wait, and what the workers hold.

Part of `make harness` only. It prints a line for each attack: its answers and how long they took,
the 99th percentile of the time of another caller's prediction, and the most memory of a worker.
Memory and statuses are checked; times are printed, since they depend on the machine (0.5 s is the
aim, and 0.2 s with 10 s for the answer to a full sheet of dates, on two processors that do nothing
else).
"""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import psutil
import pytest
from club_keys import key_of, recording
from served import Served, served

from kneerisk.cohort import screenings_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from serving.request_examples import EXAMPLE
from serving.routes import ROUTES

pytestmark = pytest.mark.harness

MOST_WORKER_BYTES = 600_000_000
#: What an attack may be answered: never that it took too long.
PROMISED = frozenset({200, 400, 413, 422, 503})
#: Enough that both workers are attacked.
AT_ONCE = 6
CALLERS = 2


class Attack(NamedTuple):
    """A request, as httpx takes it."""

    path: str
    sent: dict[str, Any]

    def send(self, url: str) -> int:
        """The status of its answer."""
        headers = key_of(self.path)
        return httpx.post(url + self.path, timeout=240, headers=headers, **self.sent).status_code


def upload(path: str, *contents: bytes, mapping: Any = None) -> Attack:
    """Files, with what is said of them."""
    said = {} if mapping is None else {"mapping": json.dumps(mapping)}
    files = [("file", (f"{at}.csv", content)) for at, content in enumerate(contents)]
    return Attack(path, {"files": files, "data": said})


def sheet(content: bytes, mapping: Any = None) -> Attack:
    """A sheet, with what is said of it."""
    return upload("/v1/import", content, mapping=mapping)


def log(*contents: bytes) -> Attack:
    """Training logs."""
    return upload("/v1/training_log", *contents)


def body(path: str, content: Any) -> Attack:
    """A JSON body, given as text or as what it holds."""
    sent = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Attack(path, {"content": sent})


def archive(name: str, start: str, repeated: str, times: int) -> bytes:
    """An archive of one file: its start, and a text so many times."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as to, to.open(name, "w") as member:
        member.write(start.encode())
        for _ in range(times // 100_000):
            member.write(repeated.encode() * 100_000)
    return packed.getvalue()


def moments(lines: int, columns: int) -> bytes:
    """A sheet of nothing but time stamps, all different."""
    heading = ",".join(["Name", "Age", "Sex", *(f"When {at}" for at in range(columns - 3))])
    dates = [(at % 28 + 1, at // 28 % 12 + 1, 10 + at // 336) for at in range(336 * 90)]
    days = cycle([f"{day:02}/{month:02}/{year}" for day, month, year in dates])
    cells = (
        ",".join(f"{next(days)} {line % 24:02}:{line % 60:02}" for _ in range(columns))
        for line in range(lines)
    )
    return "\n".join([heading, *cells]).encode()


def squad(names: int) -> Attack:
    """Two files whose athletes are nobody's."""
    people = "".join(f"Ann A{at}x{at * 7919 % 9973},2026-05-04,25,f\n" for at in range(names))
    tests = "".join(
        f"Ann B{at * 104_729 % 9973}y{at},2026-05-06,Hip AD/AB,Squeeze,Hip AD/AB - 0,240,252\n"
        for at in range(names)
    )
    heading = "Name,Date,Test,Direction,Position,L Max Force (N),R Max Force (N)\n"
    files = (f"Name,Date,Age,Sex\n{people}", heading + tests)
    return upload("/v1/import", *(text.encode() for text in files))


def example(path: str) -> Attack:
    """The first example of a route, so that a new one is among the attacks."""
    route = ROUTES[path]
    shown = next(iter(route.examples.values()))
    if route.upload:
        return upload(path, shown["file"].encode(), mapping=shown["mapping"])
    return body(path, shown)


def workbook(part: str, content: str, sheets: int = 1) -> bytes:
    """A workbook one part of which is large, as a text that is repeated."""
    names = "".join(f'<sheet name="s{i}" sheetId="{i}" r:id="r{i}"/>' for i in range(1, sheets + 1))
    relations = "".join(
        f'<Relationship Id="r{i}" Type="x/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, sheets + 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    r = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    files = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{r}">'
        f"<sheets>{names}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}">'
        f"{relations}</Relationships>",
        **{f"xl/worksheets/sheet{i}.xml": f'<worksheet xmlns="{main}"><sheetData/></worksheet>'
           for i in range(1, sheets + 1)},
        part: content,
    }  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def full_team() -> dict[str, Any]:
    """A thousand screenings, each the fullest of a simulated cohort."""
    made = [
        screening.model_dump(mode="json", exclude_none=True)
        for screening in screenings_of(simulate(2_000, 5).cohort.frame)
    ]
    return {"screenings": [max(made, key=lambda one: len(json.dumps(one)))] * 1_000}


def cells(value: str, lines: int, columns: int) -> bytes:
    heading = ",".join(f"unknown {i}" for i in range(columns))
    return f"{heading}\n{(','.join([value] * columns) + chr(10)) * lines}".encode()


UNIT = {"columns": {"D": {"means": "mass_kg", "unit": "9**9**9"}}}
KEYS = {f"k{i}": 1 for i in range(950)}
#: Each attack: what is sent, by several clients at once.
ATTACKS: dict[str, Callable[[], Attack]] = {
    "a unit to evaluate": lambda: sheet(b"D,Age,Sex\n70,25,f\n", UNIT),
    "a heading of 100,000 brackets": lambda: sheet(b"(" * 100_000 + b",Age\n1,2\n"),
    "a heading of 190 names": lambda: sheet(cells("1", 1, 190)),
    "newlines": lambda: sheet(b"Age,Sex\n" + b"\n" * 4_900_000),
    "4,990 x 60 unknown cells": lambda: sheet(cells("x", 4_990, 60)),
    "50 MB of empty texts": lambda: sheet(
        workbook("xl/sharedStrings.xml", f"<sst>{'<si><t/></si>' * 3_800_000}</sst>")
    ),
    "2,000 worksheets": lambda: sheet(workbook("xl/x", "", 2_000)),
    "duplicate keys": lambda: body("/v1/predict", b"{" + b'"k":1,' * 130_000 + b'"k":1}'),
    "few duplicate keys": lambda: body("/v1/predict", b"{" + b'"k":1,' * 900 + b'"k":1}'),
    "unknown keys": lambda: body("/v1/predict", KEYS),
    "a deep body": lambda: body("/v1/predict", b"[" * 900_000),
    "a team of unknown keys": lambda: body("/v1/predict_team", {"screenings": [
        {f"k{i}": 1 for i in range(190)}] * 1_000}),
    "a full team of 1,000": lambda: body("/v1/predict_team", full_team()),
    "4,900 x 59 time stamps": lambda: sheet(moments(4_900, 59)),
    "two files of 2,400 names": lambda: squad(2_400),
    "a log of 29,000 sports": lambda: log(
        b"Date,Sport,Distance (km),Time\n"
        + b"".join(b"2026-05-01,run %d,5,30:00\n" % at for at in range(29_000))
    ),
    "a log of 2 GB of XML": lambda: log(
        archive("export.xml", "<HealthData>", '<Record value="60"/>', 90_000_000)
    ),
    "a log of 50 M newlines": lambda: log(archive("a.csv", "Date,Km\n", "\n", 50_000_000)),
    "80 logs of 59 MB": lambda: log(
        *(archive("a.csv", f"Date,Km\n{at}\n", " ", 59_000_000) for at in range(80))
    ),
    "a table of 1,000 x 390": lambda: body(
        "/v1/export", {"columns": ["=1+1"] * 390, "rows": [["=cmd|' /C calc'!A0"] * 390] * 1_000}
    ),
    **{path: partial(example, path) for path, route in ROUTES.items() if route.method == "POST"},
}  # fmt: skip


@dataclass
class Callers:
    """Clients that ask for a prediction all the time, and how long each answer took."""

    url: str
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._ended.is_set():
                started = time.perf_counter()
                try:
                    status = client.post(f"{self.url}/v1/predict", json=EXAMPLE).status_code
                except httpx.HTTPError as error:
                    status = 0
                    self.failed.append(type(error).__name__)
                self.seconds.append(time.perf_counter() - started)
                if status not in (0, 200):
                    self.failed.append(str(status))

    def during(self, attack: Callable[[], None]) -> None:
        """Ask while something is done, and for a second longer."""
        threads = [threading.Thread(target=self.ask) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            attack()
            self._ended.wait(1.0)
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()


@pytest.fixture(scope="module")
def service(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = recording(tmp_path_factory.mktemp("records"))
    environment["KNEERISK_MODELS"] = str(champion_models)
    with served(tmp_path_factory.mktemp("attacked"), **environment) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


def worker_bytes(service: Served) -> int:
    """The most memory that one process of the service holds; those that read sheets are apart."""
    sizes = [0]
    for process in psutil.Process(service.process.pid).children():
        with suppress(psutil.Error):
            sizes.append(process.memory_info().rss)
    return max(sizes)


@pytest.mark.parametrize("name", ATTACKS)
def test_others_are_answered_meanwhile(
    service: Served, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made, statuses, most, took = ATTACKS[name](), Counter[int](), [0], [0.0]
    faults: list[str] = []

    def one() -> None:
        started = time.perf_counter()
        try:
            statuses[made.send(service.url)] += 1
        except httpx.HTTPError as error:
            faults.append(f"no answer: {type(error).__name__}")
        took.append(time.perf_counter() - started)

    def attack() -> None:
        threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most.append(worker_bytes(service))
            time.sleep(0.05)

    callers = Callers(service.url)
    callers.during(attack)
    p99 = float(np.quantile(callers.seconds, 0.99))
    faults += [f"a prediction of others: {told}" for told in callers.failed]
    faults += [f"status {status}" for status in statuses if status not in PROMISED]
    if max(most) > MOST_WORKER_BYTES:
        faults.append("a worker holds too much")
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{name}: tried {AT_ONCE}, faults {len(faults)}; {dict(statuses)} in "
            f"{max(took):.1f} s; {len(callers.seconds)} predictions of others, p99 "
            f"{p99 * 1000:.0f} ms, longest {max(callers.seconds) * 1000:.0f} ms; "
            f"worker at most {max(most) / 1e6:.0f} MB"
        )
    assert faults == []
