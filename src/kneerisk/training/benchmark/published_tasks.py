"""The five questions that the published sets can answer, each with what must not explain it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import GROUP
from kneerisk.cohort.published import ric, ric_labels, weightlifters
from kneerisk.schema import FloatArray
from kneerisk.training.benchmark.task import Task

#: What may have come after the knee, so that it may be the knee's doing.
MAYBE_LATER = (
    "osteoarthritis",
    "prior_shoulder_injury",
    "prior_back_injury",
    "prior_wrist_injury",
    "prior_hip_injury",
)
DEMOGRAPHICS = ("age_years", "sex", "height_cm", "mass_kg")


def ric_tasks(metadata: Path, kinematics: Path) -> tuple[Task, ...]:
    """Which limb hurts, knee or other injury, and which of two injuries of the knee.

    Raises
    ------
    CohortRefused
        Where the files are not the published ones.
    """
    cohort = ric.ingest(metadata, kinematics).cohort
    told = ric_labels.labels(metadata, kinematics)
    outcomes = cohort.outcomes()
    one_sided = outcomes.left + outcomes.right == 1.0
    year = cohort.frame[GROUP].to_numpy(dtype=object)
    controls = {
        "speed": told.speed_mps[:, None],
        "site and year": np.column_stack([one_hot(told.site), one_hot(year)]),
        "demographics": demographics(cohort),
    }
    return (
        Task(
            name="which_limb", title="Runners: which limb hurts?", limb=True,
            label_means="the left limb, of runners with one painful knee",
            cohort=cohort, label=np.where(one_sided, outcomes.left, np.nan), controls=controls,
        ),
        Task(
            name="knee_or_other", title="Runners: knee or another injury? (years left out)",
            label_means="the main injury is at the knee, of injured runners",
            cohort=cohort, label=told.knee, controls=_within(year, controls), block=year,
        ),
        Task(
            name="patellofemoral_or_itb", title="Runners: patellofemoral pain or ITB syndrome?",
            label_means="patellofemoral pain, of runners with one of the two",
            cohort=cohort, label=told.patellofemoral, controls=controls,
        ),
    )  # fmt: skip


def weightlifter_tasks(file: Path) -> tuple[Task, ...]:
    """Knees of weightlifters with all inputs, and without those that may have come later.

    Raises
    ------
    CohortRefused
        Where the file is not the published one.
    """
    cohort = weightlifters.ingest(file).cohort
    kept = [name for name in cohort.frame.columns if name not in MAYBE_LATER]
    every = Task(
        name="weightlifters", title="Weightlifters: a knee injury so far?",
        label_means="a knee injury that restricted training",
        cohort=cohort, label=cohort.outcomes().either,
        controls={"demographics": demographics(cohort)},
    )  # fmt: skip
    return (
        every,
        replace(
            every,
            name="weightlifters_without_later",
            title="The same, without other injuries and osteoarthritis",
            cohort=replace(cohort, frame=cohort.frame[kept]),
        ),
    )


def _within(block: np.ndarray, controls: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Controls that learn within blocks: what sets a block apart is a column of its own.

    Else what sets apart the years would hide what sets apart the people of one.
    """
    own = one_hot(block)
    return {name: np.column_stack([matrix, own]) for name, matrix in controls.items()}


def demographics(cohort: Cohort) -> FloatArray:
    """Age, sex and body size, as far as a cohort has them, shape (n, p)."""
    data = cohort.columns()
    known = [data[name] for name in DEMOGRAPHICS if np.isfinite(data[name]).any()]
    return np.column_stack(known)


def one_hot(values: np.ndarray) -> FloatArray:
    """One column a value, shape (n, n_values)."""
    return np.asarray(values[:, None] == np.unique(values)[None, :], dtype=np.float64)
