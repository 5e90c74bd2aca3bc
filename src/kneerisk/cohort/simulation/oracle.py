"""The oracle: what the best possible model would say of a simulated athlete.

It is the Bayes-optimal prediction: knowing the simulator, it integrates the true risk over all
true values, histories and effect sizes that the recorded measures leave open. No model that reads
the same measures can have a lower expected log loss (a proper score: Gneiting & Raftery 2007, doi
10.1198/016214506000001437). How exact the integral is stands in `docs/decisions/0018`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.simulation.oracle_points import (
    Points,
    draw_bounded,
    integration_points,
    lower_factor,
    triangular,
)
from kneerisk.cohort.simulation.oracle_readings import Gain, OracleUpdate, readings_of
from kneerisk.cohort.simulation.simulated_cohort import SOURCE
from kneerisk.cohort.simulation.true_risks import sport_intercepts, sport_rates
from kneerisk.errors import CohortRefused
from kneerisk.evidence import assumption, rates_by_definition
from kneerisk.evidence.imbalance_patterns import imbalance_thresholds
from kneerisk.evidence.pair_dependence import either
from kneerisk.evidence.population import Population, contexts, published
from kneerisk.evidence.risk_factors import LegView, contrasts, risk_factors
from kneerisk.progress import Progress, event, ignore
from kneerisk.schema import SIDES, Columns, FloatArray, category
from kneerisk.words import text

#: The mean error of a risk is below 1 in 10,000 with these, and 2 in 10,000 with fewer of them.
POINTS, FEWER_POINTS = 2048, 512
#: Digits of a probability; the integral is not exact to more.
DIGITS = 6
#: Athletes worked on at once: enough to be quick, few enough to stay in the processor's cache.
TOGETHER = 32
#: Screenings of a cohort that the oracle is asked about (assumption): the standard error of an AUC
#: is then below 0.005, and it takes half a minute.
MOST_SCREENINGS = 20_000
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

    def padded(self, n: int) -> Oracle:
        """The same for n screenings, NaN for those that were not asked about."""
        return Oracle(**{
            field.name: np.concatenate([known, np.full((n - len(known), *known.shape[1:]), np.nan)])
            for field in fields(self)
            for known in [getattr(self, field.name)]
        })  # fmt: skip


def oracle(data: Columns, points: int = POINTS, progress: Progress = ignore) -> Oracle:
    """The oracle of n simulated screenings.

    Parameters
    ----------
    data
        The screenings as coded columns in the schema's units, each of shape ``(n,)``.
    points
        How many points to integrate over; an even number, best twice a power of 2.
    progress
        Called as the work goes on.

    Returns
    -------
    Probabilities, rounded to `DIGITS`.

    Raises
    ------
    CohortRefused
        Where something is missing that the simulator always records.
    """
    for name in NEEDED:
        if np.isnan(data[name]).any():
            raise CohortRefused(text("cohort.oracle_needs", column=name))
    integral = _Integral(published(), data, points)
    n = len(data["age_years"])
    chunks = []
    for first in range(0, n, TOGETHER):
        if first % (TOGETHER * 64) == 0:
            progress(event("oracle", number=first + 1, total=n))
        chunks.append(integral.expectations(np.arange(first, min(first + TOGETHER, n))))
    # What lies beyond the error of the integral must not rank athletes who are alike.
    risks, imbalances = (
        np.round(np.concatenate(values), DIGITS) for values in zip(*chunks, strict=True)
    )
    hurts = np.stack([data[f"{side}_pain_nrs"] > 0 for side in SIDES], axis=1)
    return Oracle(
        left=np.where(hurts[:, 0], np.nan, risks[:, 0]),
        right=np.where(hurts[:, 1], np.nan, risks[:, 1]),
        either=np.where(hurts.any(axis=1), np.nan, risks[:, 2]),
        imbalances=imbalances,
    )


def oracle_of(
    cohort: Cohort,
    points: int = POINTS,
    progress: Progress = ignore,
    *,
    most: int = MOST_SCREENINGS,
) -> Oracle | None:
    """The oracle of a cohort that this simulator drew.

    Parameters
    ----------
    cohort
        The cohort.
    points
        How many points to integrate over.
    progress
        Called as the work goes on.
    most
        Of a larger cohort the oracle is that of the first so many screenings.

    Returns
    -------
    The oracle, NaN beyond those; None of a cohort of another source, which has none.
    """
    if cohort.kind != "simulated" or cohort.source != SOURCE:
        return None
    data, n = cohort.columns(), len(cohort.frame)
    found = oracle({name: values[:most] for name, values in data.items()}, points, progress)
    return found if n <= most else found.padded(n)


class _Integral:
    """The readings of a cohort, and how to integrate over what they leave open."""

    def __init__(self, people: Population, data: Columns, points: int) -> None:
        self._people, self._data = people, data
        self._athlete, self._leg = _measures_of_risk(people)
        self._wanted = _places(people, self._athlete, self._leg)
        self._slopes = _log_odds_slopes(self._athlete, self._leg)
        self._points = integration_points(points, len(self._wanted))
        self._readings = readings_of(people, data)
        latent = np.arange(people.n_measures, len(people.covariance))
        targets = np.concatenate([self._wanted, latent])
        self._update = OracleUpdate(people, targets, self._readings)
        self._prior = people.means(contexts(data)[0])
        self._factors: dict[int, FloatArray] = {}

    def expectations(self, rows: np.ndarray) -> tuple[FloatArray, FloatArray]:
        """Risks (n, 3: left, right, either) and imbalances (n, 2, 5) of some screenings."""
        count = len(self._points.base)
        z = np.empty((len(rows), count, len(self._wanted)))
        weight = np.empty((len(rows), count))
        imbalances = np.empty((len(rows), len(SIDES), len(self._people.imbalances)))
        for i, row in enumerate(rows):
            z[i], weight[i], imbalances[i] = self._true_values(row)
        legs = self._leg_risks(rows, z)
        both = either(legs[0], legs[1], assumption("left_right_pain_odds_ratio"))
        risks = [(weight * risk).sum(axis=1) for risk in (*legs, both)]
        return np.stack(risks, axis=1), imbalances

    def _true_values(self, row: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """True values (points, wanted) of a screening, their weights, and its imbalances."""
        gain, readings, prior = self._update.gain(row), self._readings, self._prior[row]
        targets = np.concatenate([gain.bounded, self._update.wanted])
        innovation = readings.value[row, gain.known] - prior[gain.known]
        mean = prior[targets] + gain.weights @ innovation
        c, t = len(gain.bounded), len(self._wanted)
        x, weight = draw_bounded(
            mean[:c],
            gain.bounded_factor,
            readings.low[row, gain.bounded],
            readings.high[row, gain.bounded],
            self._points.bounded,
        )
        normal = self._points.normal @ self._rotated_factor(gain).T
        z = mean[c : c + t] + x @ gain.wanted_factor[:t].T + normal
        imbalances = _imbalances(
            mean[c + t :] + x @ gain.wanted_factor[t:].T, np.diag(gain.rest)[t:], weight
        )
        return z, weight, imbalances.reshape(len(SIDES), -1)

    def _rotated_factor(self, gain: Gain) -> FloatArray:
        """A factor of the wanted values' covariance, once for each gain."""
        factor = self._factors.get(id(gain))
        if factor is None:
            t = len(self._wanted)
            lower = lower_factor(gain.rest[:t, :t])
            # Rotated so that the first two numbers move the log-odds of the legs, and the others
            # hardly do: the first are the ones that the points cover best.
            rotation, _ = np.linalg.qr((self._slopes @ lower).T, mode="complete")
            factor = self._factors[id(gain)] = lower @ rotation
        return factor

    def _leg_risks(self, rows: np.ndarray, z: FloatArray) -> list[FloatArray]:
        """True risk of the left and of the right knee at every point, each (n, points)."""
        count, points = len(self._points.base), self._points
        data = {
            name: np.repeat(self._data[name][rows], count)
            for name in ("age_years", "sex", "sport", "level")
        }
        start = _base_log_odds(self._data["sport"][rows], points)
        risks = []
        for i, side in enumerate(SIDES):
            prior = _recorded_or_drawn(
                self._data[f"{side}_prior_knee_injury"][rows], points.prior[:, i]
            )
            episodes = _recorded_or_drawn(
                self._data[f"{side}_same_side_episodes"][rows], points.episodes[:, i]
            )
            provoked = _recorded_or_drawn(
                self._data[f"{side}_pain_on_squat_jump"][rows], points.provoked[:, i]
            )
            view = LegView(
                mean=self._leg_values(z, i),
                variance=dict.fromkeys((*self._athlete, *self._leg), np.zeros(1)),
                data=data,
                prior=prior,
                episodes=np.where(prior > 0, episodes, 0.0),
                provoked=provoked,
            )
            log_odds = start
            for k, contrast in enumerate(contrasts(view)):
                log_odds = log_odds + contrast.reshape(len(rows), count) * points.effects[:, k]
            risks.append(expit(log_odds))
        return risks

    def _leg_values(self, z: FloatArray, side: int) -> dict[str, FloatArray]:
        """True z-scores of one leg by measure, each of shape (n * points,)."""
        a, m = len(self._athlete), len(self._leg)
        places = {name: i for i, name in enumerate(self._athlete)}
        places |= {name: a + side * m + i for i, name in enumerate(self._leg)}
        return {name: z[:, :, place].reshape(-1) for name, place in places.items()}


