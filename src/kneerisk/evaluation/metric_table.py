"""The table of metrics: name, label, which way is better, what computes it, how it is written.

Whatever lists metrics reads it: the evaluation, slices, the comparison of runs, the card, printed
tables, plots. To add a metric, write a function of `TaskRows` and give it a row in `METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from kneerisk.evaluation.auc_bootstrap import auc_interval
from kneerisk.evaluation.calibration.calibration_metrics import (
    calibration_intercept,
    calibration_intercept_interval,
    calibration_slope,
    calibration_slope_interval,
    integrated_calibration_index,
)
from kneerisk.evaluation.decision_curves import (
    THRESHOLDS,
    WORKLOADS,
    net_benefit,
    net_benefit_over_default,
    net_benefit_over_default_interval,
    top_precision,
    top_sensitivity,
    treat_all_net_benefit,
)
from kneerisk.evaluation.metrics import (
    auc,
    brier,
    brier_reliability,
    brier_resolution,
    brier_uncertainty,
    log_loss,
)
from kneerisk.evaluation.task_rows import TaskRows

Better = Literal["higher", "lower", "near 1", "near 0"]
#: Rows that a metric is measured on. `counts`: the model's own rows, once; `own`: the same of the
#: model, of every baseline and of the oracle; `train`: of the athletes that it was fitted to.
Task = Literal["counts", "own", "either", "which_limb", "imbalance", "slice", "train"]
#: Where a metric is listed: in the comparison of runs (of held-out athletes, of those trained on,
#: of cross-validation), in the table that a command prints, in the card's tables by model and by
#: slice.
View = Literal["compared", "compared_train", "compared_cv", "printed", "card", "card_slices"]
Tasks: TypeAlias = frozenset[Task]
Views: TypeAlias = frozenset[View]
EVERY_TASK: Tasks = frozenset({"own", "either", "which_limb", "imbalance", "slice", "train"})
EVERY_VIEW: Views = frozenset(
    {"compared", "compared_train", "compared_cv", "printed", "card", "card_slices"}
)
NOT_LISTED: Views = frozenset()
COMPARED: Views = frozenset({"compared"})
_COUNTED: Tasks = frozenset({"counts", "slice"})
_IN_SLICES: Tasks = frozenset({"slice"})
_UNSEEN: Tasks = EVERY_TASK - {"train"}
_OWN: Tasks = frozenset({"own", "slice"})
_EITHER: Tasks = frozenset({"either", "slice"})


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes
    ----------
    name
        The flat name in JSON, MLflow, card and docs.
    label
        For people.
    better
        Which way is better; None where the number only describes.
    compute
        Measures it; None where it is not a metric of rows (a comparison with another model, say)
        and `evaluation` or `verdict` adds it under its name.
    interval
        Limits of its 95 % interval, whose names are `<name>_low` and `<name>_high`.
    digits
        After the point.
    heading
        Above a narrow column, where the label is too long.
    measured_on
        Tasks.
    listed_in
        Views.
    """

    name: str
    label: str
    better: Better | None
    compute: Callable[[TaskRows], float | None] | None = None
    interval: Callable[[TaskRows], tuple[float, float] | None] | None = None
    _: KW_ONLY
    digits: int = 4
    heading: str = ""
    measured_on: Tasks = EVERY_TASK
    listed_in: Views = EVERY_VIEW

    @property
    def column(self) -> str:
        """The heading of a narrow column."""
        return self.heading or self.label

    def text(self, metrics: Mapping[str, float], prefix: str = "") -> str:
        """The value as text, with its interval where it has one.

        Parameters
        ----------
        metrics
            Values by flat name.
        prefix
            Before the name: of a baseline, a task, cross-validation.

        Returns
        -------
        Such as `0.653 (0.610 to 0.695)`, or `not measurable`.
        """
        name = f"{prefix}{self.name}"
        if name not in metrics:
            return "not measurable"
        ends = [metrics.get(f"{name}_{end}") for end in ("low", "high")]
        value, low, high = (
            "" if number is None else f"{number:.{self.digits}f}"
            for number in (metrics[name], *ends)
        )
        return f"{value} ({low} to {high})" if low and high else value


