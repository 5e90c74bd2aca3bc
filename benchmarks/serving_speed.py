"""The served answer beside `mlflow models serve` and beside an endpoint that computes nothing.

All three run at once on 127.0.0.1 with one worker each, and are asked in turn, so that whatever
else the machine does falls on all of them. MLflow serves one of the champion's own boosters with
a row that is ready for it, which is less than what our answer computes.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.http_load import Target, alone, together
from kneerisk.errors import KneeriskError
from kneerisk.model.bundle import Bundle
from kneerisk.training.registry.version_bundles import load_version
from pipelines import programs, up
from pipelines.services import Service, stop
from serving.request_examples import EXAMPLE, FOLLOW_UP, WHAT_IF

RESULTS = Path(__file__).parent / "results"
OURS, MLFLOW, EMPTY = "kneerisk /v1/predict", "mlflow models serve", "BentoML, computing nothing"
CLIENTS, SECONDS, REQUESTS, ROUNDS = 4, 3.0, 200, 3
P95_LIMIT_MS = 25.0
_START_SECONDS = 120.0


def main() -> int:
    """Measure, print and write the results; 1 where a target is missed."""
    models = Path(os.environ.get("KNEERISK_MODELS") or "models")
    try:
        with tempfile.TemporaryDirectory(prefix="kneerisk-bench-") as folder:
            measured = measure(models, Path(folder))
    except KneeriskError as error:
        sys.stderr.write(f"make bench: {error}\n")
        return 1
    RESULTS.mkdir(exist_ok=True)
    text = as_markdown(measured)
    (RESULTS / "serving.json").write_text(json.dumps(measured, indent=2) + "\n", "utf-8")
    (RESULTS / "serving.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if all(measured["targets"].values()) else 1


def measure(models: Path, folder: Path) -> dict[str, Any]:
    """Start the three, ask them in turn, stop them; the numbers as plain data."""
    bundle = champion_of(models)
    targets, services = prepare(bundle, models, folder)
    try:
        for service in services:
            service.start(folder)
        deadline = time.monotonic() + _START_SECONDS
        for service, target in zip(services, targets, strict=True):
            service.wait(folder, deadline)
            note = service.running(folder)
            target.pid = note.pid if note else 0
            alone(target, 20)
            target.milliseconds.clear()
        for _ in range(ROUNDS):
            for target in targets:
                alone(target, REQUESTS)
                together(target, CLIENTS, SECONDS)
        rows = {target.name: numbers(target) for target in targets}
        others = {target.name: waits(target) for target in asked_alone(targets[0])}
    finally:
        for service in services:
            stop(folder, service.name)
    ours, theirs = rows[OURS], rows[MLFLOW]
    met = {
        "throughput at least mlflow models serve's": ours["per_second"] >= theirs["per_second"],
        f"p95 alone at most {P95_LIMIT_MS:g} ms": ours["p95_ms"] <= P95_LIMIT_MS,
    }
    return {"machine": machine(), "clients": CLIENTS, "results": rows, "routes": others,
            "targets": met}  # fmt: skip


def asked_alone(ours: Target) -> list[Target]:
    """The other answers of our service, asked by one client alone."""
    bodies = {"/v1/what_if": WHAT_IF, "/v1/follow_up": FOLLOW_UP, "/v1/report": EXAMPLE}
    targets = [Target(path, ours.port, path, body) for path, body in bodies.items()]
    for target in targets:
        alone(target, 20)
        target.milliseconds.clear()
        alone(target, REQUESTS)
    return targets


def champion_of(models: Path) -> Bundle:
    """The champion's bundle; the default one is trained first where there is none."""
    if models == up.MODELS:
        up.ensure_champion()
    return load_version(models)