def _measures_of_risk(people: Population) -> tuple[list[str], list[str]]:
    """The athlete's and the leg's measures that any published effect is about."""
    names = {effect.measure for effect in risk_factors()} | {"height_cm", "mass_kg"}
    return [n for n in people.athlete if n in names], [n for n in people.leg if n in names]


def _places(people: Population, athlete: list[str], leg: list[str]) -> np.ndarray:
    """Where these measures stand in the left leg's state: the athlete's, the left, the right."""
    a, m = len(people.athlete), len(people.leg)
    own = [a + people.leg.index(name) for name in leg]
    return np.array([*(people.athlete.index(n) for n in athlete), *own, *(p + m for p in own)])


def _log_odds_slopes(athlete: list[str], leg: list[str]) -> FloatArray:
    """Roughly how much each wanted value moves the log-odds of each leg, shape (2, wanted)."""
    sizes = dict.fromkeys((*athlete, *leg), 0.0)
    for effect in risk_factors():
        if effect.measure in sizes:
            sign = -1.0 if effect.contrast.startswith("per_sd_lower") else 1.0
            sizes[effect.measure] += sign * effect.central
    own, none = [sizes[name] for name in leg], [0.0] * len(leg)
    shared = [sizes[name] for name in athlete]
    return np.array([[*shared, *own, *none], [*shared, *none, *own]])


