"""The bundle that a command works with: the champion's, or that of a version by name."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from kneerisk.errors import BundleRefused
from kneerisk.model import Bundle, bundle, champion


def released(models: Path, version: str | None = None) -> Bundle:
    """The champion's bundle, or a version's: from the models folder, else as registered in MLflow.

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
        vouched = served.sha256 if served and served.version == version else None
        return bundle.load(models / version, vouched)
    if served is not None and served.version == version:
        return bundle.load(served.folder, served.sha256)
    return _registered(models, version)


def _registered(models: Path, version: str) -> Bundle:
    # MLflow takes seconds to import, and only versions that were never released need it.
    from kneerisk.training.tracking import Tracking

    if not has_runs():
        raise BundleRefused(f"{models} holds no {version}, and there are no MLflow runs here")
    tracking = Tracking(Path.cwd())
    registered = tracking.version(version)
    with TemporaryDirectory() as folder:
        fetched = tracking.bundle(registered, Path(folder))
        return bundle.load(fetched, registered.tags.get("bundle_sha256"))


def has_runs() -> bool:
    """Whether there is a store of MLflow runs here, so that none is made by asking."""
    from kneerisk.training.tracking import DATABASE

    return "MLFLOW_TRACKING_URI" in os.environ or Path(DATABASE).is_file()
