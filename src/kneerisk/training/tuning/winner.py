"""The best settings of a study: compared with the defaults on new folds, refitted and recorded.

A winner of many trials suits the folds that it won on, so its gain is measured on folds that no
trial used; it becomes a version only where that gain exceeds one standard error. Plots of the study
show how the search went, and which settings mattered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import TrialState

from kneerisk.cohort.splits import held_out, train_test_split, truth_subset
from kneerisk.errors import StudyRefused
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evaluation.model_validation import evaluate_model
from kneerisk.progress import Progress, event
from kneerisk.training.fitting.cross_validation import evaluate_people
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.fitting.settings import DEFAULTS, SEED, Settings
from kneerisk.training.plots.plot_style import (
    INK,
    LOGISTIC,
    MODEL,
    images,
    label_axes,
    titled_figure,
)
from kneerisk.training.provenance import digest, truth_digest
from kneerisk.training.registry.run_record import (
    RunRecord,
    cohort_title,
    log_evaluation,
    log_version,
    run_parameters,
    run_tags,
)
from kneerisk.training.registry.versions import log_loss_over_champion
from kneerisk.training.tracking import Run, StudyRuns, Tracking
from kneerisk.training.tuning.locks import JUDGING, WRITING
from kneerisk.training.tuning.search import Search
from kneerisk.training.tuning.study import Study
from kneerisk.words import text, variant
from kneerisk.workers.this_process import Workers, in_this_process


def record_winner(
    search: Search,
    tracking: Tracking,
    runs: StudyRuns,
    progress: Progress,
    workers: Workers = in_this_process,
) -> dict[str, Any]:
    """Refit and record the best settings, unless that was done for as many trials.

    Parameters
    ----------
    search
        The study, its trials finished.
    tracking
        The store of runs.
    runs
        The runs of the study.
    progress
        Called with what is being done.
    workers
        What does the fits beside those of the winner and of the defaults.

    Returns
    -------
    `version` (None where the defaults stay), `run_id` of the winner, `parent_run_id`, `study`,
    `trials`, `best` and `metrics`.

    Raises
    ------
    StudyRefused
        Where no trial was finished.
    """
    study = search.study
    with study.locks.held(JUDGING):
        if (result := study.result) and runs.is_finished(result["run_id"]):
            return result
        with study.locks.held(WRITING):
            runs.close_abandoned()
        result = _record(search, tracking, runs, progress, workers)
        study.keep(result)
    return result


def _record(
    search: Search, tracking: Tracking, runs: StudyRuns, progress: Progress, workers: Workers
) -> dict[str, Any]:
    study, cohort = search.study, search.cohort
    best = study.best
    if best is None:
        raise StudyRefused(text("training.study.no_trial", study=study.name))
    settings = study.settings(best)
    changed = settings != DEFAULTS
    gain, error = search.objective.gain(settings, progress, workers) if changed else (0.0, 0.0)
    fitted, evaluation = _refit(search, settings, progress, workers)
    evaluation = evaluation.with_metrics({
        "cv_log_loss": float(best.value or 0.0),
        "cv_log_loss_over_defaults": -gain,
        "cv_log_loss_over_defaults_error": error,
        **log_loss_over_champion(tracking, fitted.model, train_test_split(cohort)[1]),
    })  # fmt: skip
    progress(event("logging_winner"))
    tags = run_tags(cohort, "tune") | runs.child_tags(role="winner", from_trial=str(best.number))
    record = RunRecord(
        source=search.source, data=cohort, cohort=cohort, model=fitted.model,
        evaluation=evaluation,
        parameters={"truth_sha256": truth_digest(search.truth), **fitted.choices},
    )  # fmt: skip
    with tracking.start_run(
        text("training.run.winner", trial=f"{best.number:03d}"), tags, "tune"
    ) as run:
        version = _log(run, search, fitted, record) if gain > error else None
        if version is None:
            log_evaluation(run, record)
            run.set_note(text("training.study.defaults_stay"))
    result = {
        "version": version, "run_id": run.run_id, "parent_run_id": runs.parent.run_id,
        "study": study.name, "trials": study.finished,
        "best": {"trial": best.number, "cv_log_loss": best.value, **asdict(settings)},
        "metrics": evaluation.metrics,
    }  # fmt: skip
    with study.locks.held(WRITING):
        _update_parent(search, runs, result)
    return result


def _log(run: Run, search: Search, fitted: Fitted, record: RunRecord) -> str:
    """Register the winner as a version."""
    cohort = search.cohort
    truth = truth_subset(search.truth, ~held_out(cohort.frame["athlete_id"]))
    return log_version(
        run, record, partial(metadata_of, train_test_split(cohort)[0], truth, fitted)
    )


def _refit(
    search: Search, settings: Settings, progress: Progress, workers: Workers
) -> tuple[Fitted, Evaluation]:
    """The winner and the defaults refitted, and evaluated on athletes that the study never saw."""
    progress(event("refitting_winner"))
    unseen = held_out(search.cohort.frame["athlete_id"])
    train, test = train_test_split(search.cohort)
    fitted, defaults = (
        fit(search.cohort, search.truth, rows=~unseen, seed=SEED, settings=each, workers=workers)
        for each in (settings, DEFAULTS)
    )
    progress(event("evaluating_after_study"))
    evaluation = evaluate_model(
        fitted.model, train, test, truth_subset(search.truth, unseen), seed=SEED,
        rivals={"defaults": defaults.model}, paired_with=("logistic", "prior", "defaults"),
        progress=progress,
    )  # fmt: skip
    left_out = evaluate_people(search.cohort, range(0), progress, settings, workers)
    return fitted, left_out.beside(evaluation)


def _update_parent(search: Search, runs: StudyRuns, result: Mapping[str, Any]) -> None:
    """What the parent run shows: the winner's numbers, and how the search went."""
    study, cohort = search.study, search.cohort
    bounds = {
        f"tried_{name}": f"{tried.low:g} to {tried.high:g}" for name, tried in study.space.items()
    }
    runs.parent.log_values(
        {**run_parameters(cohort, digest(cohort)), **search.source.params(), **bounds},
        {**result["metrics"], "trials": float(result["trials"])},
    )
    runs.parent.log_images(images(study_plots(study, cohort_title(cohort))))
    runs.parent.set_note(describe_result(result))


