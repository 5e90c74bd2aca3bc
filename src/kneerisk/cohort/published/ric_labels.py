"""What the clinic's files say of a visit besides the measures: the injury, the speed, the site.

For benchmarks and their controls alone. Nothing here is a measure, and no model reads it: speed,
site and year separate injured from healthy runners by how the clinic recruited.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kneerisk.cohort.cells import NUMBER
from kneerisk.cohort.published import ric
from kneerisk.schema import FloatArray

#: How the clinic spells "no joint hurts".
NO_INJURY = ("no injury", "no injury,no injury", "", "nan")
#: Runners are numbered by site, in blocks of this many.
BLOCK_OF_A_SITE = 100_000


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of the rows that `ric.ingest` gives, in its order: arrays of shape (n,).

    ``knee`` is 1 where the main injury is at the knee (with iliotibial band syndrome), 0 where it
    is elsewhere and the knee is no second complaint, NaN without an injury. ``patellofemoral`` is
    1 with patellofemoral pain and 0 with iliotibial band syndrome. ``speed_mps`` is the
    treadmill's; ``site`` is a number without an order.
    """

    knee: FloatArray
    patellofemoral: FloatArray
    speed_mps: FloatArray
    site: FloatArray


def labels(metadata: Path, kinematics: Path) -> Labels:
    """The labels of the published files.

    Parameters
    ----------
    metadata
        The file with one row a session.
    kinematics
        The file with the kinematics of each session.

    Returns
    -------
    A label a row.

    Raises
    ------
    CohortRefused
        As `ric.ingest`.
    """
    rows = ric.visits(metadata, kinematics)
    words = {name: rows[name].str.strip().str.lower() for name in ric.INJURY}
    main = ric.at_knee(words["InjJoint"], words["SpecInjury"])
    second = ric.at_knee(words["InjJoint2"], words["SpecInjury2"])
    injured = ~words["InjJoint"].isin(NO_INJURY)
    named = words["SpecInjury"]
    front = named.str.contains("patellofemoral", regex=False) | (named == "pfps")
    outside = named.str.contains("itb", regex=False)
    return Labels(
        knee=_label(main, injured & ~main & ~second),
        patellofemoral=_label(front & ~outside, outside & ~front),
        speed_mps=_numbers(rows[ric.SPEED]),
        site=_numbers(rows["sub_id"]) // BLOCK_OF_A_SITE,
    )


def _label(yes: pd.Series[bool], no: pd.Series[bool]) -> FloatArray:
    return np.where(yes, 1.0, np.where(no, 0.0, np.nan))


def _numbers(cells: pd.Series[str]) -> FloatArray:
    known = cells.str.fullmatch(NUMBER.pattern)
    return pd.to_numeric(cells.where(known)).to_numpy(np.float64)
