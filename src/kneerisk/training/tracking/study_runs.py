"""Runs of a study, written from its journal: one parent, and one run for each trial.

Workers never write here. The process that leads the study writes the trials of the journal that
have no run yet, so that a run left half written by a kill is completed the next time, and none
stays running.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from kneerisk.training.tracking.abandoned_runs import TRIAL, process_tag
from kneerisk.training.tracking.run import Run
from kneerisk.training.tracking.store_errors import translated_errors
from kneerisk.words import text

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
#: The tag by which the runs of a study are found again.
STUDY_ID = "study_id"


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

    Parameters
    ----------
    client
        Of MLflow.
    uri
        Of the store, for error messages.
    experiment
        The id of the experiment.
    study_id
        Of the study.
    name
        Of the parent run, for people.
    tags
        Of the parent run.

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
        with translated_errors(uri):
            parents = [run for run in self._all() if "mlflow.parentRunId" not in run.data.tags]
            parent = parents[0] if parents else self._create(name, tags)
            self._sign(parent.info.run_id)
            client.update_run(parent.info.run_id, status="RUNNING")
        self.parent = Run(client, parent.info.run_id, parent.info.experiment_id)

    def child_tags(self, **tags: str) -> dict[str, str]:
        """The tags of a run below the parent, with others of its own."""
        return {STUDY_ID: self.study_id, "mlflow.parentRunId": self.parent.run_id, **tags}

    def write(self, trials: Sequence[TrialRun]) -> None:
        """Write the trials that have no run yet, or whose run was left half written."""
        with translated_errors(self._uri):
            by_trial = {run.data.tags[TRIAL]: run for run in self._all() if TRIAL in run.data.tags}
            for trial in trials:
                run = by_trial.get(str(trial.number))
                if run is None or run.info.status == "RUNNING":
                    self._write(trial, run)

    def close_abandoned(self) -> None:
        """End the runs of a winner that were being written when their process was killed."""
        with translated_errors(self._uri):
            for run in self._all():
                if run.info.status == "RUNNING" and run.info.run_id != self.parent.run_id:
                    self._client.set_terminated(run.info.run_id, "KILLED")

    def is_finished(self, run_id: str | None) -> bool:
        """Whether a run of the study has ended well."""
        with translated_errors(self._uri):
            return any(
                run.info.run_id == run_id and run.info.status == "FINISHED" for run in self._all()
            )

    def end(self, status: Status) -> None:
        """End the parent."""
        with translated_errors(self._uri):
            self._client.set_terminated(self.parent.run_id, status)

    def _all(self) -> list[Any]:
        runs, token = [], None
        while True:
            page = self._client.search_runs(
                [self._experiment], f"tags.{STUDY_ID} = '{self.study_id}'", page_token=token
            )
            runs += page
            token = page.token
            if not token:
                return runs

    def _sign(self, run_id: str) -> None:
        """Name this process as one that writes a run."""
        for key, value in process_tag().items():
            self._client.set_tag(run_id, key, value)

    def _create(self, name: str, tags: Mapping[str, str], began: int | None = None) -> Any:
        all_tags = {**tags, **process_tag(), "purpose": "tune", STUDY_ID: self.study_id}
        return self._client.create_run(self._experiment, began, all_tags, name)

    def _write(self, trial: TrialRun, run: Any | None) -> None:
        tags = {**trial.tags, **self.child_tags(**{TRIAL: str(trial.number)})}
        run = run or self._create(
            text("training.run.trial", trial=f"{trial.number:03d}"),
            tags,
            _milliseconds(trial.began),
        )
        self._sign(run.info.run_id)
        new_run = Run(self._client, run.info.run_id, run.info.experiment_id)
        new_run.log_values(trial.params, trial.metrics)
        self._client.set_terminated(new_run.run_id, trial.status, _milliseconds(trial.ended))


def _milliseconds(moment: datetime | None) -> int:
    return int(1_000 * (time.time() if moment is None else moment.timestamp()))
