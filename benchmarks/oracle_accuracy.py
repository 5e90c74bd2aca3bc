"""Accuracy of the oracle, by number of integration points and against the true risk.

`python -m benchmarks.oracle_accuracy [ATHLETES]` (default 40,000) writes `results/oracle.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from kneerisk.cohort.simulation import oracle_points
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, POINTS, Oracle, oracle
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.calibration.calibration_metrics import calibration_slope
from kneerisk.evaluation.task_rows import task_rows

#: The reference: many points, scrambled with another seed than the points under test.
REFERENCE_POINTS, REFERENCE_SEED = 16_384, 999
REFERENCE_ATHLETES = 300
ATHLETES, SEEDS = 40_000, (5, 6)
PAGE = Path(__file__).parent / "results" / "oracle.md"


def main(athletes: int = ATHLETES) -> None:
    """Measure, print and write the page."""
    lines = [
        "# Accuracy of the oracle", "",
        (
            "Made by `python -m benchmarks.oracle_accuracy`. "
            f"Legs of {REFERENCE_ATHLETES} simulated athletes, by"
        ),
        f"number of points, against {REFERENCE_POINTS:,} points of another scrambling:", "",
        "| points | mean error of a leg's risk | mean difference |", "| --- | --- | --- |",
        *(f"| {points:,} | {error:.5f} | {shift:+.5f} |" for points, error, shift in convergence()),
        "", f"Against the true risks of {athletes:,} simulated athletes, by seed:", "",
        "| seed | slope of the true risk on the oracle's | mean difference | standard error |",
        "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for seed in SEEDS:
        accuracy = against_truth(athletes, seed)
        lines.append(
            f"| {seed} | {accuracy['calibration_slope']:.3f} | {accuracy['mean_difference']:+.4f} "
            f"| {accuracy['standard_error']:.4f} |"
        )
    text = "\n".join(lines) + "\n"
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(text)


def convergence() -> list[tuple[int, float, float]]:
    """Number of points, mean absolute error and mean error of a leg's risk, for each number."""
    data = simulate(REFERENCE_ATHLETES, 77).cohort.columns()
    seed, oracle_points.SEED = oracle_points.SEED, REFERENCE_SEED
    reference = risks_of_legs(oracle(data, REFERENCE_POINTS))
    oracle_points.SEED = seed
    oracle_points.integration_points.cache_clear()
    rows = []
    for points in (FEWER_POINTS, 1_024, POINTS):
        errors = risks_of_legs(oracle(data, points)) - reference
        rows.append((points, float(np.nanmean(np.abs(errors))), float(np.nanmean(errors))))
    return rows


def against_truth(athletes: int, seed: int) -> dict[str, float | None]:
    """Slope of the true risk on the oracle's, and the difference of their means."""
    simulated = simulate(athletes, seed)
    predicted = risks_of_legs(oracle(simulated.cohort.columns(), FEWER_POINTS))
    true = np.concatenate([simulated.truth["risk_left"], simulated.truth["risk_right"]])
    known = ~np.isnan(predicted)
    differences = (true - predicted)[known]
    return {
        "legs": float(known.sum()),
        "calibration_slope": calibration_slope(task_rows(predicted[known], true[known])),
        "mean_difference": float(differences.mean()),
        "standard_error": float(differences.std() / np.sqrt(known.sum() / 2)),
    }


def risks_of_legs(risks: Oracle) -> np.ndarray:
    """Risks of all left, then all right legs, shape (2n,)."""
    return np.concatenate([risks.left, risks.right])


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
