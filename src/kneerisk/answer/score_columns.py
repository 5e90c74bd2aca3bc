"""The scores of many screenings as columns: status, red flags, risks, bands and imbalances.

The same numbers and codes as the answers have (`compose_answer.answers`), worked out for all rows
at once: a file of a million screenings needs no answer in words for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.answer.answer_schema import KNEES, SHOWN, Knee
from kneerisk.answer.driver_columns import driver_columns
from kneerisk.answer.little_known import Flags, basic_alone, little_known
from kneerisk.answer.next_test_columns import next_test_columns
from kneerisk.answer.risk_and_red_flags import OTTAWA_AGE_YEARS, flags_for, must_refer
from kneerisk.answer.status_rules import (
    BAND_NAMES,
    REASONS,
    band_places,
    knees_with_risk,
    outside_population,
    painful_knees,
    status_of,
)
from kneerisk.answer.usual_risk import usual_risk_in
from kneerisk.evidence import imbalances
from kneerisk.model import Bundle, Metadata, Prediction
from kneerisk.model.moved_measures import Screenings
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.variance_sources import variance_sources
from kneerisk.schema import SIDES, Columns, FloatArray, category, columns
from kneerisk.schema.sections import RED_FLAGS


def score_columns(
    bundle: Bundle,
    data: Columns,
    asked: NDArray[np.object_] | None,
    *,
    drivers: bool = False,
    next_test: bool = False,
) -> dict[str, NDArray[Any]]:
    """Score n screenings; no screening's numbers depend on the others.

    Parameters
    ----------
    bundle
        The released model; its own measures are in force.
    data
        Every canonical column, coded, each of shape (n,); missing is NaN.
    asked
        The red flags of each as a file has them: codes joined by ``;``, a text without a code where
        none applies, None where nobody asked; shape (n,). None where no screening was asked.
    drivers
        Whether the strongest drivers of each knee are wanted too.
    next_test
        Whether the test that is worth most is wanted too.

    Returns
    -------
    By name, shape (n,): floats with NaN where there is no number, else texts with None.
    """
    model, metadata = bundle.model, bundle.metadata
    expected = model.measurement_update.expected(data)
    legs = model.features(data, expected)
    prediction = model.predict_features(legs)
    flag_codes, refer = _red_flags(asked, data["age_years"])
    hurts = painful_knees(data, metadata)
    sources = variance_sources(model, data, expected, legs)
    little = little_known(model, data, prediction, sources, columns()).at_all
    status, reasons = _reasons(refer, hurts.sum(axis=1), _outside(data, metadata), little)
    scored = refer == 0
    given = {knee: can & scored for knee, can in knees_with_risk(hurts, sided=model.sided).items()}
    unassessed = little | basic_alone(data, columns())
    result: dict[str, NDArray[Any]] = {
        "status": status, "reasons": reasons, "red_flags": flag_codes
    }  # fmt: skip
    for knee in KNEES:
        result |= _risk(bundle, data["sport"], prediction, knee, given[knee], unassessed)
    result |= _imbalances(model, prediction, scored)
    if drivers:
        result |= driver_columns(model, data, expected, legs, given)
    if next_test:
        screenings = Screenings(data=data, expected=expected, features=legs)
        result |= next_test_columns(bundle, screenings, ~hurts & scored[:, None])
    n = len(status)
    lineage = {"version": metadata.version, "run_id": metadata.run_id}
    return result | {name: _texts([value])[np.zeros(n, int)] for name, value in lineage.items()}


def _texts(values: Sequence[str | None]) -> NDArray[np.object_]:
    texts = np.empty(len(values), dtype=object)
    texts[:] = values
    return texts


def _red_flags(
    asked: NDArray[np.object_] | None, age_years: FloatArray
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """The codes of each one's red flags, and how many of them need a clinician; each (n,)."""
    if asked is None:
        none = np.zeros(len(age_years), dtype=np.intp)
        return _texts([""])[none], none
    cells = asked.tolist()
    distinct = {cell: 2 * place for place, cell in enumerate(dict.fromkeys(cells))}
    codes: list[str] = []
    urgent: list[int] = []
    for cell in distinct:
        given = [code for code in (cell or "").split(";") if code in RED_FLAGS]
        # Age counts by whether an acute injury needs an X-ray decision, and by nothing else.
        for age in (0.0, OTTAWA_AGE_YEARS):
            flags = flags_for(given, age)
            codes.append(";".join(flag.code for flag in flags))
            urgent.append(sum(must_refer([flag]) for flag in flags))
    place = np.array([distinct[cell] for cell in cells]) + (age_years >= OTTAWA_AGE_YEARS)
    return _texts(codes)[place], np.array(urgent, dtype=np.intp)[place]


