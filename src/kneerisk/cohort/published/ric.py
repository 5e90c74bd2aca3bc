"""The Running Injury Clinic set: treadmill gait of runners, with the knee that hurts.

Ferber et al. 2024, Sci Data 11:1232, doi 10.1038/s41597-024-04011-7 (CC BY 4.0). Two files: one
row a session in the metadata, and its kinematics by leg; they join on the runner and the
session's file name.

The outcome is present pain of a knee: the main complaint of the visit is at the knee, or is
iliotibial band syndrome, which the clinic files under the thigh although it hurts at the knee.
Speed, site and date tell injured from healthy by how the clinic recruited, so none is a measure
here; the year is kept as the group.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.ingest_result import Ingested
from kneerisk.cohort.layout import ATHLETE_ID, GROUP, NUMBER, OUTCOMES, SCREENING_DATE
from kneerisk.cohort.published.published_file import (
    Source,
    blank_bad_cells,
    is_missing,
    opposite,
    read_published,
    unchanged,
)
from kneerisk.errors import CohortRefused
from kneerisk.schema import SIDES, FloatArray
from kneerisk.words import listed, text

SOURCE = "Running Injury Clinic, Ferber 2024, doi 10.1038/s41597-024-04011-7"
METADATA = "metadata"
KINEMATICS = "kinematics"

#: Canonical column, the metadata column it comes from, and what its words mean.
ATHLETE = {
    "age_years": Source(METADATA, "age", unchanged),
    "sex": Source(
        METADATA, "Gender", {"Male": "male", "Female": "female", "Unknown": "unspecified"}
    ),
    "height_cm": Source(METADATA, "Height", unchanged),
    "mass_kg": Source(METADATA, "Weight", unchanged),
    "level": Source(
        METADATA, "Level", {"Recreational": "recreational", "Competitive": "competitive"}
    ),
    # 999 stands for "not known" here, and is outside the schema's limits.
    "training_years": Source(METADATA, "YrsRunning", unchanged),
}

#: Measure of a leg, the clinic's variable, and its sign: the clinic counts inversion and toe-in
#: as positive, the schema eversion and toe-out.
GAIT = {
    "run_dorsiflexion_peak_deg": ("ANKLE_DF_PEAK_ANGLE", unchanged),
    "run_eversion_peak_deg": ("ANKLE_EVE_PEAK_ANGLE", opposite),
    "run_ankle_rotation_peak_deg": ("ANKLE_ROT_PEAK_ANGLE", unchanged),
    "run_foot_progression_deg": ("FOOT_PROG_ANGLE", opposite),
    "run_foot_strike_angle_deg": ("FOOT_ANG_at_HS", unchanged),
    "run_vertical_oscillation_mm": ("VERTICAL_OSCILLATION", unchanged),
    "run_stance_time_s": ("STANCE_TIME", unchanged),
    "run_swing_time_s": ("SWING_TIME", unchanged),
    "run_pronation_onset_pct": ("PRONATION_ONSET", unchanged),
    "run_pronation_offset_pct": ("PRONATION_OFFSET", unchanged),
}
#: Strides of each leg in a minute.
STRIDE_RATES = tuple(f"{side}_STRIDE_RATE_median" for side in "LR")

#: The treadmill's speed in m/s: set by the clinic, so it is not a measure.
SPEED = "speed_r"
METADATA_KEY = ("sub_id", "filename")
KINEMATICS_KEY = ("sub_id", "session_file")
INJURY = ("InjDefn", "InjJoint", "InjSide", "SpecInjury", "InjJoint2", "InjSide2", "SpecInjury2")
#: How the clinic spells "no joint hurts".
NO_INJURY = ("no injury", "no injury,no injury", "", "nan")
#: Runners are numbered by site, in blocks of this many.
BLOCK_OF_A_SITE = 100_000


def _leg_sources() -> dict[str, Source]:
    return {
        f"{side}_{measure}": Source(KINEMATICS, f"{side[0].upper()}_{variable}_median", convert)
        for measure, (variable, convert) in GAIT.items()
        for side in SIDES
    }


def ingest(metadata: Path, kinematics: Path) -> Ingested:
    """The published files as a cohort of present pain, one row a session.

    Parameters
    ----------
    metadata
        The file with one row a session.
    kinematics
        The file with the kinematics of each session.

    Returns
    -------
    The cohort, and what of the files is not in it.

    Raises
    ------
    CohortRefused
        Where a file can't be read, is not the published one, or has a session twice.
    """
    legs = _leg_sources()
    sessions, gait = _sessions(metadata), _gait(kinematics)
    both = sessions.join(gait, how="inner")
    if both.empty:
        raise CohortRefused(
            text("cohort.published.no_common_session", metadata=metadata, kinematics=kinematics)
        )
    cells, sources = _canonical(both, ATHLETE | legs)
    lines = {file: both[f"{file} line"].tolist() for file in (METADATA, KINEMATICS)}
    frame, blanked = blank_bad_cells(cells, sources, lines)
    return Ingested(
        cohort=Cohort(frame, "observed", "present_pain", None, SOURCE),
        blanked=blanked,
        dropped={
            text("cohort.published.no_kinematics"): len(sessions) - len(both),
            text("cohort.published.no_session"): len(gait) - len(both),
        },
    )


def _visits(metadata: Path, kinematics: Path) -> pd.DataFrame:
    """Raw metadata of the very rows that `ingest` gives, in their order; the runner in `sub_id`."""
    rows = _sessions(metadata, SPEED).join(_gait(kinematics)[[]], how="inner")
    return rows.reset_index("sub_id").reset_index(drop=True)


def _sessions(metadata: Path, *more: str) -> pd.DataFrame:
    own = ("datestring", *INJURY, *(source.column for source in ATHLETE.values()))
    return _keyed(metadata, METADATA, METADATA_KEY, (*METADATA_KEY, *own, *more))


def _gait(kinematics: Path) -> pd.DataFrame:
    own = (*STRIDE_RATES, *(source.column for source in _leg_sources().values()))
    return _keyed(kinematics, KINEMATICS, KINEMATICS_KEY, (*KINEMATICS_KEY, *own))


def _keyed(path: Path, file: str, key: tuple[str, str], needed: tuple[str, ...]) -> pd.DataFrame:
    """The needed columns of a file by runner and session, with the line of each row."""
    raw = read_published(path, needed)
    keys = raw.frame[list(key)].set_axis(["sub_id", "session"], axis=1)
    if keys.duplicated().any():
        line = raw.lines[int(np.flatnonzero(keys.duplicated())[0])]
        raise CohortRefused(
            text("cohort.published.repeated_key", file=path, line=line, key=listed(key))
        )
    rows = raw.frame[[name for name in needed if name not in key]].copy()
    rows[f"{file} line"] = raw.lines
    return rows.set_index(pd.MultiIndex.from_frame(keys))


def _canonical(
    both: pd.DataFrame, sources: dict[str, Source]
) -> tuple[pd.DataFrame, dict[str, Source]]:
    """Raw cells by canonical column, with ids, dates and outcomes as they must be."""
    runner = both.index.get_level_values("sub_id")
    session = both.index.get_level_values("session")
    rows = both.reset_index(drop=True)
    cells = pd.DataFrame({name: rows[source.column] for name, source in sources.items()})
    cells["step_rate_spm"] = _steps(rows)
    sources = {**sources, "step_rate_spm": Source(KINEMATICS, STRIDE_RATES[0], unchanged)}
    cells[ATHLETE_ID] = [f"ric-{runner_id}" for runner_id in runner]
    cells[SCREENING_DATE] = _moments(rows["datestring"], pd.Series(session))
    cells[GROUP] = cells[SCREENING_DATE].str[:4]
    cells["sport"] = "running"
    return cells.assign(**_outcomes(rows)), sources


def _steps(rows: pd.DataFrame) -> list[Any]:
    """Steps of both feet in a minute: a stride is two steps, so both legs' strides add up."""
    left, right = (rows[name] for name in STRIDE_RATES)
    return [_sum(*pair) for pair in zip(left, right, strict=True)]


