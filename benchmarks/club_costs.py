"""Processor time that a club of a federation takes: validated, adapted to, and a trial of tuning.

`python -m benchmarks.club_costs` works on one simulated club as `kneerisk validate`, `adapt` and
`tune` do, in one process. Logging in MLflow is not in it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.performance_page import RESULTS
from benchmarks.serving_speed import machine
from kneerisk.cohort.simulation.simulated_cohort import BLOCK, simulate
from kneerisk.training.fitting.settings import DEFAULTS
from kneerisk.training.new_versions.adapted_version import adapt_to_club
from kneerisk.training.registry.versions import load_version
from kneerisk.training.tuning.objective import Objective
from kneerisk.training.validation.validated_club import validate_unseen

#: Athletes of the club, screened once each.
ATHLETES, SEED = 1_000, 5
#: Bootstrap samples of `kneerisk adapt`, as it takes by default.
REFITS = 50


def main() -> int:
    """Measure, print and write the results."""
    bundle = load_version(Path(os.environ.get("KNEERISK_MODELS") or "models"))
    club = replace(simulate(ATHLETES, SEED).cohort, kind="observed", source="a simulated club")
    objective = Objective.of(club, None)
    measured = {
        "validate": _seconds(lambda: validate_unseen(bundle, club, "a club", lambda: None)),
        "adapt": _seconds(lambda: adapt_to_club(bundle, club, REFITS)),
        "tune, a trial that is not ended early": objective.folds
        * _seconds(lambda: objective.loss(DEFAULTS, 0)),
        f"simulate, a block of {BLOCK:,} athletes": _seconds(lambda: simulate(BLOCK, SEED)),
    }
    seconds = {name: round(value, 2) for name, value in measured.items()}
    result = {"machine": machine(), "athletes": ATHLETES, "processor_seconds": seconds}
    written = json.dumps(result, indent=2) + "\n"
    (RESULTS / "club-costs.json").write_text(written, "utf-8")
    sys.stdout.write(written)
    return 0


def _seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
