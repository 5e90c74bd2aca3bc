"""Trials of a journal as the runs that show them."""

from __future__ import annotations

from optuna.trial import FrozenTrial, TrialState

from kneerisk.training.tracking import TrialRun
from kneerisk.training.tuning.study import ERROR, Study

_STATES = {TrialState.COMPLETE: "judged", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def trial_runs(study: Study) -> list[TrialRun]:
    """Every trial that has ended, however it did."""
    return [_run(study, trial) for trial in study.trials() if trial.state in _STATES]


def _run(study: Study, trial: FrozenTrial) -> TrialRun:
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
