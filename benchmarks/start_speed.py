"""How soon a command and the service are there, what two workers bring, and what serving installs.

`python -m benchmarks.start_speed` starts the service with a champion several times on 127.0.0.1,
and fails where a target is missed. Sizes are those of the installed files of the `serve` extra and
all that it needs, without compiled Python, which is made on the first start.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.http_load import Target, load_with_many_clients, load_with_one_client
from benchmarks.performance_page import RESULTS, Line, write_page
from benchmarks.serving_speed import champion_of, free_ports, machine, processor_seconds
from pipelines.services import Service, responds, service_arguments, stop
from serving.request_examples import EXAMPLE

STARTS, HELPS, CLIENTS, SECONDS, ROUNDS = 5, 15, 4, 4.0, 3
MOST_READY_SECONDS, MOST_HELP_SECONDS, MOST_MEGABYTES, LEAST_WORKERS = 3.0, 0.3, 350.0, 1.8
LARGEST = 5
_POLL_SECONDS, _DEADLINE_SECONDS = 0.02, 120.0


@dataclass(frozen=True, slots=True)
class Start:
    """What was measured."""

    help_seconds: float
    ready_seconds: float
    ready_processor_seconds: float
    """Of the supervisor and its workers until then, which other work of the machine is not in."""
    per_second: dict[int, float]
    """Requests a second by the number of workers."""
    megabytes: dict[str, float]
    """Size of each installed distribution, the largest first."""


def main() -> int:
    """Measure, print and write the results; 1 if a target is missed."""
    models = Path(os.environ.get("KNEERISK_MODELS") or "models").resolve()
    champion_of(models)
    measured = measure(models)
    lines = start_lines(measured)
    text = as_markdown(measured, lines)
    (RESULTS / "start-speed.md").write_text(text, "utf-8")
    write_page()
    sys.stdout.write(text)
    return 0 if all(line.met for line in lines) else 1


def measure(models: Path) -> Start:
    """Time the help, starts of the service, and its answers with one and two workers."""
    with tempfile.TemporaryDirectory(prefix="kneerisk-bench-") as folder:
        ready = [_ready_seconds(models, Path(folder)) for _ in range(STARTS)]
        seconds, processor = (statistics.median(times) for times in zip(*ready, strict=True))
        rates = {workers: _per_second(models, Path(folder), workers) for workers in (1, 2)}
    sizes = {each.name: _megabytes(each) for each in _installed("kneerisk", {"serve"})}
    return Start(
        help_seconds=statistics.median(_help_seconds() for _ in range(HELPS)),
        ready_seconds=seconds,
        ready_processor_seconds=processor,
        per_second=rates,
        megabytes=dict(sorted(sizes.items(), key=lambda item: -item[1])),
    )


def start_lines(measured: Start) -> list[Line]:
    """One line for each target, the ratio of what was measured to what may be, or of two rates."""
    rates = measured.per_second
    return [
        Line(text=f"`kneerisk --help`, of {MOST_HELP_SECONDS:g} s:",
             ratio=measured.help_seconds / MOST_HELP_SECONDS, limit=1.0),
        Line(text=f"the service ready, of {MOST_READY_SECONDS:g} s:",
             ratio=measured.ready_seconds / MOST_READY_SECONDS, limit=1.0),
        Line(text=f"the serving installation, of {MOST_MEGABYTES:g} MB:",
             ratio=sum(measured.megabytes.values()) / MOST_MEGABYTES, limit=1.0),
        Line(text="requests/s of two workers over one's:", ratio=rates[2] / rates[1],
             limit=LEAST_WORKERS, at_least=True),
    ]  # fmt: skip


def as_markdown(measured: Start, lines: list[Line]) -> str:
    """The section of the page."""
    versions = ", ".join(f"{name} {value}" for name, value in machine().items())
    parts = ", ".join(
        f"{name} {size:.0f}" for name, size in list(measured.megabytes.items())[:LARGEST]
    )
    rates = ", ".join(
        f"{rate:.1f} with {workers} worker{'s' * (workers > 1)}"
        for workers, rate in measured.per_second.items()
    )
    ready = (
        f"{measured.ready_seconds:.1f} s, with {measured.ready_processor_seconds:.1f} s of"
        f" processor time (medians of {STARTS}, two workers)"
    )
    text = [
        "# Start, workers and installation",
        "",
        f"Made by `python -m benchmarks.start_speed` ({versions}).",
        "",
        f"- `kneerisk --help`: {measured.help_seconds:.2f} s (median of {HELPS})",
        f"- `python -m serving`, from its start to the first `/readyz`: {ready}",
        f"- whole answers a second, {CLIENTS} clients on the same cores: {rates}",
        f"- installed for serving: {sum(measured.megabytes.values()):.0f} MB; {parts}",
        "",
        *(f"- {line}" for line in lines),
        "",
    ]
    return "\n".join(text)


def _help_seconds() -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "kneerisk", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def _service(models: Path, folder: Path, workers: int) -> Service:
    (port,) = free_ports(1)
    return Service(
        name="start", port=port, port_variable="", ready_path="/readyz",
        arguments=(*service_arguments(port, models), "--workers", str(workers)),
        environment={"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"},
    )  # fmt: skip


def _ready_seconds(models: Path, folder: Path) -> tuple[float, float]:
    """Until the first `/readyz`, and processor time of all processes until then."""
    service, started = _service(models, folder, 2), time.perf_counter()
    process = service.start(folder)
    try:
        while not responds(service.address + service.ready_path):
            if time.perf_counter() - started > _DEADLINE_SECONDS:
                raise RuntimeError("the service does not become ready")
            time.sleep(_POLL_SECONDS)
        return time.perf_counter() - started, processor_seconds(process.pid)
    finally:
        stop(folder, service.name)


def _per_second(models: Path, folder: Path, workers: int) -> float:
    service = _service(models, folder, workers)
    service.start(folder)
    try:
        service.wait(folder, time.monotonic() + _DEADLINE_SECONDS)
        target = Target("start", service.port, "/v1/predict", EXAMPLE)
        for _ in range(CLIENTS):
            # New connections go to the worker with time left, so that both warm up.
            load_with_one_client(target, 20)
        for _ in range(ROUNDS):
            load_with_many_clients(target, CLIENTS, SECONDS)
        return statistics.median(target.per_second)
    finally:
        stop(folder, service.name)


def _installed(name: str, extras: set[str]) -> Iterator[Distribution]:
    """The distribution's requirements with these extras, and theirs, each once."""
    seen: set[str] = set()
    waiting: list[tuple[str, set[str]]] = [(name, extras)]
    while waiting:
        wanted, its_extras = waiting.pop()
        try:
            found = distribution(wanted)
        except PackageNotFoundError:
            continue
        for text in found.requires or ():
            needed = Requirement(text)
            if _applies(needed, its_extras) and canonicalize_name(needed.name) not in seen:
                seen.add(canonicalize_name(needed.name))
                waiting.append((needed.name, set(needed.extras)))
        if wanted != name:
            yield found


def _applies(needed: Requirement, extras: set[str]) -> bool:
    if needed.marker is None:
        return True
    return any(needed.marker.evaluate({"extra": extra}) for extra in extras or {""})


def _megabytes(installed: Distribution) -> float:
    """The size of a distribution's files."""
    paths = [Path(str(file.locate())) for file in installed.files or ()]
    sizes = [path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file()]
    return sum(sizes) / 1e6


if __name__ == "__main__":
    sys.exit(main())
