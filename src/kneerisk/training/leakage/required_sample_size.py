"""The sample size that a model needs: the criteria of Riley et al.

Riley et al. 2019, Stat Med 38:1276, doi 10.1002/sim.7992; Riley et al. 2020, BMJ 368:m441,
doi 10.1136/bmj.m441: (1) predictors' effects shrink by at most a tenth, (2) the optimism of
Nagelkerke's R2 is at most 0.05, (3) the overall risk is known to within 0.05.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, log, sqrt

import numpy as np
from scipy.special import ndtri, xlogy

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.row_weights import effective_outcomes
from kneerisk.evidence import assumption
from kneerisk.evidence.normal_points import PUBLISHED_95
from kneerisk.schema import Category, athlete_measures, leg_measures
from kneerisk.training.fitting.fit_columns import LEAST_SHARE
from kneerisk.words import text

#: The limits of the three criteria, as Riley et al. recommend them.
SHRINKAGE, OPTIMISM, PRECISION = 0.9, 0.05, 0.05
#: With fewer outcomes of either sort, held-out athletes can't show how a model performs (Collins,
#: Ogundimu & Altman 2016, Stat Med 35:214, doi 10.1002/sim.6787).
FEWEST_EVENTS = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredEvents:
    """Outcomes that Riley's criteria ask for at a cohort's share of outcomes.

    Attributes
    ----------
    parameters
        Weights that the measures of the cohort would have, one for each measure or choice.
    minimum
        For the overall risk and a single slope, at the best discrimination that this field has
        seen: a penalised model has at least that to learn, whatever it is shrunk to.
    full
        For a weight for every measure of the cohort, at the usual discrimination.
    """

    parameters: int
    minimum: int
    full: int

    def shortage(self, events: int) -> str | None:
        """Why so many outcomes are too few for a model of one's own, or None."""
        if events >= self.minimum:
            return None
        return text(
            "training.outcome.too_few",
            events=events,
            least=self.minimum,
            full=self.full,
            measures=self.parameters,
        )

    def warning(self, events: int) -> str | None:
        """What so many outcomes are too few for, or None."""
        return few_outcomes(events, self.full) if events < self.full else None


def few_outcomes(events: float, required: float) -> str:
    """What it means that there are fewer outcomes than every measure's own weight needs."""
    return text("training.outcome.few", events=f"{events:,.0f}", required=f"{required:,.0f}")


def required_events(cohort: Cohort) -> tuple[RequiredEvents, int]:
    """What a cohort to train on needs, and the outcomes of the rarer sort that it has.

    Weighted outcomes count for what they are worth (Kish).
    """
    outcomes, weights = cohort.outcomes(), cohort.weights()
    legs = np.r_[outcomes.left, outcomes.right] if cohort.has_sides else outcomes.either
    weight = None
    if weights is not None:
        weight = np.r_[weights.left, weights.right] if cohort.has_sides else weights.either
    with_outcome, without = effective_outcomes(legs, weight)
    events = int(min(with_outcome, without))
    # Half an event more of each sort: a share of none is never certain (Jeffreys).
    share = (events + 0.5) / (with_outcome + without + 1.0)
    parameters = max(_parameters(cohort), 1)
    minimum = outcomes_for(1, share, assumption("auc_best"))
    full = outcomes_for(parameters, share, assumption("auc_usual"))
    return RequiredEvents(parameters=parameters, minimum=minimum, full=full), events


def outcomes_for(parameters: int, share: float, auc: float) -> int:
    """Outcomes of the rarer sort that a model needs by all three criteria.

    Parameters
    ----------
    parameters
        Weights of the model.
    share
        Of the rows with the outcome, 0 to 1.
    auc
        That the model is expected to reach.

    Returns
    -------
    Rounded up.
    """
    return ceil(round(rows_for(parameters, share, auc) * share, 6))


def rows_for(parameters: int, share: float, auc: float) -> int:
    """Rows that a model needs by all three criteria.

    Parameters
    ----------
    parameters
        Weights of the model.
    share
        Of the rows with the outcome, 0 to 1.
    auc
        That the model is expected to reach.

    Returns
    -------
    Rounded up.
    """
    explained, most = cox_snell(share, auc)
    optimism = explained / (explained + OPTIMISM * most)
    shrunk = [parameters / ((s - 1.0) * log(1.0 - explained / s)) for s in (SHRINKAGE, optimism)]
    overall = (PUBLISHED_95 / PRECISION) ** 2 * share * (1.0 - share)
    return ceil(max(*shrunk, overall))


def cox_snell(share: float, auc: float) -> tuple[float, float]:
    """Cox and Snell's R2 of a model with such an AUC, and the largest there is at this share.

    The log-odds are taken to be normal among those with the outcome and among those without, with
    the same spread (Riley et al. 2021, Stat Med 40:859, doi 10.1002/sim.8806).
    """
    separation = sqrt(2.0) * float(ndtri(auc))
    z = np.linspace(-8.0, 8.0, 2001)
    density = np.exp(-(z**2) / 2.0)
    density /= density.sum()
    middle = log(share / (1.0 - share))
    having = middle + separation**2 / 2.0 + separation * z
    free = middle - separation**2 / 2.0 + separation * z
    loss = share * (density * np.logaddexp(0.0, -having)).sum()
    loss += (1.0 - share) * (density * np.logaddexp(0.0, free)).sum()
    blind = -float(xlogy(share, share) + xlogy(1.0 - share, 1.0 - share))
    return 1.0 - exp(-2.0 * (blind - float(loss))), 1.0 - exp(-2.0 * blind)


def _parameters(cohort: Cohort) -> int:
    """Weights that the measures of a cohort would have, one a measure or a choice."""
    frame, parameters = cohort.frame, 0
    for name, measure in {**athlete_measures(), **leg_measures()}.items():
        places = [p for p in (name, f"left_{name}", f"right_{name}") if p in frame]
        share = max((float(frame[p].notna().mean()) for p in places), default=0.0)
        if not measure.model_input or share < LEAST_SHARE:
            continue
        values = {v for p in places for v in frame[p].dropna().unique()}
        several = isinstance(measure, Category) and not measure.ordinal
        parameters += max(len(values) - 1, 0) if several else int(len(values) > 1)
    return parameters
