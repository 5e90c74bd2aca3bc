"""Internal and external validation of a model, against baselines and the oracle.

Internal: a model just fitted, on held-out athletes, with its rivals; every prediction is scored on
the same rows, so that differences of log loss are paired. External: a released model on a cohort
that it was not fitted to, beside a logistic regression and the base rate of the cohort that it was
trained on, which travel in its bundle. A logistic regression refitted to the judged cohort, by
cross-validation over athletes, is shown apart: what a club would get from its own data alone. The
oracle of a simulated cohort is the lowest loss that any model can reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, oracle_of
from kneerisk.cohort.splits import subset
from kneerisk.evaluation.baselines.baselines import (
    MeasureBaseline,
    PriorBaseline,
    cross_validated_logistic,
    fit_baselines,
)
from kneerisk.evaluation.driver_ranking import drivers
from kneerisk.evaluation.evaluation import Evaluation, evaluate, interval_metrics
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import log_loss_over
from kneerisk.evaluation.task_rows import Risks, own_task, risks_of
from kneerisk.model import Bundle, Metadata
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress, event, ignore

#: Training screenings that baselines are fitted to (assumption): a logistic regression of some 200
#: columns gains nothing from more, and would take longer than the model.
MOST_TRAINING = 50_000


def evaluate_model(
    model: RiskModel,
    train: Cohort,
    test: Cohort,
    truth: pd.DataFrame | None = None,
    *,
    seed: int,
    rivals: Mapping[str, RiskModel] | None = None,
    paired_with: tuple[str, ...] = ("logistic", "prior"),
    train_features: FeatureMatrix | None = None,
    progress: Progress = ignore,
) -> Evaluation:
    """Evaluate a model on held-out athletes.

    Parameters
    ----------
    model
        The model, fitted to ``train``.
    train
        The athletes that the model is fitted to; the baselines are fitted to the first
        `MOST_TRAINING` of them, which the ``train_`` metrics are of too.
    test
        The held-out athletes.
    truth
        Of a simulated cohort, the true risks and imbalances of ``test``, one row a screening.
    seed
        Of the baselines' folds.
    rivals
        Other models, by the name that their metrics begin with, such as ``defaults``.
    paired_with
        The baselines and rivals whose log loss is subtracted from the model's, row by row.
    train_features
        What the model reads of the first `MOST_TRAINING` of ``train``, where the fit has built it.
    progress
        Called with what is being done.

    Returns
    -------
    Evaluation
        Metrics of the model, the baselines, the rivals and the oracle; ``train_`` metrics are of
        the athletes that the model was fitted to.
    """
    columns = test.columns()
    prediction = model.predict(columns)
    risks = risks_of(prediction)
    train = subset(train, np.arange(len(train.frame)) < MOST_TRAINING)
    # Neither needs the other, and the baselines are mostly linear algebra, which lets others run.
    with ThreadPoolExecutor(1) as beside:
        fitted = beside.submit(copy_context().run, fit_baselines, train, seed)
        oracle = oracle_of(test, FEWER_POINTS, progress)
        baselines = fitted.result()
    others = {name: baseline.predict(columns) for name, baseline in baselines.items()}
    others |= {name: risks_of(rival.predict(columns)) for name, rival in (rivals or {}).items()}
    evaluation = evaluate(test, risks, others, truth, prediction.imbalances, oracle)
    for name in paired_with:
        evaluation = evaluation.with_metrics(log_loss_over(test, risks, others[name], name))
    logistic = baselines["logistic"]
    if train_features is None:
        train_features = model.features(train.columns())
    evaluation = replace(
        evaluation,
        drivers=drivers(model, columns, evaluation.task_rows),
        baseline=logistic.as_data() if isinstance(logistic, MeasureBaseline) else None,
    )
    return evaluation.with_metrics({
        **interval_metrics(prediction, truth),
        **training_metrics(train, risks_of(model.risks(train_features))),
    })  # fmt: skip


def training_metrics(cohort: Cohort, model: Risks) -> dict[str, float]:
    """The main metrics on the athletes that the model was fitted to, `train_` before their names.

    Far better than on held-out athletes means that it learnt chance.
    """
    return measure(own_task(cohort, model), "train", "train_")


def validate(
    bundle: Bundle,
    cohort: Cohort,
    truth: pd.DataFrame | None,
    progress: Progress = ignore,
) -> Evaluation:
    """Evaluate a released model on a cohort.

    Parameters
    ----------
    bundle
        The released model.
    cohort
        Athletes with outcomes; none of them should be among those that the model was fitted to.
    truth
        Of a simulated cohort, the true risks and imbalances, one row a screening.
    progress
        Called with what is being done.

    Returns
    -------
    Metrics of the model, both baselines and the oracle, and of the intervals.
    """
    progress(event("predicting"))
    columns = cohort.columns()
    prediction = bundle.model.predict(columns)
    progress(event("fitting_baselines"))
    baselines = {
        "prior": training_prior(bundle.metadata).predict(columns),
        "refitted_logistic": cross_validated_logistic(cohort),
    }
    if bundle.baseline is not None:
        logistic = MeasureBaseline.from_data(bundle.baseline).predict(columns)
        baselines = {"logistic": logistic, **baselines}
    oracle = oracle_of(cohort, FEWER_POINTS, progress)
    progress(event("evaluating"))
    evaluation = evaluate(
        cohort, risks_of(prediction), baselines, truth, prediction.imbalances, oracle
    )
    return evaluation.with_metrics(interval_metrics(prediction, truth))


def training_prior(metadata: Metadata) -> PriorBaseline:
    """The base rate of the athletes that the model was trained on, for everyone."""
    rates = metadata.base_rates.get("all", {})
    return PriorBaseline(leg=rates.get("leg"), either=rates.get("either"))


def metrics_by_task(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as plain data, its metrics grouped by the task that they measure."""
    tasks: dict[str, dict[str, float]] = {"risk": {}}
    for name, value in evaluation.metrics.items():
        tasks.setdefault(_task(name), {})[name] = value
    return {**evaluation.as_dict(), "metrics": tasks}


def _task(metric: str) -> str:
    if "which_limb" in metric:
        return "which_limb"
    if "imbalance_" in metric:
        return "imbalances"
    unprefixed = metric.removeprefix("refitted_").removeprefix("logistic_").removeprefix("prior_")
    return "oracle" if unprefixed.startswith(("oracle_", "true_", "auc_below")) else "risk"
