"""Model updating: as much correction of a champion as a club's outcomes support, and no more.

By the number of outcomes up to a slope; beyond that a closed testing procedure in the spirit of
Vergouwe et al. 2017 (Stat Med 36:4529, doi 10.1002/sim.7179), with cross-validated log loss in
place of likelihood-ratio tests: a larger correction must gain more than one standard error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.simulation.simulated_cohort import has_other_odds
from kneerisk.errors import CohortRefused
from kneerisk.evidence import assumption
from kneerisk.evidence.normal_points import NORMAL_90
from kneerisk.model import Bundle
from kneerisk.model.intervals import BootstrapInterval, QuantileInterval
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit_inputs import dealt_folds
from kneerisk.training.leakage.leakage_checks import refuse_other_outcome, refuse_unsound
from kneerisk.training.updating.club_likelihood import Club, club_of
from kneerisk.training.updating.correction_fit import (
    LOOSE,
    PENALTIES,
    ROUNDS,
    fit_intercept,
    fit_slope,
    fit_step,
    fit_trees,
    standard_error,
)
from kneerisk.training.updating.corrections import (
    AS_IS,
    Correction,
    Step,
    corrected,
    shortened,
)
from kneerisk.training.updating.widening import widened
from kneerisk.words import text, variant

#: By which larger corrections are compared (assumption: five are the usual choice).
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedModel:
    """A champion updated by a club's outcomes, and what more outcomes would allow."""

    model: RiskModel
    correction: Correction
    events: int
    """Outcomes that happened in the club."""
    needs: str
    """What more outcomes would allow, in words."""
    gains: dict[str, float]
    """What the best ridge and the best boosting save over the slope, in log loss a screening of
    athletes left out, with its standard error."""

    @property
    def step(self) -> Step:
        """The largest correction that the club supports."""
        return self.correction.step

    @property
    def choices(self) -> dict[str, float]:
        """What was chosen, as numbers."""
        choices = {
            "adapted_events": float(self.events),
            "adapted_intercept": self.correction.intercept,
            "adapted_slope": self.correction.slope,
            "adapted_rounds": float(self.correction.rounds),
            "adapted_error": self.correction.error,
        }
        if self.correction.penalty is not None:
            choices["adapted_penalty"] = self.correction.penalty
        return choices | self.gains


def refuse_club(base: Bundle, club: Cohort, train: Cohort, test: Cohort, club_sha256: str) -> None:
    """Refuse a club that a model can't honestly be updated by.

    Parameters
    ----------
    base
        The version to update.
    club
        The club's whole cohort.
    train
        Its athletes to learn from.
    test
        Its held-out athletes.
    club_sha256
        The digest of the whole cohort.

    Raises
    ------
    CohortRefused
        Where nobody was measured and it is no practice, the outcome is another one, the version was
        made from this very cohort, or something in it gives the outcome away.
    """
    # What comes of practice has seen nobody, and a version of people stays theirs.
    is_practice = has_other_odds(club) and base.metadata.cohort == "simulated"
    if club.kind != "observed" and not is_practice:
        raise CohortRefused(text("training.adapt.not_measured", kind=club.kind))
    refuse_other_outcome(base.metadata, club)
    if base.metadata.data_sha256 == club_sha256:
        raise CohortRefused(text("training.adapt.twice", version=base.metadata.version))
    refuse_unsound(club, train, test, from_scratch=False)


def events_needed() -> dict[Step, int]:
    """From how many outcomes on each correction is considered."""
    return {
        "intercept": 1,
        "slope": int(assumption("club_slope_events")),
        "ridge": int(assumption("club_columns_events")),
        "boosting": int(assumption("club_columns_events")),
    }


def update_model(model: RiskModel, cohort: Cohort, seed: int = 0) -> UpdatedModel:
    """The champion with the largest correction that a club's outcomes support.

    Of own measures that it does not know, a ridge learns the weights; smaller corrections and
    trees leave them out.

    Parameters
    ----------
    model
        The champion.
    cohort
        The club's athletes to learn from.
    seed
        Of the folds.

    Returns
    -------
    The updated model; the champion itself where nothing is supported.
    """
    model = widened(model, cohort)
    return update_for_club(model, club_of(model, cohort), seed)


def update_for_club(model: RiskModel, club: Club, seed: int = 0) -> UpdatedModel:
    """The same for a club whose predictions by the champion are known already.

    Parameters
    ----------
    model
        The champion.
    club
        Of the same champion.
    seed
        Of the folds.

    Returns
    -------
    The updated model; the champion itself where nothing is supported.
    """
    correction, gains = choose_correction(model, club, seed)
    if correction.step == "as_is":
        return UpdatedModel(model=model, correction=correction, events=club.events,
                            needs=describe_needs(club), gains=gains)  # fmt: skip
    log_odds = correction.log_odds(model, club)
    correction = replace(correction, error=standard_error(club, correction, log_odds))
    return UpdatedModel(
        model=_with_wider_interval(corrected(model, correction), club, correction),
        correction=correction,
        events=club.events,
        needs=describe_needs(club),
        gains=gains,
    )


