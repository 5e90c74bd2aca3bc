"""The bundle of a version: the champion's, a released version's, or one that only MLflow has."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from kneerisk.cohort import Cohort
from kneerisk.errors import BundleRefused
from kneerisk.evaluation.comparison import log_loss_over
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model import Bundle, bundle, champion
from kneerisk.model.risk_model import RiskModel
from kneerisk.training.tracking import CHAMPION, Tracking, has_runs, registered_name


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
            raise BundleRefused(f"{models} names no champion: train and promote a model first")
        version = served.version
    if champion.VERSION.fullmatch(version) is None:
        raise BundleRefused(f"{version} is not a version, as kneerisk-new_pain-12m-v3 is")
    if (models / version).is_dir():
        expected = served.sha256 if served and served.version == version else None
        return bundle.load(models / version, expected)
    if served is not None and served.version == version:
        return bundle.load(served.folder, served.sha256)
    folder = folder or Path.cwd()
    if not has_runs(folder):
        raise BundleRefused(f"{models} holds no {version}, and there are no MLflow runs here")
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
    columns = test.columns()
    challenger_risks, champion_risks = (
        risks_of(each.predict(columns)) for each in (model, champion_model)
    )
    return log_loss_over(test, challenger_risks, champion_risks, "champion")
