"""What to do about a served model, by one stated rule: nothing, collect, adapt, retrain, stop."""

from __future__ import annotations

from kneerisk.monitoring.monitoring_schema import (
    CalibrationCurve,
    CountsTold,
    FollowUpState,
    WhatToDo,
)
from kneerisk.monitoring.observed_and_told import FEWEST_FOR_CURVE

#: Told risks mislead that are surely below half of what happens, or above twice (assumption).
FAR_OFF = 2.0
#: Fewer events say little of a level: from 15 on `kneerisk adapt` trusts more than the level
#: (docs/decisions/0019, from trials).
FEWEST_FOR_LEVEL = 15
#: More lost than this threaten what is concluded (Sackett et al. 1997, Evidence-based medicine:
#: fewer than 5 % lost matter little, more than 20 % much).
MOST_LOST = 0.20


def next_step(
    overall: CountsTold,
    limits: tuple[float, float] | None,
    calibration: CalibrationCurve | None,
    follow_up: FollowUpState,
    *,
    alarm: bool,
    drifted: bool,
) -> WhatToDo:
    """The first that applies, from the gravest to none.

    Parameters
    ----------
    overall
        Observed against told.
    limits
        Of their ratio, for all looks at once.
    calibration
        Slope and curve, where there are events enough.
    follow_up
        Who was lost.
    alarm
        Whether it was raised in this year or the one before.
    drifted
        Whether an input has drifted.

    Returns
    -------
    The step and what decided it.
    """
    if limits is not None and (limits[0] > FAR_OFF or limits[1] < 1.0 / FAR_OFF):
        return WhatToDo(step="stop", why="far_off")
    if calibration is not None and calibration.slope_high <= 0.0:
        return WhatToDo(step="stop", why="wrong_order")
    if calibration is not None and not calibration.slope_low <= 1.0 <= calibration.slope_high:
        return WhatToDo(step="retrain", why="spread_off")
    if alarm:
        return WhatToDo(step="adapt", why="alarm")
    if follow_up.lost_share > MOST_LOST:
        return WhatToDo(step="collect", why="many_lost")
    if follow_up.lost_differ:
        return WhatToDo(step="collect", why="lost_differ")
    if overall.observed < FEWEST_FOR_LEVEL:
        return WhatToDo(step="collect", why="few_events")
    if drifted and overall.observed < FEWEST_FOR_CURVE:
        return WhatToDo(step="collect", why="inputs_drifted")
    return WhatToDo(step="nothing", why="as_told")
