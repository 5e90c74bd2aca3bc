"""Working at a study: trial after trial, fold after fold, until there are enough."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import optuna

from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.training.tuning.study import ERROR, Study

#: Loss of settings in a step.
Loss = Callable[[Settings, int], float]


class Stopped(Exception):
    """The process that this one works for is gone: the trial is left to who comes next."""


def work(
    study: Study,
    loss: Loss,
    steps: int,
    most: int,
    *,
    no_more: Callable[[], bool] = lambda: False,
    left: Callable[[], bool] = lambda: False,
    told: Callable[[str], None] = lambda _: None,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Work at a study until so many trials are finished, by this process and by others.

    Parameters
    ----------
    steps
        How many steps make a trial.
    no_more
        Says that no trial is to be begun any more; what runs elsewhere is still waited for.
    left
        Says that nobody waits for this process any more: it stops where it is.
    told
        Told what is being done.
    after
        Called after each trial.
    """
    while not left():
        asked = study.ask(0 if no_more() else most)
        if asked.trial is not None:
            name = f"Trial {asked.trial.number} ({study.finished} of {most} done{_best(study)})"
            try:
                _judge(study, asked.trial, loss, steps, left, partial(_tell, told, name, steps))
            except Stopped:
                return
        elif asked.wait_for is not None:
            told(f"Waiting for trial {asked.wait_for} of another process")
            study.locks.wait_for(asked.wait_for)
        else:
            return
        after()


def _judge(
    study: Study,
    trial: optuna.Trial,
    loss: Loss,
    steps: int,
    left: Callable[[], bool],
    told: Callable[[int], None],
) -> None:
    settings, known = study.settings(trial), study.known(trial)
    losses: list[float] = []
    try:
        for step in range(steps):
            told(step)
            if left():
                raise Stopped
            losses.append(known[step] if step in known else loss(settings, step))
            trial.report(losses[-1], step)
            if step + 1 < steps and settings != DEFAULTS and trial.should_prune():
                study.tell(trial, losses[-1], pruned=True)
                return
    except (KeyboardInterrupt, Stopped):
        raise
    except Exception as error:
        trial.set_user_attr(ERROR, type(error).__name__)
        study.tell(trial, None)
        raise
    study.tell(trial, float(np.mean(losses)))


def _tell(told: Callable[[str], None], name: str, steps: int, step: int) -> None:
    told(f"{name}: fold {step + 1} of {steps}")


def _best(study: Study) -> str:
    return "" if study.best is None else f", best {study.best.value:.5f}"
