"""Simulator -> canonical cohort file, and the truth beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneerisk.cohort import write
from kneerisk.cohort.simulation.simulated_cohort import simulate, truth_beside
from pipelines.console import Progress
from pipelines.outputs import write_table


def simulate_to(
    out: Path, athletes: int, seed: int, truth: Path | None, progress: Progress
) -> dict[str, Any]:
    """Write a simulated cohort, and what is true of it beside it or where asked for."""
    truth = truth or truth_beside(out)
    progress(f"Simulating {athletes:,} athletes")
    simulated = simulate(athletes, seed)
    progress(f"Writing {out}")
    write(simulated.cohort, out)
    write_table(simulated.truth, truth)
    return {
        "file": str(out),
        "truth": str(truth),
        "athletes": athletes,
        "screenings": len(simulated.cohort.frame),
        "seed": seed,
    }
