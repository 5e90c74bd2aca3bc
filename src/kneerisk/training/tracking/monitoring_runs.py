"""Runs of monitoring: one for each version and club, a step of it for each look."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: The tags by which a run is found again.
_VERSION, _CLUB = "version", "club"
#: The club's tag where all clubs are looked at; no club's name begins with a hyphen.
_ALL_CLUBS = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at a served version.

    Attributes
    ----------
    version
        The version.
    club
        Whose athletes; None for those of all clubs.
    metrics
        By name.
    step
        Days since the version's first visit. A second look on a day is a second value of that step.
    """

    version: str
    club: str | None
    metrics: Mapping[str, float]
    step: int


def log_look(client: Any, experiment: str, look: Look) -> str:
    """Add a look to the run of its version and club, which is made at the first one.

    Parameters
    ----------
    client
        Of MLflow.
    experiment
        The id of the experiment.
    look
        What was seen.

    Returns
    -------
    The run's id.
    """
    from mlflow.entities import Metric

    tags = {_VERSION: look.version, _CLUB: look.club or _ALL_CLUBS}
    where = " and ".join(f"tags.{name} = '{value}'" for name, value in tags.items())
    found = client.search_runs([experiment], where, max_results=1)
    if found:
        run_id = str(found[0].info.run_id)
    else:
        name = look.version if look.club is None else f"{look.version}, {look.club}"
        run_id = str(client.create_run(experiment, run_name=name, tags=tags).info.run_id)
        client.set_terminated(run_id, "FINISHED")
    now = int(time.time() * 1_000)
    metrics = [Metric(name, value, now, look.step) for name, value in look.metrics.items()]
    client.log_batch(run_id, metrics=metrics)
    return run_id
