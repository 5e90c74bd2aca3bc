"""Runs side by side: which is better at what, what they were made with, whether they compare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from kneerisk.evaluation.metric_table import METRICS, Better, View, listed
from kneerisk.evaluation.run_verdict import BEYOND_CHANCE
from kneerisk.words import text

#: The lists of a comparison, in the order of a reader's questions, and what stands before the name
#: of a metric in each.
_LISTS: tuple[tuple[View, str], ...] = (
    ("compared_cv", "iecv_"),
    ("compared", ""),
    ("compared_train", "train_"),
    ("compared_cv", "cv_"),
)
#: Baselines, by the beginning of their metrics' names, and what of them stands beside the model's.
_RIVAL_MODELS, _OF_THEM = ("logistic_", "prior_", "oracle_", "control_"), ("auc", "log_loss")
_IMBALANCE_AUC = re.compile("imbalance_[a-z_]+(?<!oracle)_auc")
#: The ends of a metric's interval and the error of a difference, as parts of their names.
_LIMIT = re.compile("_(low|high|error)$")
#: Of the data, not of the model: where one of these differs, numbers don't compare.
_SAME_DATA: Mapping[str, str] = {
    "data_sha256": "cohort",
    "outcome_kind": "outcome",
    "horizon_months": "horizon",
}


class ComparedRun(Protocol):
    """What is compared of a run: its name, what it was made with, and its metrics."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def name(self) -> str:
        """The run's name."""

    @property
    def version(self) -> str | None:
        """The version that it registered, if any."""

    @property
    def alias(self) -> str | None:
        """The alias of its version, `champion` say."""

    @property
    def params(self) -> Mapping[str, str]:
        """What it was made with."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """What came out, by metric name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A metric of every run, in the order of the runs."""

    metric: str
    better: Better | None
    values: tuple[float | None, ...]
    best: int | None
    """Which run is best at it; None where it has no side, nothing differs, or none compares."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side."""

    runs: tuple[ComparedRun, ...]
    rows: tuple[Row, ...]
    params: Mapping[str, tuple[str | None, ...]]
    """Parameters that differ, in the order of the runs."""
    warnings: tuple[str, ...]
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "runs": [
                {
                    "run_id": run.run_id,
                    "name": run.name,
                    "version": run.version,
                    "alias": run.alias,
                }
                for run in self.runs
            ],
            "metrics": [asdict(row) for row in self.rows],
            "params": dict(self.params),
            "warnings": list(self.warnings),
            "verdict": self.verdict,
        }


def compare(runs: Sequence[ComparedRun], every: bool = False) -> Comparison:
    """Compare runs by the metrics that they have.

    Parameters
    ----------
    runs
        Two or more.
    every
        Also metrics that describe parts: baselines, imbalances, slices.

    Returns
    -------
    A row a metric, in the order of the table of metrics.
    """
    directions = _directions()
    names = [name for name in directions if any(name in run.metrics for run in runs)]
    if every:
        names += sorted(set().union(*(run.metrics for run in runs)) - set(names))
    warnings = tuple(_warnings(runs))
    rows = tuple(_row(name, directions.get(name), runs, comparable=not warnings) for name in names)
    return Comparison(tuple(runs), rows, _differing(runs), warnings, _runs_verdict(runs, warnings))


def shown_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics of a run that a list of runs shows; all others are in its evaluation.

    What is compared, with the limits of intervals and errors of differences; AUC and log loss of
    baselines; AUC of imbalances; and what is no metric of the table, such as counts.
    """
    names = {*_directions(), *(f"{rival}{name}" for rival in _RIVAL_MODELS for name in _OF_THEM)}
    of_table = tuple({metric.name for metric in METRICS})
    return {
        name: value for name, value in metrics.items()
        if (stem := _LIMIT.sub("", name)) in names or _IMBALANCE_AUC.fullmatch(name)
        or not (stem.endswith(of_table) or stem.startswith((*_RIVAL_MODELS, "imbalance_")))
    }  # fmt: skip


def _directions() -> dict[str, Better | None]:
    """The metrics that are compared, by flat name, and which way is better.

    A low loss of the athletes that a model was fitted to may be chance that it learnt: no way is
    better there.
    """
    return {
        f"{prefix}{metric.name}": None if view == "compared_train" else metric.better
        for view, prefix in _LISTS
        for metric in listed(view)
    }


def _row(name: str, better: Better | None, runs: Sequence[ComparedRun], *, comparable: bool) -> Row:
    values = tuple(run.metrics.get(name) for run in runs)
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    best = None
    if comparable and better is not None and len({value for _, value in known}) > 1:
        distance = {"higher": lambda v: -v, "lower": lambda v: v,
                    "near 1": lambda v: abs(v - 1.0), "near 0": abs}[better]  # fmt: skip
        best = min(known, key=lambda item: distance(item[1]))[0]
    return Row(name, better, values, best)


def _differing(runs: Sequence[ComparedRun]) -> dict[str, tuple[str | None, ...]]:
    names = sorted(set().union(*(run.params for run in runs)))
    params = {name: tuple(run.params.get(name) for run in runs) for name in names}
    return {name: values for name, values in params.items() if len(set(values)) > 1}


def _warnings(runs: Sequence[ComparedRun]) -> list[str]:
    if any("data_sha256" not in run.params for run in runs):
        return ["Not every run says which cohort it was judged on: numbers may not compare."]
    differing = [
        label
        for name, label in _SAME_DATA.items()
        if len({run.params.get(name) for run in runs}) > 1
    ]
    if not differing:
        return []
    return [f"The runs differ in {' and '.join(differing)}: their numbers are not comparable."]


def _runs_verdict(runs: Sequence[ComparedRun], warnings: Sequence[str]) -> str:
    if warnings:
        return (
            "No verdict: these runs were not evaluated on the same outcomes of the same athletes."
        )
    left_out = all("iecv_log_loss" in run.metrics for run in runs)
    name = "iecv_log_loss" if left_out else "log_loss"
    evaluated = [run for run in runs if name in run.metrics]
    if len(evaluated) < 2:
        return "No verdict: fewer than two of the runs have a log loss on held-out athletes."
    first, second = sorted(evaluated, key=lambda run: run.metrics[name])[:2]
    difference = second.metrics[name] - first.metrics[name]
    if difference == 0.0:
        return f"{_short_name(first)} and {_short_name(second)} have the same log loss."
    errors = [run.metrics.get(f"{name}_over_logistic_error") for run in (first, second)]
    names = _short_name(first), _short_name(second)
    where = text("training.verdict.left_out") if left_out else ""
    lower = f"{names[0]} has the lowest log loss{where}, {difference:.5f} below that of {names[1]}"
    if None in errors:
        return f"{lower}; the runs don't record whether that is more than chance."
    # Both were compared with the same logistic regression on the same rows. The error of a
    # difference is at most the sum of the errors of its parts, however they are correlated.
    most = sum(error for error in errors if error is not None)
    if difference > BEYOND_CHANCE * most:
        return f"{lower}, more than chance explains (standard error at most {most:.5f})."
    return f"{lower}; that may be chance (standard error at most {most:.5f})."


def _short_name(run: ComparedRun) -> str:
    return f"{run.version or run.name} ({run.run_id[:8]})"
