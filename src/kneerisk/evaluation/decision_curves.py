"""What acting on a risk is worth: net benefit, and what a clinic finds that has room for so many.

As in `metrics`, an outcome is 0 or 1, or a true probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneerisk.schema import FloatArray

#: Risks at which somebody may think it right to act (assumption: from an exercise programme that
#: costs little to an appointment that costs much; the base rates are 10 to 15 %).
THRESHOLDS = (0.05, 0.10, 0.15, 0.20)
#: Shares of its athletes that a clinic or a coach can see (assumption).
WORKLOADS = (0.05, 0.10, 0.20)
#: Of the curve that is drawn.
GRID = np.round(np.arange(0.005, 0.4001, 0.005), 3)


@dataclass(frozen=True, slots=True)
class DecisionCurve:
    """Net benefit by threshold, each array of shape (n_thresholds,); treating none has none.

    References
    ----------
    Vickers & Elkin 2006, Med Decis Making 26:565, doi 10.1177/0272989X06295361.
    """

    threshold: FloatArray
    model: FloatArray
    everyone: FloatArray

    def as_dict(self) -> dict[str, list[float]]:
        """Lists by name."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}


def decision_curve(
    probability: FloatArray, outcome: FloatArray, thresholds: FloatArray = GRID
) -> DecisionCurve:
    """Net benefit of acting on whoever is at or above each threshold, and on everyone."""
    model = [net_benefit(probability >= t, outcome, float(t)) for t in thresholds]
    all_of_them = np.ones(len(outcome), dtype=bool)
    everyone = [net_benefit(all_of_them, outcome, float(t)) for t in thresholds]
    return DecisionCurve(np.asarray(thresholds), np.array(model), np.array(everyone))


def net_benefit(treated: np.ndarray, outcome: FloatArray, threshold: float) -> float:
    """True positives less the false ones, weighed by the odds of the threshold, a row."""
    right = float(outcome[treated].sum())
    wrong = float((1.0 - outcome[treated]).sum())
    return (right - wrong * threshold / (1.0 - threshold)) / len(outcome)


def decision_metrics(probability: FloatArray, outcome: FloatArray) -> dict[str, float]:
    """`net_benefit_at_10_pct`, `treat_all_net_benefit_at_10_pct`, and so on by threshold."""
    if len(outcome) == 0:
        return {}
    curve = decision_curve(probability, outcome, np.array(THRESHOLDS))
    found: dict[str, float] = {}
    for i, threshold in enumerate(THRESHOLDS):
        at = f"net_benefit_at_{threshold:.0%}".replace("%", "_pct")
        found |= {at: float(curve.model[i]), f"treat_all_{at}": float(curve.everyone[i])}
    return found


def workload_metrics(probability: FloatArray, outcome: FloatArray) -> dict[str, float]:
    """Of the share with the highest risks: `precision_top_10_pct`, `sensitivity_top_10_pct`.

    Precision is how many of those come to have pain, sensitivity how many of all who do are among
    them. Of rows with the same risk, all stand as good a chance to be among them.
    """
    found: dict[str, float] = {}
    if len(outcome) == 0:
        return found
    level, group = np.unique(-probability, return_inverse=True)
    rows = np.bincount(group, minlength=len(level)).astype(float)
    pain = np.bincount(group, weights=outcome, minlength=len(level))
    before = np.cumsum(rows) - rows
    for share in WORKLOADS:
        places = share * len(outcome)
        taken = np.clip(places - before, 0.0, rows)
        caught = float((taken * pain / rows).sum())
        name = f"top_{share:.0%}".replace("%", "_pct")
        found[f"precision_{name}"] = caught / places
        if pain.sum() > 0.0:
            found[f"sensitivity_{name}"] = caught / float(pain.sum())
    return found
