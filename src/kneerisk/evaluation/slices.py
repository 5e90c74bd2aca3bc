"""The same metrics for slices of a cohort: by sex, age, sport, side, battery; the worst named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.observation import batteries
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.task_rows import TaskRows
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
    """One part of a cohort: what it is cut by, its name, and its metrics."""

    by: str
    name: str
    metrics: Mapping[str, float]

    @property
    def is_comparable(self) -> bool:
        """Whether it has outcomes enough to be compared with others."""
        rarer = rarer_outcomes(self.metrics)
        return rarer is not None and rarer >= FEWEST_EVENTS and "auc" in self.metrics

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def rarer_outcomes(metrics: Mapping[str, float]) -> float | None:
    """How many outcomes of the rarer sort there are, as much as they are worth where weighted.

    Parameters
    ----------
    metrics
        By flat name, of the task `counts` or `slice`.

    Returns
    -------
    None where they were not counted.
    """
    if "effective_events" in metrics:
        return min(metrics["effective_events"], metrics["effective_non_events"])
    events, rows = metrics.get("events"), metrics.get("rows")
    return None if events is None or rows is None else min(events, rows - events)


def slices_of(
    cohort: Cohort, rows: TaskRows, battery: np.ndarray | None = None
) -> tuple[Slice, ...]:
    """Every slice that has rows.

    Parameters
    ----------
    cohort
        Whose screenings the rows are of.
    rows
        Of the model's own task.
    battery
        The battery of each screening, shape (n_screenings,), where it is known; else it is the
        one whose tests are most like those that were done.

    Returns
    -------
    In the order of what they are cut by, then of their names.
    """
    rows = replace(rows, resamples=SLICE_RESAMPLES)
    slices = []
    for by, labels in row_labels(cohort, rows, battery):
        for name in sorted({label for label in labels if label is not None}, key=label_order):
            mask = np.array([label == name for label in labels])
            slices.append(Slice(by, name, measure(rows.take(mask), "slice")))
    return tuple(slices)


def worst_of(slices: tuple[Slice, ...]) -> Slice | None:
    """The slice with the lowest AUC of those that have outcomes enough."""
    comparable = [part for part in slices if part.is_comparable]
    return min(comparable, key=lambda part: part.metrics["auc"]) if comparable else None


def row_labels(
    cohort: Cohort, rows: TaskRows, battery: np.ndarray | None = None
) -> Iterator[tuple[str, list[str | None]]]:
    """The labels of rows, for each way to cut a cohort.

    Parameters
    ----------
    cohort
        Whose screenings the rows are of.
    rows
        Of the model's own task.
    battery
        As of `slices_of`.

    Yields
    ------
    What it is cut by, and the label of each row; None where it is not known.
    """
    data = cohort.columns()
    n = len(cohort.frame)
    for name in ("sex", "sport"):
        category = columns()[name]
        if isinstance(category, Category):
            choices = category.choices
            texts = [None if np.isnan(code) else choices[int(code)] for code in data[name]]
            yield name, [texts[screening] for screening in rows.screening]
    ages = [_age_band(age) for age in data["age_years"]]
    yield "age", [ages[screening] for screening in rows.screening]
    if rows.sided:
        yield "side", [SIDES[place // n] for place in rows.place]
    done = _most_alike_battery(data) if battery is None else battery
    yield "battery", [str(done[screening]) for screening in rows.screening]


def _age_band(age: float) -> str | None:
    return next((name for name, end in AGE_BANDS.items() if age < end), None)


def label_order(name: str) -> tuple[int, str]:
    """Sorts labels: ages as they rise, right before left, all others by name."""
    known = [*AGE_BANDS, *reversed(SIDES)]
    return (known.index(name) if name in known else len(known), name)


def _most_alike_battery(data: Columns) -> np.ndarray:
    """The battery whose tests agree best with those done (Jaccard's index), shape (n,)."""
    athlete, leg = state_measures()
    tests = sorted({test for battery in batteries() for test in battery.tests})
    done = np.zeros((len(data["age_years"]), len(tests)), dtype=bool)
    sided = {f"{side}_{name}": of_leg for name, of_leg in leg.items() for side in SIDES}
    for name, measured in {**athlete, **sided}.items():
        if measured.test in tests:
            done[:, tests.index(measured.test)] |= ~np.isnan(data[name])
    likeness = [
        (done & has).sum(axis=1) / np.maximum((done | has).sum(axis=1), 1)
        for has in (np.array([test in battery.tests for test in tests]) for battery in batteries())
    ]
    names = np.array([battery.battery for battery in batteries()])
    return np.asarray(names[np.argmax(likeness, axis=0)])