def _n_rows(rows: TaskRows) -> float:
    return float(len(rows.outcome))


def _n_events(rows: TaskRows) -> float:
    return float(rows.outcome.sum())


def _effective_events(rows: TaskRows) -> float | None:
    return None if rows.weight is None else rows.effective_outcomes[0]


def _effective_non_events(rows: TaskRows) -> float | None:
    return None if rows.weight is None else rows.effective_outcomes[1]


def _n_athletes(rows: TaskRows) -> float:
    return float(len(np.unique(rows.athlete)))


def _observed_share(rows: TaskRows) -> float:
    return rows.mean(rows.outcome)


def _expected_share(rows: TaskRows) -> float:
    return rows.mean(rows.probability)


def _observed_to_expected(rows: TaskRows) -> float | None:
    expected = _expected_share(rows)
    return _observed_share(rows) / expected if expected > 0.0 else None


def _pct(share: float) -> str:
    return f"{share:.0%}".replace("%", "_pct")


#: In the order in which they are listed.
METRICS: tuple[Metric, ...] = (
    Metric("rows", "rows", None, _n_rows, digits=0, measured_on=_COUNTED, listed_in=COMPARED),
    Metric("events", "with pain", None, _n_events, digits=0, measured_on=_COUNTED,
           listed_in=COMPARED),
    Metric("effective_events", "effective with pain", None, _effective_events, digits=0,
           measured_on=_COUNTED, listed_in=COMPARED),
    Metric("effective_non_events", "effective without pain", None, _effective_non_events, digits=0,
           measured_on=_COUNTED, listed_in=NOT_LISTED),
    Metric("athletes", "athletes", None, _n_athletes, digits=0, measured_on=_COUNTED,
           listed_in=NOT_LISTED),
    Metric("observed_share", "observed share", None, _observed_share, measured_on=_IN_SLICES,
           listed_in=NOT_LISTED),
    Metric("expected_share", "predicted share", None, _expected_share, measured_on=_IN_SLICES,
           listed_in=NOT_LISTED),
    Metric("observed_to_expected", "observed to predicted", "near 1", _observed_to_expected,
           digits=2, measured_on=_IN_SLICES, listed_in=frozenset({"card_slices"})),
    Metric("auc", "AUC", "higher", auc, auc_interval, digits=3),
    Metric("log_loss", "log loss", "lower", log_loss),
    Metric("brier", "Brier", "lower", brier,
           listed_in=EVERY_VIEW - {"compared_train", "compared_cv"}),
    Metric("brier_reliability", "Brier reliability", "lower", brier_reliability,
           measured_on=_UNSEEN, listed_in=NOT_LISTED),
    Metric("brier_resolution", "Brier resolution", "higher", brier_resolution,
           measured_on=_UNSEEN, listed_in=NOT_LISTED),
    Metric("brier_uncertainty", "Brier uncertainty", None, brier_uncertainty,
           measured_on=_UNSEEN, listed_in=NOT_LISTED),
    Metric("calibration_slope", "calibration slope", "near 1", calibration_slope,
           calibration_slope_interval, digits=2, heading="slope",
           listed_in=EVERY_VIEW - {"compared_train"}),
    Metric("calibration_intercept", "intercept", "near 0", calibration_intercept,
           calibration_intercept_interval, digits=2,
           listed_in=frozenset({"compared", "card"})),
    Metric("integrated_calibration_index", "calibration index", "lower",
           integrated_calibration_index, heading="ICI",
           listed_in=EVERY_VIEW - {"compared_train", "card_slices"}),
    Metric("which_limb_auc", "AUC of which limb hurts", "higher", digits=3, heading="which limb",
           listed_in=frozenset({"compared", "printed"})),
    Metric("either_auc", "AUC of either knee", "higher", digits=3, listed_in=COMPARED),
    *(
        Metric(f"net_benefit_at_{_pct(risk)}", f"net benefit at {risk:.0%}", "higher",
               partial(net_benefit, threshold=risk), measured_on=_OWN,
               listed_in=COMPARED if risk == 0.10 else NOT_LISTED)
        for risk in THRESHOLDS
    ),
    *(
        Metric(f"treat_all_net_benefit_at_{_pct(risk)}", f"net benefit at {risk:.0%} of treating "
               "everyone", None, partial(treat_all_net_benefit, threshold=risk), measured_on=_OWN,
               listed_in=NOT_LISTED)
        for risk in THRESHOLDS
    ),
    *(
        Metric(f"precision_top_{_pct(share)}", f"precision in the top {share:.0%}", "higher",
               partial(top_precision, share=share), measured_on=_EITHER, listed_in=NOT_LISTED)
        for share in WORKLOADS
    ),
    *(
        Metric(f"sensitivity_top_{_pct(share)}", f"sensitivity of the top {share:.0%}", "higher",
               partial(top_sensitivity, share=share), measured_on=_EITHER, listed_in=NOT_LISTED)
        for share in WORKLOADS
    ),
    Metric("does_not_travel", "does not travel to groups that were left out", "near 0", digits=0,
           listed_in=COMPARED),
    Metric("net_benefit_over_default", "net benefit over treating all or none, where it is lowest",
           "higher", net_benefit_over_default, net_benefit_over_default_interval,
           measured_on=frozenset({"counts"}), listed_in=NOT_LISTED),
    Metric("worst_slice_auc", "AUC in the worst slice", "higher", digits=3, listed_in=COMPARED),
    Metric("oracle_mae", "mean distance from the oracle's risk", "lower", listed_in=COMPARED),
    Metric("auc_below_oracle", "AUC below the oracle's", "lower", listed_in=COMPARED),
    Metric("interval_coverage", "coverage of the 90 % interval", None, listed_in=COMPARED),
    Metric("instability_mape", "mean change of a risk over refits", "lower", listed_in=COMPARED),
    Metric("instability_outside_interval", "refitted risks outside the 90 % interval", None,
           listed_in=COMPARED),
    Metric("log_loss_over_logistic", "log loss over logistic regression", "lower",
           listed_in=COMPARED),
    Metric("log_loss_over_champion", "log loss over the champion", "lower", listed_in=COMPARED),
)  # fmt: skip


