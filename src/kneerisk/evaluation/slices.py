"""The same numbers for parts of a cohort: sex, age, sport, side, battery; the worst one named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.observation import batteries
from kneerisk.evaluation.calibration_curves import brier_parts, calibration_index
from kneerisk.evaluation.decision_curves import decision_metrics, workload_metrics
from kneerisk.evaluation.metrics import accuracy, calibration, discrimination, slope_interval
from kneerisk.evaluation.task_metrics import BOOTSTRAP_SEED, TaskRows
from kneerisk.evidence.population import state_measures
from kneerisk.schema import SIDES, Category, Columns, columns

#: Upper ends of the age bands, in years (assumption: youth, young adults, the decades after).
AGE_BANDS = {"under 18": 18.0, "18 to 29": 30.0, "30 to 39": 40.0, "40 to 49": 50.0,
             "50 and over": np.inf}  # fmt: skip
#: A slice with fewer outcomes of either sort is shown, but not called the worst (assumption: the
#: 95 % interval of its AUC is wider than 0.2).
FEWEST_EVENTS = 30.0
#: Of athletes behind a slice's interval; it is drawn, not compared by its second digit.
SLICE_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a cohort: what it is a part by, its name, and its metrics."""

    by: str
    name: str
    metrics: Mapping[str, float]

    @property
    def is_judged(self) -> bool:
        """Whether it has outcomes enough to be compared with others."""
        events, rows = self.metrics["events"], self.metrics["rows"]
        return min(events, rows - events) >= FEWEST_EVENTS and "auc" in self.metrics

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def slices(
    cohort: Cohort, scored: TaskRows, battery: np.ndarray | None = None
) -> tuple[Slice, ...]:
    """Every slice that has rows.

    Parameters
    ----------
    battery
        The battery of each screening, shape (n_screenings,), where it is known; else it is the
        one whose tests are most like those that were done.
    """
    found = []
    for by, labels in _labels(cohort, scored, battery):
        for name in sorted({label for label in labels if label is not None}, key=_order):
            rows = np.array([label == name for label in labels])
            found.append(Slice(by, name, _metrics(scored.take(rows))))
    return tuple(found)


def worst(found: tuple[Slice, ...]) -> Slice | None:
    """The slice with the lowest AUC of those that have outcomes enough."""
    judged = [one for one in found if one.is_judged]
    return min(judged, key=lambda one: one.metrics["auc"]) if judged else None


def _metrics(scored: TaskRows) -> dict[str, float]:
    chance, outcome = scored.probability, scored.outcome
    observed, expected = float(outcome.mean()), float(chance.mean())
    return {
        "rows": float(len(outcome)),
        "events": float(outcome.sum()),
        "athletes": float(len(np.unique(scored.athlete))),
        "observed_share": observed,
        "expected_share": expected,
        **({"observed_to_expected": observed / expected} if expected > 0.0 else {}),
        **discrimination(chance, outcome, scored.athlete, BOOTSTRAP_SEED, SLICE_RESAMPLES),
        **accuracy(chance, outcome),
        **brier_parts(chance, outcome),
        **calibration(chance, outcome),
        **slope_interval(chance, outcome, scored.athlete),
        **calibration_index(chance, outcome),
        **decision_metrics(chance, outcome),
        **workload_metrics(chance, outcome),
    }


def _labels(
    cohort: Cohort, scored: TaskRows, battery: np.ndarray | None
) -> Iterator[tuple[str, list[str | None]]]:
    """For each way to cut: its name, and the label of each scored row (None: not known)."""
    data = cohort.columns()
    n = len(cohort.frame)
    for name in ("sex", "sport"):
        measure = columns()[name]
        if isinstance(measure, Category):
            texts = [None if np.isnan(code) else measure.choices[int(code)] for code in data[name]]
            yield name, [texts[row] for row in scored.screening]
    ages = [_band(age) for age in data["age_years"]]
    yield "age", [ages[row] for row in scored.screening]
    if scored.sided:
        yield "side", [SIDES[place // n] for place in scored.place]
    done = _most_alike(data) if battery is None else battery
    yield "battery", [str(done[row]) for row in scored.screening]


def _band(age: float) -> str | None:
    return next((name for name, end in AGE_BANDS.items() if age < end), None)


def _order(name: str) -> tuple[int, str]:
    known = [*AGE_BANDS, *reversed(SIDES)]
    return (known.index(name) if name in known else len(known), name)


def _most_alike(data: Columns) -> np.ndarray:
    """The battery whose tests agree best with those done (Jaccard's index), shape (n,)."""
    athlete, leg = state_measures()
    tests = sorted({test for one in batteries() for test in one.tests})
    done = np.zeros((len(data["age_years"]), len(tests)), dtype=bool)
    sided = {f"{side}_{name}": measure for name, measure in leg.items() for side in SIDES}
    for name, measure in {**athlete, **sided}.items():
        if measure.test in tests:
            done[:, tests.index(measure.test)] |= ~np.isnan(data[name])
    likeness = [
        (done & has).sum(axis=1) / np.maximum((done | has).sum(axis=1), 1)
        for has in (np.array([test in one.tests for test in tests]) for one in batteries())
    ]
    names = np.array([one.battery for one in batteries()])
    return np.asarray(names[np.argmax(likeness, axis=0)])


def as_table(found: tuple[Slice, ...]) -> pd.DataFrame:
    """All slices as rows."""
    return pd.DataFrame([{"by": one.by, "slice": one.name, **one.metrics} for one in found])