def _base_log_odds(sport: FloatArray, points: Points) -> FloatArray:
    """Log-odds before any risk factor, with the base rate's range; shape (n, points)."""
    by_sport = {}
    definitions = [rates_by_definition()[name] for name in category("sport").choices]
    for code, rate in sport_rates().items():
        base = triangular(points.base, rate.low, rate.central, rate.high)
        definition = definitions[code].log_odds_sd * ndtri(points.definition)
        by_sport[code] = sport_intercepts()[code] + logit(base) - logit(rate.central) + definition
    return np.stack([by_sport[int(code)] for code in sport])


def _recorded_or_drawn(recorded: FloatArray, drawn: FloatArray) -> FloatArray:
    """What was recorded (n,) at every point, or the points' draws where it was not, flat."""
    values = np.repeat(recorded[:, None], len(drawn), axis=1)
    return np.where(np.isnan(values), drawn, values).reshape(-1)


def _imbalances(mean: FloatArray, variance: FloatArray, weight: FloatArray) -> FloatArray:
    """Chance of each imbalance of both legs, shape (10,).

    A normal latent exceeds a normal threshold with a probit probability, in closed form; the
    average is over what bounded readings leave open.
    """
    thresholds, spread = imbalance_thresholds()
    both = np.tile(thresholds, len(SIDES))
    beyond = ndtr((mean - both) / np.sqrt(np.maximum(variance, 0.0) + spread**2))
    return np.asarray(beyond[0] if len(beyond) == 1 else weight @ beyond)
