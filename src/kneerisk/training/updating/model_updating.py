"""Adapt a champion to a club: as much correction as the club's outcomes support, and no more."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.errors import CohortRefused
from kneerisk.evidence.tables import assumption
from kneerisk.model import Bundle
from kneerisk.model.intervals import NORMAL_90, BootstrapInterval, QuantileInterval
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit_inputs import dealt_folds
from kneerisk.training.leakage.leakage_checks import refuse_other_outcome, refuse_unsound
from kneerisk.training.updating.club_likelihood import Club, club_of
from kneerisk.training.updating.corrections import (
    AS_IS,
    LOOSE,
    PENALTIES,
    ROUNDS,
    Correction,
    Step,
    corrected,
    fit_intercept,
    fit_slope,
    fit_step,
    fit_trees,
    shortened,
    standard_error,
)

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A champion adapted to a club, what was corrected, and what more outcomes would allow."""

    model: RiskModel
    correction: Correction
    events: int
    needs: str
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
        found = {
            "adapted_events": float(self.events),
            "adapted_intercept": self.correction.intercept,
            "adapted_slope": self.correction.slope,
            "adapted_rounds": float(self.correction.rounds),
            "adapted_error": self.correction.error,
        }
        if self.correction.penalty is not None:
            found["adapted_penalty"] = self.correction.penalty
        return found | self.gains


def refuse_club(base: Bundle, club: Cohort, train: Cohort, test: Cohort, club_sha256: str) -> None:
    """Refuse a club that a model can't honestly be updated by.

    Parameters
    ----------
    base
        The version to update.
    club
        The club's whole cohort.
    train, test
        Its athletes to learn from, and those held out.
    club_sha256
        The digest of the whole cohort.

    Raises
    ------
    CohortRefused
        Where nobody was measured, the outcome is another one, the version was made from this very
        cohort, or something in it gives the outcome away.
    """
    if club.kind != "observed":
        raise CohortRefused(
            f"the cohort is {club.kind}: a model is adapted to athletes who were measured"
        )
    refuse_other_outcome(base.metadata, club)
    if base.metadata.data_sha256 == club_sha256:
        raise CohortRefused(
            f"{base.metadata.version} was made from this very cohort: adapting it again would "
            "count every outcome twice. Name the version that it was adapted from (--model)"
        )
    refuse_unsound(club, train, test, from_scratch=False)


def events_needed() -> dict[Step, int]:
    """From how many outcomes on each correction is considered."""
    return {
        "intercept": 1,
        "slope": int(assumption("club_slope_events")),
        "ridge": int(assumption("club_columns_events")),
        "boosting": int(assumption("club_columns_events")),
    }


def adapt(model: RiskModel, cohort: Cohort, seed: int = 0) -> Adapted:
    """The champion with the largest correction that a club's outcomes support."""
    return adapt_to(model, club_of(model, cohort), seed)


def adapt_to(model: RiskModel, club: Club, seed: int = 0) -> Adapted:
    """The same, of a club that was read before."""
    correction, gains = choose(model, club, seed)
    if correction.step == "as_is":
        return Adapted(model=model, correction=correction, events=club.events,
                       needs=needs(club), gains=gains)  # fmt: skip
    log_odds = correction.log_odds(model, club)
    correction = replace(correction, error=standard_error(club, correction, log_odds))
    return Adapted(
        model=_widened(corrected(model, correction), club, correction),
        correction=correction,
        events=club.events,
        needs=needs(club),
        gains=gains,
    )


