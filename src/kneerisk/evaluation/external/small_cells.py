"""Small cells: counts so low that a person could be made out stand in no report that is sent on.

A cell is a number of athletes with the outcome, or without it, in a part of the cohort. Parts whose
cells are small are put together, and with the next smallest part if even that is small: nothing
that was left out follows from a total less the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneerisk.evaluation.slices import label_order
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.schema import FloatArray

#: Fewest athletes of a cell. Ten is what the Office for National Statistics and UK LLC ask of
#: whatever leaves their secure rooms (guidebook.ukllc.ac.uk/docs/user_guide/sdc, read 2026-11);
#: others take 5 or 7, but team-mates know a lot about each other.
SMALLEST_CELL = 10
#: Cuts between groups of risk stand at these risks, never at an athlete's own.
CUTS = np.round(np.arange(0.005, 0.9951, 0.005), 3)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of the rows: its name, None where small parts were put together, and which rows."""

    name: str | None
    rows: NDArray[np.bool_]


def is_large(rows: TaskRows, mask: NDArray[np.bool_] | slice = slice(None)) -> bool:
    """Whether enough athletes with the outcome, and without, are among some rows.

    Parameters
    ----------
    rows
        Of a task.
    mask
        Which of them, shape (n_rows,).

    Returns
    -------
    True where both cells hold `SMALLEST_CELL` athletes.
    """
    outcome, athlete = rows.outcome[mask], rows.athlete[mask]
    return all(len(np.unique(athlete[outcome == kind])) >= SMALLEST_CELL for kind in (0.0, 1.0))


def rounded(count: float) -> int:
    """A number of people to the nearest `SMALLEST_CELL`.

    Legs are counted exactly. From an exact number of athletes it would follow how few of them had
    a leg that does not count, because it hurt already.
    """
    return SMALLEST_CELL * round(count / SMALLEST_CELL)


def large_parts(rows: TaskRows, labels: Sequence[str | None]) -> tuple[Part, ...]:
    """The parts of a cut, small ones put together.

    Parameters
    ----------
    rows
        Of a task.
    labels
        Of each row, in the order of the rows; None is not known, a part like any other.

    Returns
    -------
    In the order of the labels, what was put together last; none where nothing can be told apart.
    """
    known = sorted({label for label in labels if label is not None}, key=label_order)
    parts = [Part(name, np.array([label == name for label in labels])) for name in (*known, None)]
    parts = [part for part in parts if part.rows.any()]
    large = [part for part in parts if part.name is not None and is_large(rows, part.rows)]
    small = [part for part in parts if part not in large]
    large.sort(key=lambda part: len(np.unique(rows.athlete[part.rows])))
    together = np.any([part.rows for part in small], axis=0) if small else None
    while together is not None and not is_large(rows, together) and large:
        together = together | large.pop(0).rows
    named = [part for part in parts if part in large]
    if together is None:
        return tuple(named)
    return (*named, Part(None, together)) if named else ()


def safe_cuts(rows: TaskRows) -> FloatArray:
    """Risks that part the rows into groups none of whose cells is small.

    Parameters
    ----------
    rows
        Of a task.

    Returns
    -------
    Ascending, of `CUTS`; whoever has just that risk is above the cut. Shape (n_groups - 1,).
    """
    cuts: list[float] = []
    last = 0.0
    for cut in CUTS:
        between = (rows.probability >= last) & (rows.probability < cut)
        if is_large(rows, between) and is_large(rows, rows.probability >= cut):
            cuts.append(float(cut))
            last = float(cut)
    return np.array(cuts)


def fewer_cuts(cuts: FloatArray, rows: TaskRows, groups: int) -> FloatArray:
    """Of the cuts those that part the rows into about equally full groups.

    Parameters
    ----------
    cuts
        Ascending, shape (n,).
    rows
        Of a task.
    groups
        How many at most.

    Returns
    -------
    Shape (m,), m below `groups`.
    """
    if len(cuts) < groups:
        return cuts
    below = np.searchsorted(np.sort(rows.probability), cuts) / len(rows.probability)
    aims = np.arange(1, groups) / groups
    chosen = {int(np.argmin(np.abs(below - aim))) for aim in aims}
    return np.asarray(cuts[sorted(chosen)])
