"""Two models on the same rows, so that the difference between them is one of each row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.evaluation.task_rows import Risks, TaskRows, own_task
from kneerisk.schema import FloatArray


def paired_rows(cohort: Cohort, first: Risks, second: Risks) -> tuple[TaskRows, TaskRows]:
    """Two models' own rows where both give a risk.

    Parameters
    ----------
    cohort
        With the outcomes.
    first
        Risks of one model for every screening.
    second
        Risks of the other model.

    Returns
    -------
    Row i of both is the same leg or athlete.
    """
    pairs = [
        _where_both(first.left, second.left),
        _where_both(first.right, second.right),
        _where_both(first.either, second.either),
    ]
    known_first, known_second = (
        replace(risks, left=left, right=right, either=either)
        for risks, (left, right, either) in (
            (first, [None if pair is None else pair[0] for pair in pairs]),
            (second, [None if pair is None else pair[1] for pair in pairs]),
        )
    )
    return own_task(cohort, known_first), own_task(cohort, known_second)


def _where_both(
    first: FloatArray | None, second: FloatArray | None
) -> tuple[FloatArray, FloatArray] | None:
    if first is None or second is None:
        return None
    both = np.isfinite(first) & np.isfinite(second)
    return np.where(both, first, np.nan), np.where(both, second, np.nan)
