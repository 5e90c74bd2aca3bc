"""Other callers while the service is attacked: how long they wait, and what the workers hold.

Part of `make harness` only. It prints a line for each attack: its answers, the 99th percentile of
the time of another caller's prediction, and the most memory of a worker. Memory and statuses are
checked; times are printed, since they depend on the machine (0.5 s is the aim, on two processors
that do nothing else).
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
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from served import Served, served

from kneerisk.cohort import screenings_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from serving.request_examples import EXAMPLE

pytestmark = pytest.mark.harness

MOST_WORKER_BYTES = 600_000_000
#: Enough that both workers are attacked.
AT_ONCE = 6
CALLERS = 2
Post = Callable[[str], httpx.Response]


def sheet(content: bytes, mapping: Any = None) -> Post:
    """An upload, with what is said of it."""
    said = {} if mapping is None else {"mapping": json.dumps(mapping)}
    files = {"file": ("a.csv", content)}
    return lambda url: httpx.post(f"{url}/v1/import", files=files, data=said, timeout=120)


def body(path: str, content: Any) -> Post:
    """A JSON body, given as text or as what it holds."""
    sent = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda url: httpx.post(url + path, content=sent, timeout=120)


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
ATTACKS: dict[str, Callable[[], Post]] = {
    "nothing": lambda: lambda url: httpx.get(f"{url}/livez"),
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
    with served(
        tmp_path_factory.mktemp("attacked"), KNEERISK_MODELS=str(champion_models)
    ) as running:
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
    send, statuses, most = ATTACKS[name](), Counter[int](), [0]

    def one() -> None:
        statuses[send(service.url).status_code] += 1

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
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{name}: {dict(statuses)}; {len(callers.seconds)} predictions of others, p99 "
            f"{p99 * 1000:.0f} ms, longest {max(callers.seconds) * 1000:.0f} ms; "
            f"worker at most {max(most) / 1e6:.0f} MB"
        )
    assert callers.failed == []
    assert sum(statuses.values()) == AT_ONCE
    assert set(statuses) <= {200, 400, 413, 422, 503, 504}
    assert max(most) <= MOST_WORKER_BYTES
