"""The updated model, the champion as it is and a model from scratch, compared out of fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.knee_weeks import KneeWeeks
from kneerisk.cohort.splits import groups_of, subset
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.instability import Instability, measure_instability
from kneerisk.evaluation.internal_external_validation import OutOfFold, evaluate_out_of_fold
from kneerisk.evaluation.left_out_folds import Deal, Rows, predict_deals
from kneerisk.evaluation.task_rows import Risks, risks_of
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress, event, ignore
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_inputs import dealt_folds
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.updating.club_likelihood import Club, club_of
from kneerisk.training.updating.hazard_beside import NAME, HazardBeside
from kneerisk.training.updating.model_updating import update_for_club
from kneerisk.training.updating.widening import widened
from kneerisk.workers.this_process import Workers, in_this_process

FOLDS = 5


def compare_update(
    model: RiskModel,
    cohort: Cohort,
    seeds: range,
    progress: Progress = ignore,
    weeks: KneeWeeks | None = None,
    workers: Workers = in_this_process,
) -> OutOfFold:
    """Out-of-fold metrics of an update; everything is chosen inside the folds.

    Parameters
    ----------
    model
        The champion.
    cohort
        The club's whole cohort.
    seeds
        Of the folds by person; metrics are means over them.
    progress
        Called as each fold begins.
    weeks
        Of the cohort's screenings, in the same order, where follow-up was weekly.
    workers
        What does the fits.

    Returns
    -------
    `cv_` metrics of the updated model, `cv_as_is_` of the champion, `cv_scratch_` of a model
    trained on the club alone (absent where a fold has too few outcomes for one), `cv_prior_` and
    `cv_logistic_` of the base rate and a logistic regression of the club. `cv_log_loss_over_as_is`
    is how much more log loss a row the updated model has than the champion. With weeks,
    `cv_hazard_` is of the hazard by week. Where the club has groups, `iecv_` before the same names
    is of groups that were left out.
    """
    model = widened(model, cohort)
    club, groups = club_of(model, cohort), groups_of(cohort)
    hazard = None if weeks is None else HazardBeside.of(model, club, weeks)
    numbers = count(1)
    total = FOLDS * len(seeds) + (0 if groups is None else len(groups.names))
    compared = _Compared(model, cohort, club, hazard)

    def begins() -> None:
        progress(event("cross_validation", number=next(numbers), total=total))

    deals = [
        Deal(
            dealt_folds(club.athletes, club.labels, FOLDS, seed),
            partial(compared.update_and_predict, seed),
        )
        for seed in seeds
    ]
    by_seed = predict_deals(cohort, deals, workers, begins)
    shared = set[str]().union(*by_seed).intersection(*by_seed)
    by_person = {name: [risks[name] for risks in by_seed] for name in shared}
    of_groups = partial(compared.update_and_predict, seeds[0])
    found = evaluate_out_of_fold(cohort, by_person, of_groups, workers, begins)
    of_training = {} if hazard is None else hazard.training_metrics()
    return replace(found, metrics=found.metrics | of_training)


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """A champion, and the club that it is updated by."""

    model: RiskModel
    cohort: Cohort
    club: Club
    hazard: HazardBeside | None

    def update_and_predict(self, seed: int, train: Rows, test: Rows) -> dict[str, Risks | None]:
        """Risks of some screenings by each model, updated or fitted by the others."""
        updated = update_for_club(self.model, self.club.take(train), seed).model
        legs = self.club.legs.take(test)
        beside = {} if self.hazard is None else {NAME: self.hazard.predict(train, test)}
        return beside | {
            "model": risks_of(updated.predict_features(legs)),
            "as_is": risks_of(self.model.predict_features(legs)),
            "scratch": _from_scratch(subset(self.cohort, train), subset(self.cohort, test), seed),
        }


def refit_update(
    model: RiskModel,
    cohort: Cohort,
    updated: RiskModel,
    refits: int,
    progress: Progress = ignore,
    workers: Workers = in_this_process,
) -> Instability | None:
    """How far risks move when a champion is updated again on resampled athletes of a club.

    Parameters
    ----------
    model
        The champion.
    cohort
        The club's athletes that it was updated by.
    updated
        The updated model.
    refits
        How many times; each chooses its own correction.
    progress
        Called with the number of each.
    workers
        What does the updates.

    Returns
    -------
    The instability; None where nothing was refitted.
    """
    model = widened(model, cohort)
    club = club_of(model, cohort)

    prediction = updated.predict_features(club.legs)
    return measure_instability(
        cohort, prediction, partial(_update_again, model, club), refits,
        seed=SEED, progress=progress, workers=workers,
    )  # fmt: skip


def _update_again(model: RiskModel, club: Club, rows: NDArray[np.intp]) -> Risks:
    """The risks of a club by a model that is updated by some of its screenings."""
    again = update_for_club(model, club.take(rows), SEED).model
    return risks_of(again.predict_features(club.legs))


def _from_scratch(train: Cohort, test: Cohort, seed: int) -> Risks | None:
    try:
        return risks_of(fit(train, seed=seed, interval=False).model.predict(test.columns()))
    except CohortRefused:
        return None
