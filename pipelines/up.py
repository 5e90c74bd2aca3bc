"""`make up` and `make down`: the service and the MLflow UI in the background.

python -m pipelines.up          train a champion if there is none, start both, and wait
python -m pipelines.up --down   stop what was started here, and nothing else

With RECORDS=yes the service keeps records: in a SQLite file, or where KNEERISK_RECORDS says. With
FHIR=yes it answers FHIR and CDS Hooks too.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import psutil

from kneerisk.errors import KneeriskError
from kneerisk.training.tracking import tracking_uri
from kneerisk.words import text
from pipelines.console import plain, progress, say
from pipelines.services import (
    MLFLOW_ENVIRONMENT,
    MLFLOW_READY_PATH,
    NotStopped,
    Service,
    mlflow_arguments,
    refuse_taken_port,
    runs_address,
    service_arguments,
    stop,
)

RUN_FOLDER = Path(".run")
MODELS = Path("models")
#: The records where no other place is named; they outlive `.run/`.
RECORDS = Path("records", "club.sqlite")
RECORDS_VARIABLE = "KNEERISK_RECORDS"
#: Tells the service to answer FHIR too.
FHIR_VARIABLE = "KNEERISK_FHIR"
_START_SECONDS = 180.0


def up() -> None:
    """Start what does not run yet; leave alone what does."""
    records = records_address()
    predictions = prediction_service(records)
    refuse_other_settings(predictions)
    services = [with_running_port(service) for service in (predictions, mlflow_service())]
    stopped = [service for service in services if service.running(RUN_FOLDER) is None]
    for service in stopped:
        # Its port may be held by what a killed one has left running.
        stop(RUN_FOLDER, service.name)
        refuse_taken_port(service.port, service.port_variable)
    if records is not None:
        prepare_records(records)
    is_first = not has_champion()
    if is_first:
        # By one program: the training and MLflow, which starts meanwhile, would both make them.
        make_tables_of_runs()
    processes = {service.name: service.start(RUN_FOLDER) for service in stopped}
    if is_first:
        train_champion(processes)
    deadline = time.monotonic() + _START_SECONDS
    for service in services:
        service.wait(RUN_FOLDER, deadline)
    say(addresses(*(service.address for service in services)))
    if records is not None:
        # A URL may hold a password.
        place = f"${RECORDS_VARIABLE}" if "://" in records else records
        say(f"{text('command_line.up.records'):<9}{place}")
        say(text("command_line.up.records_key", address=place, variable=RECORDS_VARIABLE))
    del processes  # kept until here: Python warns if a handle goes while its process runs


def with_running_port(service: Service) -> Service:
    """The service on the port where it already runs, whatever port the environment names."""
    record = service.running(RUN_FOLDER)
    return service if record is None else replace(service, port=record.port)


def prediction_service(records: str | None = None) -> Service:
    """The prediction service, on PORT, with records at an address where it is to keep some."""
    port = _port("PORT", 3000)
    return Service(
        name="service", port=port, port_variable="PORT", ready_path="/readyz",
        arguments=service_arguments(port, MODELS),
        environment={
            **({RECORDS_VARIABLE: records} if records else {}),
            **({FHIR_VARIABLE: "yes"} if _is_wanted("FHIR") else {}),
        },
    )  # fmt: skip


def records_address() -> str | None:
    """Where the service is to keep records: RECORDS=yes, and KNEERISK_RECORDS if it is set."""
    wanted = _is_wanted("RECORDS")
    return (os.environ.get(RECORDS_VARIABLE) or str(RECORDS)) if wanted else None


def _is_wanted(variable: str) -> bool:
    """Whether a variable of the environment says yes; no where it says nothing."""
    wish = os.environ.get(variable) or "no"
    if wish not in {"yes", "no"}:
        raise KneeriskError(text("command_line.up.yes_or_no", variable=variable))
    return wish == "yes"


def prepare_records(address: str) -> None:
    """Make the tables of the records, or bring older ones up to date; rows stay."""
    from kneerisk.records.database import Database

    database = Database(address)
    database.upgrade()
    database.close()


def refuse_other_settings(service: Service) -> None:
    """Refuse where the service runs already and keeps its records elsewhere, or answers no FHIR."""
    record = service.running(RUN_FOLDER)
    if record is None:
        return
    running = psutil.Process(record.pid).environ()
    missing = [name for name, value in service.environment.items() if running.get(name) != value]
    if RECORDS_VARIABLE in missing:
        raise KneeriskError(text("command_line.up.runs_without_records"))
    if missing:
        raise KneeriskError(text("command_line.up.runs_without_fhir"))


def mlflow_service() -> Service:
    """The MLflow UI, on MLFLOW_PORT."""
    port = _port("MLFLOW_PORT", 5000)
    uri = tracking_uri(Path.cwd())
    return Service(
        name="mlflow", port=port, port_variable="MLFLOW_PORT",
        ready_path=MLFLOW_READY_PATH,
        arguments=mlflow_arguments(uri, port), environment=MLFLOW_ENVIRONMENT,
    )  # fmt: skip


def has_champion() -> bool:
    """Whether there is a model to serve."""
    from kneerisk.model import champion

    return champion.read(MODELS) is not None


def make_tables_of_runs() -> None:
    """Make the tables of the MLflow store, unless they are there."""
    from kneerisk.training.tracking import Tracking

    Tracking(Path.cwd())


def train_champion(starting: Mapping[str, Popen[bytes]]) -> None:
    """Train the first champion while the services start; where that fails, they are stopped.

    Parameters
    ----------
    starting
        Their processes by name. The service takes the champion as soon as there is one.
    """
    try:
        ensure_champion()
    except BaseException:
        for name, process in starting.items():
            stop(RUN_FOLDER, name)
            process.wait()
        raise


def ensure_champion() -> None:
    """Train, register and promote the default model if there is no champion yet."""
    if has_champion():
        return
    from pipelines.options import DEFAULT_ATHLETES, DEFAULT_SEED
    from pipelines.promote import promote_version
    from pipelines.train import summary, train_model

    say(text("command_line.up.training"))
    with progress() as doing:
        result = train_model(None, DEFAULT_ATHLETES, DEFAULT_SEED, doing)
    say(plain(*summary(result)))
    say(promote_version(str(result["version"]), None, MODELS, serve=False)[1])


def _port(variable: str, default: int) -> int:
    port = os.environ.get(variable) or str(default)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise KneeriskError(text("command_line.up.not_a_port", variable=variable))
    return int(port)


def addresses(service: str, mlflow: str) -> str:
    """The message that names both addresses and shows a request to try."""
    from serving.request_examples import EXAMPLE

    return "\n".join(
        [
            f"{text('command_line.up.service'):<9}{text('command_line.up.api', address=service)}",
            f"{text('command_line.up.mlflow'):<9}{runs_address(mlflow)}",
            text("command_line.up.try"),
            f"  curl -s {service}/v1/predict -H 'Content-Type: application/json' \\",
            f"    -d '{json.dumps(EXAMPLE)}'",
            text("command_line.up.stop"),
        ]
    )


def down() -> None:
    """Stop what was started here; if one can't be stopped, the other is first.

    Raises
    ------
    NotStopped
        With what is still running.
    """
    failures: list[NotStopped] = []
    for name in ("service", "mlflow"):
        try:
            if stop(RUN_FOLDER, name):
                say(text("command_line.down.stopped", name=name))
            else:
                say(text("command_line.down.not_running", name=name))
        except NotStopped as error:
            failures.append(error)
    if failures:
        raise NotStopped("; ".join(map(str, failures)))


def main(arguments: list[str]) -> int:
    """Run either; an error that the user can fix ends with its message, not a traceback."""
    name, command = ("down", down) if arguments == ["--down"] else ("up", up)
    try:
        command()
    except KneeriskError as error:
        say(f"make {name}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
