"""How soon a squad of a thousand is scored, by the API and on the page, and who waits meanwhile.

`python -m benchmarks.squad_speed` starts the service with a champion and two workers on 127.0.0.1,
asks it for a team of 1,000 while a single client goes on asking, and drops a sheet of 1,000 on the
page in headless Chromium. It fails where a target is missed.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.http_load import Target, load_with_one_client
from benchmarks.page_speed import chromium
from benchmarks.performance_page import RESULTS, Line, write_page
from benchmarks.serving_speed import champion_of, free_ports, machine, percentiles
from kneerisk.cohort import screenings_of
from kneerisk.cohort.layout import OUTCOMES
from kneerisk.cohort.simulation.simulated_cohort import simulate
from pipelines.services import Service, service_arguments, stop
from serving.request_examples import EXAMPLE

SQUAD, SEED, REQUESTS, TEAMS = 1_000, 7, 200, 3
MOST_TEAM_SECONDS, MOST_SHEET_SECONDS, MOST_SLOWER = 2.0, 3.0, 2.0
_DEADLINE_SECONDS = 120.0


class Sheet(NamedTuple):
    """How long a sheet took, and the processor time of the service and of the browser meanwhile."""

    seconds: float
    service_seconds: float
    browser_seconds: float


@dataclass(frozen=True, slots=True)
class Squad:
    """What was measured."""

    team_seconds: float
    sheet: Sheet
    alone: dict[str, float]
    """Percentiles of a single client's times."""
    beside: dict[str, float]
    """The same while a team is answered."""


def main() -> int:
    """Measure, print and write the results; 1 if a target is missed."""
    models = Path(os.environ.get("KNEERISK_MODELS") or "models").resolve()
    champion_of(models)
    with tempfile.TemporaryDirectory(prefix="kneerisk-bench-") as folder:
        measured = measure(models, Path(folder))
    lines = squad_lines(measured)
    text = as_markdown(measured, lines)
    (RESULTS / "squad-speed.md").write_text(text, "utf-8")
    write_page()
    sys.stdout.write(text)
    return 0 if all(line.met for line in lines) else 1


def measure(models: Path, folder: Path) -> Squad:
    """Start the service, ask for teams, drop the sheet."""
    (port,) = free_ports(1)
    service = Service(
        name="squad", port=port, port_variable="", ready_path="/readyz",
        arguments=(*service_arguments(port, models), "--workers", "2"), environment={},
    )  # fmt: skip
    cohort = simulate(4 * SQUAD, SEED).cohort
    frame = cohort.frame.head(SQUAD).drop(columns=list(OUTCOMES), errors="ignore")
    sheet = folder / "squad.csv"
    frame.to_csv(sheet, index=False)
    bodies = [one.model_dump(mode="json", exclude_none=True) for one in screenings_of(frame)]
    service.start(folder)
    try:
        service.wait(folder, time.monotonic() + _DEADLINE_SECONDS)
        alone, beside, team = _teams(port, {"screenings": bodies})
        record = service.running(folder)
        pid = record.pid if record else 0
        sheets = [_dropped(service.address, sheet, pid) for _ in range(TEAMS)]
    finally:
        stop(folder, service.name)
    return Squad(team, Sheet(*map(statistics.median, zip(*sheets, strict=True))), alone, beside)


def _teams(port: int, body: dict[str, object]) -> tuple[dict[str, float], dict[str, float], float]:
    """Percentiles of a single client alone and beside teams, and the seconds of a team alone."""
    single = Target("single", port, "/v1/predict", EXAMPLE)
    team = Target("team", port, "/v1/predict_team", body)
    for target in (single, single, team):
        load_with_one_client(target, 3)
    single.milliseconds.clear()
    team.milliseconds.clear()
    load_with_one_client(single, REQUESTS)
    load_with_one_client(team, TEAMS)
    alone, seconds = percentiles(single.milliseconds), statistics.median(team.milliseconds) / 1000
    single.milliseconds.clear()
    teams = threading.Thread(target=load_with_one_client, args=(team, TEAMS))
    teams.start()
    while teams.is_alive():
        load_with_one_client(single, 5)
    teams.join()
    return alone, percentiles(single.milliseconds), seconds


