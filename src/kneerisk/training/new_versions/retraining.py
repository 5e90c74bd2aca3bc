"""A club's records make the served version's successor: adapted or trained, judged, approved.

Nothing is done that is not due, and nothing is served that no person approved. The same records
never count twice: what was adapted to them before starts again from the version beneath it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from kneerisk.cohort import Cohort
from kneerisk.cohort.knee_weeks import KneeWeeks
from kneerisk.model import Bundle
from kneerisk.model.metadata import Metadata
from kneerisk.progress import Progress
from kneerisk.training.new_versions.adapted_version import AdaptedVersion, adapt_version
from kneerisk.training.new_versions.trained_version import train_version
from kneerisk.training.provenance import Source, digest
from kneerisk.training.registry.challenger_gates import gates_of_challenger
from kneerisk.training.registry.gates import Gate
from kneerisk.training.registry.promotion import promote
from kneerisk.training.registry.verdict import verdict_of
from kneerisk.training.registry.versions import load_version
from kneerisk.training.tracking import CHALLENGER, CHAMPION, Tracking, Version
from kneerisk.training.tracking.run_lookup import evaluation_of_run
from kneerisk.training.updating.hazard_beside import Proposed, proposal
from kneerisk.training.updating.model_updating import events_needed

State = Literal["nothing_due", "too_early", "too_few", "refused", "waiting", "promoted"]
#: So many times as many knees with pain as the served version has learnt from are worth another
#: look, also where no alarm asks for one (assumption).
WORTH_A_LOOK = 2.0
#: What monitoring may ask for that a new version is the answer to.
_ASKS = ("adapt", "retrain", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What came of the records.

    Attributes
    ----------
    state
        `nothing_due`; `too_early` where nobody was followed to the end; `too_few` outcomes to
        change anything; `refused` by a gate; `waiting` for a person's approval; or `promoted`.
    base
        The version that is served.
    events
        Knees with new pain in the records.
    version
        The new version; None where there is none.
    how
        Whether it was `adapted` or `trained`.
    step
        What of the base was corrected; None where it was trained.
    verdict
        Of all gates, the comparison with the served version on the same rows among them.
    metrics
        Of the new version, on athletes and groups that were left out.
    proposed
        Where follow-up was weekly: the risk of the horizon, which the new version tells, or the
        hazard by week that was fitted beside it, by the log loss and calibration of both.
    """

    state: State
    base: str
    events: int
    version: str | None = None
    how: Literal["adapted", "trained"] | None = None
    step: str | None = None
    verdict: dict[str, Any] | None = None
    metrics: dict[str, float] | None = None
    proposed: Proposed | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A cohort of records, and the file that it is in while the command runs.

    ``weeks`` are those of its screenings, in the same order; None where follow-up was not weekly.
    """

    cohort: Cohort
    file: Path
    weeks: KneeWeeks | None = None

    @property
    def events(self) -> int:
        """Knees with new pain."""
        left, right, _ = self.cohort.outcomes()
        return int((left == 1.0).sum() + (right == 1.0).sum())


def retrain_version(
    records: Records,
    models: Path,
    *,
    asked_for: str,
    approved_by: str | None,
    refits: int,
    progress: Progress,
) -> Retrained:
    """Make, judge and, where a person approves it, serve what the records support.

    Parameters
    ----------
    records
        Of a club, or of several.
    models
        The folder of released models.
    asked_for
        The next step that monitoring told, such as ``adapt``.
    approved_by
        Who approves of a version that passes all gates; None: it waits.
    refits
        How often a model is built again in bootstrap samples.
    progress
        Called with what is being done.

    Returns
    -------
    What came of it.
    """
    tracking, served = Tracking(Path.cwd()), load_version(models)
    name, events = served.metadata.version, records.events
    alias, version = _made_of(tracking, name, digest(records.cohort))
    if version is None and is_due(served.metadata, asked_for, events):
        with served.model.own.also_in_force():
            version = _made_now(tracking, models, served, records, refits, progress)
        if version is None:
            return Retrained(state="too_few", base=name, events=events)
    if version is None or alias == CHAMPION:
        return Retrained(state="nothing_due", base=name, events=events)
    gates = gates_of_challenger(tracking, models, version, records.file)
    state = _approved(tracking, models, version, records.file, gates, approved_by)
    params, metrics = tracking.logged_values(version.run_id)
    metrics |= evaluation_of_run(tracking, version.run_id).get("metrics", {})
    return Retrained(
        state=state, base=name, events=events, version=str(version),
        how="adapted" if "adapted_step" in params else "trained", step=params.get("adapted_step"),
        verdict=verdict_of(gates), metrics=metrics, proposed=proposal(metrics),
    )  # fmt: skip


def is_due(served: Metadata, asked_for: str, events: int) -> bool:
    """Whether the records say something new of the served version.

    Parameters
    ----------
    served
        What the served version was made of.
    asked_for
        The next step that monitoring told.
    events
        Knees with new pain in the records.

    Returns
    -------
    Where monitoring asks for a new version, or there are `WORTH_A_LOOK` times as many outcomes as
    the served version has learnt from, and at least as many as a slope takes.
    """
    if asked_for in _ASKS:
        return events >= events_needed()["intercept"]
    learnt_from = 0.0 if served.cohort == "simulated" else served.events
    return events >= max(WORTH_A_LOOK * learnt_from, float(events_needed()["slope"]))


def _made_of(
    tracking: Tracking, served: str, sha256: str
) -> tuple[str, Version] | tuple[None, None]:
    """The champion or challenger that was made of this very cohort, and which of the two."""
    model, _ = Version.parse(served)
    for alias in (CHAMPION, CHALLENGER):
        version = tracking.version_with_alias(model, alias)
        if version is not None:
            params, _ = tracking.logged_values(version.run_id)
            if params.get("data_sha256") == sha256:
                return alias, version
    return None, None


def _made_now(
    tracking: Tracking,
    models: Path,
    served: Bundle,
    records: Records,
    refits: int,
    progress: Progress,
) -> Version | None:
    """Adapt; train from scratch as well where left-out athletes say that it is better."""
    source = Source(path=records.file)
    base = _beneath(models, served)
    adapted = adapt_version(base, source, records.cohort, refits, progress, records.weeks)
    if _is_better_from_scratch(adapted):
        trained = train_version(source, records.cohort, None, refits, progress)
        return tracking.version(trained.version)
    return None if adapted.logged is None else tracking.version(adapted.logged.version)


def _beneath(models: Path, served: Bundle) -> Bundle:
    """The version that the served one was updated from; itself where it was not updated."""
    base = served
    while base.metadata.base_version is not None:
        base = load_version(models, base.metadata.base_version)
    return base


def _is_better_from_scratch(adapted: AdaptedVersion) -> bool:
    """Whether a model of the records alone does better, by people and by groups left out."""
    losses = [
        (adapted.metrics[f"{prefix}scratch_log_loss"], adapted.metrics[f"{prefix}log_loss"])
        for prefix in ("cv_", "iecv_")
        if f"{prefix}scratch_log_loss" in adapted.metrics
    ]
    return bool(losses) and all(scratch < updated for scratch, updated in losses)


def _approved(
    tracking: Tracking,
    models: Path,
    version: Version,
    file: Path,
    gates: tuple[Gate, ...],
    approved_by: str | None,
) -> State:
    if not all(gate.passed for gate in gates):
        return "refused"
    if approved_by is None:
        return "waiting"
    promote(tracking, models, str(version), data=file, approved_by=approved_by)
    return "promoted"
