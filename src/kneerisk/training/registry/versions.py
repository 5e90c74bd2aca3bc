"""A version: its bundle, and the athletes that its model was trained on.

The bundle is the champion's, a released version's, or one that only MLflow has. A released model is
never evaluated on the athletes that it was trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import ATHLETE_ID
from kneerisk.cohort.splits import held_out, subset, truth_subset
from kneerisk.errors import BundleRefused, CohortRefused
from kneerisk.evaluation.metrics import log_loss_over
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model import Bundle, Metadata, bundle, champion
from kneerisk.model.risk_model import RiskModel
from kneerisk.training.leakage.leakage_checks import plain_id
from kneerisk.training.provenance import digest
from kneerisk.training.tracking import CHAMPION, Tracking, has_runs, registered_name
from kneerisk.training.tracking.run_lookup import training_ids
from kneerisk.words import text


def load_version(models: Path, version: str | None = None, folder: Path | None = None) -> Bundle:
    """The champion's bundle, or a version's: from the models folder, else as registered in MLflow.

    Parameters
    ----------
    models
        The folder of released bundles, with `champion.json`.
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    folder
        Where the store of runs is; by default where the command is run.

    Returns
    -------
    The bundle, its digest checked.

    Raises
    ------
    BundleRefused
        Where there is no champion or no such version, or its bundle is not sound.
    """
    served = champion.read(models)
    if version is None:
        if served is None:
            raise BundleRefused(text("model.champion.none", models=models))
        version = served.version
    if champion.VERSION.fullmatch(version) is None:
        raise BundleRefused(text("training.version.not_a_version", version=version))
    if (models / version).is_dir():
        expected = served.sha256 if served and served.version == version else None
        return bundle.load(models / version, expected)
    if served is not None and served.version == version:
        return bundle.load(served.folder, served.sha256)
    folder = folder or Path.cwd()
    if not has_runs(folder):
        raise BundleRefused(text("training.version.not_here", version=version, models=models))
    return _registered(Tracking(folder), version)


def _registered(tracking: Tracking, version: str) -> Bundle:
    registered = tracking.version(version)
    with TemporaryDirectory() as folder:
        fetched = tracking.download_bundle(registered, Path(folder))
        return bundle.load(fetched, registered.tags.get("bundle_sha256"))


def log_loss_over_champion(tracking: Tracking, model: RiskModel, test: Cohort) -> dict[str, float]:
    """How much more log loss a model has than the champion of its kind, on held-out athletes.

    Parameters
    ----------
    tracking
        The store of runs.
    model
        The model, fitted to other athletes of the same cohort.
    test
        The held-out athletes.

    Returns
    -------
    `log_loss_over_champion`, nats a row, and its standard error. Empty where there is no champion,
    or one of another schema, which can't read these screenings.
    """
    served = tracking.version_with_alias(
        registered_name(test.outcome_kind, test.horizon_months), CHAMPION
    )
    if served is None:
        return {}
    with TemporaryDirectory() as folder:
        try:
            champion_model = bundle.load(tracking.download_bundle(served, Path(folder))).model
        except BundleRefused:
            return {}
    with champion_model.own.also_in_force():
        columns = test.columns()
    challenger_risks, champion_risks = (
        risks_of(each.predict(columns)) for each in (model, champion_model)
    )
    return log_loss_over(test, challenger_risks, champion_risks, "champion")


def without_training_athletes(
    metadata: Metadata, cohort: Cohort, truth: pd.DataFrame | None, folder: Path
) -> tuple[Cohort, pd.DataFrame | None, str]:
    """Leave out the athletes that a model was trained on.

    Parameters
    ----------
    metadata
        Of the model.
    cohort
        Athletes with outcomes.
    truth
        Of a simulated cohort, its truth, one row a screening.
    folder
        Where the store of runs is.

    Returns
    -------
    The cohort and the truth of the others, and who they are in words.

    Raises
    ------
    CohortRefused
        Where nobody is left.
    """
    return without_athletes_of(metadata, cohort, truth, lambda: training_ids(metadata, folder))


def without_athletes_of(
    metadata: Metadata,
    cohort: Cohort,
    truth: pd.DataFrame | None,
    trained_on: Callable[[], AbstractSet[str] | None],
) -> tuple[Cohort, pd.DataFrame | None, str]:
    """The same where whom the model was trained on is known already, or found in another way.

    Parameters
    ----------
    metadata
        Of the model.
    cohort
        Athletes with outcomes.
    truth
        Of a simulated cohort, its truth, one row a screening.
    trained_on
        Gives the ids of those it was trained on, None where that is not known; called where the
        cohort is not the model's own.

    Returns
    -------
    The cohort and the truth of the others, and who they are in words.

    Raises
    ------
    CohortRefused
        Where nobody is left.
    """
    unseen, description = _unseen(metadata, cohort, trained_on)
    if unseen.all():
        return cohort, truth, description
    return subset(cohort, unseen), truth_subset(truth, unseen), description


def _unseen(
    metadata: Metadata, cohort: Cohort, trained_on: Callable[[], AbstractSet[str] | None]
) -> tuple[NDArray[np.bool_], str]:
    ids = cohort.frame[ATHLETE_ID]
    if digest(cohort) == metadata.data_sha256:
        return held_out(ids), text("training.athletes.held_out")
    trained = trained_on()
    if trained is None:
        return np.ones(len(ids), dtype=bool), text("training.athletes.all")
    seen = ids.map(plain_id).isin(trained).to_numpy()
    if seen.all():
        raise CohortRefused(text("training.version.trained_on_all", version=metadata.version))
    left_out = ids[seen].nunique()
    description = text("training.athletes.unseen", count=f"{left_out:,}")
    if not left_out:
        description = text("training.athletes.none_seen")
    return ~seen, description
