"""Internal-external validation: whole groups (years, sites, clubs) are left out, one at a time.

What a model learnt of the groups it has seen may not hold in the next. Where a cohort has groups,
metrics of risks for groups that were left out of the fit come first, `iecv_` before their names
(Steyerberg & Harrell 2016, J Clin Epidemiol 69:245, doi 10.1016/j.jclinepi.2015.04.005; Debray et
al. 2013, Stat Med 32:3158, doi 10.1002/sim.5732); those of folds by person, `cv_`, come second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import groups_of, subset
from kneerisk.evaluation.auc_bootstrap import BOOTSTRAP_SEED, bootstrap_auc
from kneerisk.evaluation.baselines.baseline_design import logistic_design
from kneerisk.evaluation.baselines.baselines import fit_logistic, fit_prior
from kneerisk.evaluation.evaluation import Evaluation, cross_validated, evaluate
from kneerisk.evaluation.left_out_folds import FitAndPredict, Rows, predict_left_out
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import log_loss_over
from kneerisk.evaluation.run_verdict import SLOPE_LOW
from kneerisk.evaluation.slices import Slice
from kneerisk.evaluation.task_rows import Risks, own_task
from kneerisk.workers.this_process import Workers, in_this_process

#: Before the metrics of left-out groups.
LEFT_OUT = "iecv_"
#: Of each group, what is repeated as the lowest and the highest over the groups.
_SPREAD = ("auc", "calibration_slope", "calibration_intercept")
_BASELINE_SEED = 0
#: The reason of a model that holds among people of the groups it has seen and not in others.
DOES_NOT_TRAVEL = "does_not_travel"
#: How far the level may be off, in log-odds (assumption: 0.8 to 1.25 times as many as predicted,
#: the limits of the slope), and in a single group (assumption: twice or half the odds).
INTERCEPT_LIMIT, GROUP_INTERCEPT_LIMIT = 0.22, 0.69


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Metrics of out-of-fold risks.

    Attributes
    ----------
    metrics
        `iecv_` of left-out groups where the cohort has them, `cv_` of folds by person.
    groups
        The left-out groups, each with its own metrics.
    worst_slice
        Where the model ranks worst in left-out groups.
    """

    metrics: dict[str, float]
    groups: tuple[Slice, ...] = ()
    worst_slice: Slice | None = None

    def beside(self, evaluation: Evaluation) -> Evaluation:
        """An evaluation of held-out athletes with these metrics as well."""
        return replace(
            evaluation.with_metrics(self.metrics),
            groups=self.groups,
            worst_left_out=self.worst_slice,
        )


def evaluate_out_of_fold(
    cohort: Cohort,
    by_person: Mapping[str, Sequence[Risks]],
    fit_and_predict: FitAndPredict,
    workers: Workers = in_this_process,
    begins: Callable[[], None] = lambda: None,
) -> OutOfFold:
    """Metrics of left-out groups, then of folds by person.

    Parameters
    ----------
    cohort
        The whole cohort.
    by_person
        Out-of-fold risks of `model` and of others beside it, one for each deal of folds.
    fit_and_predict
        Gives risks of the same names for left-out groups; not called where there are no groups.
    workers
        What fits to the other groups.
    begins
        Called as each group begins.

    Returns
    -------
    Beside the model, those of the base rate and of a logistic regression of the same folds (by
    person, of the first deal), and how much more log loss the model has.
    """
    metrics: dict[str, float] = {}
    if by_person:
        others = {name: deals for name, deals in by_person.items() if name != "model"}
        metrics = cross_validated(cohort, by_person["model"], others)
        baselines = _baselines(cohort, by_person["model"][0], workers)
        first = cross_validated(
            cohort, by_person["model"][:1], {name: [each] for name, each in baselines.items()}
        )
        metrics = first | metrics
    groups = groups_of(cohort)
    if groups is None:
        return OutOfFold(metrics)
    risks = predict_left_out(cohort, groups.code, fit_and_predict, workers, begins)
    model = risks.pop("model")
    risks |= _baselines(cohort, model, workers)
    evaluation = evaluate(cohort, model, risks)
    left_out = dict(evaluation.metrics)
    for name, other in risks.items():
        left_out |= log_loss_over(cohort, model, other, name)
    rows = evaluation.task_rows
    parts = tuple(
        Slice("group", name, measure(rows.take(groups.code[rows.screening] == code), "slice"))
        for code, name in enumerate(groups.names)
    )
    left_out |= _spread(parts)
    if by_person:
        left_out |= _auc_lost(cohort, by_person["model"][0], model)
    prefixed = {f"{LEFT_OUT}{name}": value for name, value in left_out.items()}
    prefixed |= metrics
    prefixed["does_not_travel"] = float(bool(travel_faults(prefixed)))
    return OutOfFold(prefixed, parts, evaluation.worst_slice)


