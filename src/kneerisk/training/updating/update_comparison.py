"""The updated model, the champion as it is and a model from scratch, compared out of fold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.splits import subset
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.comparison import log_loss_over
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.task_rows import Risks, risks_of
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress, event, ignore
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_inputs import dealt_folds
from kneerisk.training.updating.club_likelihood import club_of
from kneerisk.training.updating.model_updating import update_for_club

FOLDS = 5


def compare_update(
    model: RiskModel, cohort: Cohort, seeds: range, progress: Progress = ignore
) -> dict[str, float]:
    """Metrics of cross-validation over athletes; everything is chosen inside the folds.

    Parameters
    ----------
    model
        The champion.
    cohort
        The club's whole cohort.
    seeds
        Of the folds; metrics are means over them.
    progress
        Called as each fold begins.

    Returns
    -------
    `cv_` metrics of the updated model, `cv_as_is_` of the champion and `cv_scratch_` of a model
    trained on the club alone (absent where a fold has too few outcomes for one).
    ``cv_log_loss_over_as_is``, with its ``_error``, is how much more log loss a row the updated
    model has than the champion; below 0 it is better.
    """
    number, fits = count(1), FOLDS * len(seeds)

    def fold_begins() -> None:
        progress(event("cross_validation", number=next(number), total=fits))

    by_seed = [_cross_validate(model, cohort, seed, fold_begins) for seed in seeds]
    shared = set[str]().union(*by_seed).intersection(*by_seed)
    return {
        f"cv_{name}": float(np.mean([metrics[name] for metrics in by_seed]))
        for name in sorted(shared)
    }


def _cross_validate(
    model: RiskModel, cohort: Cohort, seed: int, fold_begins: Callable[[], None]
) -> dict[str, float]:
    club = club_of(model, cohort)
    fold = dealt_folds(club.athletes, club.labels, FOLDS, seed)
    as_is = risks_of(model.predict_features(club.legs))
    by_fold: dict[str, list[Risks | None]] = {"updated": [], "scratch": []}
    for number in range(FOLDS):
        fold_begins()
        train, test = fold != number, fold == number
        updated = update_for_club(model, club.take(train), seed).model
        by_fold["updated"].append(risks_of(updated.predict_features(club.legs.take(test))))
        by_fold["scratch"].append(_from_scratch(subset(cohort, train), subset(cohort, test), seed))
    out_of_fold = {name: _join_folds(risks, fold) for name, risks in by_fold.items()}
    updated_risks = out_of_fold["updated"] or as_is
    others = {"as_is": as_is}
    if out_of_fold["scratch"] is not None:
        others["scratch"] = out_of_fold["scratch"]
    metrics = evaluate(cohort, updated_risks, others).metrics
    return metrics | log_loss_over(cohort, updated_risks, as_is, "as_is")


def _from_scratch(train: Cohort, test: Cohort, seed: int) -> Risks | None:
    try:
        return risks_of(fit(train, seed=seed, interval=False).model.predict(test.columns()))
    except CohortRefused:
        return None


def _join_folds(by_fold: list[Risks | None], fold: np.ndarray) -> Risks | None:
    """The risks of all folds in the order of the screenings; None where one is missing."""
    joined: dict[str, np.ndarray] = {}
    for number, risks in enumerate(by_fold):
        if risks is None:
            return None
        for task in ("left", "right", "either"):
            values = getattr(risks, task)
            if values is not None:
                joined.setdefault(task, np.full(len(fold), np.nan))[fold == number] = values
    return Risks(joined.get("left"), joined.get("right"), joined.get("either"))
