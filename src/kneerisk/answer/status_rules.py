"""The rules behind the status of a screening and the band of a risk, for n screenings at once.

An answer in words and a file of scores both follow them: which knees hurt, what lies outside of the
model's population, which knees get a risk, and how a risk compares. When too little is known says
`little_known`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.answer.answer_schema import Band, Knee, Status
from kneerisk.answer.little_known import Flags
from kneerisk.model import Metadata
from kneerisk.schema import SIDES, Category, Columns, FloatArray, columns
from kneerisk.schema.own_measures import per_schema

#: For each column of the schema its range in a model's cohort, in its unit; None where it has none.
RangesSeen = tuple[tuple[float, float] | None, ...]
#: Codes of reasons, the most serious first: the first that applies is the status.
REASONS: tuple[Status, ...] = ("refer", "current_pain", "out_of_population", "low_information")
#: Upper ends of the bands, as multiples of the sport's base rate (assumption).
BANDS: tuple[tuple[float, Band], ...] = ((0.75, "below"), (1.25, "near"), (2.0, "above"))
#: The bands from the lowest to the highest, and that there is none.
BAND_NAMES: tuple[Band, ...] = (*(name for _, name in BANDS), "well_above", "not_assessed")
#: An unspecified sex is read as the average of both, which a model has always seen.
AVERAGE_SEX = "unspecified"


def status_of(codes: Sequence[Status]) -> Status:
    """The status that the codes of reasons lead to, which stand as in `REASONS`."""
    return codes[0] if codes else "ok"


def painful_knees(data: Columns, metadata: Metadata) -> Flags:
    """Whether each knee hurts now, where the model is about new pain.

    Parameters
    ----------
    data
        Coded columns of n screenings.
    metadata
        Says what the model is about.

    Returns
    -------
    Shape (n, 2), left knee first; nobody's where it is about something else.
    """
    hurts = np.stack([data[f"{side}_pain_nrs"] > 0.0 for side in SIDES], axis=1)
    return hurts if metadata.outcome_kind == "new_pain" else np.zeros_like(hurts)


def knees_with_risk(hurts: Flags, *, sided: bool) -> dict[Knee, Flags]:
    """Which screenings can get a risk of each knee, shape (n,).

    Parameters
    ----------
    hurts
        Whether each knee hurts, shape (n, 2).
    sided
        Whether the model tells the legs apart.

    Returns
    -------
    By knee; that of either only where neither hurts.
    """
    pain_free: Flags = np.asarray(~hurts.any(axis=1))
    if not sided:
        return {"left": np.zeros_like(pain_free), "right": np.zeros_like(pain_free),
                "either": pain_free}  # fmt: skip
    left, right = (~hurts[:, leg] for leg in range(len(SIDES)))
    return {"left": left, "right": right, "either": pain_free}


def ranges_seen(metadata: Metadata) -> RangesSeen:
    """The range of every column of the schema in the model's cohort."""
    held = [metadata.population.get(column, {}) for column in columns()]
    return tuple((one["low"], one["high"]) if "low" in one else None for one in held)


def outside_population(data: Columns, metadata: Metadata, names: Collection[str]) -> dict[str, Any]:
    """Which values lie outside of what the model's cohort held.

    Parameters
    ----------
    data
        Coded columns of n screenings.
    metadata
        Has the population of the model.
    names
        The columns that are looked at.

    Returns
    -------
    By column that the model reads, in their order: whether each has such a value, shape (n,).
    """
    measures = columns()
    known = {
        name: population
        for name in names
        if (population := metadata.population.get(name)) and measures[name].model_input
    }
    ranges = {name: (one["low"], one["high"]) for name, one in known.items() if "low" in one}
    found: dict[str, Flags] = {}
    if ranges:
        values = np.array([data[name] for name in ranges])
        low, high = np.array(list(ranges.values())).T[:, :, None]
        found |= zip(ranges, (values < low) | (values > high), strict=True)
    for name, population in known.items():
        if name not in ranges:
            found[name] = _is_unknown_choice(name, data[name], population["choices"])
    return {name: found[name] for name in known}


def _is_unknown_choice(name: str, codes: FloatArray, held: Collection[str]) -> Flags:
    """Which codes are of choices that the cohort did not hold, shape (n,)."""
    # That of a missing value is the last place.
    return _unknown_choices(name, tuple(held))[np.fmax(codes, -1.0).astype(np.intp)]


@per_schema
def _unknown_choices(name: str, held: tuple[str, ...]) -> Flags:
    """Of each choice of a category, and of a missing value, whether a cohort did not hold it."""
    measure = columns()[name]
    choices = measure.choices if isinstance(measure, Category) else ()
    return np.array([*(c not in held and c != AVERAGE_SEX for c in choices), False])


def band_places(probability: FloatArray, usual: FloatArray, unassessed: Flags) -> NDArray[np.intp]:
    """Places in `BAND_NAMES` of risks by how they compare with the usual one.

    Parameters
    ----------
    probability
        Risks, shape (n,).
    usual
        The usual risk of each, shape (n,); NaN where none is known, which counts as near.
    unassessed
        Where too little is known to compare, shape (n,).

    Returns
    -------
    Shape (n,).
    """
    ratio = probability / usual
    place = np.searchsorted(
        [end for end, _ in BANDS], np.where(np.isnan(ratio), 1.0, ratio), side="right"
    )
    return np.where(unassessed, len(BAND_NAMES) - 1, place)
