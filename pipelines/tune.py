"""Cohort -> study of settings -> winner judged beside the defaults -> challenger, if it pays."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import divided, held_out
from kneerisk.errors import KneeriskError, StudyRefused
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.training.leakage.leakage_checks import refuse_unsound
from kneerisk.training.recording import lineage
from kneerisk.training.recording.lineage import Source
from kneerisk.training.tracking import StudyRuns, Tracking
from kneerisk.training.tuning import Objective, Study, pictures, trial_runs, work
from kneerisk.training.tuning.locks import JUDGING, WRITING
from pipelines.console import Progress, say
from pipelines.train import (
    SEED,
    beside_champion,
    judge,
    log,
    log_judged,
    params,
    rows,
    tags,
    title,
)

#: Where studies are kept: a journal and a file of locks each.
STUDIES = Path(".run") / "studies"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a study is to be worked at."""

    study: str
    trials: int
    workers: int = 1
    timeout_seconds: int | None = None


def tune_on(
    data: Path | None, athletes: int, seed: int, plan: Plan, progress: Progress
) -> dict[str, Any]:
    """Search settings on a file's or simulated athletes, or go on with the search.

    Gives `version` (None where the defaults stay), `run_id` of the winner, `parent_run_id`,
    `study`, `trials`, `best` and `metrics`.

    Raises
    ------
    CohortRefused, StudyRefused
        Where the cohort can't be learnt from, or the study is of something else.
    """
    source = Source(path=data.resolve()) if data else Source(athletes=athletes, seed=seed)
    progress("Reading the cohort" if data else f"Simulating {athletes:,} athletes")
    cohort, truth = lineage.load(source)
    progress("Checking that the cohort can be learnt from")
    refuse_unsound(cohort, *divided(cohort), true=truth is not None)
    objective = Objective.of(cohort, truth)
    study = _open(objective, plan.study)
    if study.finished:
        progress(f"Going on with the study {study.name}: {study.finished} trials are done, "
                 f"{max(0, plan.trials - study.finished)} to go")  # fmt: skip
    with _led(study, cohort) as (tracking, runs):
        _search(study, objective, source, plan, runs, progress)
        with study.locks.held(JUDGING):
            if (found := study.result) and runs.has(found["run_id"]):
                return found
            with study.locks.held(WRITING):
                runs.close_left_open()
            found = _conclude(study, objective, source, (cohort, truth), (tracking, runs), progress)
            study.keep(found)
    return found


def _open(objective: Objective, name: str) -> Study:
    return Study(Path.cwd() / STUDIES, name, objective.identity(), objective.space)


@contextmanager
def _led(study: Study, cohort: Cohort) -> Iterator[tuple[Tracking, StudyRuns]]:
    """The study's parent run, found again or begun; it ends as this block does."""
    with study.locks.held(WRITING):
        tracking = Tracking(Path.cwd())
        runs = tracking.study(study.id, f"study {study.name}, {title(cohort)}", _tags(cohort))
    try:
        yield tracking, runs
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        with study.locks.held(WRITING):
            runs.end("KILLED" if stopped else "FAILED")
        raise
    with study.locks.held(WRITING):
        runs.end("FINISHED")


def _search(
    study: Study,
    objective: Objective,
    source: Source,
    plan: Plan,
    runs: StudyRuns,
    progress: Progress,
) -> None:
    """Work at the study, with helpers where there are to be several; its trials become runs."""
    until = None if plan.timeout_seconds is None else time.time() + plan.timeout_seconds

    def write() -> None:
        with study.locks.held(WRITING):
            runs.keep(trial_runs(study))

    of_use = min(plan.workers, plan.trials - study.finished) - 1
    with _helpers(of_use, plan, source, until, progress):
        work(
            study, objective.loss, objective.steps, plan.trials,
            no_more=lambda: _is_over(until), told=progress, after=write,
        )  # fmt: skip
    write()


@contextmanager
def _helpers(
    number: int, plan: Plan, source: Source, until: float | None, progress: Progress
) -> Iterator[None]:
    """The other workers, each a process with its own copy of the cohort."""
    context = multiprocessing.get_context("spawn")
    started = [
        context.Process(target=help_out, args=(Path.cwd(), plan, source, until), daemon=True)
        for _ in range(number)
    ]
    for helper in started:
        helper.start()
    try:
        yield
    except BaseException:
        for helper in started:
            helper.terminate()
        raise
    finally:
        for helper in started:
            helper.join()
    lost = [helper.exitcode for helper in started if helper.exitcode]
    if lost:
        progress(f"{len(lost)} of {number + 1} workers ended early; others did their trials")


