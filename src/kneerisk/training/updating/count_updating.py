"""A champion whose base rate is updated by a club's count, without any screening.

The same as a request's own ``setting``: Bayes' rule narrows the range that definitions of knee pain
span (see `kneerisk.model.base_rates`). The club may have counted athletes of several sports, so its
rate may lie as far from that of an athlete's sport as sports lie from each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from kneerisk.errors import CohortRefused
from kneerisk.model import Bundle
from kneerisk.model.base_rates import BaseRates, Count
from kneerisk.model.metadata import COUNT_CHOICES
from kneerisk.model.risk_model import RiskModel
from kneerisk.words import text

#: A count that was less likely than this beforehand counts something else (assumption).
LEAST_LIKELY = 0.001
ANY_SPORT = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedModel:
    """A version updated by a count, and the base rate before and after."""

    base: Bundle
    model: RiskModel
    count: Count
    rate_before: float
    """The mean risk of either knee in any sport."""
    rate_after: float

    @property
    def choices(self) -> dict[str, float]:
        """The count, as a bundle and a run keep it."""
        return dict(zip(COUNT_CHOICES, map(float, self.count), strict=True))


def update_by_count(base: Bundle, count: Count) -> CountedModel:
    """The version with its base rate updated by a count, and nothing else changed.

    Parameters
    ----------
    base
        The version to update.
    count
        How many of how many athletes of a club had knee pain within 12 months.

    Returns
    -------
    The updated model.

    Raises
    ------
    CohortRefused
        Where outcomes or another count have updated the version already, or where the count fits no
        definition of knee pain that was studied.
    """
    refuse_counted(base)
    rates = base.model.base_rates
    if rates is None:
        raise CohortRefused(text("training.adapt.settled", version=base.metadata.version))
    _refuse_implausible(rates, count)
    model = base.model.counting(count)
    return CountedModel(
        base=base,
        model=model,
        count=count,
        rate_before=rates.rate(ANY_SPORT),
        rate_after=(model.base_rates or rates).rate(ANY_SPORT),
    )


def refuse_counted(base: Bundle) -> None:
    """Refuse a version that a count has updated already: the same pain would count twice.

    Parameters
    ----------
    base
        The version to update.

    Raises
    ------
    CohortRefused
        With the version to update instead.
    """
    count, metadata = base.metadata.count, base.metadata
    if count is not None:
        raise CohortRefused(text(
            "training.adapt.counted_already", version=metadata.version, base=metadata.base_version,
            outcomes=f"{count.outcomes:,g}", of=f"{count.of:,g}",
        ))  # fmt: skip


def _refuse_implausible(rates: BaseRates, count: Count) -> None:
    if rates.surprise(count) < LEAST_LIKELY:
        low, high = (f"{100.0 * rate:.0f}" for rate in rates.club_range())
        raise CohortRefused(text(
            "training.adapt.implausible", low=low, high=high,
            outcomes=f"{count.outcomes:,g}", of=f"{count.of:,g}",
        ))  # fmt: skip
