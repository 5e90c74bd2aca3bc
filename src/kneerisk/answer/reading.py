"""What the model makes of some screenings: worked out once, told by every part of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kneerisk.model import Bundle, Facts, Prediction
from kneerisk.model.contributions import Contributions
from kneerisk.model.legs import LegMatrix
from kneerisk.model.posterior import Expected
from kneerisk.schema import Columns, Screening, coded, to_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """n screenings with all that the model says of them.

    ``rows`` are the flat measured values by canonical column, ``data`` the same as coded columns
    of shape (n,), ``expected`` the true values that they speak for, ``legs`` the leg matrix.
    """

    bundle: Bundle
    screenings: Sequence[Screening]
    rows: list[dict[str, Any]]
    data: Columns
    expected: Expected
    legs: LegMatrix
    prediction: Prediction
    contributions: Contributions

    @property
    def facts(self) -> Facts:
        """What is known about the model."""
        return self.bundle.facts


def read(bundle: Bundle, screenings: Sequence[Screening]) -> Reading:
    """Everything the model says of the screenings; each by itself, whatever the others are."""
    model, data = bundle.model, coded(screenings)
    expected = model.posterior.expected(data)
    legs = model.legs_of(expected, data)
    return Reading(
        bundle=bundle,
        screenings=screenings,
        rows=[to_row(screening) for screening in screenings],
        data=data,
        expected=expected,
        legs=legs,
        prediction=model.predict_legs(legs),
        contributions=model.explainer.contributions(data, expected, legs),
    )