def help_out(folder: Path, plan: Plan, source: Source, until: float | None) -> None:
    """Work at a study for another process, until it has enough or is gone."""
    lead = multiprocessing.parent_process()
    try:
        objective = Objective.of(*lineage.load(source))
        work(
            Study(folder / STUDIES, plan.study, objective.identity(), objective.space),
            objective.loss, objective.steps, plan.trials,
            no_more=lambda: _is_over(until), left=lambda: lead is not None and not lead.is_alive(),
        )  # fmt: skip
    except KeyboardInterrupt:
        return
    except KneeriskError as error:
        say(f"kneerisk: a worker: {error}")
        raise SystemExit(1) from None


def _is_over(until: float | None) -> bool:
    return until is not None and time.time() > until


def _conclude(
    study: Study,
    objective: Objective,
    source: Source,
    known: tuple[Cohort, pd.DataFrame | None],
    tracked: tuple[Tracking, StudyRuns],
    progress: Progress,
) -> dict[str, Any]:
    """Refit the winner, judge it beside the defaults, and register it if it beat them inside."""
    (cohort, truth), (tracking, runs) = known, tracked
    best = study.best
    if best is None:
        raise StudyRefused(f"no trial of {study.name} was finished: the same command goes on")
    settings = study.settings(best)
    gain, error = (0.0, 0.0) if settings == DEFAULTS else objective.gain(settings, progress)
    fitted, evaluation = _judged(settings, cohort, truth, progress)
    evaluation = evaluation.with_metrics({
        "cv_log_loss": float(best.value or 0.0),
        "cv_log_loss_over_defaults": -gain,
        "cv_log_loss_over_defaults_error": error,
        **beside_champion(tracking, cohort, divided(cohort)[1], fitted),
    })  # fmt: skip
    progress("Logging the winner")
    named = _tags(cohort) | runs.tags_of(role="winner", from_trial=str(best.number))
    with tracking.run(f"winner, trial {best.number:03d}", named, "tune") as run:
        made = (source, cohort, fitted, evaluation, truth)
        version = log(run, *made) if gain > error else None
        if version is None:
            log_judged(run, *made)
            run.note("The default settings stay: these gain no more than chance would give.")
    found = {
        "version": version, "run_id": run.run_id, "parent_run_id": runs.parent.run_id,
        "study": study.name, "trials": study.finished,
        "best": {"trial": best.number, "cv_log_loss": best.value, **asdict(settings)},
        "metrics": evaluation.metrics,
    }  # fmt: skip
    with study.locks.held(WRITING):
        _sum_up(study, runs, source, cohort, found)
    return found


def _judged(
    settings: Settings, cohort: Cohort, truth: pd.DataFrame | None, progress: Progress
) -> tuple[Fitted, Evaluation]:
    """The winner and the defaults refitted, and judged on athletes that the study never saw."""
    progress("Refitting the winner and the defaults")
    unseen = held_out(cohort.frame["athlete_id"])
    train, test = divided(cohort)
    fitted, defaults = (
        fit(train, rows(truth, ~unseen), seed=SEED, settings=one) for one in (settings, DEFAULTS)
    )
    progress("Judging on athletes that the study never saw")
    beside = {"defaults": defaults}
    return fitted, judge(fitted, train, test, rows(truth, unseen), progress, beside)


def _sum_up(
    study: Study, runs: StudyRuns, source: Source, cohort: Cohort, found: dict[str, Any]
) -> None:
    """What the parent run shows: the winner's numbers, and how the search went."""
    tried = {f"tried_{name}": f"{one.low:g} to {one.high:g}" for name, one in study.space.items()}
    runs.parent.numbers(
        {**params(cohort, lineage.digest(cohort)), **source.params(), **tried},
        {**found["metrics"], "trials": float(found["trials"])},
    )
    runs.parent.figures(pictures(study, title(cohort)))
    runs.parent.note(told(found))


def _tags(cohort: Cohort) -> dict[str, str]:
    return {**tags(cohort), "mlflow.source.name": "kneerisk tune"}


def told(found: dict[str, Any]) -> str:
    """The result for a person."""
    metrics, best = found["metrics"], found["best"]
    changed = ", ".join(
        f"{name} {value:.3g}" for name, value in best.items()
        if name in asdict(DEFAULTS) and value != getattr(DEFAULTS, name)
    )  # fmt: skip
    first = (
        f"{found['version']} is challenger (run {found['run_id']})." if found["version"]
        else "The default settings stay; nothing was registered."
    )  # fmt: skip
    chosen = changed or "the default settings"
    lines = [first, f"  {found['trials']} trials; best is trial {best['trial']}: {chosen}"]
    for prefix, name in (("cv_", "on new folds"), ("", "on athletes it never saw")):
        more, error = (metrics.get(f"{prefix}log_loss_over_defaults{e}") for e in ("", "_error"))
        if changed and more is not None:
            lines.append(f"  log loss less that of the defaults, {name}: {more:+.5f} "
                         f"(standard error {error:.5f})")  # fmt: skip
    if changed and not found["version"]:
        lines.append("  On new folds that is less than one standard error: chance would do it.")
    return "\n".join(lines)
