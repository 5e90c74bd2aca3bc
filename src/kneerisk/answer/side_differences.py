"""How the legs of one screening differ, and whether the tests can see a difference so small."""

from __future__ import annotations

import numpy as np

from kneerisk.answer.answer_schema import SideDifference
from kneerisk.answer.predictions import Predictions
from kneerisk.schema import SIDES, leg_measures, quantities, quantity
from kneerisk.schema.detectable_change import CONDITIONS, Pair, PairComparison, compare
from kneerisk.schema.rules import OPPOSITES

#: One-sided by nature: a pelvis that is higher on one side is lower on the other, and only one
#: leg is the shorter one. Each is one reading of both legs, and its two values always differ.
ONE_SIDED = (*OPPOSITES, "leg_length_deficit_cm")


def side_differences(predictions: Predictions, i: int) -> list[SideDifference]:
    """Every measure with a published error that was taken on both legs of screening i."""
    row = slice(i, i + 1)
    data = {name: predictions.data[name][row] for name in CONDITIONS}
    left, right = (
        {n: predictions.data[f"{side}_{n}"][row] for n in leg_measures()} for side in SIDES
    )
    pairs = [
        Pair(measure=name, first=left[name], second=right[name], data=data)
        for name, measure in quantities(leg_measures()).items()
        if measure.error and name not in ONE_SIDED
    ]
    pairs = [pair for pair in pairs if not np.isnan(pair.first + pair.second).any()]
    found = compare(pairs) if pairs else None
    return [_told(pair, found, k) for k, pair in enumerate(pairs) if found is not None]


def _told(pair: Pair, found: PairComparison, k: int) -> SideDifference:
    measure = quantity(pair.measure)
    return SideDifference(
        measure=pair.measure,
        label=measure.label,
        unit=measure.unit,
        right=float(pair.second[0]),
        left=float(pair.first[0]),
        difference=float(found.difference[0, k]),
        detectable=float(found.detectable[0, k]),
        beyond_error=bool(found.beyond_error[0, k]),
        beyond_chance=bool(found.beyond_chance[0, k]),
    )
