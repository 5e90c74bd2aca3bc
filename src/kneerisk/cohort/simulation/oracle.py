"""The oracle: what the best possible model would say of a simulated athlete.

It knows the simulator: for the measures that were recorded it integrates the true risk over all
true values, histories and effect sizes that are left open. No model that reads the same measures
can have a lower expected loss. How near the integral is stands in `docs/decisions/0018`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.simulation.oracle_points import Points, points_of, triangular
from kneerisk.cohort.simulation.oracle_readings import readings
from kneerisk.cohort.simulation.oracle_update import Gain, Update, draw_bounded, root
from kneerisk.cohort.simulation.outcomes import sport_intercepts, sport_rates
from kneerisk.cohort.simulation.simulated_cohort import SOURCE
from kneerisk.errors import CohortRefused
from kneerisk.evidence.imbalance_markers import imbalance_thresholds
from kneerisk.evidence.pair_dependence import either
from kneerisk.evidence.population import Population, contexts, published
from kneerisk.evidence.risk_factors import LegView, contrasts, risk_factors
from kneerisk.evidence.tables import assumption
from kneerisk.progress import Progress, event, ignore
from kneerisk.schema import SIDES, Columns, FloatArray

#: The mean error of a risk is below 1 in 10,000 with these, and 2 in 10,000 with fewer of them.
POINTS, FEWER_POINTS = 2048, 512
#: Of a probability; the integral is not exact to more.
DIGITS = 6
#: Athletes whose points are worked on together: enough to be quick, few enough to stay in cache.
TOGETHER = 32
#: What the simulator always records.
NEEDED = ("age_years", "sex", "sport", "level", "left_pain_nrs", "right_pain_nrs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Best possible risks of n screenings, shape (n,), and imbalances (n, 2, 5), left first.

    The risk of a knee that hurts already, and of either knee then, is NaN, as in the truth.
    """

    left: FloatArray
    right: FloatArray
    either: FloatArray
    imbalances: FloatArray


def oracle(data: Columns, points: int = POINTS, progress: Progress = ignore) -> Oracle:
    """The oracle of n simulated screenings, given as coded columns of shape (n,).

    Parameters
    ----------
    points
        How many points to integrate over; an even number, best twice a power of 2.

    Raises
    ------
    CohortRefused
        Where something is missing that the simulator always records.
    """
    for name in NEEDED:
        if np.isnan(data[name]).any():
            raise CohortRefused(f"the oracle is for simulated cohorts, which always have {name}")
    integral = _Integral(published(), data, points)
    n = len(data["age_years"])
    parts = []
    for first in range(0, n, TOGETHER):
        if first % (TOGETHER * 64) == 0:
            progress(event("oracle", number=first + 1, total=n))
        parts.append(integral.of(np.arange(first, min(first + TOGETHER, n))))
    # What lies beyond the error of the integral must not rank athletes who are alike.
    risks, imbalances = (
        np.round(np.concatenate(found), DIGITS) for found in zip(*parts, strict=True)
    )
    hurts = np.stack([data[f"{side}_pain_nrs"] > 0 for side in SIDES], axis=1)
    return Oracle(
        left=np.where(hurts[:, 0], np.nan, risks[:, 0]),
        right=np.where(hurts[:, 1], np.nan, risks[:, 1]),
        either=np.where(hurts.any(axis=1), np.nan, risks[:, 2]),
        imbalances=imbalances,
    )


def oracle_of(cohort: Cohort, points: int = POINTS, progress: Progress = ignore) -> Oracle | None:
    """The oracle of a cohort that this simulator drew; None of any other, which has none."""
    if cohort.kind != "simulated" or cohort.source != SOURCE:
        return None
    return oracle(cohort.columns(), points, progress)