def _sum(left: str, right: str) -> Any:
    if is_missing(left) or is_missing(right):
        return ""
    bad = [cell for cell in (left, right) if not NUMBER.fullmatch(cell)]
    # What is not a number stays as it is, so that it is listed like every other bad cell.
    return bad[0] if bad else float(left) + float(right)


def _moments(dates: pd.Series[str], sessions: pd.Series[str]) -> pd.Series[str]:
    """The day of the visit with the clock time of the recording.

    A runner may be recorded several times a day, and the visit's own time is then the same for
    all, while the file's name (20140827T084243.json) tells them apart. Its day does not always
    agree with the visit's, since some files were exported later; it stands in where the visit
    has none.
    """
    name = sessions.str.extract(r"^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)")
    day = dates.str.extract(r"^(\d{4}-\d\d-\d\d)")[0]
    day = day.fillna(name[0] + "-" + name[1] + "-" + name[2])
    clock = "T" + name[3] + ":" + name[4] + ":" + name[5]
    return day + clock.fillna("")


def _outcomes(rows: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Pain by knee: 1 the main complaint, 0 none, NaN not known."""
    words = {name: rows[name].str.lower() for name in INJURY}
    main = at_knee(words["InjJoint"], words["SpecInjury"])
    second = at_knee(words["InjJoint2"], words["SpecInjury2"])
    # 'No injury' in InjDefn says only that training went on: 67 such visits name a painful knee.
    # It counts where no joint is named.
    nameless = rows["InjJoint"].map(is_missing)
    unknown = nameless & (words["InjDefn"] != "no injury") & ~main
    outcomes = {}
    for side, name in zip(SIDES, OUTCOMES, strict=False):
        here, unsided = _on(words["InjSide"], side)
        also_here, also_unsided = _on(words["InjSide2"], side)
        pain = (main & here).astype(float)
        # A knee that is only the second complaint is neither what the visit was about nor free
        # of pain. (Without a second injury the side column still says 'Right'; no knee, no use.)
        second_here = second & (also_here | also_unsided)
        outcomes[name] = pain.mask((pain == 0) & second_here | unknown | (main & unsided))
    either = main.astype(float)
    return outcomes | {OUTCOMES[2]: either.mask((either == 0) & (second | unknown))}


def at_knee(joint: pd.Series[str], injury: pd.Series[str]) -> pd.Series[bool]:
    """Whether an injury, in small letters, is one of the knee."""
    return (joint == "knee") | injury.str.contains("itb", regex=False)


def _on(sides: pd.Series[str], side: str) -> tuple[pd.Series[bool], pd.Series[bool]]:
    """Whether an injury is on a side, and whether its side is not known."""
    plain = sides.str.replace("-", "", regex=False)
    return plain.isin([side, "bilateral"]), ~plain.isin([*SIDES, "bilateral"])


@dataclass(frozen=True, slots=True)
class Labels:
    """What the files say of a visit besides the measures, for benchmarks and their controls alone.

    Arrays of shape (n,), in the order of the rows that `ingest` gives; no model reads them.

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
        As `ingest`.
    """
    rows = _visits(metadata, kinematics)
    words = {name: rows[name].str.strip().str.lower() for name in INJURY}
    main = at_knee(words["InjJoint"], words["SpecInjury"])
    second = at_knee(words["InjJoint2"], words["SpecInjury2"])
    injured = ~words["InjJoint"].isin(NO_INJURY)
    named = words["SpecInjury"]
    front = named.str.contains("patellofemoral", regex=False) | (named == "pfps")
    outside = named.str.contains("itb", regex=False)
    return Labels(
        knee=_label(main, injured & ~main & ~second),
        patellofemoral=_label(front & ~outside, outside & ~front),
        speed_mps=_numbers(rows[SPEED]),
        site=_numbers(rows["sub_id"]) // BLOCK_OF_A_SITE,
    )


def _label(yes: pd.Series[bool], no: pd.Series[bool]) -> FloatArray:
    return np.where(yes, 1.0, np.where(no, 0.0, np.nan))


def _numbers(cells: pd.Series[str]) -> FloatArray:
    known = cells.str.fullmatch(NUMBER.pattern)
    return pd.to_numeric(cells.where(known)).to_numpy(np.float64)