def _dropped(address: str, sheet: Path, service_pid: int) -> Sheet:
    """From dropping a sheet on the page to the last athlete's score, the press between included."""
    with sync_playwright() as playwright, chromium(playwright) as browser:
        page = browser.new_page()
        page.goto(f"{address}/#team")
        settled = page.locator("html[data-state=settled]")
        settled.wait_for(state="attached")
        before, started = _processor_seconds(service_pid), time.perf_counter()
        page.locator("#file").set_input_files(sheet)
        page.get_by_role("button", name="Accept and score").click()
        # Where it is spoken: to search the whole page again and again takes half of the time.
        spoken = page.locator("#say", has_text=f"{SQUAD:,} athletes scored.")
        spoken.wait_for(state="attached")
        seconds, after = time.perf_counter() - started, _processor_seconds(service_pid)
        return Sheet(seconds, after[0] - before[0], after[1] - before[1])


def _processor_seconds(service_pid: int) -> tuple[float, float]:
    """What the service has taken, and what the browser: this program's other children."""
    service = psutil.Process(service_pid)
    of_service = [service, *service.children(recursive=True)]
    others = [p for p in psutil.Process().children(recursive=True) if p not in of_service]
    return _sum(of_service), _sum(others)


def _sum(processes: Sequence[psutil.Process]) -> float:
    # With those that have ended, such as the one that read the sheet.
    times = [process.cpu_times() for process in processes]
    return float(sum(t.user + t.system + t.children_user + t.children_system for t in times))


def squad_lines(measured: Squad) -> list[Line]:
    """One line for each target."""
    return [
        Line(text=f"a team of {SQUAD:,}, of {MOST_TEAM_SECONDS:g} s:",
             ratio=measured.team_seconds / MOST_TEAM_SECONDS, limit=1.0),
        Line(text=f"a sheet of {SQUAD:,} dropped on the page, of {MOST_SHEET_SECONDS:g} s:",
             ratio=measured.sheet.seconds / MOST_SHEET_SECONDS, limit=1.0),
        Line(text="p95 of a single client while a team is answered, over that alone:",
             ratio=measured.beside["p95_ms"] / measured.alone["p95_ms"], limit=MOST_SLOWER),
    ]  # fmt: skip


def as_markdown(measured: Squad, lines: list[Line]) -> str:
    """Render the results as a page."""
    versions = ", ".join(f"{name} {value}" for name, value in machine().items())
    alone, beside = (
        f"p50 {times['p50_ms']:.1f} ms, p95 {times['p95_ms']:.1f} ms"
        for times in (measured.alone, measured.beside)
    )
    team = f"{measured.team_seconds:.1f} s (median of {TEAMS})"
    sheet = f"{measured.sheet.seconds:.1f} s (median of {TEAMS})"
    processors = (
        f"{measured.sheet.service_seconds:.1f} s of processor time of the service and "
        f"{measured.sheet.browser_seconds:.1f} s of the browser and its driver"
    )
    text = [
        "# A squad of a thousand",
        "",
        f"Made by `python -m benchmarks.squad_speed` ({versions}), two workers.",
        "",
        f"- `/v1/predict_team` with {SQUAD:,} screenings, whole answers: {team}",
        f"- a sheet of {SQUAD:,} from its drop on the page to the last score: {sheet}, with",
        f"  {processors}",
        f"- a single client alone: {alone}; while a team is answered: {beside}",
        "",
        *(f"- {line}" for line in lines),
    ]
    return "\n".join([*text, ""])


if __name__ == "__main__":
    sys.exit(main())
