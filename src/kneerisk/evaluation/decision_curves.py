"""What acting on a risk is worth: net benefit, and whom a clinic with few places finds.

Decision curve analysis (Vickers & Elkin 2006, Med Decis Making 26:565,
doi 10.1177/0272989X06295361). A fractional outcome counts as a part of a row with pain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from kneerisk.evaluation.metrics import paired_difference
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.schema import FloatArray

#: Risks at which somebody may think it right to act (assumption: from an exercise programme that
#: costs little to an appointment that costs much; the base rates are 10 to 15 %).
THRESHOLDS = (0.05, 0.10, 0.15, 0.20)
#: Where acting on the model must not be worth less than treating everyone, or nobody.
GATE_THRESHOLDS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
#: The normal distribution's point for a 95 % interval that holds at all of them at once
#: (Bonferroni).
_Z_GATE = float(ndtri(1.0 - 0.025 / len(GATE_THRESHOLDS)))
#: Shares of its athletes that a clinic or a coach can see (assumption).
WORKLOADS = (0.05, 0.10, 0.20)
#: Thresholds of the curve that is drawn.
GRID = np.round(np.arange(0.005, 0.4001, 0.005), 3)


@dataclass(frozen=True, slots=True)
class DecisionCurve:
    """Net benefit by threshold, each array of shape (n_thresholds,); treating nobody has none."""

    threshold: FloatArray
    model: FloatArray
    everyone: FloatArray

    def as_dict(self) -> dict[str, list[float]]:
        """Lists by name."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}


def decision_curve(rows: TaskRows, thresholds: FloatArray = GRID) -> DecisionCurve:
    """Net benefit of acting on whoever is at or above each threshold, and on everyone.

    Parameters
    ----------
    rows
        Of a task.
    thresholds
        Risks from 0 to 1, 1 excluded, shape (n_thresholds,).

    Returns
    -------
    Both curves.
    """
    model = [net_benefit(rows, float(threshold)) for threshold in thresholds]
    everyone = [treat_all_net_benefit(rows, float(threshold)) for threshold in thresholds]
    return DecisionCurve(np.asarray(thresholds), np.array(model), np.array(everyone))


def net_benefit(rows: TaskRows, threshold: float) -> float:
    """Net benefit of acting on the rows at or above a threshold, in true positives a row."""
    return _net_benefit(rows, rows.probability >= threshold, threshold)


def treat_all_net_benefit(rows: TaskRows, threshold: float) -> float:
    """Net benefit of acting on every row, in true positives a row."""
    return _net_benefit(rows, np.ones(len(rows.outcome), dtype=bool), threshold)


def net_benefit_over_default(rows: TaskRows) -> float | None:
    """Net benefit over the better of treating all and none, at the threshold that shows it least.

    Of the thresholds from 0.05 to 0.30; None without rows.
    """
    lowest = _lowest_over_default(rows)
    return None if lowest is None else lowest[0]


def net_benefit_over_default_interval(rows: TaskRows) -> tuple[float, float] | None:
    """Its 95 % interval, for all thresholds at once, with athletes as clusters."""
    lowest = _lowest_over_default(rows)
    if lowest is None:
        return None
    value, error = lowest
    return value - _Z_GATE * error, value + _Z_GATE * error


def _lowest_over_default(rows: TaskRows) -> tuple[float, float] | None:
    """The difference with the lowest upper limit, and its standard error."""
    if len(rows.outcome) == 0:
        return None
    differences = []
    for threshold in GATE_THRESHOLDS:
        worth = rows.outcome - (1.0 - rows.outcome) * threshold / (1.0 - threshold)
        default = worth if rows.mean(worth) > 0.0 else np.zeros(len(worth))
        gain = np.where(rows.probability >= threshold, worth, 0.0) - default
        differences.append(paired_difference(gain, rows.athlete, rows.weight))
    return min(differences, key=lambda each: each[0] + _Z_GATE * each[1])


def _net_benefit(rows: TaskRows, treated: NDArray[np.bool_], threshold: float) -> float:
    """True positives less the false ones, weighed by the odds of the threshold."""
    outcome, weight = rows.outcome[treated], rows.weights[treated]
    true_positives = float((weight * outcome).sum())
    false_positives = float((weight * (1.0 - outcome)).sum())
    return (true_positives - false_positives * threshold / (1.0 - threshold)) / rows.size


def top_precision(rows: TaskRows, share: float) -> float | None:
    """Of the share of rows with the highest risks, how many have pain; None without rows."""
    if len(rows.outcome) == 0:
        return None
    return _top_events(rows, share)[0] / (share * rows.size)


def top_sensitivity(rows: TaskRows, share: float) -> float | None:
    """Of all rows with pain, how many are among the share with the highest risks; None if none."""
    if len(rows.outcome) == 0:
        return None
    caught, events = _top_events(rows, share)
    return caught / events if events > 0.0 else None


def _top_events(rows: TaskRows, share: float) -> tuple[float, float]:
    """Events in the top share of the risks, and all events.

    Rows with the same risk have the same chance to be in it.
    """
    level, group = np.unique(-rows.probability, return_inverse=True)
    size = np.bincount(group, weights=rows.weights, minlength=len(level))
    events = np.bincount(group, weights=rows.weights * rows.outcome, minlength=len(level))
    before = np.cumsum(size) - size
    taken = np.clip(share * rows.size - before, 0.0, size)
    return float((taken * events / size).sum()), float(events.sum())
