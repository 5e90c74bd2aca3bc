"""How the log-odds of an athlete's knees move with what is not known of the athlete.

The model predicts many variants of one screening in one call: each expected true measure a bit
lower and higher (secants, which see what trees do as well), the true value in each band of a
measure with a threshold, and each answer to a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.special import expit, logit, ndtri

from kneerisk.evidence.pair_dependence import either
from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.model.imputation import Expected
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import Columns, FloatArray

#: A secant spans one open SD to either side, and no less than this many SDs (assumption).
SHORTEST_STEP = 0.1
#: Into so many equally likely values a measure with a threshold is cut (assumption).
BANDS = 16
_BAND_MIDDLES = ndtri((np.arange(BANDS) + 0.5) / BANDS)
#: Contrasts of the effects table that are steps of the true value, not slopes.
_STEPS = ("at_least_",)


@cache
def threshold_measures() -> tuple[str, ...]:
    """Measures whose effect begins at a threshold."""
    return tuple(dict.fromkeys(e.measure for e in risk_factors() if e.contrast.startswith(_STEPS)))


@dataclass(slots=True)
class Variants:
    """Variants of one screening, gathered and then predicted in one call.

    ``data`` are its coded columns of shape (1,), ``mean`` and ``variance`` the expected true values
    of its legs, of shape (2, n_targets).
    """

    data: Columns
    mean: FloatArray
    variance: FloatArray
    means: list[tuple[slice, FloatArray]] = field(default_factory=list)
    variances: list[tuple[slice, FloatArray]] = field(default_factory=list)
    answers: list[tuple[slice, Mapping[str, FloatArray]]] = field(default_factory=list)
    count: int = 0

    def add(
        self,
        count: int,
        mean: FloatArray | None = None,
        variance: FloatArray | None = None,
        answers: Mapping[str, FloatArray] | None = None,
    ) -> slice:
        """Gather k variants, each as the screening is where nothing else is said.

        Parameters
        ----------
        count
            How many they are.
        mean
            Their expected true values, shape ``(k, 2, n_targets)``.
        variance
            Their variances, shape ``(2, n_targets)``.
        answers
            Coded columns that differ from the screening's, each of shape ``(k,)``.

        Returns
        -------
        Their place among all variants.
        """
        place = slice(self.count, self.count + count)
        if mean is not None:
            self.means.append((place, mean))
        if variance is not None:
            self.variances.append((place, variance))
        if answers:
            self.answers.append((place, answers))
        self.count = place.stop
        return place

    def expected(self) -> tuple[FloatArray, FloatArray]:
        """Expected true values of all variants and their variances.

        Returns
        -------
        Each of shape ``(count, 2, n_targets)``.
        """
        mean, variance = (
            np.repeat(values[None], self.count, axis=0) for values in (self.mean, self.variance)
        )
        for place, values in self.means:
            mean[place] = values
        for place, values in self.variances:
            variance[place] = values
        return mean, variance

    def columns(self) -> dict[str, FloatArray]:
        """Coded columns of all variants.

        Returns
        -------
        By column, shape ``(count,)``.
        """
        row = np.array([values[0] for values in self.data.values()])
        table = np.repeat(row[:, None], self.count, axis=1)
        data = dict(zip(self.data, table, strict=True))
        for place, answers in self.answers:
            for name, values in answers.items():
                data[name][place] = values
        return data


def variant_log_odds(model: RiskModel, gathered: Sequence[Variants]) -> list[FloatArray]:
    """Log-odds of all variants of some screenings.

    One call of the model for all of them: most of its cost does not depend on their number.

    Parameters
    ----------
    model
        The model.
    gathered
        The variants of each screening, at least one screening.

    Returns
    -------
    For each screening, shape ``(count, 3)``: the left knee, the right one, either.
    """
    data_by_screening = [variants.columns() for variants in gathered]
    means, variances = zip(*(variants.expected() for variants in gathered), strict=True)
    mean = np.concatenate(means)
    expected = Expected(
        mean=mean,
        variance=np.concatenate(variances),
        prior=mean,
        innovation=np.zeros((len(mean), 2, 0)),
        gains=(),
    )
    data = data_by_screening[0]
    if len(data_by_screening) > 1:
        data = {name: np.concatenate([d[name] for d in data_by_screening]) for name in data}
    legs = model.log_odds(model.features(data, expected))
    knees = legs[:, [0, 0, 0]]
    if model.odds_ratio is not None:
        pair = either(expit(legs[:, 0]), expit(legs[:, 1]), model.odds_ratio)
        knees = np.column_stack([legs, logit(pair)])
    return np.split(knees, np.cumsum([variants.count for variants in gathered])[:-1])


def add_secants(
    variants: Variants, open_sd: FloatArray, n_athlete: int, n_leg: int
) -> tuple[slice, FloatArray]:
    """Gather each measure of the left leg's state lower and higher.

    Parameters
    ----------
    variants
        The variants to add to.
    open_sd
        SD that is open of each measure of the state, shape ``(n_athlete + 2 n_leg,)``.
    n_athlete
        How many measures the athlete has.
    n_leg
        How many measures a leg has.

    Returns
    -------
    Their place among the variants (first all higher ones, then all lower ones), and the steps.
    """
    size = n_athlete + 2 * n_leg
    steps = np.maximum(open_sd, SHORTEST_STEP)
    moved = np.zeros((size, 2, variants.mean.shape[1]))
    shared, own = np.arange(n_athlete), np.arange(n_leg)
    moved[shared, :, shared] = steps[:n_athlete, None]
    moved[n_athlete + own, 0, n_athlete + own] = steps[n_athlete : n_athlete + n_leg]
    moved[n_athlete + n_leg + own, 1, n_athlete + own] = steps[n_athlete + n_leg :]
    both = np.concatenate([variants.mean + moved, variants.mean - moved])
    place = variants.add(len(both), both)
    return place, steps


def secant_slopes(log_odds: FloatArray, steps: FloatArray) -> FloatArray:
    """Slopes of the log-odds along each measure of the state.

    Parameters
    ----------
    log_odds
        Log-odds of the variants that `add_secants` gathered, shape ``(2 n_measures, 3)``.
    steps
        The steps that it gave, in SD, shape ``(n_measures,)``.

    Returns
    -------
    Log-odds per SD, shape ``(n_measures, 3)``.
    """
    size = len(steps)
    return np.asarray((log_odds[:size] - log_odds[size:]) / (2.0 * steps[:, None]))


def add_bands(variants: Variants, side: int | None, target: int, variance: float) -> slice:
    """Gather the values that a measure with a threshold may turn out to have.

    Parameters
    ----------
    variants
        The variants to add to.
    side
        The leg that is measured, or None for a measure of the athlete.
    target
        Its place among the targets of the expected values.
    variance
        What is open of it, in SD squared.

    Returns
    -------
    The place of the `BANDS` equally likely values among the variants.
    """
    legs = [0, 1] if side is None else [side]
    mean = np.repeat(variants.mean[None], BANDS, axis=0)
    mean[:, legs, target] += np.sqrt(variance) * _BAND_MIDDLES[:, None]
    known = variants.variance.copy()
    known[legs, target] = 0.0
    return variants.add(BANDS, mean, known)
