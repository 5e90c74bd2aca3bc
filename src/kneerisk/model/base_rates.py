"""How often knees hurt, which studies answer by their definition of pain, and clubs by counting.

A simulated cohort draws the log-odds of its base rate from a normal distribution as wide as the
definitions disagree, so the predicted risk is an average over them. A club's count of athletes with
knee pain narrows that distribution by Bayes' rule (a binomial likelihood, on a grid), and the risk
becomes the average over what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit, logit, logsumexp

from kneerisk.evidence import rates_by_definition
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.model.remembered import SentWithoutCaches
from kneerisk.schema import FloatArray, category

#: Nodes of the distribution, in its SDs: 801 from -4 to 4, so that a count of 100,000 athletes is
#: still wider than a step of the grid (assumption).
_NODES = np.linspace(-4.0, 4.0, 801)
#: Log-odds at the middle of the definitions that a risk is looked up in (assumption: beyond any).
_CENTRES = np.linspace(-16.0, 16.0, 3201)
#: The 90 % interval of the base rate, as for the risks.
_TAIL = 0.05


class Count(NamedTuple):
    """So many of a club's athletes had knee pain within 12 months."""

    outcomes: float
    of: float


class BaseShift(NamedTuple):
    """What the base rate adds to the log-odds of n screenings, each of shape (n,).

    Quantiles of the log-odds above the middle of the definitions, and their variance.
    """

    low: FloatArray
    median: FloatArray
    high: FloatArray
    variance: FloatArray