def choose(model: RiskModel, club: Club, seed: int) -> tuple[Correction, dict[str, float]]:
    """The correction that the outcomes support, and what larger ones gained on left-out athletes.

    By the number of outcomes up to a slope; beyond that by what is gained on athletes left out:
    weights that hardly move are tried first, trees last, and each takes the place of what was
    chosen before it where its gain exceeds the gain's standard error.
    """
    need = events_needed()
    events = min(club.events, club.free)
    if events < need["intercept"]:
        return AS_IS, {}
    if events < need["slope"]:
        return fit_intercept(club), {}
    slope = fit_slope(club)
    if events < need["ridge"]:
        return slope, {}
    tried = _left_out(model, club, seed)
    chosen: tuple[Step, float] = ("slope", 0.0)
    before, gains = tried[chosen], dict[str, float]()
    for candidate, losses in tried.items():
        gain, error = _gain(before - losses, club.athletes)
        if gain > error:
            chosen, before = candidate, losses
    for step in ("ridge", "boosting"):
        best = min((losses for (name, _), losses in tried.items() if name == step), key=np.sum)
        gain, error = _gain(tried["slope", 0.0] - best, club.athletes)
        gains |= {f"adapted_{step}_gain": gain, f"adapted_{step}_gain_error": error}
    return fit_step(model, club, slope, *chosen), gains


def needs(club: Club) -> str:
    """What more outcomes would allow, in words."""
    need, events = events_needed(), min(club.events, club.free)
    rarer = "outcomes" if club.events <= club.free else "knees free of it"
    allows: tuple[tuple[Step, str], ...] = (
        ("intercept", "to correct how often it happens"),
        ("slope", "to correct how far risks lie apart"),
        ("ridge", "to look for other effects of single measures"),
    )
    missing = [f"{need[step]} {what}" for step, what in allows if events < need[step]]
    if not missing:
        return f"There are {events:,} {rarer} to adapt to: enough to try every correction."
    return f"There are {events:,} {rarer} to adapt to; it takes {', '.join(missing)}."


def _left_out(model: RiskModel, club: Club, seed: int) -> dict[tuple[Step, float], FloatArray]:
    """Log loss of each screening (n,) from folds it is not in, by step, from small to large."""
    fold = dealt_folds(club.athletes, club.labels, FOLDS, seed)
    ladder: list[tuple[Step, float]] = [
        ("slope", 0.0),
        *(("ridge", penalty) for penalty in PENALTIES),
        *(("boosting", float(rounds)) for rounds in ROUNDS),
    ]
    found = {step: np.zeros(len(fold)) for step in ladder}
    for number in range(FOLDS):
        rest, aside = club.take(fold != number), club.take(fold == number)
        slope = fit_slope(rest)
        trees = fit_trees(model, rest, slope, max(ROUNDS))
        for step, much in ladder:
            if step == "boosting":
                correction = shortened(model, trees, int(much))
            else:
                correction = fit_step(model, rest, slope, step, much, LOOSE)
            found[step, much][fold == number] = aside.loss(correction.log_odds(model, aside))
    return found


def _gain(saved: FloatArray, athletes: np.ndarray) -> tuple[float, float]:
    """Mean of what is saved a screening, and its standard error with athletes as clusters."""
    _, member = np.unique(athletes.astype(str), return_inverse=True)
    mean = float(saved.mean())
    by_athlete = np.bincount(member, weights=saved - mean)
    return mean, float(np.sqrt(np.square(by_athlete).sum()) / len(saved))


def _widened(model: RiskModel, club: Club, correction: Correction) -> RiskModel:
    """The corrected model with an interval that also covers how uncertain the correction is.

    Half-widths and the error of the correction add as variances do; where the log-odds are
    stretched, so is what was open in them.
    """
    log_odds = model.log_odds(club.legs)[club.known]
    low, high = model.interval.bounds(club.legs, model.log_odds(club.legs))
    half = float((high[club.known] - low[club.known]).mean() / 2.0)
    wanted = np.hypot(max(correction.slope, 1.0) * half, NORMAL_90 * correction.error)
    interval: QuantileInterval | BootstrapInterval
    if isinstance(model.interval, QuantileInterval):
        more = float(wanted - half)
        interval = replace(
            model.interval, conformal_correction=model.interval.conformal_correction + more
        )
    else:
        stretch = float(wanted / half) if half > 0.0 and len(log_odds) else 1.0
        interval = replace(model.interval, slope=model.interval.slope * stretch)
    parts = {name: getattr(model, name) for name in RiskModel.__dataclass_fields__}
    return RiskModel(**(parts | {"interval": interval}))
