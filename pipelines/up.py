"""`make up`: a champion if there is none, then the service and the MLflow UI, until both answer."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from kneerisk.errors import KneeriskError
from kneerisk.training.tracking import tracking_uri
from pipelines import serve, ui
from pipelines.console import plain, progress, say
from pipelines.services import Service, refuse_taken_port

RUN_FOLDER = Path(".run")
MODELS = Path("models")
_START_SECONDS = 180.0


def up() -> None:
    """Start what does not run yet; what runs is left alone."""
    services = [as_it_runs(service) for service in (answering_service(), mlflow_service())]
    waiting = [service for service in services if service.running(RUN_FOLDER) is None]
    for service in waiting:
        refuse_taken_port(service.port, service.port_variable)
    ensure_champion()
    started = [service.start(RUN_FOLDER) for service in waiting]
    deadline = time.monotonic() + _START_SECONDS
    for service in services:
        service.wait(RUN_FOLDER, deadline)
    say(told(*(service.address for service in services)))
    del started  # held until here: Python warns of a child that runs on after its handle is gone


def as_it_runs(service: Service) -> Service:
    """The same, on the port where it runs already, whatever port is asked for now."""
    note = service.running(RUN_FOLDER)
    return service if note is None else replace(service, port=note.port)


def answering_service() -> Service:
    """The HTTP service, on PORT."""
    port = _port("PORT", 3000)
    return Service(
        name="service", port=port, port_variable="PORT", ready_path="/readyz",
        arguments=serve.service_arguments("127.0.0.1", port),
        environment=serve.environment(MODELS),
    )  # fmt: skip


def mlflow_service() -> Service:
    """MLflow's page, on MLFLOW_PORT."""
    port = _port("MLFLOW_PORT", 5000)
    uri = tracking_uri(Path.cwd())
    return Service(
        name="mlflow", port=port, port_variable="MLFLOW_PORT", ready_path=ui.READY_PATH,
        arguments=ui.ui_arguments(uri, port), environment=ui.ENVIRONMENT,
    )  # fmt: skip


def ensure_champion() -> None:
    """Train, register and promote the default model where nothing is served yet."""
    from kneerisk.model import champion

    if champion.read(MODELS) is not None:
        return
    from pipelines.commands.options import DEFAULT_ATHLETES, DEFAULT_SEED
    from pipelines.promote import promote_to
    from pipelines.train import told, train_on

    say("There is no model yet: training the default one on simulated athletes.")
    with progress() as doing:
        found = train_on(None, DEFAULT_ATHLETES, DEFAULT_SEED, doing)
    say(plain(*told(found)))
    say(promote_to(MODELS, str(found["version"]), None, serve=False)[1])


def _port(variable: str, default: int) -> int:
    given = os.environ.get(variable) or str(default)
    if not (given.isascii() and given.isdigit() and 0 < int(given) < 65_536):
        raise KneeriskError(f"{variable} must be a port, 1 to 65535")
    return int(given)


def told(service: str, mlflow: str) -> str:
    """Where things are, and a request to try."""
    from serving.request_examples import EXAMPLE

    return "\n".join(
        [
            f"Service  {service} (API: {service}/docs.json)",
            f"MLflow   {ui.runs_page(mlflow)}",
            "Try:",
            f"  curl -s {service}/v1/predict -H 'Content-Type: application/json' \\",
            f"    -d '{json.dumps(EXAMPLE)}'",
            "Stop both with make down.",
        ]
    )


def main() -> None:
    """Run `up`; a person's mistake ends with its message, no traceback."""
    try:
        up()
    except KneeriskError as error:
        say(f"make up: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
