"""How many of a cohort's screenings have each measure, by which a fit chooses its columns."""

from __future__ import annotations

import numpy as np

from kneerisk.schema import SIDES, Columns, athlete_measures, leg_measures


def measured_shares(data: Columns) -> dict[str, float]:
    """The share of screenings that have each measure.

    Parameters
    ----------
    data
        Coded columns of n screenings, shape (n,) each.

    Returns
    -------
    By the measure's name without a side; of a measure of the leg, the share of the legs.
    """
    of_athlete = {name: (name,) for name in athlete_measures()}
    of_legs = {name: tuple(f"{side}_{name}" for side in SIDES) for name in leg_measures()}
    return {
        measure: float(np.mean([~np.isnan(data[name]) for name in names]))
        for measure, names in (of_athlete | of_legs).items()
    }
