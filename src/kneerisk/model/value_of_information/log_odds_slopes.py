"""How the log-odds of an athlete's knees move with what is not known: the model, asked again.

The model is asked about many variants of one screening at once: each expected true measure a bit
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

#: A secant is taken over so many SDs of what is open, to either side, and no less than this.
SHORTEST_STEP = 0.1
#: Into so many equally likely values a measure with a threshold is cut.
BANDS = 16
_NODES = ndtri((np.arange(BANDS) + 0.5) / BANDS)
#: Contrasts of the effects table that are steps of the true value, not slopes.
STEPS = ("above_", "at_least_")


@cache
def stepped_measures() -> tuple[str, ...]:
    """Measures whose published effect begins at a threshold."""
    return tuple(dict.fromkeys(e.measure for e in risk_factors() if e.contrast.startswith(STEPS)))


@dataclass(slots=True)
class Variants:
    """Variants of one screening, gathered and then asked in one call.

    ``data`` are its coded columns of shape (1,), ``mean`` and ``variance`` what is expected of its
    legs, of shape (2, targets).
    """

    data: Columns
    mean: FloatArray
    variance: FloatArray
    means: list[FloatArray] = field(default_factory=list)
    variances: list[FloatArray] = field(default_factory=list)
    answers: list[tuple[slice, Mapping[str, FloatArray]]] = field(default_factory=list)
    count: int = 0

    def add(
        self,
        mean: FloatArray,
        variance: FloatArray | None = None,
        answers: Mapping[str, FloatArray] | None = None,
    ) -> slice:
        """Gather k variants, means (k, 2, targets) and answers (k,) by column; their place."""
        place = slice(self.count, self.count + len(mean))
        spread = self.variance if variance is None else variance
        self.means.append(mean)
        self.variances.append(np.broadcast_to(spread, mean.shape))
        if answers:
            self.answers.append((place, answers))
        self.count = place.stop
        return place

    def columns(self) -> tuple[dict[str, FloatArray], list[FloatArray], list[FloatArray]]:
        """Coded columns of shape (count,), and the means and variances that were gathered."""
        row = np.array([values[0] for values in self.data.values()])
        table = np.repeat(row[:, None], self.count, axis=1)
        data = dict(zip(self.data, table, strict=True))
        for place, answers in self.answers:
            for name, values in answers.items():
                data[name][place] = values
        return data, self.means, self.variances


def ask(model: RiskModel, gathered: Sequence[Variants]) -> list[FloatArray]:
    """Log-odds of the left knee, the right one and either, (count, 3), of each screening.

    One call of the model for all of them: most of what it costs does not hang on their number.
    """
    columns = [variants.columns() for variants in gathered]
    mean = np.concatenate([part for _, means, _ in columns for part in means])
    expected = Expected(
        mean=mean,
        variance=np.concatenate([part for _, _, variances in columns for part in variances]),
        prior=mean,
        innovation=np.zeros((len(mean), 2, 0)),
        gains=(),
    )
    data = columns[0][0]
    if len(columns) > 1:
        data = {name: np.concatenate([found[name] for found, _, _ in columns]) for name in data}
    legs = model.log_odds(model.features(data, expected))
    found = legs[:, [0, 0, 0]]
    if model.odds_ratio is not None:
        pair = either(expit(legs[:, 0]), expit(legs[:, 1]), model.odds_ratio)
        found = np.column_stack([legs, logit(pair)])
    return np.split(found, np.cumsum([variants.count for variants in gathered])[:-1])


def secants(variants: Variants, spread: FloatArray, a: int, m: int) -> tuple[slice, FloatArray]:
    """Gather each measure of the left leg's state lower and higher.

    Parameters
    ----------
    spread
        SD that is open of each measure of the state, shape (a + 2 m,).
    a, m
        How many measures the athlete has, and a leg.

    Returns
    -------
    Their place among the variants (first all higher ones, then all lower ones), and the steps.
    """
    size = a + 2 * m
    steps = np.maximum(spread, SHORTEST_STEP)
    apart = np.zeros((size, 2, variants.mean.shape[1]))
    shared, own = np.arange(a), np.arange(m)
    apart[shared, :, shared] = steps[:a, None]
    apart[a + own, 0, a + own] = steps[a : a + m]
    apart[a + m + own, 1, a + own] = steps[a + m :]
    place = variants.add(np.concatenate([variants.mean + apart, variants.mean - apart]))
    return place, steps


def slopes_from(log_odds: FloatArray, steps: FloatArray) -> FloatArray:
    """Slopes (size, 3) from the log-odds of `secants`, shape (2 size, 3)."""
    size = len(steps)
    return np.asarray((log_odds[:size] - log_odds[size:]) / (2.0 * steps[:, None]))


def stepped(variants: Variants, side: int | None, target: int, variance: float) -> slice:
    """Gather what a measure with a threshold may turn out to be, if it is known exactly.

    Parameters
    ----------
    side
        The leg that is measured, or None for a measure of the athlete.
    target
        Its place among the targets of the expected values.
    variance
        What is open of it.
    """
    legs = [0, 1] if side is None else [side]
    mean = np.repeat(variants.mean[None], BANDS, axis=0)
    mean[:, legs, target] += np.sqrt(variance) * _NODES[:, None]
    spread = variants.variance.copy()
    spread[legs, target] = 0.0
    return variants.add(mean, spread)
