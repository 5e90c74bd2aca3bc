"""A correction of a champion by a club's outcomes: intercept, slope, weights, trees.

Model updating (Steyerberg et al. 2004, Stat Med 23:2567, doi 10.1002/sim.1844). A corrected
champion is a model of the same make, so that it is stored, explained and served as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import xgboost as xgb

from kneerisk.model.features import FeatureMatrix
from kneerisk.model.logistic_calibration import Calibration
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import FloatArray
from kneerisk.training.updating.club_likelihood import Club, shared_columns

Step = Literal["as_is", "intercept", "slope", "ridge", "boosting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A correction: log-odds become intercept + slope * (log-odds + trees) + columns @ weights."""

    step: Step
    intercept: float = 0.0
    """In log-odds."""
    slope: float = 1.0
    shift: float = 0.0
    """How far the club's mean log-odds move."""
    weights: FloatArray | None = None
    """Of `Club.columns`, shape (p,), in log-odds a SD."""
    booster: xgb.Booster | None = None
    """The champion's rounds, then the club's."""
    rounds: int = 0
    """How many of the booster's rounds are the club's."""
    penalty: float | None = None
    """Of the ridge, a weight."""
    error: float = 0.0
    """Standard error of the corrected log-odds, as a root mean square over the club's legs."""

    def log_odds(self, model: RiskModel, club: Club) -> FloatArray:
        """The corrected log-odds of a club's legs.

        Parameters
        ----------
        model
            The champion.
        club
            Of the same champion.

        Returns
        -------
        Shape (n_screenings, 2), left first.
        """
        log_odds = self.intercept + self.slope * club.log_odds
        if self.weights is not None:
            log_odds = log_odds + club.columns @ self.weights
        if self.booster is not None:
            added = tree_log_odds(model, self.booster, club.legs) - tree_log_odds(
                model, model.boosted.booster, club.legs
            )
            log_odds = log_odds + self.slope * model.calibration.slope * added
        return log_odds


AS_IS = Correction(step="as_is")


def corrected(model: RiskModel, correction: Correction) -> RiskModel:
    """The champion with a correction, as one model of the same make."""
    slope = correction.slope * model.calibration.slope
    shift = correction.intercept + correction.slope * model.calibration.intercept
    margin, boosted = model.margin, model.boosted
    if correction.weights is not None:
        in_between, in_within, ratio = shared_columns(margin)
        within = margin.scale * margin.within_weights
        within[in_within] += correction.weights[in_between] * ratio / slope
        between = margin.between_weights + correction.weights / slope
        margin = replace(margin, scale=1.0, within_weights=within, between_weights=between)
    if correction.booster is not None:
        boosted = replace(boosted, booster=correction.booster)
    fields = {name: getattr(model, name) for name in RiskModel.__dataclass_fields__}
    return RiskModel(
        **(
            fields
            | {"margin": margin, "boosted": boosted, "calibration": Calibration(shift, slope)}
        )
    )


def shortened(model: RiskModel, correction: Correction, rounds: int) -> Correction:
    """The same trees, stopped after fewer rounds.

    Parameters
    ----------
    model
        The champion.
    correction
        Of the step ``boosting``.
    rounds
        How many of the club's trees are left.

    Returns
    -------
    The correction with fewer trees.

    Raises
    ------
    ValueError
        Where the correction has no trees.
    """
    if correction.booster is None:
        raise ValueError("there are no trees to shorten")
    champion_rounds = model.boosted.booster.num_boosted_rounds() if model.boosted.booster else 0
    booster = correction.booster[: champion_rounds + rounds]
    return replace(correction, booster=booster, rounds=rounds)


def tree_log_odds(model: RiskModel, booster: xgb.Booster | None, legs: FeatureMatrix) -> FloatArray:
    """What a booster adds to the log-odds of legs, by the champion's columns.

    Parameters
    ----------
    model
        The champion.
    booster
        The trees; None adds nothing.
    legs
        The feature matrix of n screenings.

    Returns
    -------
    Shape (n_screenings, 2), left first.
    """
    trees: BoostedTrees = replace(model.boosted, booster=booster)
    return trees.log_odds(legs, np.zeros(2 * len(legs.values))).reshape(-1, 2)
