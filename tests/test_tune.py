"""Studies of settings: shared, killed, gone on with, and what became of them in MLflow."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import FrozenTrial, TrialState
from worker_tasks import bowl

from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.cohort.splits import held_out, subset
from kneerisk.errors import StudyRefused
from kneerisk.progress import ProgressEvent
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.training.tracking import EXPERIMENTS, Tracking
from kneerisk.training.tuning.objective import Objective, space
from kneerisk.training.tuning.search import STUDIES, SearchPlan, trial_runs
from kneerisk.training.tuning.study import Study
from kneerisk.training.tuning.winner import describe_result, study_plots
from kneerisk.training.tuning.worker import work
from pipelines.console import progress_text
from pipelines.tune import tune_settings

IDENTITY = {"cohort": "ab12", "search space": "as ever", "objective": "a bowl", "program": "1"}
SPACE = space(true=True, plenty=True, people=False)
STEPS = 6


def study_in(folder: Path, **other: str) -> Study:
    return Study(folder, "s", IDENTITY | other, SPACE)


def counted(loss: Callable[[Settings, int], float]) -> tuple[Any, list[int]]:
    steps: list[int] = []

    def count(settings: Settings, step: int) -> float:
        steps.append(step)
        return loss(settings, step)

    return count, steps


def finished(study: Study) -> list[FrozenTrial]:
    done = (TrialState.COMPLETE, TrialState.PRUNED)
    return [trial for trial in study.trials() if trial.state in done]


def of_a_process(target: Callable[..., None], *arguments: Any) -> multiprocessing.Process:
    started = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    started.start()
    return started


def work_until_killed(folder: Path, trial: int) -> None:
    """Work at the study; at the third step of a trial this process is killed, as by `kill -9`."""
    study = study_in(folder)

    def loss(settings: Settings, step: int) -> float:
        if step == 2 and study.trials()[-1].number == trial:
            os.kill(os.getpid(), signal.SIGKILL)
        return bowl(settings, step)

    work(study, loss, STEPS, 12)


def work_with_another(folder: Path, both_began: Barrier) -> None:
    """Work at the study; the first step waits until another process has a trial as well."""
    waited = []

    def loss(settings: Settings, step: int) -> float:
        if not waited:
            waited.append(both_began.wait())
        return bowl(settings, step)

    work(study_in(folder), loss, STEPS, 9)


class TestStudy:
    def test_one_worker_finds_the_same_again(self, tmp_path):
        found = []
        for name in ("one", "other"):
            study = study_in(tmp_path / name)
            work(study, bowl, STEPS, 14)
            found.append([(trial.params, trial.value) for trial in study.trials()])
        assert found[0] == found[1]
        assert len(found[0]) == 14

    def test_it_begins_with_the_defaults_and_finds_better(self, tmp_path):
        study = study_in(tmp_path)
        work(study, bowl, STEPS, 14)
        first = study.trials()[0]
        assert study.settings(first) == DEFAULTS
        assert study.default_trial.value == pytest.approx(
            np.mean([bowl(DEFAULTS, i) for i in range(STEPS)])
        )
        assert study.best.value < first.value

    def test_a_killed_worker_loses_nothing(self, tmp_path):
        whole = study_in(tmp_path / "whole")
        work(whole, bowl, STEPS, 12)
        killed = of_a_process(work_until_killed, tmp_path / "killed", 3)
        killed.join()
        assert killed.exitcode == -signal.SIGKILL

        study = study_in(tmp_path / "killed")
        kept = [trial.value for trial in study.trials()]
        loss, steps = counted(bowl)
        work(study, loss, STEPS, 12)
        assert [trial.value for trial in study.trials()][:3] == kept[:3]
        dead, again = study.trials()[3:5]
        assert dead.state == TrialState.FAIL
        assert again.params == dead.params
        # The two folds that the dead worker had done are not done again.
        assert steps[:4] == [2, 3, 4, 5]
        assert [(t.params, t.value) for t in finished(study)] == [
            (t.params, t.value) for t in whole.trials()
        ]

    def test_a_trial_that_kills_its_worker_again_and_again_is_left(self, tmp_path):
        study = study_in(tmp_path)
        for number in range(3):
            asked = study.ask(3)
            assert asked.trial.number == number
            study.locks.let_go(number)  # as the system does when a process ends
        work(study, bowl, STEPS, 3)
        states = [trial.state for trial in study.trials()]
        assert states[:3] == [TrialState.FAIL] * 3
        assert study.trials()[0].params == study.trials()[2].params
        assert len(finished(study)) == 3

    def test_a_trial_that_ends_while_another_process_looks_is_no_abandoned_one(
        self, tmp_path, monkeypatch
    ):
        study, other = study_in(tmp_path), study_in(tmp_path)
        trial = study.ask(3).trial

        def is_held(number: int) -> bool:
            if number == trial.number and study.finished == 0:
                study.tell(trial, 0.2)
            return False

        monkeypatch.setattr(other.locks, "is_held", is_held)
        second = other.ask(3).trial
        assert second.number == 1
        assert [trial.state for trial in study.trials()] == [
            TrialState.COMPLETE, TrialState.RUNNING,
        ]  # fmt: skip

    def test_two_processes_share_it_and_lose_no_trial(self, tmp_path):
        both_began = multiprocessing.get_context("spawn").Barrier(2)
        workers = [of_a_process(work_with_another, tmp_path, both_began) for _ in range(2)]
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0]
        study = study_in(tmp_path)
        assert [trial.number for trial in finished(study)] == list(range(9))
        began = sorted(trial.datetime_start for trial in study.trials())
        assert began[1] < min(trial.datetime_complete for trial in study.trials())

    def test_more_trials_may_be_asked_for_later(self, tmp_path):
        study = study_in(tmp_path)
        for most in (3, 2, 5):
            work(study, bowl, STEPS, most)
        assert len(finished(study)) == 5

    def test_time_that_is_up_begins_no_trial(self, tmp_path):
        study = study_in(tmp_path)
        work(study, bowl, STEPS, 5, is_over=lambda: len(study.trials()) >= 2)
        assert len(finished(study)) == 2

    def test_who_is_left_alone_stops_between_folds(self, tmp_path):
        study, done = study_in(tmp_path), []
        loss, steps = counted(bowl)
        work(study, loss, STEPS, 5, progress=done.append, is_orphaned=lambda: len(steps) >= 2)
        assert steps == [0, 1]
        assert study.trials()[0].state == TrialState.RUNNING

    def test_what_is_worse_on_every_fold_ends_early(self, tmp_path):
        study = study_in(tmp_path)
        work(study, lambda s, step: bowl(s, step) - (s == DEFAULTS), STEPS, 3)
        assert [trial.state for trial in study.trials()[1:]] == [TrialState.PRUNED] * 2
        assert all(2 < len(t.intermediate_values) < STEPS for t in study.trials()[1:])
        assert study.best.number == 0

    def test_the_defaults_are_judged_whole_even_if_they_are_worst(self, tmp_path):
        study = study_in(tmp_path)
        better = study._study.ask(dict(SPACE))
        assert study.settings(better) == DEFAULTS
        study._study.enqueue_trial(better.params)
        good = study._study.ask(dict(SPACE))
        for step in range(STEPS):
            good.report(0.0, step)
        study._study.tell(good, 0.0)
        work(study, bowl, STEPS, 2)
        assert study.trials()[2].state == TrialState.COMPLETE

    def test_a_fit_that_fails_is_told_and_ends_the_work(self, tmp_path):
        study = study_in(tmp_path)

        def fail(settings: Settings, step: int) -> float:
            raise ZeroDivisionError("a name")

        with pytest.raises(ZeroDivisionError):
            work(study, fail, STEPS, 2)
        assert study.trials()[0].state == TrialState.FAIL
        assert study.trials()[0].user_attrs == {"error": "ZeroDivisionError"}
        assert "a name" not in study.journal.read_text()

    def test_where_no_file_can_be_renamed_it_goes_on(self, tmp_path, monkeypatch):
        def refused(*_: object) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        monkeypatch.setattr(os, "rename", refused)
        study = study_in(tmp_path)
        work(study, bowl, STEPS, 2)
        assert study.finished == 2

    @pytest.mark.parametrize("part", list(IDENTITY))
    def test_of_something_else_is_refused(self, tmp_path, part):
        study_in(tmp_path)
        with pytest.raises(
            StudyRefused, match=f"{part}: it was started with {IDENTITY[part]}, now"
        ):
            study_in(tmp_path, **{part: "another"})
        again = study_in(tmp_path)
        assert [trial.state for trial in again.trials()] == [TrialState.WAITING]

    @pytest.mark.parametrize("name", ["", "../s", "a b", ".s", "é", "a" * 65])
    def test_what_can_name_no_file_is_refused(self, tmp_path, name):
        with pytest.raises(StudyRefused, match="can't be the name of a study"):
            Study(tmp_path, name, IDENTITY, SPACE)

    def test_its_pictures_are_drawn_when_there_is_something_to_see(self, tmp_path):
        study = study_in(tmp_path)
        work(study, bowl, STEPS, 1)
        assert set(study_plots(study, "one trial")) == {"optimisation_history"}
        work(study, bowl, STEPS, 20)
        assert set(study_plots(study, "more")) == {"optimisation_history", "parameter_importance"}

    def test_the_setting_that_alone_acts_is_the_important_one(self, tmp_path):
        study = study_in(tmp_path)
        work(study, lambda s, step: 0.2 + 0.01 * (s.max_depth + step), STEPS, 20)
        shares = study.importances()
        assert set(shares) == set(SPACE)
        assert next(iter(shares)) == "max_depth"
        assert shares["max_depth"] > 0.8

    def test_a_trial_that_ended_early_is_as_far_from_the_best_as_it_was(self, tmp_path):
        study = study_in(tmp_path)
        work(study, lambda s, step: 0.2 + step + 0.5 * (s != DEFAULTS), STEPS, 3)
        first = study.best.value
        assert study.losses() == pytest.approx({0: first, 1: first + 0.5, 2: first + 0.5})


class TestSpace:
    def test_the_defaults_are_inside(self):
        for name, one in space(true=False, plenty=True, people=True).items():
            assert one._contains(one.to_internal_repr(getattr(DEFAULTS, name))), name

    def test_only_what_acts_is_tried(self):
        assert "light_penalty" not in space(true=False, plenty=False, people=True)
        assert "tolerance_se" not in space(true=True, plenty=True, people=False)
        assert "published_screenings" not in space(true=False, plenty=True, people=False)


class TestObjective:
    def test_held_out_athletes_are_never_read(self, simulated: Simulated):
        some = np.arange(len(simulated.cohort.frame)) < 250
        cohort, truth = subset(simulated.cohort, some), simulated.truth[some]
        unseen = held_out(cohort.frame["athlete_id"])
        assert 0 < unseen.sum() < len(unseen)
        frame = cohort.frame.copy()
        outcomes = ["outcome_left", "outcome_right"]
        frame.loc[unseen, outcomes] = 1.0 - frame.loc[unseen, outcomes]
        frame.loc[unseen, "age_years"] += 9.0
        known = truth.copy()
        known.loc[unseen, ["risk_left", "risk_right"]] = 0.5
        one = Objective.of(cohort, truth)
        other = Objective.of(replace(cohort, frame=frame), known)
        assert one.identity() == other.identity()
        assert one.loss(DEFAULTS, 0) == other.loss(DEFAULTS, 0)
        known.loc[~unseen, "risk_left"] = 0.5
        assert one.identity() != Objective.of(cohort, known).identity()

    def test_every_leg_is_judged_once_a_deal_by_a_model_of_others(self, simulated: Simulated):
        club = replace(simulated.cohort, kind="observed", source="a made-up club")
        objective = Objective.of(club, None)
        folds = np.array([objective._in_fold(step) for step in range(objective.folds)])
        assert (folds.sum(axis=0) == 2).all()
        athlete = objective.train.frame["athlete_id"].to_numpy()
        for inside in folds:
            assert not set(athlete[inside]) & set(athlete[~inside])

    def test_the_winner_is_compared_on_folds_that_no_trial_was_judged_on(self, simulated):
        steps: set[int] = set()

        class Told(Objective):
            """Losses that are said instead of fitted: settings gain more on the left leg."""

            def losses(self, settings: Settings, step: int) -> FloatArray:
                steps.add(step)
                losses = np.full(self._target.shape, np.nan)
                losses[self._in_fold(step)] = 0.3
                if settings != DEFAULTS:
                    losses[self._in_fold(step)] -= [0.02, 0.01]
                return losses

        club = replace(simulated.cohort, kind="observed", source="a made-up club")
        objective = Told.of(club, None)
        gain, error = objective.gain(Settings(max_depth=1))
        assert gain == pytest.approx(0.015)
        assert error == pytest.approx(0.0, abs=1e-12)
        assert not steps & set(range(objective.folds))
        folds = [objective._in_fold(step) for step in sorted(steps)]
        assert len({inside.tobytes() for inside in folds}) == len(folds) == 20
        assert (np.sum(folds, axis=0) == 4).all()


class TestRuns:
    def test_what_a_kill_left_half_written_is_mended(self, tmp_path, monkeypatch):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        study = study_in(tmp_path)
        work(study, bowl, STEPS, 3)
        tracking = Tracking(tmp_path)
        killed = tracking.study_runs(study.id, "study s", {})
        killed.write(trial_runs(study)[:1])
        # Killed while the run of a trial, and that of a winner, were begun and not yet ended.
        client, experiment = tracking._client, killed.parent.experiment
        for tags in ({"trial": "1"}, {"role": "winner"}):
            client.create_run(experiment, tags=killed.child_tags(**tags))
        other = tracking.study_runs("another", "study t", {})

        again = tracking.study_runs(study.id, "study s", {})
        assert again.parent.run_id == killed.parent.run_id
        again.write(trial_runs(study))
        again.close_abandoned()
        again.end("FINISHED")
        runs = [run for run in runs_in(tmp_path) if run.data.tags["study_id"] == study.id]
        told = {run.data.tags.get("trial", run.data.tags.get("role", "parent")): run.info.status
                for run in runs}  # fmt: skip
        done = dict.fromkeys(("parent", "0", "1", "2"), "FINISHED")
        assert told == done | {"winner": "KILLED"}
        assert len(runs) == 5
        assert client.get_run(other.parent.run_id).info.status == "RUNNING"
        assert not again.is_finished(None)
        assert again.is_finished(runs[-1].info.run_id)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("project")


PLAN = SearchPlan("knees", trials=3, workers=2)
ATHLETES, SEED = 250, 5


@pytest.fixture(scope="module")
def killed(folder: Path) -> list[str]:
    """The command with two workers, all of them killed in the middle of its first trial."""
    command = [sys.executable, "-m", "pipelines", "tune", "--athletes", str(ATHLETES), "--seed",
               str(SEED), "--trials", "3", "--study", "knees", "--workers", "2"]  # fmt: skip
    root = str(Path(__file__).parents[1])
    clean = {name: x for name, x in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    paths = os.pathsep.join([root, f"{root}/src"])
    lines = []
    with subprocess.Popen(
        command, cwd=folder, env=clean | {"PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        for line in process.stderr:
            lines.append(line)
            if re.match(r"Trial .* fold 3 of 5", line):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return lines


@pytest.fixture(scope="module")
def tuned(folder: Path, killed: list[str]) -> tuple[dict[str, Any], list[ProgressEvent]]:
    """The same again: what it found, and what it told."""
    events: list[ProgressEvent] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        # As the command does: the sums of BLAS, and so the cohort, depend on its threads.
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        found = tune_settings(None, ATHLETES, SEED, PLAN, events.append)
    return found, events


def runs_in(folder: Path) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENTS["tune"])
    return list(client.search_runs([experiment.experiment_id]))


@pytest.mark.slow
class TestCommand:
    def test_goes_on_after_a_kill(self, folder, killed, tuned):
        found, events = tuned
        stages = {event.stage for event in events}
        assert not any("Logging the winner" in line for line in killed)
        assert found["trials"] == 3
        states = [trial.state for trial in self.study(folder).trials()]
        assert states.count(TrialState.FAIL) >= 1
        assert TrialState.RUNNING not in states
        assert "refitting_winner" in stages
        assert "workers_failed" not in stages

    def study(self, folder: Path) -> Study:
        objective = json.loads((folder / STUDIES / "knees.journal").read_text().splitlines()[1])
        return Study(folder / STUDIES, "knees", objective["user_attr"]["identity"], SPACE)

    def test_every_trial_is_one_run_under_one_parent(self, folder, tuned):
        found, _ = tuned
        runs = runs_in(folder)
        assert {run.info.status for run in runs} <= {"FINISHED", "KILLED"}
        parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
        assert [run.info.run_id for run in parents] == [found["parent_run_id"]]
        assert parents[0].info.status == "FINISHED"
        nested = [run for run in runs if run not in parents]
        assert {run.data.tags["mlflow.parentRunId"] for run in nested} == {found["parent_run_id"]}
        by_trial = [run.data.tags["trial"] for run in nested if "trial" in run.data.tags]
        ended = [str(trial.number) for trial in self.study(folder).trials()]
        assert sorted(by_trial) == sorted(ended)
        study = self.study(folder)
        for run in nested:
            if "trial" in run.data.tags:
                trial = study.trials()[int(run.data.tags["trial"])]
                assert Settings.of(run.data.params) == study.settings(trial)
                whole = trial.state == TrialState.COMPLETE
                assert run.data.metrics.get("cv_log_loss") == (trial.value if whole else None)

    def test_the_winner_is_judged_beside_the_defaults(self, folder, tuned):
        found, _ = tuned
        metrics = found["metrics"]
        assert {"auc", "log_loss", "logistic_log_loss", "oracle_log_loss", "defaults_log_loss",
                "log_loss_over_defaults_error"} <= metrics.keys()  # fmt: skip
        assert metrics["log_loss_over_defaults"] == pytest.approx(
            metrics["log_loss"] - metrics["defaults_log_loss"]
        )
        better = -metrics["cv_log_loss_over_defaults"] > metrics["cv_log_loss_over_defaults_error"]
        assert (found["version"] is not None) == better
        winner = next(run for run in runs_in(folder) if run.info.run_id == found["run_id"])
        assert Settings.of(winner.data.params) == Settings.of(found["best"])
        assert json.loads(json.dumps(found)) == found
        assert str(found["best"]["trial"]) in describe_result(found)

    def test_again_it_tells_what_was_found(self, folder, tuned, monkeypatch):
        monkeypatch.chdir(folder)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        before = len(runs_in(folder))
        events: list[ProgressEvent] = []
        assert tune_settings(None, ATHLETES, SEED, PLAN, events.append) == tuned[0]
        texts = [progress_text(event) for event in events]
        assert "Continuing the study knees: 3 trials done, 0 to go" in texts
        assert len(runs_in(folder)) == before

    def test_another_cohort_is_refused(self, folder, tuned, monkeypatch):
        monkeypatch.chdir(folder)
        with pytest.raises(StudyRefused, match="cohort: it was started with"):
            tune_settings(None, ATHLETES, SEED + 1, PLAN, lambda _: None)

    def test_no_athlete_is_in_the_journal(self, folder, tuned):
        kept = (folder / STUDIES / "knees.journal").read_text()
        assert "sim-" not in kept
        assert "athlete_id" not in kept
