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
from kneerisk.answer.predictions import BASIC_COLUMNS, width_share
from kneerisk.answer.risk_and_red_flags import (
    AVERAGE_SEX,
    BANDS,
    LITTLE_GAIN,
    LITTLE_INFORMATION,
    OTTAWA_AGE_YEARS,
    flags_for,
    must_refer,
)
from kneerisk.answer.usual_risk import usual_risk_in
from kneerisk.evidence import imbalances, measures_of_test
from kneerisk.evidence.risk_factors import belongs, risk_factors, strongest_tests
from kneerisk.model import Bundle, Metadata, Prediction
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.variance_sources import VarianceSources, variance_sources
from kneerisk.schema import SIDES, Category, Columns, FloatArray, category, columns
from kneerisk.schema.columns import location_of, rows_by_place
from kneerisk.schema.sections import RED_FLAGS

Flags = NDArray[np.bool_]
#: The bands from the lowest to the highest, and that there is none.
_BAND_NAMES = (*(name for _, name in BANDS), "well_above", "not_assessed")


def score_columns(
    bundle: Bundle,
    data: Columns,
    asked: NDArray[np.object_] | None,
    *,
    drivers: bool = False,
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

    Returns
    -------
    By name, shape (n,): floats with NaN where there is no number, else texts with None.
    """
    model, metadata = bundle.model, bundle.metadata
    expected = model.measurement_update.expected(data)
    legs = model.features(data, expected)
    prediction = model.predict_features(legs)
    flag_codes, refer = _red_flags(asked, data["age_years"])
    hurts = _painful(data, metadata)
    little = _little_information(
        model, data, prediction, variance_sources(model, data, expected, legs)
    )
    status, reasons = _reasons(refer, hurts.sum(axis=1), _outside(data, metadata), little)
    scored = refer == 0
    given = _given(model, scored, hurts)
    unassessed = little | _basic_alone(data)
    result: dict[str, NDArray[Any]] = {
        "status": status, "reasons": reasons, "red_flags": flag_codes
    }  # fmt: skip
    for knee in KNEES:
        result |= _risk(bundle, data["sport"], prediction, knee, given[knee], unassessed)
    result |= _imbalances(model, prediction, scored)
    if drivers:
        result |= driver_columns(model, data, expected, legs, given)
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


def _painful(data: Columns, metadata: Metadata) -> Flags:
    """Whether each knee hurts now, where the model is about new pain; shape (n, 2)."""
    hurts = np.stack([data[f"{side}_pain_nrs"] > 0.0 for side in SIDES], axis=1)
    return hurts if metadata.outcome_kind == "new_pain" else np.zeros_like(hurts)


def _outside(data: Columns, metadata: Metadata) -> NDArray[np.intp]:
    """How many values of each lie outside of what the model's cohort held, shape (n,)."""
    count = np.zeros(len(data["sex"]), dtype=np.intp)
    for name, measure in columns().items():
        population = metadata.population.get(name)
        if not population or not measure.model_input:
            continue
        values = data[name]
        if isinstance(measure, Category):
            held = {*population["choices"], AVERAGE_SEX}
            codes = [code for code, choice in enumerate(measure.choices) if choice in held]
            inside = np.isin(values, codes)
        else:
            inside = (values >= population["low"]) & (values <= population["high"])
        count += ~(inside | np.isnan(values))
    return count


def _little_information(
    model: RiskModel, data: Columns, prediction: Prediction, sources: VarianceSources | None
) -> Flags:
    """Whether too little is known of each for a number to hold, shape (n,)."""
    if sources is None:
        if model.base_rates:
            return np.zeros(len(data["sex"]), dtype=bool)
        return np.asarray(width_share(model, data, prediction) >= LITTLE_GAIN)
    recent = category("prior_knee_injury").choices.index("within_12_months")
    injured = [data[f"{side}_prior_knee_injury"] == recent for side in SIDES]
    little = sources.information.mean(axis=1) < LITTLE_INFORMATION
    return np.asarray((little | _none_of_strongest(data)) & ~np.any(injured, axis=0))


def _none_of_strongest(data: Columns) -> Flags:
    """Whether none of the tests was done that say most about an athlete like each, shape (n,)."""
    populations = dict.fromkeys(effect.population for effect in risk_factors())
    alike = np.stack([belongs(name, data) for name in populations], axis=1)
    kinds, first, place = np.unique(alike, axis=0, return_index=True, return_inverse=True)
    none = np.empty(len(alike), dtype=bool)
    for row, rows in zip(first.tolist(), rows_by_place(place.ravel(), len(kinds)), strict=True):
        tests = strongest_tests(*(float(data[name][row]) for name in ("sport", "sex", "age_years")))
        wanted = {measure for test in tests for measure in measures_of_test(test)}
        given = [~np.isnan(data[c][rows]) for c in columns() if location_of(c)[-1] in wanted]
        none[rows] = ~np.any(given, axis=0)
    return none


def _reasons(
    refer: NDArray[np.intp], hurts: NDArray[np.intp], outside: NDArray[np.intp], little: Flags
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The status, and the code of each reason joined by ``;``; each of shape (n,)."""
    counts = np.stack([refer, hurts, outside, little.astype(np.intp)], axis=1)
    kinds, place = np.unique(counts, axis=0, return_inverse=True)
    names = ("refer", "current_pain", "out_of_population", "low_information")
    codes = [
        [name for name, count in zip(names, kind, strict=True) for _ in range(count)]
        for kind in kinds.tolist()
    ]
    status = _texts([found[0] if found else "ok" for found in codes])
    return status[place.ravel()], _texts([";".join(found) for found in codes])[place.ravel()]


def _given(model: RiskModel, scored: Flags, hurts: Flags) -> dict[Knee, Flags]:
    """Which screenings get a risk of each knee."""
    nothing, pain_free = np.zeros_like(scored), scored & ~hurts.any(axis=1)
    if not model.sided:
        return {"left": nothing, "right": nothing, "either": pain_free}
    left, right = (scored & ~hurts[:, leg] for leg in range(len(SIDES)))
    return {"left": left, "right": right, "either": pain_free}


def _basic_alone(data: Columns) -> Flags:
    """Whether nothing but `BASIC_COLUMNS` is known, shape (n,)."""
    alone = np.ones(len(data["sex"]), dtype=bool)
    for name in columns():
        if name not in BASIC_COLUMNS:
            alone &= np.isnan(data[name])
    return alone


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
    ratio = probability / _usual(bundle, knee)[np.where(np.isnan(sport), -1.0, sport).astype(int)]
    ends = np.array([end for end, _ in BANDS])
    place = np.searchsorted(ends, np.where(np.isnan(ratio), 1.0, ratio), side="right")
    place = np.where(unassessed, len(_BAND_NAMES) - 1, place)
    band = _texts([*_BAND_NAMES, None])[np.where(given, place, len(_BAND_NAMES))]
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
