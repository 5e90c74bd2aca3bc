"""Which version is served: a challenger passes the gates, is released, and becomes champion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kneerisk.errors import KneeriskError, PromotionRefused
from kneerisk.model import bundle, champion
from kneerisk.training.registry import releases
from kneerisk.training.registry.challenger_gates import gates_of_challenger
from kneerisk.training.registry.gates import Gate
from kneerisk.training.registry.releases import Release, bundle_hash
from kneerisk.training.registry.verdict import verdict_of
from kneerisk.training.tracking import Tracking, Version
from kneerisk.words import text


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did."""

    version: str
    served: bool
    previous: str | None
    gates: tuple[Gate, ...]
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data, with the verdict of the gates."""
        return {**asdict(self), "promoted": True, **verdict_of(self.gates)}


def promote(
    tracking: Tracking,
    models: Path,
    version: str | None = None,
    *,
    data: Path | None = None,
    serve: bool = False,
    accepted_auc: str | None = None,
    accepted_unvalidated: str | None = None,
    approved_by: str | None = None,
) -> Promoted:
    """Make a challenger the champion of its outcome kind, and release it.

    Parameters
    ----------
    tracking
        The store of runs and versions.
    models
        The folder of released bundles; its `champion.json` says what is served.
    version
        The only challenger, where it is not given.
    data
        The file that the version was trained on, where it was moved.
    serve
        Whether to replace a served champion of another outcome kind as well.
    accepted_auc
        Why an AUC above the ceiling is no leak, where a person has found that.
    accepted_unvalidated
        Why a version that was updated by a count alone may serve, where a person says so.
    approved_by
        Who says that it may serve, where that is recorded.

    Returns
    -------
    What was done.

    Raises
    ------
    PromotionRefused
        Where a gate is not passed, with its numbers and the verdict.
    """
    releases.settle(tracking, models)
    challenger = _select(tracking, version)
    sha256 = bundle_hash(challenger)
    passed = gates_of_challenger(
        tracking, models, challenger, data, accepted_auc, accepted_unvalidated
    )
    failed = [gate.message for gate in passed if not gate.passed]
    if failed:
        heading = text("training.promotion.refused", version=challenger)
        verdict = {"version": str(challenger), **verdict_of(passed)}
        raise PromotionRefused("\n  ".join([heading, *failed]), verdict)
    with releases.exclusive(models):
        releases.release(tracking, models, challenger)
        served = champion.read(models)
        before = served.version if served else None
        replaces = before is None or serve or Version.parse(before)[0] == challenger.model
        previous = served.previous if served and before == str(challenger) else before
        released = Release(
            sha256=sha256, replaced=previous if replaces else None, accepted_auc=accepted_auc,
            accepted_unvalidated=accepted_unvalidated, approved_by=approved_by,
        )  # fmt: skip
        releases.record(models, challenger, released)
        if replaces:
            champion.write(models, str(challenger), sha256, previous)
    message = _outcome(challenger, before, served=replaces)
    message = _told(message, lambda: _note_champion(tracking, challenger, released))
    return Promoted(str(challenger), replaces, previous if replaces else before, passed, message)


def rollback(models: Path, open_tracking: Callable[[], Tracking]) -> Promoted:
    """Serve again what the champion replaced; MLflow is needed only where the folder lacks it.

    Parameters
    ----------
    models
        The folder of released bundles.
    open_tracking
        Opens the store of runs and versions: after the champion is changed, where that can be.

    Returns
    -------
    What was done.

    Raises
    ------
    PromotionRefused
        Where nothing is served, or nothing was served before.
    """
    served = champion.read(models)
    if served is None:
        raise PromotionRefused(text("training.promotion.no_champion", models=models))
    if served.previous is None:
        raise PromotionRefused(
            text("training.promotion.nothing_to_restore", version=served.version)
        )
    target = served.previous
    with releases.exclusive(models):
        release = _released(models, target) or _fetched(open_tracking, models, target)
        champion.write(models, target, release.sha256, release.replaced)
    message = text("training.promotion.restored", version=target, replaced=served.version)
    message = _told(message, lambda: releases.settle(open_tracking(), models))
    return Promoted(target, True, release.replaced, (), message)


def _released(models: Path, version: str) -> Release | None:
    """A version that lies in the models folder, sound and with its record; else None."""
    release = releases.recorded(models).get(version)
    if release is None or not (models / version).is_dir():
        return None
    bundle.load(models / version, release.sha256)
    return release


def _fetched(open_tracking: Callable[[], Tracking], models: Path, name: str) -> Release:
    """A version that MLflow knows more about; without MLflow, the bundle that lies there."""
    try:
        tracking = open_tracking()
        version = tracking.version(name)
        release = releases.of_version(version)
        releases.release(tracking, models, version)
    except KneeriskError:
        if (stored := releases.stored_bundle(models, name)) is None:
            raise
        return stored
    releases.record(models, version, release)
    return release


def _note_champion(tracking: Tracking, version: Version, release: Release) -> None:
    releases.note(tracking, version, release)
    tracking.make_champion(version)


def _told(message: str, tell: Callable[[], None]) -> str:
    """Tell MLflow what is served; where that fails, the message goes on to say so."""
    try:
        tell()
    except KneeriskError as error:
        return text("training.promotion.not_told", message=message, reason=error)
    return message


def _select(tracking: Tracking, version: str | None) -> Version:
    if version is not None:
        return tracking.version(version)
    if not (challengers := tracking.challengers()):
        raise PromotionRefused(text("training.promotion.no_challenger"))
    if len(challengers) > 1:
        names = ", ".join(sorted(str(version) for version in challengers))
        raise PromotionRefused(text("training.promotion.several_challengers", versions=names))
    return challengers[0]


def _outcome(challenger: Version, before: str | None, *, served: bool) -> str:
    if served:
        return text("training.promotion.served", version=challenger)
    return text("training.promotion.not_served", version=challenger, served=before)
