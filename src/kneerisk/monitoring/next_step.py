"""What to do about a served model, by one stated rule: nothing, collect, adapt, retrain, stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kneerisk.monitoring.loss_to_follow_up import LossToFollowUp
from kneerisk.monitoring.observed_and_told import FEWEST_FOR_CURVE, ObservedTold
from kneerisk.monitoring.poisson_calibration import FlexibleCalibration

Step = Literal["nothing", "collect", "adapt", "retrain", "stop"]
Why = Literal[
    "far_off", "wrong_order", "spread_off", "alarm", "few_events", "many_lost", "lost_differ",
    "inputs_drifted", "as_told",
]  # fmt: skip

#: Told risks mislead that are surely below half of what happens, or above twice (assumption).
FAR_OFF = 2.0
#: Fewer events say little of a level: from 15 on `kneerisk adapt` trusts more than the level
#: (docs/decisions/0019, from trials).
FEWEST_FOR_LEVEL = 15
#: More lost than this threaten what is concluded (Sackett et al. 1997, Evidence-based medicine:
#: fewer than 5 % lost matter little, more than 20 % much).
MOST_LOST = 0.20


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What to do, and the reason that decided it."""

    step: Step
    why: Why


def next_step(
    overall: ObservedTold,
    limits: tuple[float, float] | None,
    calibration: FlexibleCalibration | None,
    follow_up: LossToFollowUp,
    *,
    alarm: bool,
    drifted: bool,
) -> NextStep:
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
        return NextStep(step="stop", why="far_off")
    if calibration is not None and calibration.slope_high <= 0.0:
        return NextStep(step="stop", why="wrong_order")
    if calibration is not None and not calibration.slope_low <= 1.0 <= calibration.slope_high:
        return NextStep(step="retrain", why="spread_off")
    if alarm:
        return NextStep(step="adapt", why="alarm")
    if follow_up.lost_share > MOST_LOST:
        return NextStep(step="collect", why="many_lost")
    if follow_up.lost_differ:
        return NextStep(step="collect", why="lost_differ")
    if overall.observed < FEWEST_FOR_LEVEL:
        return NextStep(step="collect", why="few_events")
    if drifted and overall.observed < FEWEST_FOR_CURVE:
        return NextStep(step="collect", why="inputs_drifted")
    return NextStep(step="nothing", why="as_told")
