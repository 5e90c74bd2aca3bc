"""Runs side by side: which is better at what, what they were made with, whether they compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from kneerisk.evaluation.verdict import BEYOND_CHANCE

Better = Literal["higher", "lower", "near 1", "near 0"]
#: What is compared, in the order of a reader's questions, and which way is better. A number
#: without a side (how many rows) only describes.
METRICS: Mapping[str, Better | None] = {
    "rows": None,
    "events": None,
    "log_loss": "lower",
    "brier": "lower",
    "auc": "higher",
    "which_limb_auc": "higher",
    "either_auc": "higher",
    "calibration_slope": "near 1",
    "calibration_intercept": "near 0",
    "integrated_calibration_index": "lower",
    "net_benefit_at_10_pct": "higher",
    "worst_slice_auc": "higher",
    "oracle_mae": "lower",
    "auc_below_oracle": "lower",
    "interval_coverage": None,
    "log_loss_over_logistic": "lower",
    "log_loss_over_champion": "lower",
    "train_log_loss": None,
    "train_auc": None,
    "cv_log_loss": "lower",
    "cv_auc": "higher",
    "cv_calibration_slope": "near 1",
    "cv_integrated_calibration_index": "lower",
}
#: Of the data, not of the model: where one of these differs, numbers don't compare.
_SAME: Mapping[str, str] = {
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
                {"run_id": run.run_id, "name": run.name, "alias": run.alias} for run in self.runs
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
    every
        Also metrics that describe parts: baselines, imbalances, slices.
    """
    names = [name for name in METRICS if any(name in run.metrics for run in runs)]
    if every:
        names += sorted(set().union(*(run.metrics for run in runs)) - set(names))
    warnings = tuple(_warnings(runs))
    rows = tuple(_row(name, runs, comparable=not warnings) for name in names)
    return Comparison(tuple(runs), rows, _differing(runs), warnings, _verdict(runs, warnings))


def _row(name: str, runs: Sequence[ComparedRun], *, comparable: bool) -> Row:
    better = METRICS.get(name)
    values = tuple(run.metrics.get(name) for run in runs)
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    best = None
    if comparable and better is not None and len({value for _, value in known}) > 1:
        distance = {"higher": lambda v: -v, "lower": lambda v: v,
                    "near 1": lambda v: abs(v - 1.0), "near 0": abs}[better]  # fmt: skip
        best = min(known, key=lambda one: distance(one[1]))[0]
    return Row(name, better, values, best)


def _differing(runs: Sequence[ComparedRun]) -> dict[str, tuple[str | None, ...]]:
    names = sorted(set().union(*(run.params for run in runs)))
    found = {name: tuple(run.params.get(name) for run in runs) for name in names}
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def _warnings(runs: Sequence[ComparedRun]) -> list[str]:
    if any("data_sha256" not in run.params for run in runs):
        return ["Not every run says which cohort it was judged on: numbers may not compare."]
    apart = [what for name, what in _SAME.items() if len({r.params.get(name) for r in runs}) > 1]
    if not apart:
        return []
    return [f"The runs differ in {' and '.join(apart)}: their numbers do not compare."]


def _verdict(runs: Sequence[ComparedRun], warnings: Sequence[str]) -> str:
    if warnings:
        return "No verdict: these runs were not judged on the same athletes' same outcomes."
    judged = [run for run in runs if "log_loss" in run.metrics]
    if len(judged) < 2:
        return "No verdict: fewer than two of the runs have a log loss on held-out athletes."
    first, second = sorted(judged, key=lambda run: run.metrics["log_loss"])[:2]
    apart = second.metrics["log_loss"] - first.metrics["log_loss"]
    if apart == 0.0:
        return f"{_called(first)} and {_called(second)} have the same log loss."
    errors = [run.metrics.get("log_loss_over_logistic_error") for run in (first, second)]
    lower = f"{_called(first)} has the lowest log loss, {apart:.5f} below that of {_called(second)}"
    if None in errors:
        return f"{lower}; the runs don't tell whether by more than chance."
    # Both were judged beside the same logistic regression on the same rows. The error of a
    # difference is at most the sum of the errors of its parts, whatever they have in common.
    most = sum(error for error in errors if error is not None)
    if apart > BEYOND_CHANCE * most:
        return f"{lower}: more than chance explains (standard error at most {most:.5f})."
    return f"{lower}; that may be chance (standard error at most {most:.5f})."


def _called(run: ComparedRun) -> str:
    return f"{run.name.partition(' ')[0]} ({run.run_id[:8]})"
