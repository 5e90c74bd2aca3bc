"""How exact the oracle is: by number of points, and against the true risk.

`python benchmarks/oracle.py [ATHLETES [SEED]]` (default 20,000 and 5) prints both as Markdown.
"""

from __future__ import annotations

import sys

import numpy as np

from kneerisk.cohort import oracle_points
from kneerisk.cohort.oracle import FEWER_POINTS, POINTS, Oracle, oracle
from kneerisk.cohort.simulation import simulate
from kneerisk.training.metrics import calibration

#: The points that others are compared with, scrambled in another way than those.
MANY, OTHER_SEED = 16_384, 999
COMPARED = 300


def main() -> None:
    """Print the tables."""
    athletes, seed = (int(x) for x in (*sys.argv[1:], *("20000", "5")[len(sys.argv) - 1 :]))
    print("| points | mean error of a leg's risk | mean difference |\n| --- | --- | --- |")
    for points, error, shift in convergence():
        print(f"| {points:,} | {error:.6f} | {shift:+.6f} |")
    print("\n| against the true risk | |\n| --- | --- |")
    for name, value in against_truth(athletes, seed).items():
        print(f"| {name} | {value:.5f} |")


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


def against_truth(athletes: int, seed: int) -> dict[str, float]:
    """Slope of the true risk on the oracle's, and how far their means are apart."""
    drawn = simulate(athletes, seed)
    told = legs(oracle(drawn.cohort.columns(), FEWER_POINTS))
    true = np.concatenate([drawn.truth["risk_left"], drawn.truth["risk_right"]])
    known = ~np.isnan(told)
    apart = (true - told)[known]
    return {
        "legs": float(known.sum()),
        **calibration(told[known], true[known]),
        "mean_difference": float(apart.mean()),
        "standard_error": float(apart.std() / np.sqrt(known.sum() / 2)),
    }


def legs(found: Oracle) -> np.ndarray:
    """Risks of left and right legs, one after the other."""
    return np.concatenate([found.left, found.right])


if __name__ == "__main__":
    main()