def listed(view: View) -> tuple[Metric, ...]:
    """The metrics of a view, in the order of the table."""
    return tuple(metric for metric in METRICS if view in metric.listed_in)


def metric_named(name: str) -> Metric:
    """The metric of a name without prefix; a `KeyError` where there is none."""
    return {metric.name: metric for metric in METRICS}[name]


def measure(rows: TaskRows, task: Task, prefix: str = "") -> dict[str, float]:
    """Every metric of a task that can be measured.

    Parameters
    ----------
    rows
        Of the task; of none, only counts are measured.
    task
        Which metrics there are.
    prefix
        Before each name.

    Returns
    -------
    Values by flat name, with `_low` and `_high` for the limits of an interval.
    """
    values: dict[str, float] = {}
    for metric in METRICS:
        if task not in metric.measured_on or metric.compute is None:
            continue
        if len(rows.outcome) == 0 and task != "counts":
            continue
        name, value = f"{prefix}{metric.name}", metric.compute(rows)
        if value is None:
            continue
        values[name] = value
        # Of the athletes trained on, only what shows chance that was learnt: no interval.
        limits = metric.interval(rows) if metric.interval and task != "train" else None
        if limits is not None:
            values |= {f"{name}_low": limits[0], f"{name}_high": limits[1]}
    return values
