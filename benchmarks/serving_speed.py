"""Speed of the service against `mlflow models serve` and an endpoint that computes nothing.

All three run at once on 127.0.0.1 with one worker each and are loaded in turn, so that other work
of the machine affects all of them alike. MLflow serves one of the champion's own boosters with a
row ready for it, which is less than what our answer computes. The targets are ratios of one run
(`benchmarks.performance_page`).
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

from benchmarks.http_load import Target, load_with_many_clients, load_with_one_client
from benchmarks.performance_page import (
    COMPACT,
    EMPTY,
    FOLLOW_UP,
    MLFLOW,
    OURS,
    REPORT,
    RESULTS,
    WHAT_IF,
    serving_lines,
    serving_section,
    write_page,
)
from kneerisk.errors import KneeriskError
from kneerisk.model.bundle import Bundle
from kneerisk.training.registry.versions import load_version
from pipelines import up
from pipelines.services import MLFLOW_ENVIRONMENT, Service, service_arguments, stop
from serving import request_examples as requests
from serving.request_examples import EXAMPLE

CLIENTS, CROWD, SECONDS, REQUESTS, ROUNDS = 4, 32, 2.0, 100, 3
_START_SECONDS = 120.0


def main() -> int:
    """Measure, print and write the results; 1 if a target is missed."""
    models = Path(os.environ.get("KNEERISK_MODELS") or "models")
    try:
        with tempfile.TemporaryDirectory(prefix="kneerisk-bench-") as folder:
            measured = measure(models, Path(folder))
    except KneeriskError as error:
        sys.stderr.write(f"make bench: {error}\n")
        return 1
    RESULTS.mkdir(exist_ok=True)
    lines = serving_lines(measured["results"], measured["crowd"])
    text = serving_section(measured, lines)
    targets = {line.text: {"ratio": round(line.ratio, 3), "met": line.met} for line in lines}
    written = json.dumps(measured | {"targets": targets}, indent=2)
    (RESULTS / "serving.json").write_text(written + "\n", "utf-8")
    (RESULTS / "serving.md").write_text(text, "utf-8")
    write_page()
    sys.stdout.write(text)
    return 0 if all(line.met for line in lines) else 1


def measure(models: Path, folder: Path) -> dict[str, Any]:
    """Start the three services, load them in turn, stop them, and return the numbers."""
    bundle = champion_of(models)
    targets, services = prepare(bundle, models, folder)
    try:
        for service in services:
            service.start(folder)
        deadline = time.monotonic() + _START_SECONDS
        for service, target in zip(services, targets, strict=True):
            service.wait(folder, deadline)
            record = service.running(folder)
            target.pid = record.pid if record else 0
        targets += other_answers(targets[0])
        for target in targets:
            load_with_one_client(target, 20)
            target.milliseconds.clear()
        crowd = Target("crowd", targets[0].port, targets[0].path, EXAMPLE)
        for _ in range(ROUNDS):
            for target in targets:
                load_with_one_client(target, REQUESTS)
                before = processor_seconds(target.pid)
                load_with_many_clients(target, CLIENTS, SECONDS)
                target.processor_seconds += processor_seconds(target.pid) - before
            load_with_many_clients(crowd, CROWD, SECONDS)
        rows = {target.name: summary(target) for target in targets}
    finally:
        for service in services:
            stop(folder, service.name)
    return {"machine": machine(), "clients": CLIENTS, "results": rows,
            "crowd": percentiles(crowd.crowded_milliseconds)}  # fmt: skip


def other_answers(ours: Target) -> list[Target]:
    """The other answers of our service: those that take less, and those that take more."""
    asked = {
        COMPACT: ("/v1/predict?fields=risk,likely", EXAMPLE),
        WHAT_IF: ("/v1/what_if", requests.WHAT_IF),
        REPORT: ("/v1/report", EXAMPLE),
        FOLLOW_UP: ("/v1/follow_up", requests.FOLLOW_UP),
    }
    return [Target(name, ours.port, path, body, ours.pid) for name, (path, body) in asked.items()]


def champion_of(models: Path) -> Bundle:
    """The champion's bundle; in the default folder it is trained first if there is none."""
    if models == up.MODELS:
        up.ensure_champion()
    return load_version(models)


