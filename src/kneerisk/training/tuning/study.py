"""A study in a journal file: trials are assigned, finished, and retried after a process ended.

The sampler is a tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS 24) and trials are
pruned by a Wilcoxon signed-rank test against the best one on the same folds, both of Optuna.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from kneerisk.errors import StudyRefused
from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.training.tuning.locks import ASKING, JournalLock, Locks
from kneerisk.training.tuning.objective import Space
from kneerisk.words import text

#: Of the search; with one worker the same seed gives the same study, stopped in between or not.
SEED = 0
#: Trials drawn at random before the sampler learns from them (Optuna's default).
RANDOM_TRIALS = 10
#: A trial whose worker was killed so often is left: it may be what kills them (assumption).
MOST_TRIES = 3
#: A trial that is worse than the best one on the same folds is pruned at this p (Wilcoxon;
#: assumption: Optuna's default).
PRUNING_P = 0.1
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)
#: Attributes in the journal.
_IDENTITY, _ID, _RESULT, _RETRY_OF = "identity", "id", "result", "retry_of"
ERROR = "error"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a process that asks for work gets: a trial, or a number to wait for, or neither."""

    trial: optuna.Trial | None = None
    wait_for: int | None = None


class Study:
    """One study, shared by all processes that open its journal.

    Parameters
    ----------
    folder
        Where its journal is, and its file of locks.
    name
        Of the study, which names both files.
    identity
        What its losses depend on; see `Objective.identity`.
    space
        The range of each setting.

    Raises
    ------
    StudyRefused
        Where the journal is of another cohort, search space, objective or program.
    """

    def __init__(self, folder: Path, name: str, identity: Mapping[str, str], space: Space) -> None:
        if not _NAME.fullmatch(name):
            raise StudyRefused(text("training.study.bad_name", name=name))
        optuna.logging.set_verbosity(logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.journal = folder / f"{name}.journal"
        self.locks = Locks(folder / f"{name}.lock")
        self.space = space
        journal = JournalFileBackend(str(self.journal), JournalLock(self.locks))
        with self.locks.held(ASKING):
            self._study = optuna.create_study(
                study_name=name,
                storage=JournalStorage(journal),
                pruner=_pruner(),
                direction="minimize",
                load_if_exists=True,
            )
            self._begin_or_go_on(identity)
        self.id = str(self._study.user_attrs[_ID])

    def _begin_or_go_on(self, identity: Mapping[str, str]) -> None:
        attributes = self._study.user_attrs
        if _ID not in attributes:
            self._study.set_user_attr(_IDENTITY, dict(identity))
            self._study.set_user_attr(_ID, uuid.uuid4().hex)
        elif faults := _differences(attributes[_IDENTITY], identity):
            raise StudyRefused("\n".join([
                text("training.study.not_continued", study=self.name),
                *(f"  {fault}" for fault in faults),
                text("training.study.start_another"),
            ]))  # fmt: skip
        if not self.trials():
            self._study.enqueue_trial(
                {name: getattr(DEFAULTS, name) for name in self.space}, skip_if_exists=True
            )

    def trials(self) -> list[FrozenTrial]:
        """Every trial so far."""
        return self._study.get_trials(deepcopy=False)

    @property
    def finished(self) -> int:
        """How many trials count: complete or pruned."""
        return sum(trial.state in _DONE for trial in self.trials())

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the least loss, the earlier one where two are equal."""
        complete = (trial for trial in self.trials() if trial.state == TrialState.COMPLETE)
        return min(complete, key=lambda trial: (trial.value, trial.number), default=None)

    @property
    def default_trial(self) -> FrozenTrial | None:
        """The trial of the default settings."""
        complete = (trial for trial in self.trials() if trial.state == TrialState.COMPLETE)
        return next((trial for trial in complete if self.settings(trial) == DEFAULTS), None)

    def settings(self, trial: FrozenTrial | optuna.Trial) -> Settings:
        """The settings of a trial; what is not tried has its default."""
        return replace(DEFAULTS, **trial.params)

    def ask(self, trials: int) -> Assignment:
        """A trial to work at, held by this process, while fewer than so many are done or held."""
        with self.locks.held(ASKING):
            self._take_over()
            running = [trial.number for trial in self.trials() if trial.state == TrialState.RUNNING]
            if self.finished + len(running) >= trials:
                elsewhere = [number for number in running if self.locks.is_held(number)]
                return Assignment(wait_for=elsewhere[0] if elsewhere else None)
            first_tries = sum(_RETRY_OF not in trial.user_attrs for trial in self.trials())
            self._study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=RANDOM_TRIALS, seed=SEED + first_tries
            )
            trial = self._study.ask(dict(self.space))
            self.locks.take(trial.number)
            return Assignment(trial=trial)

    def known(self, trial: optuna.Trial) -> dict[int, float]:
        """Losses by fold that an earlier attempt at the same trial has left."""
        first = trial.user_attrs.get(_RETRY_OF)
        if first is None:
            return {}
        losses: dict[int, float] = {}
        for attempt in self.trials():
            if attempt.number == first or attempt.user_attrs.get(_RETRY_OF) == first:
                losses |= attempt.intermediate_values
        return losses

    def tell(self, trial: optuna.Trial, value: float | None, *, pruned: bool = False) -> None:
        """Finish a trial: complete with its loss, as pruned, or as failed where it has none.

        Parameters
        ----------
        trial
            The trial, held by this process.
        value
            Its mean log loss, nats a leg; None where it failed.
        pruned
            Whether it ended early.
        """
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE
        if value is None:
            state = TrialState.FAIL
        self._study.tell(trial, None if state != TrialState.COMPLETE else value, state)
        self.locks.let_go(trial.number)

    def _take_over(self) -> None:
        """Trials whose process has ended have failed, and are tried again."""
        running = [trial.number for trial in self.trials() if trial.state == TrialState.RUNNING]
        let_go = [number for number in running if not self.locks.is_held(number)]
        # A trial is finished before it is let go of: one that ended just now is found so.
        trials = self.trials()
        for abandoned in trials:
            if abandoned.state != TrialState.RUNNING or abandoned.number not in let_go:
                continue
            first = abandoned.user_attrs.get(_RETRY_OF, abandoned.number)
            retries = [trial for trial in trials if trial.user_attrs.get(_RETRY_OF) == first]
            queued = any(trial.state == TrialState.WAITING for trial in retries)
            # Queued before it is failed: a kill in between leaves a trial that is still running.
            if 1 + len(retries) < MOST_TRIES and not queued:
                self._study.enqueue_trial(abandoned.params, user_attrs={_RETRY_OF: first})
            self._study.tell(abandoned.number, state=TrialState.FAIL)

    @property
    def result(self) -> dict[str, Any] | None:
        """What was recorded of the winner when as many trials were finished as now, if it was."""
        result = self._study.user_attrs.get(_RESULT)
        return dict(result) if result and result["trials"] == self.finished else None

    def keep(self, result: Mapping[str, Any]) -> None:
        """Keep what was recorded of the winner."""
        self._study.set_user_attr(_RESULT, json.loads(json.dumps(result)))

    def losses(self) -> dict[int, float]:
        """Loss of every finished trial by its number.

        That of a pruned trial is as far from the best trial's as it was on its own folds.
        """
        best = self.best
        if best is None or best.value is None:
            return {}
        losses: dict[int, float] = {}
        for trial in self.trials():
            if trial.state == TrialState.COMPLETE and trial.value is not None:
                losses[trial.number] = trial.value
            elif trial.state == TrialState.PRUNED:
                differences = [loss - best.intermediate_values[fold]
                               for fold, loss in trial.intermediate_values.items()]  # fmt: skip
                losses[trial.number] = best.value + sum(differences) / len(differences)
        return losses

    def importances(self) -> dict[str, float]:
        """How much of the spread of losses each setting explains (fANOVA), largest first.

        Empty while most trials were drawn at random: chance would put a setting first.
        """
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        losses = self.losses()
        if len(losses) < 2 * RANDOM_TRIALS or len(set(losses.values())) < 2:
            return {}
        every_loss = optuna.create_study()
        for trial in self.trials():
            if trial.number in losses:
                every_loss.add_trial(optuna.create_trial(
                    params=trial.params, distributions=dict(self.space), value=losses[trial.number],
                ))  # fmt: skip
        return get_param_importances(every_loss, evaluator=FanovaImportanceEvaluator(seed=SEED))


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        text(
            "training.study.changed", name=name, before=before.get(name, "none"), now=now.get(name)
        )
        for name in now
        if before.get(name) != now[name]
    ]


def _pruner() -> optuna.pruners.BasePruner:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return optuna.pruners.WilcoxonPruner(p_threshold=PRUNING_P)
