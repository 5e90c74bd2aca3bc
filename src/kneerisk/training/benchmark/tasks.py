"""The questions that the published sets can answer, each with what must not explain a score.

A `Task` says who is predicted, by which label, and in which folds; no athlete is on both sides of
a fold, and where it says so, whole years are left out (internal-external validation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import ATHLETE_ID, GROUP
from kneerisk.cohort.published import ric, weightlifters
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit_inputs import dealt_folds

FOLDS = 5
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A label of screenings to predict; arrays have one entry, or row, a screening.

    Attributes
    ----------
    name
        In metrics and addresses.
    title
        For people.
    label_means
        What a label of 1 says, in words.
    cohort
        The screenings.
    label
        1 or 0, NaN where the screening is not evaluated, shape (n,).
    limb
        Whether the label is "the left leg rather than the right". A model then learns from the
        outcomes of all screenings by leg, and its two risks are compared.
    controls
        What must not explain a score: matrices (n, p) by name, read by nothing but a control.
    block
        Where whole blocks are left out (years, say) instead of folds of athletes, the block of
        each screening, shape (n,).
    athletes
        The id of each screening's athlete, shape (n,).
    """

    name: str
    title: str
    label_means: str
    cohort: Cohort
    label: FloatArray
    controls: Mapping[str, FloatArray]
    limb: bool = False
    block: NDArray[np.object_] | None = None
    athletes: NDArray[np.object_] = field(init=False)

    def __post_init__(self) -> None:
        ids = self.cohort.frame[ATHLETE_ID].astype(str).to_numpy(dtype=object)
        object.__setattr__(self, "athletes", ids)

    @property
    def evaluated(self) -> Rows:
        """Which screenings have a label, shape (n,)."""
        return np.isfinite(self.label)

    def splits(self, seed: int) -> Iterator[tuple[Rows, Rows]]:
        """Masks of the screenings to train on and to test on, by fold; no athlete is in both.

        Every screening with a label is tested on once. With blocks, an athlete of the block that
        is left out is left out of the other blocks too.
        """
        if self.block is None:
            sides = np.column_stack([self.label, 1.0 - self.label])
            fold = dealt_folds(self.athletes, sides, FOLDS, seed)
            for number in range(FOLDS):
                yield fold != number, self.evaluated & (fold == number)
            return
        for left_out in np.unique(self.block[self.evaluated]):
            test = self.evaluated & (self.block == left_out)
            known = np.isin(self.athletes, self.athletes[test])
            yield (self.block != left_out) & ~known, test


#: What may have come after the knee injury, and then may be its consequence.
MAYBE_LATER = (
    "osteoarthritis",
    "prior_shoulder_injury",
    "prior_back_injury",
    "prior_wrist_injury",
    "prior_hip_injury",
)
DEMOGRAPHICS = ("age_years", "sex", "height_cm", "mass_kg")


def ric_tasks(metadata: Path, kinematics: Path) -> tuple[Task, ...]:
    """Which limb hurts, whether one does, knee or other injury, which of two injuries of the knee.

    The first two are asked with whole years left out, then in folds by person.

    Parameters
    ----------
    metadata
        The set's `run_data_meta.csv`.
    kinematics
        The set's `run_kinematics.csv`.

    Returns
    -------
    Six tasks.

    Raises
    ------
    CohortRefused
        Where the files are not the published ones.
    """
    cohort = ric.ingest(metadata, kinematics).cohort
    labels = ric.labels(metadata, kinematics)
    outcomes = cohort.outcomes()
    one_sided = outcomes.left + outcomes.right == 1.0
    year = cohort.frame[GROUP].to_numpy(dtype=object)
    controls = {
        "speed": labels.speed_mps[:, None],
        "site and year": np.column_stack([one_hot(labels.site), one_hot(year)]),
        "demographics": demographics(cohort),
    }
    limb = Task(
        name="which_limb", title="Runners: which limb hurts?", limb=True,
        label_means="the left limb, of runners with one painful knee",
        cohort=cohort, label=np.where(one_sided, outcomes.left, np.nan), controls=controls,
    )  # fmt: skip
    painful = Task(
        name="painful_knee", title="Runners: does a knee hurt?",
        label_means="a knee hurts now, of all runners",
        cohort=cohort, label=outcomes.either, controls=controls,
    )  # fmt: skip
    return (
        _by_year(limb, year), limb, _by_year(painful, year), painful,
        Task(
            name="knee_or_other", title="Runners: knee or another injury? (years left out)",
            label_means="the main injury is at the knee, of injured runners",
            cohort=cohort, label=labels.knee, controls=_within(year, controls), block=year,
        ),
        Task(
            name="patellofemoral_or_itb", title="Runners: patellofemoral pain or ITB syndrome?",
            label_means="patellofemoral pain, of runners with one of the two",
            cohort=cohort, label=labels.patellofemoral, controls=controls,
        ),
    )  # fmt: skip


def _by_year(task: Task, year: NDArray[np.object_]) -> Task:
    """The same question with whole years left out."""
    return Task(
        name=f"{task.name}_years", title=f"{task.title} (years left out)", limb=task.limb,
        label_means=task.label_means, cohort=task.cohort, label=task.label,
        controls=_within(year, task.controls), block=year,
    )  # fmt: skip


def weightlifter_tasks(file: Path) -> tuple[Task, ...]:
    """Knees of weightlifters with all inputs, and without those that may have come later.

    Parameters
    ----------
    file
        The set's `wlinj.csv`.

    Returns
    -------
    Two tasks.

    Raises
    ------
    CohortRefused
        Where the file is not the published one.
    """
    cohort = weightlifters.ingest(file).cohort
    earlier = [name for name in cohort.frame.columns if name not in MAYBE_LATER]
    with_all_inputs = Task(
        name="weightlifters", title="Weightlifters: a knee injury so far?",
        label_means="a knee injury that restricted training",
        cohort=cohort, label=cohort.outcomes().either,
        controls={"demographics": demographics(cohort)},
    )  # fmt: skip
    return (
        with_all_inputs,
        replace(
            with_all_inputs,
            name="weightlifters_without_later",
            title="The same, without other injuries and osteoarthritis",
            cohort=replace(cohort, frame=cohort.frame[earlier]),
        ),
    )


def _within(block: np.ndarray, controls: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Controls that learn within blocks: each block has a column of its own.

    Otherwise differences between years would hide differences between the people of one year.
    """
    own = one_hot(block)
    return {name: np.column_stack([matrix, own]) for name, matrix in controls.items()}


def demographics(cohort: Cohort) -> FloatArray:
    """Age, sex and body size, as far as a cohort has them.

    Parameters
    ----------
    cohort
        Of n screenings.

    Returns
    -------
    Shape (n, p): `DEMOGRAPHICS` of which some value is known, missing as NaN.
    """
    data = cohort.columns()
    known = [data[name] for name in DEMOGRAPHICS if np.isfinite(data[name]).any()]
    return np.column_stack(known)


def one_hot(values: np.ndarray) -> FloatArray:
    """One column for each value.

    Parameters
    ----------
    values
        Shape (n,).

    Returns
    -------
    0 and 1, shape (n, n_values), values in ascending order.
    """
    return np.asarray(values[:, None] == np.unique(values)[None, :], dtype=np.float64)
