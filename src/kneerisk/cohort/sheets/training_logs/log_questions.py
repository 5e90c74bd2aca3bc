"""What a log does not say: km or miles, minutes or hours, the order of dates, whose name.

Each function settles one of them where the file itself leaves no doubt, and else asks, with the
likelier answer as a proposal where one is clearly likelier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.training_logs.log_answer import (
    DurationUnit,
    LogAsked,
    LogChoice,
    LogQuestion,
)
from kneerisk.cohort.sheets.training_logs.log_cells import Durations, Floats
from kneerisk.cohort.sheets.training_logs.log_columns import LogColumn
from kneerisk.cohort.sheets.training_logs.sports import sport_kind
from kneerisk.words import text, variant

#: Minutes for a kilometre at which people run: the record is 2:38 over five kilometres, and walking
#: begins near 9 (assumption).
_RUN_PACE = (2.6, 9.5)
#: Below this pace in the file's own unit a kilometre is clearly likelier than a mile, above the
#: second one a mile: halfway between the usual 6:00 a kilometre and 9:40 a mile (assumption).
_PACE_OF_KM, _PACE_OF_MILE = 7.2, 8.2
#: No one's usual run is longer than so many km or miles: such numbers are metres (assumption).
_METRES_FROM = 400.0
#: Minutes that a usual session takes (assumption); in another unit they would be out of this range.
_USUAL_MINUTES = (10.0, 300.0)
#: Two columns of one distance differ by this factor where one is in km and one in m, or one in
#: miles; the exports round to two digits (assumption).
_FACTORS, _ROUNDING = (1000.0, 1609.344), 0.02
#: Kilometres in each unit, exact by definition (NIST Special Publication 811, appendix B).
_KM = {"km": 1.0, "mile": 1.609344, "m": 0.001}


def km_in(unit: str | None) -> float:
    """How many kilometres one of a unit has; NaN where the unit is not known."""
    return _KM[unit] if unit else float("nan")


def distance_in(unit: str | None) -> str | None:
    """A unit if it is one of distance; None for those of time."""
    return unit if unit in _KM else None


def ask_day_order(name: str) -> LogQuestion:
    """Which of two figures is the day."""
    return LogQuestion(
        name="day_first",
        question=text("training_log.ask.day_first", column=repr(name)),
        why=text("training_log.why.day_first"),
        choices=[
            LogChoice(label=text("training_log.choice.day_first"), ask={"day_first": True}),
            LogChoice(label=text("training_log.choice.month_first"), ask={"day_first": False}),
        ],
    )


def distance_unit(
    distances: Sequence[Floats],
    units: Sequence[str | None],
    is_run: NDArray[np.bool_],
    hours: Floats,
    asked: LogAsked,
    *,
    column: LogColumn,
    is_metric: bool,
) -> tuple[int, str | None, LogQuestion | None]:
    """The column of distances that is used, its unit, and what is asked of it.

    Parameters
    ----------
    distances
        The numbers of every column of distances.
    units
        The unit that each states.
    is_run
        Which rows are runs: no other distance is used.
    hours
        How long each session took.
    asked
        What a person said.
    column
        The first of the columns, for people.
    is_metric
        Whether the file is of a maker or a place that knows kilometres only.

    Returns
    -------
    tuple
        The position of the column, the unit that it is read in, and the question that is left.
    """
    stated = [at for at, unit in enumerate(units) if unit]
    if stated:
        return stated[0], units[stated[0]], None
    for at in range(1, len(distances)):
        if _is_factor(distances[0][is_run], distances[at][is_run]):
            return at, "m", None
    runs = distances[0][is_run & (distances[0] > 0)]
    if not len(runs):
        return 0, "km", None
    if asked.distance_unit:
        return 0, asked.distance_unit, None
    usual = float(np.median(runs))
    if usual >= _METRES_FROM:
        return 0, "m", None
    if is_metric:
        return 0, "km", None
    return _ask_distance_unit(column, usual, _median_pace(distances[0], hours, is_run))


def _ask_distance_unit(
    column: LogColumn, usual: float, pace: float
) -> tuple[int, str | None, LogQuestion | None]:
    likely = "km" if pace < _PACE_OF_KM else "mile" if pace > _PACE_OF_MILE else None
    why = text("training_log.why.no_unit", usual=f"{usual:.1f}")
    if np.isfinite(pace):
        as_km, as_miles = _clock(pace), _clock(pace / _KM["mile"])
        why = text("training_log.why.pace", as_km=as_km, as_miles=as_miles)
    question = LogQuestion(
        name="distance_unit",
        question=text("training_log.ask.distance_unit", column=repr(column.name)),
        why=why,
        choices=[
            LogChoice(label=variant("training_log.unit", unit), ask={"distance_unit": unit})
            for unit in ("km", "mile")
        ],
        proposal={"distance_unit": likely} if likely else None,
    )
    return 0, likely or "km", question


def _is_factor(first: Floats, second: Floats) -> bool:
    both = (first > 0) & (second > 0)
    if not both.any():
        return False
    ratio = float(np.median(second[both] / first[both]))
    return any(abs(ratio / factor - 1.0) < _ROUNDING for factor in _FACTORS)


def _median_pace(distance: Floats, hours: Floats, is_run: NDArray[np.bool_]) -> float:
    """Minutes for one of the file's own unit; NaN where no run has both."""
    both = is_run & (distance > 0) & (hours > 0)
    return float(np.median(60.0 * hours[both] / distance[both])) if both.any() else float("nan")


