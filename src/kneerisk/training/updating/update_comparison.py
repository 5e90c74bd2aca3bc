"""Adapted, as is and from scratch, each judged on athletes of the club that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.splits import subset
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.task_rows import Risks, risks_of
from kneerisk.evaluation.verdict import log_loss_over
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress, event, ignore
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_inputs import dealt_folds
from kneerisk.training.updating.club_likelihood import club_of
from kneerisk.training.updating.model_updating import adapt_to

FOLDS = 5


def compared(
    model: RiskModel,
    cohort: Cohort,
    seeds: range,
    progress: Progress = ignore,
) -> dict[str, float]:
    """Metrics of grouped cross-validation, `cv_` before their names: the mean over fold seeds.

    The adapted model's own; `cv_as_is_` and `cv_scratch_` the same of the champion and of a model
    trained on the club alone (absent where a fold has too few outcomes for one). Everything that
    is chosen is chosen inside the folds. ``cv_log_loss_over_as_is``, with its ``_error``, is how
    much more log loss a row the adapted model has; below 0 it is better.
    """
    number, fits = count(1), FOLDS * len(seeds)

    def fold_begins() -> None:
        progress(event("cross_validation", number=next(number), total=fits))

    by_seed = [_judged(model, cohort, seed, fold_begins) for seed in seeds]
    shared = set[str]().union(*by_seed).intersection(*by_seed)
    return {f"cv_{name}": float(np.mean([one[name] for one in by_seed])) for name in sorted(shared)}


def _judged(
    model: RiskModel, cohort: Cohort, seed: int, fold_begins: Callable[[], None]
) -> dict[str, float]:
    club = club_of(model, cohort)
    fold = dealt_folds(club.athletes, club.labels, FOLDS, seed)
    as_is = risks_of(model.predict_features(club.legs))
    found: dict[str, list[Risks | None]] = {"adapted": [], "scratch": []}
    for number in range(FOLDS):
        fold_begins()
        rest, aside = fold != number, fold == number
        adapted = adapt_to(model, club.take(rest), seed).model
        legs = club.legs.take(aside)
        found["adapted"].append(risks_of(adapted.predict_features(legs)))
        found["scratch"].append(_from_scratch(subset(cohort, rest), subset(cohort, aside), seed))
    whole = {name: _together(parts, fold) for name, parts in found.items()}
    adapted_risks = whole["adapted"] or as_is
    others = {"as_is": as_is}
    if whole["scratch"] is not None:
        others["scratch"] = whole["scratch"]
    metrics = evaluate(cohort, adapted_risks, others).metrics
    return metrics | log_loss_over(cohort, adapted_risks, as_is, "as_is")


def _from_scratch(train: Cohort, test: Cohort, seed: int) -> Risks | None:
    try:
        return risks_of(fit(train, seed=seed, interval=False).model.predict(test.columns()))
    except CohortRefused:
        return None


def _together(parts: list[Risks | None], fold: np.ndarray) -> Risks | None:
    """The risks of all folds in the order of the screenings; None where one is missing."""
    found: dict[str, np.ndarray] = {}
    for number, part in enumerate(parts):
        if part is None:
            return None
        for name in ("left", "right", "either"):
            values = getattr(part, name)
            if values is not None:
                found.setdefault(name, np.full(len(fold), np.nan))[fold == number] = values
    return Risks(found.get("left"), found.get("right"), found.get("either"))