def prepare(bundle: Bundle, models: Path, folder: Path) -> tuple[list[Target], list[Service]]:
    """The targets to load, and the services to start for them."""
    row = save_for_mlflow(bundle, folder / "model")
    ports = free_ports(3)
    targets = [
        Target(OURS, ports[0], "/v1/predict", EXAMPLE),
        Target(MLFLOW, ports[1], "/invocations", {"dataframe_split": row}),
        Target(EMPTY, ports[2], "/empty", EXAMPLE),
    ]
    bento = {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    one_worker = ("--workers", "1")
    empty_arguments = ("bentoml", "serve", "benchmarks.empty_service:Empty", "--host", "127.0.0.1")
    mlflow_arguments = (
        "mlflow", "models", "serve", "-m", str(folder / "model"), "--host", "127.0.0.1",
        "--port", str(ports[1]), "--env-manager", "local", "--workers", "1",
    )  # fmt: skip
    services = [
        Service(
            name="ours", port=ports[0], port_variable="", ready_path="/readyz",
            arguments=(*service_arguments(ports[0], models), *one_worker),
            environment=bento,
        ),
        Service(
            name="mlflow-model", port=ports[1], port_variable="", ready_path="/ping",
            arguments=mlflow_arguments, environment=dict(MLFLOW_ENVIRONMENT)
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


def save_for_mlflow(bundle: Bundle, folder: Path) -> dict[str, Any]:
    """Save one of the champion's boosters as an MLflow model, and return a row to send to it."""
    import mlflow.xgboost

    model = bundle.model
    candidates = [model.boosted, getattr(model.interval, "quantiles", None)]
    candidates += [*model.imbalance.trees.values()] if model.imbalance else []
    usable = [boosted for boosted in candidates if boosted is not None and boosted.booster]
    if not usable:
        raise KneeriskError("the champion has no trees, so MLflow has nothing of it to serve")
    boosted = usable[0]
    # Without named requirements MLflow infers them, which takes long.
    mlflow.xgboost.save_model(boosted.booster, str(folder), pip_requirements=["xgboost"])
    names = getattr(boosted.booster, "feature_names", None) or [
        f"f{n}" for n in range(len(boosted.columns))
    ]
    return {"columns": list(names), "data": [[float(value) for value in boosted.fill]]}


def path_with_tools() -> str:
    """The PATH with this environment's commands first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nothing listens on now."""
    import socket

    sockets = [socket.socket() for _ in range(count)]
    for bound in sockets:
        bound.bind(("127.0.0.1", 0))
    ports = [int(bound.getsockname()[1]) for bound in sockets]
    for bound in sockets:
        bound.close()
    return ports


def summary(target: Target) -> dict[str, float]:
    """Throughput, times and memory of one target."""
    return {
        "per_second": round(statistics.median(target.per_second), 1),
        "processor_ms": round(
            1000.0 * target.processor_seconds / len(target.crowded_milliseconds), 2
        ),
        **percentiles(target.milliseconds),
        "peak_mb": round(peak_memory(target.pid) / 1e6),
    }


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile of some times, in milliseconds."""
    cuts = statistics.quantiles(milliseconds, n=100)
    return {f"p{share}_ms": round(cuts[share - 1], 2) for share in (50, 95, 99)}


def processor_seconds(pid: int) -> float:
    """Processor time of a process and its children, which other work of the machine is not in."""
    parent = psutil.Process(pid)
    times = [process.cpu_times() for process in [parent, *parent.children(recursive=True)]]
    return float(sum(time.user + time.system for time in times))


def peak_memory(pid: int) -> float:
    """Peak memory of a process and its children in bytes; shared pages count more than once."""
    parent = psutil.Process(pid)
    return sum(_peak(process) for process in [parent, *parent.children(recursive=True)])


def _peak(process: psutil.Process) -> float:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    except OSError:
        return float(process.memory_info().rss)
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return float(line.split()[1]) * 1024


def machine() -> dict[str, Any]:
    """The machine and the versions of the tools."""
    tools = ("bentoml", "mlflow", "xgboost-cpu" if sys.platform == "linux" else "xgboost")
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{tool: version(tool) for tool in tools},
    }


if __name__ == "__main__":
    sys.exit(main())
