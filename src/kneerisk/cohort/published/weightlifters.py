"""The survey of masters weightlifters: knee injuries so far, without a side.

Huebner & Ma 2022, BMJ Open Sport Exerc Med 8:e001372, doi 10.1136/bmjsem-2022-001372 (data on
Dryad, CC0). One row an athlete. The outcome is any knee injury in weightlifting that restricted
training (`knees`); injuries of other sites, and osteoarthritis, may have come after it.

Left out because the file does not say what their numbers mean: `train_session`, `train_warm`,
`train_lift`, `train_strength`, `train_supp`, `train_cool`, `nutrition`, `pcoach`, `premote`,
`pown`, and the sports of now and before (`pa_*`, `sport0_*`). Left out because they follow from
age and experience: `agegrp3` and `age_start`. Height and mass are not in the file.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.ingest_result import Ingested
from kneerisk.cohort.layout import ATHLETE_ID, OUTCOMES
from kneerisk.cohort.published.published_file import (
    Source,
    blank_bad_cells,
    read_published,
    unchanged,
)
from kneerisk.errors import CohortRefused
from kneerisk.words import text

SOURCE = "masters weightlifters, Huebner & Ma 2022, doi 10.1136/bmjsem-2022-001372"
FILE = "survey"
ID = "id"
OUTCOME = OUTCOMES[2]


_FLAG = {"0": "no", "1": "yes"}

#: `hips` is written yes/no and `OA` 0/1, which looks as if their values had been exchanged. They
#: were not: men have `hips` in 12 %, the lowest share of a site that the paper reports, and it
#: falls with age as an injury may; `OA` is common in both sexes and rises with age. The paper's
#: `OA` is chronic inflammation or osteoarthritis, so it is wider than the schema's measure.
SOURCES = {
    "age_years": Source(FILE, "age", unchanged),
    "sex": Source(FILE, "sex", {"m": "male", "f": "female"}),
    "training_years": Source(FILE, "yrs_experience", unchanged),
    # Days a week with weightlifting, each of which is a session of resistance training.
    "resistance_sessions_per_week": Source(FILE, "train_days", unchanged),
    "osteoarthritis": Source(FILE, "OA", _FLAG),
    "prior_shoulder_injury": Source(FILE, "shoulder", _FLAG),
    "prior_back_injury": Source(FILE, "back", _FLAG),
    "prior_wrist_injury": Source(FILE, "wrist", _FLAG),
    "prior_hip_injury": Source(FILE, "hips", {"no": "no", "yes": "yes"}),
    OUTCOME: Source(FILE, "knees", unchanged),
}


def ingest(path: Path) -> Ingested:
    """The published file as a cohort of past injury of either knee, one row an athlete.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    The cohort, and what of the file is not in it.

    Raises
    ------
    CohortRefused
        Where the file can't be read, is not the published one, or has an athlete twice.
    """
    raw = read_published(path, (ID, *(source.column for source in SOURCES.values())))
    repeated = raw.frame[ID].duplicated()
    if repeated.any():
        line = raw.lines[int(repeated.to_numpy().argmax())]
        raise CohortRefused(text("cohort.published.repeated_id", file=path, line=line))
    cells = pd.DataFrame({name: raw.frame[source.column] for name, source in SOURCES.items()})
    cells[ATHLETE_ID] = "wl-" + raw.frame[ID]
    cells["sport"] = "weightlifting"
    frame, blanked = blank_bad_cells(cells, SOURCES, {FILE: raw.lines})
    cohort = Cohort(frame, "observed", "past_injury", None, SOURCE)
    return Ingested(cohort=cohort, blanked=blanked)
