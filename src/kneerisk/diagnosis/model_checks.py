"""The models folder: the champion that is served, and what a killed command has left."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kneerisk.diagnosis.findings import Finding, Place
from kneerisk.errors import BundleRefused
from kneerisk.model import bundle, champion
from kneerisk.words import text

#: How the name begins of a bundle that is being fetched; the next promotion sweeps it up.
_UNFINISHED = ".incoming-"


def check_champion(place: Place) -> Sequence[Finding]:
    """Load the champion as the service does: hashes, schema, golden cases."""
    if not place.models.is_dir():
        told = text("diagnosis.champion.no_folder", path=place.models)
        return [Finding("champion", "fault", told, text("diagnosis.champion.none_cure"))]
    try:
        pointer = champion.read(place.models)
    except BundleRefused as error:
        return [Finding("champion", "fault", str(error), text("diagnosis.champion.pointer_cure"))]
    if pointer is None:
        told = text("diagnosis.champion.none", path=place.models)
        return [Finding("champion", "fault", told, text("diagnosis.champion.none_cure"))]
    if not pointer.folder.is_dir():
        told = text("diagnosis.champion.gone", version=pointer.version)
        cure = text("diagnosis.champion.gone_cure", version=pointer.version)
        return [Finding("champion", "fault", told, cure)]
    try:
        metadata = bundle.load(pointer.folder, pointer.sha256).metadata
    except BundleRefused as error:
        cure = text("diagnosis.champion.damaged_cure", version=pointer.version)
        return [Finding("champion", "fault", str(error), cure)]
    told = text("diagnosis.champion.ok", version=metadata.version, kind=metadata.cohort,
                athletes=f"{metadata.athletes:,}")  # fmt: skip
    return [Finding("champion", "ok", told)]


def check_models_folder(place: Place) -> Sequence[Finding]:
    """Whether a promotion could write there, and what one has left that was killed."""
    if not place.models.is_dir():
        return []
    if not os.access(place.models, os.W_OK):
        told = text("diagnosis.models.not_writable", path=place.models)
        return [Finding(text("diagnosis.models.about"), "note", told)]
    left = sorted(path.name for path in place.models.iterdir() if path.name.startswith(_UNFINISHED))
    if left:
        told = text("diagnosis.models.left", names=", ".join(left))
        return [Finding(text("diagnosis.models.about"), "note", told)]
    return [
        Finding(
            text("diagnosis.models.about"), "ok", text("diagnosis.models.ok", path=place.models)
        )
    ]