def describe_result(result: Mapping[str, Any]) -> str:
    """What a study found, for a person; see `record_winner` for its keys."""
    metrics, best = result["metrics"], result["best"]
    changed = ", ".join(
        f"{name} {value:.3g}" for name, value in best.items()
        if name in asdict(DEFAULTS) and value != getattr(DEFAULTS, name)
    )  # fmt: skip
    outcome = text("command_line.tune.unchanged")
    if result["version"]:
        version, run_id = result["version"], result["run_id"]
        outcome = text("command_line.train.challenger", version=version, run=run_id)
    chosen = changed or text("command_line.tune.defaults")
    trials, trial = result["trials"], best["trial"]
    lines = [outcome, text("command_line.tune.best", trials=trials, trial=trial, settings=chosen)]
    for prefix, where in (("cv_", "new_folds"), ("", "held_out")):
        more, error = (metrics.get(f"{prefix}log_loss_over_defaults{e}") for e in ("", "_error"))
        if changed and more is not None:
            numbers = {"difference": f"{more:+.5f}", "error": f"{error:.5f}"}
            lines.append(variant("command_line.tune.difference", where, **numbers))
    if changed and not result["version"]:
        lines.append(text("command_line.tune.chance"))
    return "\n  ".join(lines)


#: Losses far above the defaults' are cut off: how bad the worst trials were is of no interest.
_SHOWN_QUANTILE = 0.85


