"""Released bundles: fetched whole or not at all, one command at a time, and recorded beside them.

`releases.json` says of each released version what its bundle's hash is, what it replaced and why an
AUC above the ceiling was accepted, so that a rollback needs nothing but the folder itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kneerisk.errors import BundleRefused, PromotionRefused
from kneerisk.model import bundle, champion
from kneerisk.training.tracking import (
    BUNDLE_SHA256,
    CARD,
    PLOTS,
    Tracking,
    TrackingFailed,
    Version,
)
from kneerisk.words import text

FILE = "releases.json"
#: Tag of a version: what was served before it was put in service.
REPLACED = "replaced"
#: Where a bundle lies while it is fetched.
_INCOMING = ".incoming-"
#: How long another promotion or rollback is waited for (assumption: releasing takes seconds).
_LOCK_SECONDS, _POLL_SECONDS = 10.0, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A released version, as `releases.json` records it."""

    sha256: str
    replaced: str | None = None
    """The version that was served before it."""
    accepted_auc: str | None = None
    """Why a person accepted an AUC above the ceiling."""
    accepted_unvalidated: str | None = None
    """Why a person put a version in service that no outcome has shown to be any good."""
    approved_by: str | None = None
    """Who said that it may serve, where a command asks for that."""


def bundle_hash(version: Version) -> str:
    """The hash that a version's bundle must have.

    Parameters
    ----------
    version
        As registered.

    Returns
    -------
    64 hexadecimal digits.

    Raises
    ------
    PromotionRefused
        Where the version has no bundle.
    """
    sha256 = version.tags.get(BUNDLE_SHA256)
    if sha256 is None:
        raise PromotionRefused(text("training.promotion.no_bundle", version=version))
    return sha256


def recorded(models: Path) -> dict[str, Release]:
    """The releases of a models folder by version; a damaged record is as good as none."""
    try:
        content = json.loads(champion.read_file(models / FILE))
        return {version: Release(**values) for version, values in content.items()}
    except (OSError, BundleRefused, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def record(models: Path, version: Version, release: Release) -> None:
    """Write down a release; one of the same version is replaced.

    Parameters
    ----------
    models
        The folder of released bundles.
    version
        What was released.
    release
        What is recorded of it.
    """
    releases = recorded(models) | {str(version): release}
    champion.write_json(models / FILE, {name: asdict(each) for name, each in releases.items()})


@contextmanager
def exclusive(models: Path) -> Iterator[None]:
    """Let no other promotion or rollback change a models folder, and clear what killed ones left.

    Parameters
    ----------
    models
        The folder; it is made where it does not exist.

    Raises
    ------
    PromotionRefused
        Where another one takes long.
    """
    models.mkdir(parents=True, exist_ok=True)
    folder = os.open(models, os.O_RDONLY)
    try:
        _lock(folder, models)
        for pattern in (f"{_INCOMING}*", f".{champion.FILE}.*", f".{FILE}.*"):
            for leftover in models.glob(pattern):
                _remove(leftover)
        yield
    finally:
        os.close(folder)


def release(tracking: Tracking, models: Path, version: Version) -> None:
    """Put a bundle, its card and the card's plots into `models/<version>/`, or nothing.

    Parameters
    ----------
    tracking
        Where the bundle is.
    models
        The folder of released bundles, held by `exclusive`.
    version
        What to release.

    Raises
    ------
    BundleRefused
        Where the bundle is not sound, or what was released before is not this version's.
    """
    released, sha256 = models / str(version), bundle_hash(version)
    if not released.exists():
        with TemporaryDirectory(dir=models, prefix=_INCOMING) as folder:
            fetched = tracking.download_bundle(version, Path(folder))
            loaded = bundle.load(fetched, sha256)
            if CARD not in loaded.documents:
                _fetch_documents(tracking, version, fetched)
            fetched.replace(released)
    bundle.load(released, sha256)


def stored_bundle(models: Path, version: str) -> Release | None:
    """A bundle that was released without a record, by the hash that it has.

    Parameters
    ----------
    models
        The folder of released bundles.
    version
        Its name.

    Returns
    -------
    The release; None where the bundle is not there.
    """
    if not (models / version).is_dir():
        return None
    return Release(sha256=bundle.load(models / version).sha256)


def of_version(version: Version) -> Release:
    """What MLflow knows of a release."""
    return Release(sha256=bundle_hash(version), replaced=version.tags.get(REPLACED))


def _fetch_documents(tracking: Tracking, version: Version, folder: Path) -> None:
    """The card and plots of a bundle that is older than their place in it."""
    if tracking.has_artifact(version.run_id, CARD):
        tracking.download(version.run_id, CARD, folder)
    tracking.download_plots(version.run_id, folder / PLOTS)


def _lock(folder: int, models: Path) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise PromotionRefused(text("training.promotion.at_work", models=models)) from None
            time.sleep(_POLL_SECONDS)
        except OSError:
            return  # some file systems of a network know no locks
        else:
            return


def _remove(leftover: Path) -> None:
    if leftover.is_dir() and not leftover.is_symlink():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        with suppress(OSError):
            leftover.unlink()


def settle(tracking: Tracking, models: Path) -> None:
    """Give the served version the alias `champion`, where an earlier command could not.

    Parameters
    ----------
    tracking
        The store of runs and versions.
    models
        The folder whose `champion.json` says what is served.
    """
    served = champion.read(models)
    if served is None:
        return
    with suppress(TrackingFailed):
        version = tracking.version(served.version)
        if version.tags.get(BUNDLE_SHA256) == served.sha256:
            note(tracking, version, recorded(models).get(served.version))
            tracking.make_champion(version)


def note(tracking: Tracking, version: Version, release: Release | None) -> None:
    """Write on a version what is recorded of its release, unless that stands there already.

    Parameters
    ----------
    tracking
        The store of runs and versions.
    version
        As registered.
    release
        Its record; None where there is none.
    """
    if release is not None:
        tags = {REPLACED: release.replaced, "accepted_auc": release.accepted_auc,
                "accepted_unvalidated": release.accepted_unvalidated,
                "approved_by": release.approved_by}  # fmt: skip
        new = {name: value for name, value in tags.items()
               if value is not None and version.tags.get(name) != value}  # fmt: skip
        tracking.tag_version(version, **new)