class _Integral:
    """The readings of a cohort, and how to integrate over what they leave open."""

    def __init__(self, people: Population, data: Columns, points: int) -> None:
        self._people, self._data = people, data
        self._athlete, self._leg = _measures_of_risk(people)
        self._wanted = _places(people, self._athlete, self._leg)
        self._pull = _pull(self._athlete, self._leg)
        self._points = points_of(points, len(self._wanted))
        found = readings(people, data)
        latent = np.arange(people.n_measures, len(people.covariance))
        self._found = found
        self._update = Update(people, np.concatenate([self._wanted, latent]), found, {})
        self._prior = people.means(contexts(data)[0])
        self._roots: dict[int, FloatArray] = {}

    def of(self, rows: np.ndarray) -> tuple[FloatArray, FloatArray]:
        """Risks (n, 3: left, right, either) and imbalances (n, 2, 5) of some screenings."""
        count = len(self._points.base)
        z = np.empty((len(rows), count, len(self._wanted)))
        weight = np.empty((len(rows), count))
        imbalances = np.empty((len(rows), len(SIDES), len(self._people.imbalances)))
        for i, row in enumerate(rows):
            z[i], weight[i], imbalances[i] = self._open(row)
        legs = self._legs(rows, z)
        both = either(legs[0], legs[1], assumption("left_right_pain_odds_ratio"))
        risks = [(weight * part).sum(axis=1) for part in (*legs, both)]
        return np.stack(risks, axis=1), imbalances

    def _open(self, row: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """True values (points, wanted) of a screening, their weights, and its imbalances."""
        gain, found, prior = self._update.gain(row), self._found, self._prior[row]
        asked = np.concatenate([gain.bounded, self._update.wanted])
        known = found.value[row, gain.known] - prior[gain.known]
        mean = prior[asked] + gain.weights @ known
        c, t = len(gain.bounded), len(self._wanted)
        x, weight = draw_bounded(
            mean[:c], gain.first, found.low[row, gain.bounded], found.high[row, gain.bounded],
            self._points.bounded,
        )  # fmt: skip
        z = mean[c : c + t] + x @ gain.then[:t].T + self._points.normal @ self._root(gain).T
        imbalances = _imbalances(
            mean[c + t :] + x @ gain.then[t:].T, np.diag(gain.rest)[t:], weight
        )
        return z, weight, imbalances.reshape(len(SIDES), -1)

    def _root(self, gain: Gain) -> FloatArray:
        found = self._roots.get(id(gain))
        if found is None:
            t = len(self._wanted)
            factor = root(gain.rest[:t, :t])
            # Turned so that the first two numbers move the log-odds of the legs, and the others
            # hardly do: the first are the ones that the points cover best.
            turn, _ = np.linalg.qr((self._pull @ factor).T, mode="complete")
            found = self._roots[id(gain)] = factor @ turn
        return found

    def _legs(self, rows: np.ndarray, z: FloatArray) -> list[FloatArray]:
        """True risk of the left and of the right knee at every point, each (n, points)."""
        count, points = len(self._points.base), self._points
        data = {
            name: np.repeat(self._data[name][rows], count)
            for name in ("age_years", "sex", "sport", "level")
        }
        start = _start(self._data["sport"][rows], points)
        found = []
        for i, side in enumerate(SIDES):
            prior = _asked(self._data[f"{side}_prior_knee_injury"][rows], points.prior[:, i])
            hurt = _asked(self._data[f"{side}_same_side_episodes"][rows], points.episodes[:, i])
            view = LegView(
                mean=self._of_leg(z, i),
                variance=dict.fromkeys((*self._athlete, *self._leg), np.zeros(1)),
                data=data,
                prior=prior,
                episodes=np.where(prior > 0, hurt, 0.0),
            )
            log_odds = start
            for k, contrast in enumerate(contrasts(view).values()):
                log_odds = log_odds + contrast.reshape(len(rows), count) * points.effects[:, k]
            found.append(expit(log_odds))
        return found

    def _of_leg(self, z: FloatArray, side: int) -> dict[str, FloatArray]:
        """True z-scores of one leg by measure, each of shape (n * points,)."""
        a, m = len(self._athlete), len(self._leg)
        places = {name: i for i, name in enumerate(self._athlete)}
        places |= {name: a + side * m + i for i, name in enumerate(self._leg)}
        return {name: z[:, :, place].reshape(-1) for name, place in places.items()}


def _measures_of_risk(people: Population) -> tuple[list[str], list[str]]:
    """The athlete's and the leg's measures that any published effect is about."""
    about = {effect.measure for effect in risk_factors()} | {"height_cm", "mass_kg"}
    return [n for n in people.athlete if n in about], [n for n in people.leg if n in about]


def _places(people: Population, athlete: list[str], leg: list[str]) -> np.ndarray:
    a, m = len(people.athlete), len(people.leg)
    own = [a + people.leg.index(name) for name in leg]
    return np.array([*(people.athlete.index(n) for n in athlete), *own, *(p + m for p in own)])


def _pull(athlete: list[str], leg: list[str]) -> FloatArray:
    """By how much each wanted value moves the log-odds of either leg, about; shape (2, wanted)."""
    sizes = dict.fromkeys((*athlete, *leg), 0.0)
    for effect in risk_factors():
        if effect.measure in sizes:
            sign = -1.0 if effect.contrast == "per_sd_lower" else 1.0
            sizes[effect.measure] += sign * effect.central
    own, none = [sizes[name] for name in leg], [0.0] * len(leg)
    shared = [sizes[name] for name in athlete]
    return np.array([[*shared, *own, *none], [*shared, *none, *own]])


def _start(sport: FloatArray, points: Points) -> FloatArray:
    """Log-odds before any risk factor, with the base rate's range; shape (n, points)."""
    by_sport = {}
    for code, rate in sport_rates().items():
        base = triangular(points.base, rate.low, rate.central, rate.high)
        by_sport[code] = sport_intercepts()[code] + logit(base) - logit(rate.central)
    return np.stack([by_sport[int(code)] for code in sport])


def _asked(recorded: FloatArray, open_to: FloatArray) -> FloatArray:
    """What was recorded at every point, or the points' own where it was not; flat."""
    given = np.repeat(recorded[:, None], len(open_to), axis=1)
    return np.where(np.isnan(given), open_to, given).reshape(-1)


def _imbalances(mean: FloatArray, variance: FloatArray, weight: FloatArray) -> FloatArray:
    """Chance of each imbalance of both legs, shape (10,).

    A normal latent lies beyond a normal threshold with a probit probability, in closed form; what
    is left to average is what bounded readings leave open.
    """
    thresholds, spread = imbalance_thresholds()
    both = np.tile(thresholds, len(SIDES))
    beyond = ndtr((mean - both) / np.sqrt(np.maximum(variance, 0.0) + spread**2))
    return np.asarray(beyond[0] if len(beyond) == 1 else weight @ beyond)