def study_plots(study: Study, title: str) -> dict[str, Figure]:
    """Every plot that can be drawn, by file name."""
    figures = {}
    if study.best is not None:
        figures["optimisation_history"] = history(study, title)
    shares = study.importances()
    if shares:
        figures["parameter_importance"] = importance(study, shares, title)
    return figures


def history(study: Study, title: str) -> Figure:
    """Loss of each trial, the best so far, and the defaults."""
    losses = study.losses()
    complete = {trial.number for trial in study.trials() if trial.state == TrialState.COMPLETE}
    number, loss = np.array(list(losses)), np.array(list(losses.values()))
    is_complete = np.isin(number, list(complete))
    early = f"{(~is_complete).sum()} ended early; the best of many looks too good"
    counted = f"{is_complete.sum()} trials evaluated on every fold, {early}"
    figure = titled_figure("How did the search go?", f"{title}\n{counted}")
    axes = label_axes(figure.add_subplot(), "Trial", "Cross-validated log loss (lower is better)")
    defaults = study.default_trial
    low, top = float(loss.min()), float(np.quantile(loss, _SHOWN_QUANTILE))
    if defaults is not None and defaults.value is not None:
        top = max(top, defaults.value)
        axes.axhline(defaults.value, color=LOGISTIC, linestyle="--", linewidth=1.4,
                     label=f"default settings, {defaults.value:.5f}")  # fmt: skip
    margin = max(0.12 * (top - low), 1e-5)
    bottom, top = low - margin, top + margin
    so_far = np.minimum.accumulate(np.where(is_complete, loss, np.inf))
    axes.step(number, so_far, where="post", color=MODEL, linewidth=1.6,
              label=f"best so far, {low:.5f}")  # fmt: skip
    for rows, label, fill in (
        (is_complete, "evaluated", MODEL),
        (~is_complete, "ended early", "white"),
    ):
        shown, beyond = rows & (loss <= top), rows & (loss > top)
        axes.plot(number[shown], loss[shown], "o", color=MODEL, markerfacecolor=fill,
                  markersize=5, label=label if shown.any() else None)  # fmt: skip
        axes.plot(number[beyond], np.full(beyond.sum(), top), "^", color=MODEL,
                  markerfacecolor=fill, markersize=6, clip_on=False)  # fmt: skip
    if (loss > top).any():
        axes.plot([], [], "^", color=MODEL, markerfacecolor="white", label="off the scale")
    last = int(number.max())
    axes.set(xlim=(-0.5, last + 0.5), ylim=(bottom, top))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    # Trials lie anywhere in the frame: the legend stands below it.
    axes.legend(loc="upper center", bbox_to_anchor=(0.46, -0.13), ncols=3, frameon=False,
                fontsize=8.5)  # fmt: skip
    return figure


def importance(study: Study, shares: dict[str, float], title: str) -> Figure:
    """Share of the spread of losses that each setting explains.

    Parameters
    ----------
    study
        The study.
    shares
        Of each setting, from `Study.importances`.
    title
        Which cohort, for people.

    Returns
    -------
    The figure.
    """
    counted = f"fANOVA over {len(study.losses())} trials: a rough guide; the order may be chance"
    figure = titled_figure(
        "Which settings mattered?", f"{title}\n{counted}", (6.2, 1.9 + 0.38 * len(shares))
    )
    axes = label_axes(figure.add_subplot(), "Share of the spread of losses between trials", "")
    axes.grid(visible=False, axis="y")
    names = sorted(shares, key=lambda name: shares[name])
    values = [shares[name] for name in names]
    axes.barh(range(len(names)), values, color=MODEL, height=0.62)
    for place, value in enumerate(values):
        axes.annotate(f"{100 * value:.0f} %", (value, place), xytext=(4, 0), color=INK,
                      textcoords="offset points", va="center", fontsize=8.5)  # fmt: skip
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1.15 * max(values))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return figure
