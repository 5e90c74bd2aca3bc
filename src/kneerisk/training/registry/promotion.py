"""Which version is served: a challenger passes the gates, is released, and becomes champion."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import train_test_split
from kneerisk.errors import CohortRefused, KneeriskError, PromotionRefused
from kneerisk.evaluation.paired_rows import paired_rows
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model import Bundle, bundle, champion
from kneerisk.training.provenance import load_again, own_measures_of
from kneerisk.training.registry import releases
from kneerisk.training.registry.count_record import (
    base_gate,
    correction_gate,
    count_gates,
    count_of,
)
from kneerisk.training.registry.gates import Gate, loss_gate
from kneerisk.training.registry.releases import Release, bundle_hash
from kneerisk.training.registry.run_record import EVALUATION
from kneerisk.training.registry.verdict import gates_of, verdict_of
from kneerisk.training.tracking import CHAMPION, Tracking, Version
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
    current = tracking.version_with_alias(challenger.model, CHAMPION)
    passed = _gates(tracking, models, challenger, current, data, accepted_auc, accepted_unvalidated)
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


def gates_of_challenger(
    tracking: Tracking, models: Path, challenger: Version, data: Path | None = None
) -> tuple[Gate, ...]:
    """The gates that a challenger has to pass, met or not.

    Parameters
    ----------
    tracking
        The store of runs and versions.
    models
        The folder of released bundles.
    challenger
        The version.
    data
        The file that it was trained on, where it was moved.

    Returns
    -------
    Those of the version alone, and the comparison with the champion on the held-out athletes of the
    file.
    """
    current = tracking.version_with_alias(challenger.model, CHAMPION)
    return _gates(tracking, models, challenger, current, data, None, None)


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


def _gates(
    tracking: Tracking,
    models: Path,
    challenger: Version,
    current: Version | None,
    data: Path | None,
    accepted_auc: str | None,
    accepted_unvalidated: str | None,
) -> tuple[Gate, ...]:
    params, metrics = tracking.logged_values(challenger.run_id)
    if count_of(params) is not None:
        return _count_gates(tracking, models, challenger, current, params, accepted_unvalidated)
    evaluation = _evaluation(tracking, challenger)
    gates = [*gates_of(params, metrics, lambda: evaluation, accepted_auc)]
    if current is not None and current.number != challenger.number:
        with own_measures_of(params).also_in_force():
            gates.append(_loss_gate(tracking, models, challenger, current, _held_out(params, data)))
    return tuple(gates)


def _count_gates(
    tracking: Tracking,
    models: Path,
    challenger: Version,
    current: Version | None,
    params: dict[str, str],
    accepted: str | None,
) -> tuple[Gate, ...]:
    """Of a version that was updated by a count: no cohort can show how good it is."""
    served, replaced = champion.read(models), None if current is None else str(current)
    if replaced is None and served and Version.parse(served.version)[0] == challenger.model:
        replaced = served.version
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        updated = _bundle_of(tracking, models, str(challenger), folder)
        base = _bundle_of(tracking, models, params["base_version"], folder)
        champion_metadata = None
        if replaced is not None:
            champion_metadata = _bundle_of(tracking, models, replaced, folder).metadata
    return (
        *count_gates(params, accepted),
        correction_gate(updated, base, params),
        base_gate(base.metadata, champion_metadata),
    )


def _bundle_of(tracking: Tracking, models: Path, name: str, folder: Path) -> Bundle:
    if (models / name).is_dir():
        return bundle.load(models / name)
    path = folder / name
    return bundle.load(
        path if path.exists() else _fetch(tracking, models, tracking.version(name), folder)
    )


def _loss_gate(
    tracking: Tracking, models: Path, challenger: Version, current: Version, cohort: Cohort
) -> Gate:
    """The challenger against the champion on the held-out athletes of its cohort."""
    data = cohort.columns()
    with TemporaryDirectory() as folder:
        fetched = (
            _fetch(tracking, models, version, Path(folder)) for version in (challenger, current)
        )
        new, old = (risks_of(bundle.load(path).model.predict(data)) for path in fetched)
    new_rows, old_rows = paired_rows(cohort, new, old)
    if len(new_rows.outcome) == 0:
        raise PromotionRefused(
            text("training.promotion.nothing_in_common", challenger=challenger, champion=current)
        )
    return loss_gate(new_rows, old_rows, str(current))


def _held_out(params: dict[str, str], data: Path | None) -> Cohort:
    try:
        cohort, _ = load_again(params, data)
    except CohortRefused as error:
        raise PromotionRefused(str(error)) from None
    return train_test_split(cohort)[1]


def _evaluation(tracking: Tracking, version: Version) -> dict[str, Any]:
    """The evaluation that a version's run keeps, with what moved its risks; nothing of an older."""
    if not tracking.has_artifact(version.run_id, EVALUATION):
        return {}
    with TemporaryDirectory() as folder:
        path = tracking.download(version.run_id, EVALUATION, Path(folder))
        return dict(json.loads(path.read_text("utf-8")))


def _fetch(tracking: Tracking, models: Path, version: Version, folder: Path) -> Path:
    released = models / str(version)
    if released.exists():
        return released
    (folder / str(version)).mkdir()
    return tracking.download_bundle(version, folder / str(version))


def _outcome(challenger: Version, before: str | None, *, served: bool) -> str:
    if served:
        return text("training.promotion.served", version=challenger)
    return text("training.promotion.not_served", version=challenger, served=before)