def prepare(bundle: Bundle, models: Path, folder: Path) -> tuple[list[Target], list[Service]]:
    """What is asked and what has to run for it."""
    row = saved_for_mlflow(bundle, folder / "model")
    ports = free_ports(3)
    targets = [
        Target(OURS, ports[0], "/v1/predict", EXAMPLE),
        Target(MLFLOW, ports[1], "/invocations", {"dataframe_split": row}),
        Target(EMPTY, ports[2], "/empty", EXAMPLE),
    ]
    bento = {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    one_worker = {"BENTOML_CONFIG_OPTIONS": "services.KneeRisk.workers=1"}
    empty_arguments = ("bentoml", "serve", "benchmarks.empty_service:Empty", "--host", "127.0.0.1")
    mlflow_arguments = (
        "mlflow", "models", "serve", "-m", str(folder / "model"), "--host", "127.0.0.1",
        "--port", str(ports[1]), "--env-manager", "local", "--workers", "1",
    )  # fmt: skip
    services = [
        Service(
            name="ours", port=ports[0], port_variable="", ready_path="/readyz",
            arguments=programs.service_arguments("127.0.0.1", ports[0]),
            environment=programs.service_environment(models) | bento | one_worker
            | {"PROMETHEUS_MULTIPROC_DIR": str(folder / "ours-metrics")},
        ),
        Service(
            name="mlflow-model", port=ports[1], port_variable="", ready_path="/ping",
            arguments=mlflow_arguments, environment=dict(programs.MLFLOW_ENVIRONMENT)
            # MLflow starts uvicorn by its name.
            | {"OMP_NUM_THREADS": "1", "PATH": path_with_tools()},
        ),
        Service(
            name="empty", port=ports[2], port_variable="", ready_path="/readyz",
            arguments=(*empty_arguments, "--port", str(ports[2])),
            environment=bento | {"PROMETHEUS_MULTIPROC_DIR": str(folder / "empty-metrics")},
        ),
    ]  # fmt: skip
    return targets, services


def saved_for_mlflow(bundle: Bundle, folder: Path) -> dict[str, Any]:
    """Save one of the champion's boosters as MLflow does; gives a row that it takes."""
    import mlflow.xgboost

    model = bundle.model
    candidates = [model.boosted, getattr(model.interval, "quantiles", None)]
    candidates += [*model.imbalance.trees.values()] if model.imbalance else []
    found = [boosted for boosted in candidates if boosted is not None and boosted.booster]
    if not found:
        raise KneeriskError("the champion has no trees, so that MLflow could serve nothing of it")
    # Named requirements keep MLflow from finding them out by itself, which takes long.
    mlflow.xgboost.save_model(found[0].booster, str(folder), pip_requirements=["xgboost"])
    names = found[0].booster.feature_names or [f"f{n}" for n in range(len(found[0].columns))]
    return {"columns": list(names), "data": [[float(value) for value in found[0].fill]]}


def path_with_tools() -> str:
    """The PATH with this environment's commands first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nothing listens on now."""
    import socket

    taken = [socket.socket() for _ in range(count)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


def numbers(target: Target) -> dict[str, float]:
    """What was measured of one target."""
    return {
        "per_second": round(statistics.median(target.per_second), 1),
        **waits(target),
        "peak_mb": round(peak_memory(target.pid) / 1e6),
    }


def waits(target: Target) -> dict[str, float]:
    """How long one client alone waited."""
    waited = statistics.quantiles(target.milliseconds, n=100)
    return {f"p{share}_ms": round(waited[share - 1], 2) for share in (50, 95, 99)}


def peak_memory(pid: int) -> float:
    """Highest memory of a process and its children so far, in bytes; pages shared count twice."""
    first = psutil.Process(pid)
    return sum(_peak(process) for process in [first, *first.children(recursive=True)])


def _peak(process: psutil.Process) -> float:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    except OSError:
        return float(process.memory_info().rss)
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return float(line.split()[1]) * 1024


def machine() -> dict[str, Any]:
    """What it was measured on."""
    tools = ("bentoml", "mlflow", "xgboost-cpu" if sys.platform == "linux" else "xgboost")
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{tool: version(tool) for tool in tools},
    }


def as_markdown(measured: dict[str, Any]) -> str:
    """The results as a table."""
    about = ", ".join(f"{name} {value}" for name, value in measured["machine"].items())
    lines = [
        "# The served answer",
        "",
        f"Measured by `make bench` ({about}).",
        f"One worker each; requests a second with {measured['clients']} clients, times of one",
        "client alone.",
        "",
        "| | requests/s | p50 ms | p95 ms | p99 ms | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in measured["results"].items():
        lines.append(f"| {name} | {' | '.join(f'{value:g}' for value in row.values())} |")
    lines += ["", "| one client alone | p50 ms | p95 ms | p99 ms |", "| --- | ---: | ---: | ---: |"]
    for name, row in measured["routes"].items():
        lines.append(f"| kneerisk {name} | {' | '.join(f'{value:g}' for value in row.values())} |")
    lines += ["", *(f"- {'met' if ok else 'MISSED'}: {told}"
                    for told, ok in measured["targets"].items())]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