def _outside(data: Columns, metadata: Metadata) -> NDArray[np.intp]:
    """How many values of each lie outside of what the model's cohort held, shape (n,)."""
    count = np.zeros(len(data["sex"]), dtype=np.intp)
    for name in columns():
        for outside in outside_population(data, metadata, [name]).values():
            count += outside
    return count


def _reasons(
    refer: NDArray[np.intp], hurts: NDArray[np.intp], outside: NDArray[np.intp], little: Flags
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The status, and the code of each reason joined by ``;``; each of shape (n,)."""
    counts = np.stack([refer, hurts, outside, little.astype(np.intp)], axis=1)
    kinds, place = np.unique(counts, axis=0, return_inverse=True)
    codes = [
        [name for name, count in zip(REASONS, kind, strict=True) for _ in range(count)]
        for kind in kinds.tolist()
    ]
    status = _texts([status_of(found) for found in codes])
    return status[place.ravel()], _texts([";".join(found) for found in codes])[place.ravel()]


def _risk(
    bundle: Bundle,
    sport: FloatArray,
    prediction: Prediction,
    knee: Knee,
    given: Flags,
    unassessed: Flags,
) -> dict[str, NDArray[Any]]:
    """Risk, interval and band of one knee, in the order of a file of answers."""
    names = (f"risk_{knee}", f"risk_{knee}_low", f"risk_{knee}_high")
    probability = getattr(prediction, knee)
    if probability is None:
        nothing = np.full(len(given), np.nan)
        return dict.fromkeys(names, nothing) | {f"band_{knee}": _texts([None])[given.astype(int)]}
    numbers = (probability, *prediction.intervals[knee])
    known = {
        name: np.where(given, values, np.nan) for name, values in zip(names, numbers, strict=True)
    }
    usual = _usual(bundle, knee)[np.where(np.isnan(sport), -1.0, sport).astype(int)]
    place = band_places(probability, usual, unassessed)
    band = _texts([*BAND_NAMES, None])[np.where(given, place, len(BAND_NAMES))]
    return known | {f"band_{knee}": band}


def _usual(bundle: Bundle, knee: Knee) -> FloatArray:
    """The usual risk by the code of the sport, that of all sports last; NaN where none is known."""
    rates = [usual_risk_in(bundle, sport) for sport in (*category("sport").choices, None)]
    usual = [rate.either if knee == "either" else rate.leg for rate in rates]
    return np.array([rate or np.nan for rate in usual])


def _imbalances(model: RiskModel, prediction: Prediction, scored: Flags) -> dict[str, NDArray[Any]]:
    """The probability of each imbalance of each leg, right first."""
    found: dict[str, NDArray[Any]] = {
        f"{side}_{name}": np.full(len(scored), np.nan) for side in SHOWN for name in imbalances()
    }
    if prediction.imbalances is None or model.imbalance is None:
        return found
    for k, name in enumerate(model.imbalance.names):
        for leg, side in enumerate(SIDES):
            found[f"{side}_{name}"] = np.where(scored, prediction.imbalances[:, leg, k], np.nan)
    return found
