"""Runs of a study, written from its journal: one parent, one run a trial, whoever was killed.

Workers never write here. Whoever leads the study writes what the journal tells and is not there
yet, so that a run is written whole, a kill in between is mended the next time, and none stays
running.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from kneerisk.training.tracking.connection import explained
from kneerisk.training.tracking.run import Run

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
#: Tags by which the runs of a study are found again.
STUDY_ID, TRIAL = "study_id", "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRun:
    """A trial that has ended, as its run shows it."""

    number: int
    params: Mapping[str, float]
    metrics: Mapping[str, float]
    status: Status
    tags: Mapping[str, str]
    began: datetime | None
    ended: datetime | None


class StudyRuns:
    """The runs of one study; only one process at a time may call its methods.

    Raises
    ------
    TrackingFailed
        From any method, where the store can't be reached.
    """

    def __init__(
        self, client: Any, uri: str, experiment: str, study_id: str, name: str,
        tags: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._client, self._uri, self._experiment = client, uri, experiment
        self.study_id = study_id
        with explained(uri):
            found = [run for run in self._all() if "mlflow.parentRunId" not in run.data.tags]
            parent = found[0] if found else self._create(name, tags)
            client.update_run(parent.info.run_id, status="RUNNING")
        self.parent = Run(client, parent.info.run_id, parent.info.experiment_id)

    def tags_of(self, **more: str) -> dict[str, str]:
        """Tags of a run under the parent."""
        return {STUDY_ID: self.study_id, "mlflow.parentRunId": self.parent.run_id, **more}

    def keep(self, trials: Sequence[TrialRun]) -> None:
        """Write the trials whose run is not there, or was left half written."""
        with explained(self._uri):
            there = {run.data.tags[TRIAL]: run for run in self._all() if TRIAL in run.data.tags}
            for trial in trials:
                run = there.get(str(trial.number))
                if run is None or run.info.status == "RUNNING":
                    self._write(trial, run)

    def close_left_open(self) -> None:
        """Runs of a winner that were being written when their process was killed."""
        with explained(self._uri):
            for run in self._all():
                if run.info.status == "RUNNING" and run.info.run_id != self.parent.run_id:
                    self._client.set_terminated(run.info.run_id, "KILLED")

    def has(self, run_id: str | None) -> bool:
        """Whether a run of the study has ended well."""
        with explained(self._uri):
            return any(
                run.info.run_id == run_id and run.info.status == "FINISHED" for run in self._all()
            )

    def end(self, status: Status) -> None:
        """End the parent."""
        with explained(self._uri):
            self._client.set_terminated(self.parent.run_id, status)

    def _all(self) -> list[Any]:
        found, token = [], None
        while True:
            page = self._client.search_runs(
                [self._experiment], f"tags.{STUDY_ID} = '{self.study_id}'", page_token=token
            )
            found += page
            token = page.token
            if not token:
                return found

    def _create(self, name: str, tags: Mapping[str, str], began: int | None = None) -> Any:
        every = {**tags, "purpose": "tune", STUDY_ID: self.study_id}
        return self._client.create_run(self._experiment, began, every, name)

    def _write(self, trial: TrialRun, run: Any | None) -> None:
        tags = {**trial.tags, **self.tags_of(**{TRIAL: str(trial.number)})}
        run = run or self._create(f"trial {trial.number:03d}", tags, _milliseconds(trial.began))
        written = Run(self._client, run.info.run_id, run.info.experiment_id)
        written.numbers(trial.params, trial.metrics)
        self._client.set_terminated(written.run_id, trial.status, _milliseconds(trial.ended))


def _milliseconds(moment: datetime | None) -> int:
    return int(1_000 * (time.time() if moment is None else moment.timestamp()))
