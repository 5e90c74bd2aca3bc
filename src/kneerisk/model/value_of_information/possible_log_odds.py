"""What the log-odds of an athlete's knees would be if what is not known of the athlete were.

Each expected true measure a bit higher and lower (secants, which see what trees do as well), the
true value in each band of a measure with a threshold, and each answer to a question.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from kneerisk.model.imputation import Expected
from kneerisk.model.moved_measures import Screenings
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.value_of_information.missing_tests import Answers
from kneerisk.schema import FloatArray

#: A secant spans one open SD to either side, and no less than this many SDs (assumption).
SHORTEST_STEP = 0.1
#: Into so many equally likely values a measure with a threshold is cut (assumption).
BANDS = 16
_BAND_MIDDLES = ndtri((np.arange(BANDS) + 0.5) / BANDS)


def measure_slopes(model: RiskModel, screenings: Screenings, open_sd: FloatArray) -> FloatArray:
    """Slopes of the log-odds along each measure, but for those with a threshold.

    Parameters
    ----------
    model
        The model.
    screenings
        n screenings.
    open_sd
        SD that is open of each place of those measures, shape ``(n, n_places)``.

    Returns
    -------
    Log-odds of the left and the right knee per SD, shape ``(n, n_places, 2)``.
    """
    steps = np.maximum(open_sd, SHORTEST_STEP)
    shifts = np.stack([steps, -steps], axis=1)
    moved = model.moved.log_odds(screenings, shifts)
    log_odds = model.calibrated(screenings.features, moved)
    return np.asarray((log_odds[:, 0] - log_odds[:, 1]) / (2.0 * steps[..., None]))


def band_log_odds(
    model: RiskModel, screenings: Screenings, open_variance: FloatArray
) -> FloatArray:
    """Log-odds with each value that a measure with a threshold may turn out to have.

    Parameters
    ----------
    model
        The model.
    screenings
        n screenings.
    open_variance
        What is open of each place of those measures, in SD squared, shape ``(n, n_places)``.

    Returns
    -------
    Of `BANDS` equally likely values, shape ``(n, BANDS, n_places, 2)``.
    """
    shifts = np.sqrt(open_variance)[:, None, :] * _BAND_MIDDLES[:, None]
    settled = model.settled.log_odds(screenings, shifts)
    return model.calibrated(screenings.features, settled)


def answer_log_odds(
    model: RiskModel, screenings: Screenings, possible: Sequence[tuple[int, Answers]]
) -> FloatArray:
    """Log-odds with each possible answer to questions that were not asked.

    Parameters
    ----------
    model
        The model.
    screenings
        n screenings.
    possible
        The place of a screening with the answers to one question, one item for each question, and
        at least one.

    Returns
    -------
    Of all answers in their order, shape ``(n_answers, 2)``.
    """
    counts = [len(shares) for _, (_, shares) in possible]
    rows = np.repeat([row for row, _ in possible], counts)
    table = np.array(list(screenings.data.values()))[:, rows]
    data = dict(zip(screenings.data, table, strict=True))
    mean, variance = screenings.expected.mean[rows], screenings.expected.variance[rows]
    ends = np.cumsum(counts).tolist()
    for (_, (answers, _)), end, count in zip(possible, ends, counts, strict=True):
        for name, codes in answers.items():
            data[name][end - count : end] = codes
        # Of all answers the sport alone moves what is usual.
        if "sport" in answers:
            own = {name: values[end - count : end] for name, values in data.items()}
            mean[end - count : end] = model.measurement_update.expected(own).mean
    expected = Expected(
        mean=mean,
        variance=variance,
        prior=mean,
        innovation=np.zeros((len(mean), 2, 0)),
        gains=(),
    )
    return model.log_odds(model.features(data, expected))
