"""A club's year through the service, its database and the commands, as people would go about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.repeated_seasons import CLUB
from benchmarks.season_diary import LAST_DAY, WEEK_DAYS, Season
from benchmarks.serving_speed import free_ports
from kneerisk.monitoring.monitored_answers import read_answers
from kneerisk.monitoring.monitoring_report import monitor
from kneerisk.monitoring.monitoring_schema import MonitoringReport
from kneerisk.records.database import Database
from kneerisk.schema import SIDES, FloatArray
from pipelines.services import MLFLOW_ENVIRONMENT, Service, service_arguments, stop

#: Athletes behind the first version; the default model has three times as many, and takes longer.
TRAINED_ON = 10_000
#: Weeks between imports of the list of cases.
IMPORTED_EVERY = 4
_START_SECONDS, _SWAP_SECONDS, _REQUEST_SECONDS, _POLL_SECONDS = 90.0, 60.0, 30.0, 0.5


@dataclass(frozen=True, slots=True)
class ClubFolder:
    """A folder with models, runs and records of its own, where a club types its commands."""

    path: Path

    @property
    def models(self) -> Path:
        """Released models."""
        return self.path / "models"

    @property
    def records(self) -> str:
        """The database."""
        return str(self.path / "club.sqlite")

    @property
    def environment(self) -> dict[str, str]:
        """What commands and service are told."""
        quiet = {"BENTOML_HOME": str(self.path / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
        return {**MLFLOW_ENVIRONMENT, **quiet, "KNEERISK_RECORDS": self.records}

    def run(self, *arguments: str, ends_with: int = 0) -> Any:
        """Run a command of `kneerisk` and give what it prints as JSON.

        Parameters
        ----------
        arguments
            Of the command.
        ends_with
            The exit code that it ends with.

        Returns
        -------
        Plain data.

        Raises
        ------
        RuntimeError
            Where it ends otherwise.
        """
        ran = subprocess.run(
            [sys.executable, "-m", "pipelines", *arguments, "--json"], cwd=self.path,
            env=os.environ | self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode != ends_with:
            told = f"{ran.stdout[-1500:]}\n{ran.stderr[-1500:]}"
            raise RuntimeError(f"{' '.join(arguments)} ended with {ran.returncode}: {told}")
        return json.loads(ran.stdout)

    @contextmanager
    def served(self, key: str) -> Iterator[httpx.Client]:
        """The service over the folder's models and records, asked with a club's key."""
        [port] = free_ports(1)
        service = Service(
            name="season", port=port, port_variable="PORT", ready_path="/readyz",
            arguments=(*service_arguments(port, self.models), "--workers", "1"),
            environment=self.environment,
        )  # fmt: skip
        try:
            service.start(self.path)
            service.wait(self.path, time.monotonic() + _START_SECONDS)
            sent = {"Authorization": f"Bearer {key}"}
            with httpx.Client(
                base_url=service.address, headers=sent, timeout=_REQUEST_SECONDS
            ) as client:
                yield client
        finally:
            stop(self.path, service.name)


@dataclass(slots=True)
class WeeklyLooks:
    """What the club sees at the end of each week, from the first on."""

    evidence: list[float] = field(default_factory=list)
    observed: list[int] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    next_step: list[str] = field(default_factory=list)
    alarm_week: int | None = None

    def add(self, report: MonitoringReport) -> None:
        """Keep what a look shows."""
        self.evidence.append(report.alarm.evidence)
        self.observed.append(report.overall.observed)
        self.told.append(report.overall.told)
        self.next_step.append(report.next_step.step)
        if self.alarm_week is None and report.alarm.raised_on is not None:
            self.alarm_week = len(self.evidence)


def screen(client: httpx.Client, season: Season) -> FloatArray:
    """Ask for a recorded answer about each athlete.

    Parameters
    ----------
    client
        Of the service.
    season
        Whose screenings they are.

    Returns
    -------
    The told risks of both knees, shape (n, 2).
    """
    told = []
    for athlete, screening in zip(season.athletes, season.screenings(), strict=True):
        recorded = {"Kneerisk-Record": "yes", "Kneerisk-Athlete": athlete,
                    "Kneerisk-Date": season.first_day.isoformat()}  # fmt: skip
        answer = _json(client.post("/v1/predict", json=screening, headers=recorded))
        told.append([answer["risk"][side]["probability"] for side in SIDES])
    return np.array(told)


def live_through(client: httpx.Client, folder: ClubFolder, season: Season) -> WeeklyLooks:
    """Report each week what athletes answer, import the cases now and then, and look.

    Parameters
    ----------
    client
        Of the service.
    folder
        Of the club.
    season
        Whose year it is.

    Returns
    -------
    What each weekly look showed, on its day.
    """
    looks, database = WeeklyLooks(), Database(folder.records)
    cases = folder.path / "cases.csv"
    for week in range(1, LAST_DAY // WEEK_DAYS + 1):
        until = week * WEEK_DAYS
        reports = season.reports(until - WEEK_DAYS, until)
        _json(client.post("/v1/outcomes", json={"outcomes": reports}))
        if week % IMPORTED_EVERY == 0:
            season.cases_until(until).to_csv(cases, index=False)
            folder.run("outcomes", "import", str(cases), "--club", CLUB)
        looks.add(_look(database, season.first_day + timedelta(days=until)))
    database.close()
    return looks


def _look(database: Database, day: date) -> MonitoringReport:
    """What `kneerisk monitor` shows on a day."""
    with database.reading() as session:
        answers = read_answers(session, None, day)
    return monitor(answers, answers.required_version(None), day)


def wait_for_version(client: httpx.Client, version: str) -> None:
    """Wait until the running service answers with a version.

    Parameters
    ----------
    client
        Of the service.
    version
        The version.

    Raises
    ------
    RuntimeError
        Where it does not in time.
    """
    deadline = time.monotonic() + _SWAP_SECONDS
    while _json(client.get("/v1/model"))["version"] != version:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the service does not answer with {version}")
        time.sleep(_POLL_SECONDS)


def _json(response: httpx.Response) -> Any:
    if response.status_code != httpx.codes.OK:
        raise RuntimeError(f"{response.request.url} answered {response.text[:500]}")
    return response.json()