def _baselines(cohort: Cohort, model: Risks, workers: Workers) -> dict[str, Risks]:
    """The base rate and a logistic regression, fitted and predicted in the model's own folds."""
    if model.fold is None:
        return {}
    return predict_left_out(cohort, model.fold, partial(_fit_baselines, cohort), workers)


def _fit_baselines(cohort: Cohort, train: Rows, test: Rows) -> dict[str, Risks]:
    known, data = subset(cohort, train), subset(cohort, test).columns()
    logistic = fit_logistic(known, logistic_design(), _BASELINE_SEED)
    return {"logistic": logistic.predict(data), "prior": fit_prior(known).predict(data)}


def _spread(groups: Sequence[Slice]) -> dict[str, float]:
    """How many groups, and the lowest and highest of their metrics."""
    metrics = {"groups": float(len(groups))}
    for name in _SPREAD:
        # Of the lowest the upper limit shows how low it is at least, of the highest the lower one.
        for extreme, label, limit in ((min, "lowest", "high"), (max, "highest", "low")):
            for suffix in ("", f"_{limit}"):
                values = [group.metrics.get(f"{name}{suffix}") for group in groups]
                known = [value for value in values if value is not None]
                if known:
                    metrics[f"{label}_group_{name}{suffix}"] = extreme(known)
    return metrics


def _auc_lost(cohort: Cohort, by_person: Risks, by_group: Risks) -> dict[str, float]:
    """AUC by person less AUC with groups left out, over the same resamples of athletes."""
    person, group = (own_task(cohort, risks) for risks in (by_person, by_group))
    lost = bootstrap_auc(person, BOOTSTRAP_SEED) - bootstrap_auc(group, BOOTSTRAP_SEED)
    lost = lost[np.isfinite(lost)]
    if len(lost) == 0:
        return {}
    low, high = np.quantile(lost, [0.025, 0.975])
    return {"auc_lost_low": float(low), "auc_lost_high": float(high)}


def travel_faults(metrics: Mapping[str, float]) -> tuple[str, ...]:
    """In what a model fails with groups left out although it does not among people alone.

    Parameters
    ----------
    metrics
        By flat name, `iecv_` of left-out groups and `cv_` of folds by person.

    Returns
    -------
    `backwards` (in a group the AUC is shown to be below 0.5), `chance` (over all groups it is not
    shown to be above), `slope` (too low, where by person it is not), `log_loss` (more than the
    base rate's, beyond one standard error).
    """

    def left_out(name: str, default: float) -> float:
        return metrics.get(f"{LEFT_OUT}{name}", default)

    slope, by_person = left_out("calibration_slope", 1.0), metrics.get("cv_calibration_slope", 1.0)
    faults = {
        "backwards": left_out("lowest_group_auc_high", 1.0) < 0.5,
        "chance": left_out("auc_low", 1.0) <= 0.5,
        "slope": slope < SLOPE_LOW <= by_person,
        "log_loss": left_out("log_loss_over_prior", 0.0)
        > left_out("log_loss_over_prior_error", 0.0),
    }
    return tuple(name for name, fails in faults.items() if fails)


def off_in_a_group(metrics: Mapping[str, float]) -> bool:
    """Whether in a left-out group risks are shown to be off by more than twice or half the odds."""
    lowest = metrics.get(f"{LEFT_OUT}lowest_group_calibration_intercept_high", 0.0)
    highest = metrics.get(f"{LEFT_OUT}highest_group_calibration_intercept_low", 0.0)
    return lowest < -GROUP_INTERCEPT_LIMIT or highest > GROUP_INTERCEPT_LIMIT
