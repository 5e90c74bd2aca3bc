"""One worker of a study: trial after trial, fold after fold, until there are enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import optuna

from kneerisk.errors import WorkersLost
from kneerisk.progress import Progress, ProgressEvent, event, ignore
from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.training.tuning.study import ERROR, Study
from kneerisk.workers.this_process import Workers, in_this_process

#: Loss of settings on a fold, folds numbered from 0 over all deals.
Loss = Callable[[Settings, int], float]


class Orphaned(Exception):
    """The process that this one works for is gone: the trial is left to who comes next."""


def work(
    study: Study,
    loss: Loss,
    folds: int,
    trials: int,
    *,
    is_over: Callable[[], bool] = lambda: False,
    is_orphaned: Callable[[], bool] = lambda: False,
    progress: Progress = ignore,
    after_trial: Callable[[], None] = lambda: None,
    workers: Workers = in_this_process,
) -> None:
    """Work at a study until so many trials are finished, by this process and by others.

    Parameters
    ----------
    study
        The study, shared with other processes.
    loss
        Gives the loss of settings on a fold.
    folds
        How many folds make a trial.
    trials
        How many trials of the study are wanted in all.
    is_over
        Whether no trial is to be begun any more; what runs elsewhere is still waited for.
    is_orphaned
        Whether nobody waits for this process any more: it stops where it is.
    progress
        Called as each fold begins.
    after_trial
        Called after each trial.
    workers
        What works on the folds of a trial.
    """
    while not is_orphaned():
        assignment = study.ask(0 if is_over() else trials)
        if assignment.trial is not None:
            first_fold = _first_fold(study, assignment.trial.number, trials, folds)
            try:
                _run_trial(
                    study, assignment.trial, loss, is_orphaned, progress, first_fold, workers
                )
            except Orphaned:
                return
        elif assignment.wait_for is not None:
            progress(event("waiting_for_trial", trial=assignment.wait_for))
            study.locks.wait_for(assignment.wait_for)
        else:
            return
        after_trial()


def _run_trial(
    study: Study,
    trial: optuna.Trial,
    loss: Loss,
    is_orphaned: Callable[[], bool],
    progress: Progress,
    first_fold: ProgressEvent,
    workers: Workers,
) -> None:
    settings, known = study.settings(trial), study.known(trial)
    folds = first_fold.total or 0
    left = [fold for fold in range(folds) if fold not in known]
    coming, losses = workers(_loss_of_fold, (loss, settings), left), list[float]()
    try:
        for fold in range(folds):
            progress(replace(first_fold, number=fold + 1))
            if is_orphaned():
                raise Orphaned
            losses.append(known[fold] if fold in known else next(coming))
            trial.report(losses[-1], fold)
            if fold + 1 < folds and settings != DEFAULTS and trial.should_prune():
                study.tell(trial, losses[-1], pruned=True)
                return
    except (KeyboardInterrupt, Orphaned, WorkersLost):
        raise
    except Exception as error:
        trial.set_user_attr(ERROR, type(error).__name__)
        study.tell(trial, None)
        raise
    study.tell(trial, float(np.mean(losses)))


def _loss_of_fold(shared: tuple[Loss, Settings], fold: int) -> float:
    loss, settings = shared
    return loss(settings, fold)


def _first_fold(study: Study, trial: int, trials: int, folds: int) -> ProgressEvent:
    """The progress of a trial as it begins, with how far the study has come."""
    known = {"trial": trial, "finished": study.finished, "trials": trials}
    if study.best is None:
        return event("first_trial", number=1, total=folds, **known)
    return event("trial", number=1, total=folds, best=f"{study.best.value:.5f}", **known)
