"""Predicted risks against outcomes without small cells: calibration in groups, curve, decisions.

All of it comes from one table of rows by group of risk and outcome, none of whose cells is small.
Net benefit is therefore given at the cuts between groups, not at every risk: from neighbouring
risks single athletes could be worked out.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from kneerisk.cohort.row_weights import effective_number
from kneerisk.evaluation.calibration.calibration_bins import MOST_BINS, share_limits
from kneerisk.evaluation.calibration.recalibration import Recalibrated, smooth_band
from kneerisk.evaluation.decision_curves import net_benefit, treat_all_net_benefit
from kneerisk.evaluation.external.small_cells import fewer_cuts
from kneerisk.evaluation.external.validation_report import CurvePoint, DecisionPoint, RiskGroup
from kneerisk.evaluation.metrics import paired_difference
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.schema import FloatArray

#: Risks at which the smooth curve is given.
_CURVE = np.round(np.arange(0.01, 0.991, 0.01), 2)


def risk_groups(rows: TaskRows, cuts: FloatArray) -> tuple[RiskGroup, ...]:
    """Mean risk and observed share of groups of rows, at most `MOST_BINS` of them.

    Parameters
    ----------
    rows
        Of a task.
    cuts
        Risks that part the rows, as of `small_cells.safe_cuts`, shape (n,).

    Returns
    -------
    From low risks to high ones.
    """
    ends = np.r_[0.0, fewer_cuts(cuts, rows, MOST_BINS), 1.0]
    groups = []
    for low, high in pairwise(ends.tolist()):
        inside = (rows.probability >= low) & ((rows.probability < high) | (high == 1.0))
        part = rows.take(inside)
        share = part.mean(part.outcome)
        limits = share_limits(np.array([share]), np.array([effective_number(part.weights)]))
        groups.append(
            RiskGroup(
                low=low, high=high, rows=len(part.outcome), events=int(part.outcome.sum()),
                predicted=part.mean(part.probability), observed=share,
                observed_low=float(limits[0][0]), observed_high=float(limits[1][0]),
            )
        )  # fmt: skip
    return tuple(groups)


def curve_points(rows: TaskRows, cuts: FloatArray) -> tuple[CurvePoint, ...]:
    """The smooth calibration curve with its band, where enough athletes have lower, higher risks.

    Parameters
    ----------
    rows
        Of a task.
    cuts
        Risks that part the rows, as of `small_cells.safe_cuts`, shape (n,).

    Returns
    -------
    At whole per cents from the middle of the lowest group to that of the highest; none where there
    is no curve or there are no cuts.
    """
    if len(cuts) == 0:
        return ()
    low, high = (
        float(rows.probability[part].mean())
        for part in (rows.probability < cuts[0], rows.probability >= cuts[-1])
    )
    risks = _CURVE[(low <= _CURVE) & (high >= _CURVE)]
    band = smooth_band(rows, risks)
    if band is None:
        return ()
    return tuple(
        CurvePoint(risk=risk, observed=middle, low=lower, high=upper)
        for risk, middle, lower, upper in zip(risks, *band, strict=True)
    )


def decision_points(
    rows: TaskRows, cuts: FloatArray, recalibrated: Recalibrated | None
) -> tuple[DecisionPoint, ...]:
    """Net benefit of acting on whoever is at or above each cut, before and after recalibration.

    Parameters
    ----------
    rows
        Of a task.
    cuts
        Risks that part the rows, as of `small_cells.safe_cuts`, shape (n,).
    recalibrated
        Moves each cut to another risk that parts the rows in the same way.

    Returns
    -------
    One for each cut.
    """
    points = []
    for cut in cuts.tolist():
        acted = rows.probability >= cut
        worth = np.where(acted, rows.outcome - (1.0 - rows.outcome) * cut / (1.0 - cut), 0.0)
        half = NORMAL_95 * paired_difference(worth, rows.athlete, rows.weight)[1]
        benefit = net_benefit(rows, cut)
        moved = None if recalibrated is None else float(recalibrated.apply(np.array(cut)))
        after = None if moved is None else _benefit_at(rows, acted, moved)
        points.append(
            DecisionPoint(
                threshold=cut, model=benefit, low=benefit - half, high=benefit + half,
                everyone=treat_all_net_benefit(rows, cut),
                recalibrated_threshold=moved, recalibrated=after,
            )
        )  # fmt: skip
    return tuple(points)


def _benefit_at(rows: TaskRows, acted: np.ndarray, threshold: float) -> float:
    """Net benefit of acting on these rows where the threshold is such a risk."""
    outcome, weight = rows.outcome[acted], rows.weights[acted]
    wrong = (weight * (1.0 - outcome)).sum() * threshold / (1.0 - threshold)
    return float(((weight * outcome).sum() - wrong) / rows.size)
