"""Which runs a person means, by id, version, alias or cohort; and whom a run was trained on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kneerisk.cohort.layout import ATHLETE_ID
from kneerisk.cohort.splits import held_out
from kneerisk.errors import KneeriskError
from kneerisk.training.tracking.abandoned_runs import BUNDLE_SHA256
from kneerisk.training.tracking.naming import (
    BEST_CALIBRATED,
    CHALLENGER,
    CHAMPION,
    EVALUATION,
    LoggedRun,
    Purpose,
    Version,
    cohort_filter,
)
from kneerisk.training.tracking.store_errors import TrackingFailed
from kneerisk.training.tracking.tracking_store import Tracking, has_runs
from kneerisk.words import text

if TYPE_CHECKING:
    from kneerisk.model import Metadata

#: A beginning of a run's id or of a cohort's digest; shorter ones would name several by chance.
_HEXADECIMAL = re.compile(r"[0-9a-f]{4,64}")
#: Whose runs are evaluated on held-out athletes, and so compare.
_PURPOSES: tuple[Purpose, ...] = ("train", "adapt", "tune", "benchmark")
_MOST_RUNS = 8


class NotCompared(KneeriskError):
    """Runs that can't be found, or are not enough to compare."""


def runs_to_compare(
    tracking: Tracking,
    names: Sequence[str],
    cohort: str | None,
    *,
    every_run: bool,
    every_metric: bool = False,
) -> list[LoggedRun]:
    """Find the runs that are to be compared.

    Parameters
    ----------
    tracking
        The store of runs.
    names
        Beginnings of run ids, versions, or the aliases ``champion`` and ``challenger``.
    cohort
        The beginning of a cohort's digest: all runs on it, best calibrated first.
    every_run
        All runs there are, best calibrated first.
    every_metric
        Whether they come with every metric, not only with those that MLflow lists.

    Returns
    -------
    Two or more runs, each once.

    Raises
    ------
    NotCompared
        Where a run is not there or is named ambiguously, or fewer than two are left.
    """
    if (bool(names), cohort is not None, every_run).count(True) != 1:
        raise NotCompared(text("training.compare.no_runs"))
    runs = _by_name(tracking, names) if names else _by_cohort(tracking, cohort)[:_MOST_RUNS]
    if len(runs) < 2:
        raise NotCompared(text("training.compare.too_few", count=len(runs)))
    return [with_every_metric(tracking, run) for run in runs] if every_metric else runs


def with_every_metric(tracking: Tracking, run: LoggedRun) -> LoggedRun:
    """The run with the metrics of its evaluation beside those that MLflow lists."""
    metrics = evaluation_of_run(tracking, run.run_id).get("metrics", {})
    return replace(run, metrics={**run.metrics, **metrics})


def finished_runs(
    tracking: Tracking, cohort: str | None, tags: Mapping[str, str], limit: int
) -> list[LoggedRun]:
    """Evaluated runs, best calibrated first.

    Parameters
    ----------
    tracking
        The store of runs.
    cohort
        The beginning of a cohort's digest; None: of all cohorts.
    tags
        Tags that a run has to have.
    limit
        Most runs to give.

    Returns
    -------
    The runs, at most so many.

    Raises
    ------
    NotCompared
        Where the digest can't be the beginning of one.
    """
    runs = [
        run
        for run in _by_cohort(tracking, cohort)
        if all(run.tags.get(key) == value for key, value in tags.items())
    ]
    return runs[:limit]


def _by_cohort(tracking: Tracking, cohort: str | None) -> list[LoggedRun]:
    if cohort is not None and _HEXADECIMAL.fullmatch(cohort) is None:
        raise NotCompared(text("training.compare.not_a_digest", digest=cohort))
    where = cohort_filter(cohort) if cohort else ""
    runs = tracking.find_runs(_PURPOSES, where, [f"{BEST_CALIBRATED} ASC"])
    return [run for run in runs if "log_loss" in run.metrics]


def _by_name(tracking: Tracking, names: Sequence[str]) -> list[LoggedRun]:
    known = tracking.find_runs(_PURPOSES)
    chosen = [_only_run(tracking, known, name) for name in names]
    return list({run.run_id: run for run in chosen}.values())


def _only_run(tracking: Tracking, known: Sequence[LoggedRun], name: str) -> LoggedRun:
    if name in (CHAMPION, CHALLENGER):
        matches = [run for run in known if name in (run.alias or "").split(", ")]
    elif _HEXADECIMAL.fullmatch(name):
        matches = [run for run in known if run.run_id.startswith(name)]
    else:
        run_id = tracking.version(name).run_id
        matches = [run for run in known if run.run_id == run_id]
    if not matches and name in (CHAMPION, CHALLENGER):
        known_names = ", ".join(run.version for run in known if run.version) or "-"
        raise NotCompared(text("training.compare.no_alias", alias=name, versions=known_names))
    if not matches:
        raise NotCompared(text("training.compare.no_such_run", run=name))
    if len(matches) > 1:
        ids = ", ".join(run.run_id[:12] for run in matches)
        raise NotCompared(text("training.compare.several", run=name, ids=ids))
    return matches[0]


def evaluation_of_run(tracking: Tracking, run_id: str) -> dict[str, Any]:
    """Metrics, slices and curves of a run; empty where an older one keeps no such file."""
    if not tracking.has_artifact(run_id, EVALUATION):
        return {}
    with TemporaryDirectory() as folder:
        path = tracking.download(run_id, EVALUATION, Path(folder))
        return dict(json.loads(path.read_text("utf-8")))


def training_ids(metadata: Metadata, folder: Path) -> set[str] | None:
    """The ids of those a model of people was trained on; None where that is not known here.

    A bundle holds no ids. They are in the file that its run names, if both are still here.
    """
    from kneerisk.training.leakage.leakage_checks import plain_id
    from kneerisk.training.provenance import load_again

    if metadata.cohort == "simulated" or not has_runs(folder):
        return None
    try:
        parameters, _ = Tracking(folder).logged_values(metadata.run_id)
        ids = load_again(parameters)[0].frame[ATHLETE_ID]
    except KneeriskError:
        return None
    return set(ids[~held_out(ids)].map(plain_id))


def registered_here(tracking: Tracking, version: str, sha256: str) -> Version | None:
    """The version of a bundle, where this store of runs has that very one.

    Parameters
    ----------
    tracking
        The store of runs.
    version
        Such as ``kneerisk-new_pain-12m-v3``; other stores may have others of that name.
    sha256
        Of the bundle.

    Returns
    -------
    The version, or None.
    """
    try:
        registered = tracking.version(version)
    except TrackingFailed:
        return None
    return registered if registered.tags.get(BUNDLE_SHA256) == sha256 else None
