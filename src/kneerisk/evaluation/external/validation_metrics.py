"""The metrics of an external validation: with intervals, beside baselines, ready to be pooled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.evaluation.baselines.baseline_design import Design
from kneerisk.evaluation.baselines.baselines import (
    CONFOUNDERS,
    MeasureBaseline,
    cross_validated_logistic,
)
from kneerisk.evaluation.calibration.calibration_metrics import last_weight
from kneerisk.evaluation.external.small_cells import is_large
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import log_loss_over, paired_difference
from kneerisk.evaluation.model_validation import training_prior
from kneerisk.evaluation.task_rows import (
    Risks,
    TaskRows,
    either_task,
    logit,
    own_task,
    which_limb_task,
)
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.model import Bundle

#: Of the model's own task; those of net benefit are given where no cell is small.
_OF_MODEL = ("auc", "log_loss", "brier", "calibration_slope", "integrated_calibration_index")
#: Of the baselines: what they are compared by.
_OF_BASELINES = ("auc", "auc_low", "auc_high", "log_loss")


def baselines(bundle: Bundle, cohort: Cohort) -> dict[str, Risks]:
    """What the model is compared with, by name.

    `logistic` and `prior` are of the cohort that the model was trained on; what is `refitted_` is
    fitted to this one, each athlete predicted by a fit without them: a logistic regression of all
    measures, and one of confounders alone.
    """
    columns = cohort.columns()
    trained = {"prior": training_prior(bundle.metadata).predict(columns)}
    if bundle.baseline is not None:
        logistic = MeasureBaseline.from_data(bundle.baseline).predict(columns)
        trained = {"logistic": logistic, **trained}
    return {
        **trained,
        "refitted_logistic": cross_validated_logistic(cohort),
        "refitted_control": cross_validated_logistic(cohort, Design(CONFOUNDERS, ())),
    }


def precise_metrics(rows: TaskRows) -> dict[str, float]:
    """The metrics of a model on some rows, with intervals and what pooling needs.

    Parameters
    ----------
    rows
        Of a task, with outcomes of both kinds.

    Returns
    -------
    By flat name. ``_error`` is a standard error: of the slope and the intercept themselves, of the
    AUC's logit (`auc_logit_error`), of the ratio's logarithm (`observed_to_expected_log_error`).
    """
    measured = measure(rows, "own")
    names = [f"{name}{end}" for name in _OF_MODEL for end in ("", "_low", "_high")]
    metrics = measure(rows, "counts") | {n: measured[n] for n in names if n in measured}
    observed, error = paired_difference(rows.outcome, rows.athlete, rows.weight)
    expected = rows.mean(rows.probability)
    metrics |= {"observed_share": observed, "expected_share": expected}
    if expected > 0.0:
        ratio, log_error = observed / expected, error / observed
        metrics |= {
            "observed_to_expected": ratio,
            "observed_to_expected_low": ratio * float(np.exp(-NORMAL_95 * log_error)),
            "observed_to_expected_high": ratio * float(np.exp(NORMAL_95 * log_error)),
            "observed_to_expected_log_error": log_error,
        }
    ones = np.ones((len(rows.outcome), 1))
    moved = last_weight(ones, rows.log_odds, rows.outcome, rows.athlete, rows.weights)
    if moved is not None:
        intercept, error = moved
        metrics |= {
            "calibration_intercept": intercept,
            "calibration_intercept_low": intercept - NORMAL_95 * error,
            "calibration_intercept_high": intercept + NORMAL_95 * error,
            "calibration_intercept_error": error,
        }
    if "calibration_slope_low" in metrics:
        width = metrics["calibration_slope_high"] - metrics["calibration_slope_low"]
        metrics["calibration_slope_error"] = width / (2.0 * NORMAL_95)
    if "auc_low" in metrics:
        low, high = logit(np.array([metrics["auc_low"], metrics["auc_high"]]))
        metrics["auc_logit_error"] = float(high - low) / (2.0 * NORMAL_95)
    return metrics


def other_tasks(cohort: Cohort, predicted: Risks) -> dict[str, float]:
    """Discrimination of either knee, and of which limb; no counts, which could be subtracted."""
    tasks = {
        "either": either_task(cohort, predicted),
        "which_limb": which_limb_task(cohort, predicted),
    }
    metrics: dict[str, float] = {}
    for name, rows in tasks.items():
        if rows is not None and is_large(rows):
            values = measure(rows, "either", f"{name}_")
            metrics |= {n: v for n, v in values.items() if n.startswith(f"{name}_auc")}
    return metrics


def baseline_metrics(
    cohort: Cohort, predicted: Risks, others: Mapping[str, Risks]
) -> dict[str, float]:
    """AUC and log loss of the baselines, and how much more log loss the model has than they.

    Parameters
    ----------
    cohort
        With the outcomes.
    predicted
        The model's risks.
    others
        Those of the baselines, by the name that their metrics begin with.

    Returns
    -------
    By flat name.
    """
    metrics: dict[str, float] = {}
    for name, risks in others.items():
        values = measure(own_task(cohort, risks), "own")
        metrics |= {f"{name}_{n}": values[n] for n in _OF_BASELINES if n in values}
        metrics |= log_loss_over(cohort, predicted, risks, name)
    return metrics
