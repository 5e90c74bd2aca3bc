"""What the model makes of some screenings: worked out once, told by every part of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logit

from kneerisk.model import Bundle, Metadata, Prediction
from kneerisk.model.attribution.contributions import Contributions
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected
from kneerisk.schema import Columns, FloatArray, Screening, coded_rows, to_row

#: What a screening always has: the answer to these alone is what the tests are compared with.
PLAIN = ("age_years", "sex", "sport")


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """n screenings with all that the model says of them.

    ``rows`` are the flat measured values by canonical column, ``data`` the same as coded columns
    of shape (n,), ``expected`` the true values that they speak for, ``legs`` the feature matrix.
    ``width`` is that of either knee's interval in log-odds, ``plain_width`` the same where nothing
    but age, sex and sport is known.
    """

    bundle: Bundle
    screenings: Sequence[Screening]
    rows: list[dict[str, Any]]
    data: Columns
    expected: Expected
    legs: FeatureMatrix
    prediction: Prediction
    contributions: Contributions
    width: FloatArray
    plain_width: FloatArray

    @property
    def metadata(self) -> Metadata:
        """What is known about the model."""
        return self.bundle.metadata


def read(bundle: Bundle, screenings: Sequence[Screening]) -> Predictions:
    """Everything the model says of the screenings; each by itself, whatever the others are."""
    model, n = bundle.model, len(screenings)
    rows = [to_row(screening) for screening in screenings]
    plain = [{name: row[name] for name in PLAIN if name in row} for row in rows]
    # One pass for both: a call costs as much for two rows as for one.
    both = coded_rows([*rows, *plain])
    data = {name: values[:n] for name, values in both.items()}
    expected = model.measurement_update.expected(both)
    legs = model.features(both, expected)
    prediction = model.predict_features(legs)
    width = _width(prediction)
    own = legs.take(slice(n))
    return Predictions(
        bundle=bundle,
        screenings=screenings,
        rows=rows,
        data=data,
        expected=expected.take(n),
        legs=own,
        prediction=prediction.take(n),
        contributions=model.explainer.contributions(data, expected, own),
        width=width[:n],
        plain_width=width[n:],
    )


def _width(found: Prediction) -> FloatArray:
    """Width of the interval of either knee in log-odds, shape (n,).

    As a probability, the interval of a high risk is wide however much is known.
    """
    low, high = found.intervals["either"]
    return np.asarray(logit(high) - logit(low))
