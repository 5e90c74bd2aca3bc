"""Simulator -> canonical cohort file, and the truth beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneerisk.cohort import write
from kneerisk.cohort.simulation import simulate
from pipelines.console import Progress
from pipelines.outputs import write_table


def simulate_to(
    out: Path, athletes: int, seed: int, truth: Path | None, progress: Progress
) -> dict[str, Any]:
    """Write a simulated cohort and, where asked for, what is true of it."""
    progress(f"Simulating {athletes:,} athletes")
    simulated = simulate(athletes, seed)
    progress(f"Writing {out}")
    write(simulated.cohort, out)
    if truth is not None:
        write_table(simulated.truth, truth)
    return {
        "file": str(out),
        "truth": None if truth is None else str(truth),
        "athletes": athletes,
        "screenings": len(simulated.cohort.frame),
        "seed": seed,
    }
