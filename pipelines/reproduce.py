"""Version -> its run -> the same cohort, fitted again -> the same predictions, or what differs."""

from __future__ import annotations

from pathlib import Path

from kneerisk.training.recording.lineage import load_again
from kneerisk.training.registry.reproduction import Reproduced, compare, fit_again
from kneerisk.training.tracking import Tracking
from pipelines.console import Progress
from pipelines.released import released


def reproduce_version(
    version: str | None, data: Path | None, models: Path, progress: Progress
) -> Reproduced:
    """Fit a version (the champion, if none is named) again, and compare the predictions.

    Raises
    ------
    CohortRefused
        Where the screenings that it was made from are gone or changed.
    BundleRefused
        Where there is no such version, its bundle is not sound, or it belongs to another schema.
    TrackingFailed
        Where its run is not in the store.
    """
    progress("Loading the model")
    made = released(models, version)
    params, _ = Tracking(Path.cwd()).logged(made.metadata.run_id)
    base = made.metadata.base_version and released(models, made.metadata.base_version)
    progress("Reading the cohort that it was made from")
    cohort, truth = load_again(params, data)
    again = fit_again(params, cohort, truth, base or None,
                      lambda step: progress(f"Fitting again: {step}"))  # fmt: skip
    progress("Comparing")
    return compare(made, again, cohort, params)


def told(found: Reproduced) -> str:
    """The result for a person."""
    if found.identical:
        first = f"{found.version} is reproduced: every prediction is the same, bit for bit."
    elif found.agrees:
        first = (
            f"{found.version} is reproduced: predictions differ by at most "
            f"{found.largest_difference:.2g}, which is the rounding of another machine."
        )
    else:
        first = (
            f"{found.version} is NOT reproduced: predictions differ by up to "
            f"{found.largest_difference:.2g}; allowed is {found.allowed:g}."
        )
    if not found.differs:
        return (
            f"{first}\nProgram, libraries, processor and threads are those that it was made with."
        )
    lines = [f"  {what}" for what in found.differs]
    return "\n".join([first, "Not as when it was made:", *lines])
