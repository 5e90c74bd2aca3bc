"""A search for settings by several processes that share one study."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from kneerisk.cohort import Cohort
from kneerisk.errors import KneeriskError
from kneerisk.progress import Progress, event
from kneerisk.schema.own_measures import OwnMeasures, own_measures_in_force
from kneerisk.training.provenance import Source, load
from kneerisk.training.registry.run_record import cohort_title, run_tags
from kneerisk.training.tracking import StudyRuns, Tracking, TrialRun
from kneerisk.training.tuning.locks import WRITING
from kneerisk.training.tuning.objective import Objective
from kneerisk.training.tuning.study import ERROR, Study
from kneerisk.training.tuning.worker import work
from kneerisk.words import text
from kneerisk.workers.dask_cluster import workers_at
from kneerisk.workers.this_process import Workers, in_this_process

#: Where studies are kept: a journal and a file of locks each.
STUDIES = Path(".run") / "studies"
#: The tag of a run, by the state of its trial.
_STATES = {TrialState.COMPLETE: "judged", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How a study is to be worked at."""

    study: str
    trials: int
    """Of the study in all, whoever finished them."""
    workers: int = 1
    """Processes, this one among them."""
    timeout_seconds: int | None = None
    """No trial is begun after so many seconds."""
    dask: str | None = None
    """The address of a scheduler, on whose workers the folds of a trial are worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A study with the cohort that its settings are for."""

    plan: SearchPlan
    folder: Path
    """Where the command is run: studies and runs are kept below it."""
    source: Source
    cohort: Cohort
    truth: pd.DataFrame | None
    objective: Objective
    study: Study

    @classmethod
    def open(
        cls,
        plan: SearchPlan,
        folder: Path,
        source: Source,
        loaded: tuple[Cohort, pd.DataFrame | None] | None = None,
    ) -> Search:
        """Begin a study, or go on with the one of that name.

        Parameters
        ----------
        plan
            Names the study.
        folder
            Where the command is run.
        source
            Of the cohort.
        loaded
            The cohort and its truth, where they were loaded already.

        Returns
        -------
        The study with its cohort.

        Raises
        ------
        StudyRefused
            Where the study of that name is of another cohort, search space or program.
        """
        cohort, truth = loaded or load(source)
        objective = Objective.of(cohort, truth)
        study = Study(folder / STUDIES, plan.study, objective.identity(), objective.space)
        return cls(plan=plan, folder=folder, source=source, cohort=cohort, truth=truth,
                   objective=objective, study=study)  # fmt: skip

    @contextmanager
    def parent_run(self) -> Iterator[tuple[Tracking, StudyRuns]]:
        """The study's parent run, found again or begun; it ends as this block does."""
        study = self.study
        with study.locks.held(WRITING):
            tracking = Tracking(self.folder)
            name = text("training.run.study", study=study.name, cohort=cohort_title(self.cohort))
            runs = tracking.study_runs(study.id, name, run_tags(self.cohort, "tune"))
        try:
            yield tracking, runs
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            with study.locks.held(WRITING):
                runs.end("KILLED" if stopped else "FAILED")
            raise
        with study.locks.held(WRITING):
            runs.end("FINISHED")

    def run_trials(
        self,
        runs: StudyRuns,
        progress: Progress,
        report_error: Callable[[str], None],
        workers: Workers = in_this_process,
    ) -> None:
        """Work at the study, with other processes where the plan asks for several workers.

        Parameters
        ----------
        runs
            Where the trials become runs.
        progress
            Called with what is being done.
        report_error
            Called in another worker with why it ended; a function of a module, so that it can be
            passed to that process.
        workers
            What works on the folds of this process's trials.
        """
        plan, study = self.plan, self.study
        deadline = None if plan.timeout_seconds is None else time.time() + plan.timeout_seconds

        def write_runs() -> None:
            with study.locks.held(WRITING):
                runs.write(trial_runs(study))

        other_workers = min(plan.workers, plan.trials - study.finished) - 1
        with self._other_workers(other_workers, deadline, progress, report_error):
            work(
                study, self.objective.loss, self.objective.folds, plan.trials,
                is_over=lambda: _is_over(deadline), progress=progress, after_trial=write_runs,
                workers=workers,
            )  # fmt: skip
        write_runs()

    @contextmanager
    def _other_workers(
        self,
        number: int,
        deadline: float | None,
        progress: Progress,
        report_error: Callable[[str], None],
    ) -> Iterator[None]:
        """The other workers, each a process with its own copy of the cohort."""
        context = multiprocessing.get_context("spawn")
        own = own_measures_in_force()
        arguments = (self.plan, self.folder, self.source, own, deadline, report_error)
        processes = [
            context.Process(target=run_worker, args=arguments, daemon=True) for _ in range(number)
        ]
        for process in processes:
            process.start()
        try:
            yield
        except BaseException:
            for process in processes:
                process.terminate()
            raise
        finally:
            for process in processes:
                process.join()
        failed = sum(bool(process.exitcode) for process in processes)
        if failed:
            progress(event("workers_failed", failed=failed, workers=number + 1))


def run_worker(
    plan: SearchPlan,
    folder: Path,
    source: Source,
    own: OwnMeasures,
    deadline: float | None,
    report_error: Callable[[str], None],
) -> None:
    """Work at a study for another process, until there are enough trials or that process is gone.

    Parameters
    ----------
    plan
        Names the study.
    folder
        Where the command is run.
    source
        Of the cohort.
    own
        The club's own measures that the settings are for.
    deadline
        No trial is begun after this time, in seconds since the epoch.
    report_error
        Called with the reason where the study is refused.
    """
    parent = multiprocessing.parent_process()
    try:
        with own.in_force(), workers_at(plan.dask) as workers:
            search = Search.open(plan, folder, source)
            work(
                search.study, search.objective.loss, search.objective.folds, plan.trials,
                is_over=lambda: _is_over(deadline),
                is_orphaned=lambda: parent is not None and not parent.is_alive(),
                workers=workers,
            )  # fmt: skip
    except KeyboardInterrupt:
        return
    except KneeriskError as error:
        report_error(text("training.study.worker_failed", reason=error))
        raise SystemExit(1) from None


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.time() > deadline


def trial_runs(study: Study) -> list[TrialRun]:
    """Every trial that has ended, however it did."""
    return [_trial_run(study, trial) for trial in study.trials() if trial.state in _STATES]


def _trial_run(study: Study, trial: FrozenTrial) -> TrialRun:
    failed = trial.state == TrialState.FAIL
    metrics = {"folds_done": float(len(trial.intermediate_values))}
    if trial.state == TrialState.COMPLETE and trial.value is not None:
        metrics["cv_log_loss"] = trial.value
    if trial.duration is not None and not failed:
        metrics["duration_seconds"] = trial.duration.total_seconds()
    error = trial.user_attrs.get(ERROR)
    return TrialRun(
        number=trial.number,
        params=study.settings(trial).numbers(),
        metrics=metrics,
        status="FINISHED" if not failed else "FAILED" if error else "KILLED",
        tags={"state": _STATES[trial.state]} | ({"error": str(error)} if error else {}),
        began=trial.datetime_start,
        ended=trial.datetime_complete,
    )
