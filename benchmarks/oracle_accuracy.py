"""How exact the oracle is: by number of points, and against the true risk.

`python -m benchmarks.oracle_accuracy [ATHLETES]` (default 40,000) writes `results/oracle.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from kneerisk.cohort.simulation import oracle_points
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, POINTS, Oracle, oracle
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.calibration_metrics import calibration_slope
from kneerisk.evaluation.task_rows import task_rows

#: The points that others are compared with, scrambled in another way than those.
MANY, OTHER_SEED = 16_384, 999
COMPARED = 300
ATHLETES, SEEDS = 40_000, (5, 6)
RESULT = Path(__file__).parent / "results" / "oracle.md"


def main(athletes: int = ATHLETES) -> None:
    """Measure, print and write the tables."""
    lines = [
        "# How exact the oracle is", "",
        (
            "Written by `python -m benchmarks.oracle_accuracy`. "
            f"Legs of {COMPARED} simulated athletes, by"
        ),
        f"number of points, against {MANY:,} points of another scrambling:", "",
        "| points | mean error of a leg's risk | mean difference |", "| --- | --- | --- |",
        *(f"| {points:,} | {error:.5f} | {shift:+.5f} |" for points, error, shift in convergence()),
        "", f"Against the true risks of {athletes:,} simulated athletes, by seed:", "",
        "| seed | slope of the true risk on the oracle's | mean difference | standard error |",
        "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for seed in SEEDS:
        found = against_truth(athletes, seed)
        lines.append(
            f"| {seed} | {found['calibration_slope']:.3f} | {found['mean_difference']:+.4f} "
            f"| {found['standard_error']:.4f} |"
        )
    text = "\n".join(lines) + "\n"
    RESULT.write_text(text, "utf-8")
    sys.stdout.write(text)


def convergence() -> list[tuple[int, float, float]]:
    """Points, mean absolute error and mean error of the risk of a leg."""
    data = simulate(COMPARED, 77).cohort.columns()
    seed, oracle_points.SEED = oracle_points.SEED, OTHER_SEED
    best = legs(oracle(data, MANY))
    oracle_points.SEED = seed
    oracle_points.points_of.cache_clear()
    rows = []
    for points in (FEWER_POINTS, 1_024, POINTS):
        apart = legs(oracle(data, points)) - best
        rows.append((points, float(np.nanmean(np.abs(apart))), float(np.nanmean(apart))))
    return rows


def against_truth(athletes: int, seed: int) -> dict[str, float | None]:
    """Slope of the true risk on the oracle's, and how far their means are apart."""
    drawn = simulate(athletes, seed)
    told = legs(oracle(drawn.cohort.columns(), FEWER_POINTS))
    true = np.concatenate([drawn.truth["risk_left"], drawn.truth["risk_right"]])
    known = ~np.isnan(told)
    apart = (true - told)[known]
    return {
        "legs": float(known.sum()),
        "calibration_slope": calibration_slope(task_rows(told[known], true[known])),
        "mean_difference": float(apart.mean()),
        "standard_error": float(apart.std() / np.sqrt(known.sum() / 2)),
    }


def legs(found: Oracle) -> np.ndarray:
    """Risks of left and right legs, one after the other."""
    return np.concatenate([found.left, found.right])


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