def choose_correction(
    model: RiskModel, club: Club, seed: int
) -> tuple[Correction, dict[str, float]]:
    """The correction that the outcomes support, and what larger ones gained on left-out athletes.

    Weights that hardly move are tried first, trees last, and each replaces what was chosen before
    it where its gain exceeds the gain's standard error.

    Parameters
    ----------
    model
        The champion.
    club
        Of the same champion.
    seed
        Of the folds.

    Returns
    -------
    The correction, and the gains over a slope: see `UpdatedModel.gains`.
    """
    needed = events_needed()
    events = min(club.events, club.non_events)
    if events < needed["intercept"]:
        return AS_IS, {}
    if events < needed["slope"]:
        return fit_intercept(club), {}
    slope = fit_slope(club)
    if events < needed["ridge"]:
        return slope, {}
    losses = _cross_validated_losses(model, club, seed)
    selected: tuple[Step, float] = ("slope", 0.0)
    slope_loss = selected_loss = losses[selected]
    for candidate, loss in losses.items():
        gain, error = _gain(selected_loss - loss, club.athletes)
        if gain > error:
            selected, selected_loss = candidate, loss
    gains: dict[str, float] = {}
    for step in ("ridge", "boosting"):
        lowest = min((loss for (name, _), loss in losses.items() if name == step), key=np.sum)
        gain, error = _gain(slope_loss - lowest, club.athletes)
        gains |= {f"adapted_{step}_gain": gain, f"adapted_{step}_gain_error": error}
    return fit_step(model, club, slope, *selected), gains


def describe_needs(club: Club) -> str:
    """What more outcomes would allow, in words."""
    needed, events = events_needed(), min(club.events, club.non_events)
    rarer = "outcomes" if club.events <= club.non_events else "knees_without"
    have = variant("training.adapt.rarer", rarer, count=f"{events:,}")
    steps: tuple[Step, ...] = ("intercept", "slope", "ridge")
    missing = [
        variant("training.adapt.step", step, needed=needed[step])
        for step in steps
        if events < needed[step]
    ]
    if not missing:
        return text("training.adapt.enough", have=have)
    return text("training.adapt.needs", have=have, missing=", ".join(missing))


def _cross_validated_losses(
    model: RiskModel, club: Club, seed: int
) -> dict[tuple[Step, float], FloatArray]:
    """Out-of-fold log loss of each screening (n,), by step and amount, from small to large."""
    fold = dealt_folds(club.athletes, club.labels, FOLDS, seed)
    candidates: list[tuple[Step, float]] = [
        ("slope", 0.0),
        *(("ridge", penalty) for penalty in PENALTIES),
        *(("boosting", float(rounds)) for rounds in ROUNDS),
    ]
    losses = {candidate: np.zeros(len(fold)) for candidate in candidates}
    for number in range(FOLDS):
        train, test = club.take(fold != number), club.take(fold == number)
        slope = fit_slope(train)
        trees = fit_trees(model, train, slope, max(ROUNDS))
        for step, amount in candidates:
            if step == "boosting":
                correction = shortened(model, trees, int(amount))
            else:
                correction = fit_step(model, train, slope, step, amount, LOOSE)
            losses[step, amount][fold == number] = test.loss(correction.log_odds(model, test))
    return losses


def _gain(saved: FloatArray, athletes: np.ndarray) -> tuple[float, float]:
    """Mean of what is saved a screening, and its standard error with athletes as clusters."""
    _, member = np.unique(athletes.astype(str), return_inverse=True)
    mean = float(saved.mean())
    by_athlete = np.bincount(member, weights=saved - mean)
    return mean, float(np.sqrt(np.square(by_athlete).sum()) / len(saved))


def _with_wider_interval(model: RiskModel, club: Club, correction: Correction) -> RiskModel:
    """The corrected model with an interval that also covers how uncertain the correction is.

    Half-widths and the error of the correction add as variances do; where the log-odds are
    stretched, so is their uncertainty. The club's outcomes have settled how often knees hurt by
    its definition, up to that error.
    """
    log_odds = model.log_odds(club.legs)[club.informed]
    low, high = model.interval.bounds(club.legs, model.log_odds(club.legs))
    half = float((high[club.informed] - low[club.informed]).mean() / 2.0)
    half_width = np.hypot(max(correction.slope, 1.0) * half, NORMAL_90 * correction.error)
    interval: QuantileInterval | BootstrapInterval
    if isinstance(model.interval, QuantileInterval):
        extra = float(half_width - half)
        interval = replace(
            model.interval, conformal_correction=model.interval.conformal_correction + extra
        )
    else:
        stretch = float(half_width / half) if half > 0.0 and len(log_odds) else 1.0
        interval = model.interval.stretched(stretch)
    fields = {name: getattr(model, name) for name in RiskModel.__dataclass_fields__}
    return RiskModel(**(fields | {"interval": interval, "base_rates": None}))