def _clock(minutes: float) -> str:
    seconds = round(60.0 * minutes)
    return f"{seconds // 60}:{seconds % 60:02}"


def duration_unit(
    times: Durations, km: Floats, column: LogColumn, asked: LogAsked
) -> tuple[DurationUnit, LogQuestion | None]:
    """How the open times of a column are meant.

    Parameters
    ----------
    times
        The column.
    km
        The distances of runs, taken as km; NaN for all else.
    column
        Its name.
    asked
        What a person said.

    Returns
    -------
    tuple
        The form, and the question that is left.
    """
    if asked.duration_unit:
        return asked.duration_unit, None
    has_pairs = bool(np.isfinite(times.pairs).any())
    if not has_pairs and not np.isfinite(times.plain).any():
        return "min", None
    forms: tuple[DurationUnit, ...] = ("h:mm", "m:ss") if has_pairs else ("min", "s", "h")
    minutes = {form: 60.0 * times.known(form) for form in forms}
    fits = [form for form in forms if _is_run_pace(minutes[form], km)]
    if len(fits) != 1:
        usual = {form: float(np.nanmedian(minutes[form])) for form in forms}
        in_range = [f for f in fits or forms if _USUAL_MINUTES[0] <= usual[f] <= _USUAL_MINUTES[1]]
        # Of a column of runs the pace tells; without one, how long a session usually is.
        longest = float(np.nanmax(minutes["h:mm"])) if has_pairs else 0.0
        fits = ["m:ss"] if longest > 24 * 60 else in_range
    if len(fits) == 1:
        return fits[0], None
    question = LogQuestion(
        name="duration_unit",
        question=text("training_log.ask.duration_unit", column=repr(column.name)),
        why=text("training_log.why.duration_unit"),
        choices=[
            LogChoice(
                label=variant("training_log.form", _form_key(form)), ask={"duration_unit": form}
            )
            for form in forms
        ],
    )
    return forms[0], question


def _form_key(form: DurationUnit) -> str:
    return {"h:mm": "hours_minutes", "m:ss": "minutes_seconds"}.get(form, form)


def _is_run_pace(minutes: Floats, km: Floats) -> bool:
    both = (km > 0) & (minutes > 0)
    if not both.any():
        return False
    pace = float(np.median(minutes[both] / km[both]))
    return _RUN_PACE[0] <= pace <= _RUN_PACE[1]


def athletes_named(
    column: LogColumn, cells: Sequence[str], asked: LogAsked, *, has_title: bool
) -> tuple[bool, LogQuestion | None]:
    """Whether a column names athletes, and what is asked of it.

    Parameters
    ----------
    column
        A column of athletes, or one called `Name` or `ID`.
    cells
        Its texts.
    asked
        What a person said.
    has_title
        Whether another column has the titles of the sessions.

    Returns
    -------
    tuple
        Whether it names them, and the question that is left.
    """
    if asked.athlete_column is not None:
        return asked.athlete_column, None
    if column.field == "athlete" or has_title:
        return True, None
    count = Counter(fold(cell) for cell in cells if cell)
    # Titles and numbers of sessions differ from row to row; those of apps name the sport.
    if not count or len(count) == len(cells) or any(sport_kind(word) for word in count):
        return False, None
    question = LogQuestion(
        name="athlete_column",
        question=text("training_log.ask.athlete_column", column=repr(column.name)),
        why=text("training_log.why.athlete_column", count=len(count), rows=len(cells)),
        choices=[
            LogChoice(label=text("training_log.choice.athletes"), ask={"athlete_column": True}),
            LogChoice(label=text("training_log.choice.titles"), ask={"athlete_column": False}),
        ],
    )
    return True, question
