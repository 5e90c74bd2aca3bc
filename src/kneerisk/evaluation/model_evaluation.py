"""A fitted model against its baselines, its rivals and the oracle, on held-out athletes.

Every prediction is scored on the same rows, so that differences of log loss between two models are
paired. The oracle, where the cohort is simulated, is the lowest loss that any model could reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, oracle_of
from kneerisk.evaluation.baselines import fit_baselines
from kneerisk.evaluation.driver_ranking import drivers
from kneerisk.evaluation.evaluation import Evaluation, evaluate, interval_metrics
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.evaluation.verdict import log_loss_over, training_metrics
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress, ignore


def evaluate_model(
    model: RiskModel,
    train: Cohort,
    test: Cohort,
    truth: pd.DataFrame | None = None,
    *,
    seed: int,
    rivals: Mapping[str, RiskModel] | None = None,
    paired_with: tuple[str, ...] = ("logistic",),
    progress: Progress = ignore,
) -> Evaluation:
    """Evaluate a model on held-out athletes.

    Parameters
    ----------
    model
        The model, fitted to ``train``.
    train
        The athletes that the model and the baselines are fitted to.
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
    others = {
        name: baseline.predict(columns) for name, baseline in fit_baselines(train, seed).items()
    }
    others |= {name: risks_of(rival.predict(columns)) for name, rival in (rivals or {}).items()}
    oracle = oracle_of(test, FEWER_POINTS, progress)
    evaluation = evaluate(test, risks, others, truth, prediction.imbalances, oracle)
    for name in paired_with:
        evaluation = evaluation.with_metrics(log_loss_over(test, risks, others[name], name))
    evaluation = replace(evaluation, drivers=drivers(model, columns, evaluation.task_rows))
    return evaluation.with_metrics({
        **interval_metrics(prediction, truth),
        **training_metrics(train, risks_of(model.predict(train.columns()))),
    })  # fmt: skip
