"""A run's verdict, and runs side by side.

The verdict is one line: better or worse than what the model must beat, calibrated or not. A
comparison of runs says which is better at what, what they were made with, whether they compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from kneerisk.evaluation.metric_table import Better, View, listed
from kneerisk.words import text, variant

#: What a calibration slope may be (assumption: wide enough for chance, narrow enough that a
#: stated 20 % is not really 10 % or 30 %).
SLOPE_LOW, SLOPE_HIGH = 0.8, 1.25
#: A difference beyond so many standard errors is more than chance (a 95 % interval).
BEYOND_CHANCE = 1.96
#: Whom a run is compared with: the metric of its log loss over that model (with its ``_error``),
#: and what that model is called.
_RIVALS = (
    ("log_loss_over_champion", "the champion"),
    ("cv_log_loss_over_as_is", "the champion as it is"),
    ("log_loss_over_logistic", "logistic regression"),
)
#: The same where whole groups were left out, which then counts.
_RIVALS_OF_GROUPS = (
    ("log_loss_over_champion", "the champion"),
    ("iecv_log_loss_over_as_is", "the champion as it is"),
    ("iecv_log_loss_over_logistic", "logistic regression"),
)
#: The lists of a comparison, in the order of a reader's questions, and what stands before the name
#: of a metric in each.
_LISTS: tuple[tuple[View, str], ...] = (
    ("compared_cv", "iecv_"),
    ("compared", ""),
    ("compared_train", "train_"),
    ("compared_cv", "cv_"),
)
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
    return f"{run.name.partition(' ')[0]} ({run.run_id[:8]})"


def verdict(metrics: Mapping[str, float]) -> str:
    """One line: whether it travels, how it stands to champion and logistic regression; calibration.

    Where whole groups were left out, all but the comparison with the champion is about these.
    """
    in_groups = "does_not_travel" in metrics
    clauses = [_travel(metrics)] if in_groups else []
    clauses += [
        _against(metrics[name], metrics[f"{name}_error"], rival)
        for name, rival in (_RIVALS_OF_GROUPS if in_groups else _RIVALS)
        if name in metrics and f"{name}_error" in metrics
    ]
    clauses.append(calibration_in_words(metrics))
    if "instability_mape" in metrics:
        points = f"{100.0 * metrics['instability_mape']:.1f}"
        refits = f"{metrics['instability_refits']:.0f}"
        clauses.append(text("training.verdict.instability", points=points, refits=refits))
    line = "; ".join(clauses)
    return f"{line[:1].upper()}{line[1:]}."


def _travel(metrics: Mapping[str, float]) -> str:
    aucs = {
        place: f"{metrics[name]:.2f}" if name in metrics else "?"
        for place, name in (("left_out", "iecv_auc"), ("by_person", "cv_auc"))
    }
    key = "does_not_travel" if metrics["does_not_travel"] else "travels"
    return variant("training.verdict.travel", key, **aucs, groups=f"{metrics['iecv_groups']:.0f}")


def _against(more: float, error: float, rival: str) -> str:
    difference = f"{abs(more):.4f} {'lower' if more < 0.0 else 'higher'}"
    numbers = f"(log loss {difference}, standard error {error:.4f})"
    if abs(more) <= BEYOND_CHANCE * error:
        return f"no clear difference from {rival} {numbers}"
    return f"{'better' if more < 0.0 else 'worse'} than {rival} {numbers}"


def calibration_in_words(metrics: Mapping[str, float]) -> str:
    """Whether stated risks come true, as far as the slope's 95 % interval tells.

    Read from groups that were left out; where there are none, from held-out athletes or from
    cross-validation, wherever the interval is narrower.
    """
    places = ("iecv_",) if "does_not_travel" in metrics else ("", "cv_")
    prefixes = [prefix for prefix in places if f"{prefix}calibration_slope_low" in metrics]
    if not prefixes:
        return "calibration can't be measured: too few outcomes"
    limits = {
        prefix: tuple(metrics[f"{prefix}calibration_slope{end}"] for end in ("_low", "_high"))
        for prefix in prefixes
    }
    prefix = min(prefixes, key=lambda name: limits[name][1] - limits[name][0])
    low, high = limits[prefix]
    slope = metrics[f"{prefix}calibration_slope"]
    numbers = f"slope {slope:.2f}, {low:.2f} to {high:.2f}"
    numbers += {"cv_": ", cross-validated", "iecv_": text("training.verdict.left_out")}.get(
        prefix, ""
    )
    if low >= SLOPE_LOW and high <= SLOPE_HIGH:
        return f"calibrated ({numbers})"
    if low <= 1.0 <= high:
        return f"calibration uncertain ({numbers})"
    way = "too far apart" if slope < 1.0 else "too close together"
    if high > SLOPE_LOW and low < SLOPE_HIGH:
        return f"risks {way}, by an uncertain amount ({numbers})"
    return f"not calibrated, risks {way} ({numbers})"