@dataclass(frozen=True, kw_only=True)
class BaseRates(SentWithoutCaches):
    """The risk of pain in either knee within 12 months, by sport, and its spread.

    ``central`` (n_sports,) are the mean risks, ``spread`` (n_sports,) the SDs of their log-odds
    over definitions; a sport that is not stated counts as the mean of all. ``between`` is the SD of
    the log-odds of either knee between athletes of a sport. ``count`` is what the club of the
    model, or of one request, has counted. What a sport's distribution is, it remembers.
    """

    central: FloatArray
    spread: FloatArray
    between: float
    count: Count | None = None

    def centred(self, log_odds: FloatArray, sport: FloatArray) -> FloatArray:
        """Log-odds at the middle of the definitions, of which a risk is the average.

        Parameters
        ----------
        log_odds
            Of risks averaged over the definitions, shape ``(n, ...)``.
        sport
            Codes of the sports, shape ``(n,)``; NaN where none is stated.

        Returns
        -------
        The shape of ``log_odds``.
        """
        centred = np.empty_like(log_odds)
        for rows, place in self._groups(sport):
            averages = _averages(round(float(self._spread(place)), 12))
            centred[rows] = np.interp(log_odds[rows], averages, _CENTRES)
        return centred

    def counted(self, log_odds: FloatArray, sport: FloatArray) -> FloatArray:
        """Log-odds of the risks averaged over what the club's count leaves open.

        Parameters
        ----------
        log_odds
            Of risks averaged over the definitions, shape ``(n, ...)``.
        sport
            Codes of the sports, shape ``(n,)``; NaN where none is stated.

        Returns
        -------
        The shape of ``log_odds``; as given where nothing was counted.
        """
        if self.count is None:
            return log_odds
        centred, averaged = self.centred(log_odds, sport), np.empty_like(log_odds)
        for rows, place in self._groups(sport):
            weights, odds = self._weights_and_odds(place)
            # Odds of staying free at each shift: the exponential of a sum is a product.
            free_odds = np.exp(-centred[rows])[..., None] / odds
            shares = weights / (1.0 + free_odds)
            averaged[rows] = np.log(shares.sum(axis=-1) / (shares * free_odds).sum(axis=-1))
        return averaged

    def shift(self, sport: FloatArray) -> BaseShift:
        """What the base rate adds to log-odds at the middle of the definitions.

        Parameters
        ----------
        sport
            Codes of the sports, shape ``(n,)``; NaN where none is stated.

        Returns
        -------
        Its median, 90 % interval and variance.
        """
        table = np.empty((len(sport), 4))
        for rows, place in self._groups(sport):
            table[rows] = self._summary(place)
        return BaseShift(*table.T)

    def rate(self, sport: float) -> float:
        """The mean risk of either knee in a sport (its code; NaN: any), by what was counted."""
        place = self._place(sport)
        shifts, log_weights = self._distribution(place)
        return float(np.exp(log_weights) @ expit(self._club_log_odds(place, shifts)))

    def surprise(self, count: Count) -> float:
        """How likely a count at least as extreme was before it was known: twice the smaller tail.

        Close to 0, it counts something else than any definition of knee pain that was studied.
        """
        from scipy.stats import binom  # takes half a second to load

        log_odds = self._log_odds_over_sports(-1, _NODES * self._spread(-1))
        weights = np.exp(-0.5 * _NODES**2)[:, None] * np.exp(-0.5 * _NODES[::20] ** 2)
        weights /= weights.sum()
        tails = (
            float((weights * tail(number, count.of, expit(log_odds))).sum())
            for tail, number in ((binom.cdf, count.outcomes), (binom.sf, count.outcomes - 1))
        )
        return min(1.0, 2.0 * min(tails))

    def club_range(self) -> tuple[float, float]:
        """The central 95 % of the rates that clubs have, by any definition and in any sport."""
        sd = float(np.hypot(self._spread(-1), self._between_sports))
        low, high = expit(self._club_log_odds(-1, np.array([-NORMAL_95, NORMAL_95]) * sd))
        return float(low), float(high)

    @cached_property
    def _summary(self) -> Callable[[int], tuple[float, ...]]:
        """Quantiles and variance of a sport's shifts, as `shift` gives them."""
        return cache(self._summarised)

    def _summarised(self, place: int) -> tuple[float, ...]:
        shifts, log_weights = self._distribution(place)
        weights = np.exp(log_weights)
        below = np.cumsum(weights) - weights / 2.0
        mean = float(weights @ shifts)
        quantiles = np.interp((_TAIL, 0.5, 1.0 - _TAIL), below, shifts)
        return (*quantiles.tolist(), float(weights @ (shifts - mean) ** 2))

    @cached_property
    def _weights_and_odds(self) -> Callable[[int], tuple[FloatArray, FloatArray]]:
        """Probabilities of a sport's shifts, and what each shift multiplies the odds by."""

        def weights_and_odds(place: int) -> tuple[FloatArray, FloatArray]:
            shifts, log_weights = self._distribution(place)
            return np.exp(log_weights), np.exp(shifts)

        return cache(weights_and_odds)

    @cached_property
    def _distribution(self) -> Callable[[int], tuple[FloatArray, FloatArray]]:
        """Shifts of a sport's log-odds, and the logarithms of their probabilities."""
        return cache(self._weighted_shifts)

    def _weighted_shifts(self, place: int) -> tuple[FloatArray, FloatArray]:
        shifts = _NODES * self._spread(place)
        log_weights = -0.5 * _NODES**2
        if self.count is not None:
            log_weights = log_weights + self._log_likelihood(place, shifts, self.count)
        return shifts, log_weights - logsumexp(log_weights)

    def _log_likelihood(self, place: int, shifts: FloatArray, count: Count) -> FloatArray:
        """Logarithm of how likely a count is at each shift, up to a constant.

        A club may have counted athletes of other sports too, so its rate may lie as far from that
        of the athlete's sport as sports lie from each other.
        """
        log_odds = self._log_odds_over_sports(place, shifts)
        binomial = count.outcomes * log_expit(log_odds)
        binomial += (count.of - count.outcomes) * log_expit(-log_odds)
        return np.asarray(logsumexp(binomial - 0.5 * _NODES[::20] ** 2, axis=1))

    def _log_odds_over_sports(self, place: int, shifts: FloatArray) -> FloatArray:
        """The log-odds of a club's rate at each shift (rows) and distance of its sports."""
        return self._club_log_odds(place, shifts[:, None] + self._between_sports * _NODES[::20])

    @property
    def _between_sports(self) -> float:
        """SD of the log-odds of sports' mean risks."""
        return float(logit(self.central).std())

    def _club_log_odds(self, place: int, shifts: FloatArray) -> FloatArray:
        """Log-odds of a club's rate at each shift: the average over athletes of many risks."""
        central = self.central.mean() if place < 0 else self.central[place]
        of_all = _averages(round(float(np.hypot(self._spread(place), self.between)), 12))
        middle = np.interp(logit(central), of_all, _CENTRES)
        averages = _averages(round(self.between, 12))
        return np.asarray(np.interp(middle + shifts, _CENTRES, averages))

    def _spread(self, place: int) -> float:
        return float(self.spread.mean() if place < 0 else self.spread[place])

    def _place(self, sport: float) -> int:
        return -1 if np.isnan(sport) else int(sport)

    def _groups(self, sport: FloatArray) -> list[tuple[np.ndarray, int]]:
        """The rows of each sport."""
        places = np.where(np.isnan(sport), -1.0, sport).astype(int)
        return [(np.flatnonzero(places == place), place) for place in set(places.tolist())]


def published_base_rates(between: float) -> BaseRates:
    """The base rates of the evidence tables, in the order of the schema's sports.

    ``between`` is the SD of the log-odds of either knee between athletes of a sport.
    """
    ranges = [rates_by_definition()[sport] for sport in category("sport").choices]
    return BaseRates(
        central=np.array([rate.central for rate in ranges]),
        spread=np.array([rate.log_odds_sd for rate in ranges]),
        between=between,
    )


@cache
def _averages(spread: float) -> FloatArray:
    """Log-odds of the average risk where those at the middle are `_CENTRES`."""
    nodes = _NODES[::4]
    weights = np.exp(-0.5 * nodes**2)
    # Odds of pain: the exponential of a sum is a product.
    odds = np.exp(_CENTRES)[:, None] * np.exp(spread * nodes)
    free = 1.0 / (1.0 + odds)
    return np.asarray(np.log((odds * free) @ weights) - np.log(free @ weights))
