"""Work that tests give to other processes, some of which it kills.

A process loads this module to find the work, so that what is large is loaded where it is needed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from kneerisk.cohort import Cohort
    from kneerisk.evaluation.external.validation_report import ValidationReport
    from kneerisk.training.fitting.settings import Settings


def doubled(folder: Path, number: int) -> int:
    """Twice a number; the first process that gets a three is killed."""
    if number == 3:
        kill_first(folder)
    return 2 * number


def killed(_: None, number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def own_id(_: None, number: int) -> int:
    return os.getpid()


def bowl(settings: Settings, step: int) -> float:
    """A loss that is least at a depth of 2 and a step of 0.2, and differs from fold to fold."""
    return (
        0.2 + 0.01 * step + 0.02 * abs(settings.max_depth - 2)
        + 0.05 * abs(np.log(settings.step_size / 0.2))
    )  # fmt: skip


def killing_bowl(folder: Path, settings: Settings, step: int) -> float:
    """The loss of a made-up study; the first process that gets the third step is killed."""
    if step == 2:
        kill_first(folder)
    return bowl(settings, step)


def killing_validation(folder: Path, shared: Any, cohort: Cohort) -> ValidationReport:
    """The report of a club; the first process that gets the club called west is killed."""
    if cohort.source == "west":
        kill_first(folder)
    from kneerisk.training.validation.validated_clubs import validate_club

    return validate_club(shared, cohort)


def killing_bins(folder: Path, *arguments: Any) -> Any:
    """Rows in their bins; the first process that is to make some is killed."""
    kill_first(folder)
    from kneerisk.training.fitting.column_bins import binned

    return binned(*arguments)


def kill_first(folder: Path) -> None:
    """End this process, if it is the first of those that have this folder."""
    mark = folder / "killed"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
