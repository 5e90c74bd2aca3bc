"""The gates that a challenger passes, or not: its own, and the champion on the same athletes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import train_test_split
from kneerisk.errors import CohortRefused, PromotionRefused
from kneerisk.evaluation.paired_rows import paired_rows
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model import Bundle, bundle, champion
from kneerisk.training.provenance import load_again, own_measures_of
from kneerisk.training.registry.count_record import (
    base_gate,
    correction_gate,
    count_gates,
    count_of,
)
from kneerisk.training.registry.gates import Gate, loss_gate
from kneerisk.training.registry.verdict import gates_of
from kneerisk.training.tracking import CHAMPION, Tracking, Version
from kneerisk.training.tracking.run_lookup import evaluation_of_run
from kneerisk.words import text


def gates_of_challenger(
    tracking: Tracking,
    models: Path,
    challenger: Version,
    data: Path | None = None,
    accepted_auc: str | None = None,
    accepted_unvalidated: str | None = None,
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
    accepted_auc
        Why an AUC above the ceiling is no leak, where a person has found that.
    accepted_unvalidated
        Why a version that was updated by a count alone may serve, where a person says so.

    Returns
    -------
    Those of the version alone, and the comparison with the champion on the held-out athletes of the
    file.

    Raises
    ------
    PromotionRefused
        Where the file is gone or another one, or no athlete can be compared.
    """
    current = tracking.version_with_alias(challenger.model, CHAMPION)
    params, metrics = tracking.logged_values(challenger.run_id)
    if count_of(params) is not None:
        return _count_gates(tracking, models, challenger, current, params, accepted_unvalidated)
    evaluation = evaluation_of_run(tracking, challenger.run_id)
    every_metric = {**metrics, **evaluation.get("metrics", {})}
    gates = [*gates_of(params, every_metric, lambda: evaluation, accepted_auc)]
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
        path if path.exists() else fetched_bundle(tracking, models, tracking.version(name), folder)
    )


def _loss_gate(
    tracking: Tracking, models: Path, challenger: Version, current: Version, cohort: Cohort
) -> Gate:
    """The challenger against the champion on the held-out athletes of its cohort."""
    data = cohort.columns()
    with TemporaryDirectory() as folder:
        fetched = (
            fetched_bundle(tracking, models, version, Path(folder))
            for version in (challenger, current)
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


def fetched_bundle(tracking: Tracking, models: Path, version: Version, folder: Path) -> Path:
    """The bundle of a version.

    Parameters
    ----------
    tracking
        The store of runs and versions.
    models
        The folder of released bundles.
    version
        The version.
    folder
        Where a copy from MLflow is put, if it is not released.

    Returns
    -------
    Its folder.
    """
    released = models / str(version)
    if released.exists():
        return released
    (folder / str(version)).mkdir()
    return tracking.download_bundle(version, folder / str(version))
