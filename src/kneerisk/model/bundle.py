"""A released model as a folder of JSON and UBJ files, whose hashes stand in a manifest.

Golden cases, made-up screenings with the numbers that the model gave for them when it was saved,
show on loading that it still gives the same ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.errors import BundleRefused, MeasuresRefused
from kneerisk.model.champion import read_file
from kneerisk.model.golden_cases import TOLERANCE, deviation, golden_numbers
from kneerisk.model.metadata import Metadata
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.serialization import from_data, to_data
from kneerisk.schema.columns import fingerprint
from kneerisk.schema.measures_file import own_measures
from kneerisk.schema.own_measures import NO_OWN_MEASURES, OwnMeasures
from kneerisk.words import text, variant

#: Format of the files; it goes up when bundles of an older program can't be read any more.
FORMAT = 3
MANIFEST, MODEL, METADATA, GOLDEN = "manifest.json", "model.json", "facts.json", "golden.json"
BASELINE = "baseline.json"
#: The club's own measures that the model reads; a bundle without has none.
OWN_MEASURES = "own_measures.json"
#: What lies in the folder for people: the card and the plots that it shows. The manifest has their
#: hashes apart, since bundles of older programs have none, and may still be read.
CARD, PLOTS = "card.md", "plots"
_DOCUMENT = re.compile(r"card\.md|plots/\w[\w.-]*\.png", re.ASCII)
#: The most files that a bundle may list (assumption: it has some ten, and as many plots).
_MOST_FILES = 100

#: Errors that reading something else than a bundle may end in.
_UNREADABLE = (
    OSError,
    ValueError,  # XGBoost's own errors too
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MeasuresRefused,
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model, ready to predict, with the metadata that every answer cites."""

    model: RiskModel
    metadata: Metadata
    sha256: str
    documents: frozenset[str] = frozenset()
    """The card and plots whose hashes the manifest has."""
    baseline: Mapping[str, Any] | None = None  # logistic, of the training cohort; older have none


def save(
    model: RiskModel,
    metadata: Metadata,
    folder: Path,
    documents: Mapping[str, bytes] | None = None,
    baseline: Mapping[str, Any] | None = None,
) -> str:
    """Write a bundle into a new or empty folder.

    Parameters
    ----------
    model
        The model.
    metadata
        What is recorded about it.
    folder
        Where to write; it is made where it does not exist.
    documents
        The card and its plots, such as ``plots/roc.png``; not needed to predict.
    baseline
        A logistic regression of the training cohort, for `kneerisk evaluate`.

    Returns
    -------
    The SHA-256 of the manifest, which names the bundle.

    Raises
    ------
    BundleRefused
        Where the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BundleRefused(text("model.bundle.not_empty", folder=folder))
    written = to_data(model)
    for name, booster in written.boosters.items():
        booster.save_model(folder / name)
    _write(folder / MODEL, written.data)
    _write(folder / METADATA, metadata.as_dict())
    if baseline is not None:
        _write(folder / BASELINE, baseline)
    if model.own:
        _write(folder / OWN_MEASURES, dict(model.own.declared))
    files = {path.name: read_file(path) for path in folder.iterdir()}
    _write(folder / GOLDEN, golden_numbers(_model(files)))
    files[GOLDEN] = read_file(folder / GOLDEN)
    with model.own.in_force():
        manifest = {"format": FORMAT, "schema": fingerprint(), "files": _hashes(files)}
    for name, content in (documents or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    if documents:
        manifest["documents"] = _hashes(documents)
    _write(folder / MANIFEST, manifest)
    return _sha256(read_file(folder / MANIFEST))


def load(folder: Path, sha256: str | None = None) -> Bundle:
    """Read a bundle and check it: files, schema, and the golden cases.

    Parameters
    ----------
    folder
        The bundle's folder.
    sha256
        The hash that it must have; None where none is known.

    Returns
    -------
    The bundle.

    Raises
    ------
    BundleRefused
        With the reason.
    """
    try:
        manifest = _manifest(folder, sha256)
        files = _files(folder, manifest["files"])
        _refuse_other_schema(folder, manifest, files)
        documents = _documents(folder, manifest.get("documents"))
        model = _model(files)
        metadata = Metadata(**_json(files[METADATA]))
        baseline = _json(files.get(BASELINE, b"null"))
        off = deviation(model, _json(files[GOLDEN]))
    except _UNREADABLE as error:
        raise BundleRefused(
            text("model.bundle.unreadable", bundle=folder.name, reason=type(error).__name__)
        ) from error
    if not off <= TOLERANCE:
        raise BundleRefused(
            text(
                "model.bundle.other_numbers",
                bundle=folder.name,
                off=f"{off:.2g}",
                allowed=f"{TOLERANCE:g}",
            )
        )
    return Bundle(model, metadata, manifest[MANIFEST], documents, baseline)


def own_measures_in(folder: Path) -> OwnMeasures:
    """The club's own measures that the bundle in a folder states; the bundle is not checked."""
    path = folder / OWN_MEASURES
    return _own_measures({OWN_MEASURES: read_file(path)} if path.exists() else {})


def _manifest(folder: Path, sha256: str | None) -> dict[str, Any]:
    """The manifest, with its own hash under its name."""
    path = folder / MANIFEST
    if not path.exists():
        raise BundleRefused(text("model.bundle.no_manifest", bundle=folder.name, manifest=MANIFEST))
    content = read_file(path)
    if sha256 is not None and _sha256(content) != sha256:
        raise BundleRefused(text("model.bundle.not_released", bundle=folder.name))
    manifest = _json(content)
    if manifest.get("format") != FORMAT:
        raise BundleRefused(
            text(
                "model.bundle.other_format",
                bundle=folder.name,
                format=manifest.get("format"),
                readable=FORMAT,
            )
        )
    return {**manifest, MANIFEST: _sha256(content)}


def _refuse_other_schema(
    folder: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]
) -> None:
    """Refuse a bundle whose measures are others than this program's and its own."""
    with _own_measures(files).in_force():
        own = fingerprint()
    if manifest.get("schema") != own:
        schema = manifest.get("schema")
        raise BundleRefused(
            text("model.bundle.other_schema", bundle=folder.name, schema=schema, own=own)
        )


def _own_measures(files: Mapping[str, bytes]) -> OwnMeasures:
    if OWN_MEASURES not in files:
        return NO_OWN_MEASURES
    return own_measures(_json(files[OWN_MEASURES]), OWN_MEASURES)


def _files(folder: Path, hashes: dict[str, str]) -> dict[str, bytes]:
    """The files that the manifest lists, each read once and as it was vouched for."""
    present = {path.name for path in folder.iterdir()} - {MANIFEST, CARD, PLOTS}
    for name in sorted(present ^ hashes.keys()):
        what = "missing_file" if name in hashes else "unknown_file"
        raise BundleRefused(variant("model.file", what, bundle=folder.name, name=name))
    return _vouched(folder, hashes)


def _documents(folder: Path, hashes: dict[str, str] | None) -> frozenset[str]:
    """The card and plots, as they were vouched for; of an older bundle they are not looked at."""
    if hashes is None:
        return frozenset()
    present = {CARD} & {path.name for path in folder.iterdir()}
    if (folder / PLOTS).exists():
        present |= {f"{PLOTS}/{path.name}" for path in (folder / PLOTS).iterdir()}
    for name in sorted(present ^ hashes.keys()):
        what = "missing_file" if name in hashes else "unknown_file"
        raise BundleRefused(variant("model.file", what, bundle=folder.name, name=name))
    if not all(_DOCUMENT.fullmatch(name) for name in hashes):
        raise BundleRefused(text("model.bundle.not_a_document", bundle=folder.name))
    _vouched(folder, hashes)
    return frozenset(hashes)


def _vouched(folder: Path, hashes: Mapping[str, str]) -> dict[str, bytes]:
    if len(hashes) > _MOST_FILES:
        raise BundleRefused(
            text("model.bundle.too_many_files", bundle=folder.name, most=_MOST_FILES)
        )
    files = {}
    for name, expected in hashes.items():
        files[name] = read_file(folder / name)
        if _sha256(files[name]) != expected:
            raise BundleRefused(text("model.bundle.changed", bundle=folder.name, name=name))
    return files


def _model(files: Mapping[str, bytes]) -> RiskModel:
    return from_data(_json(files[MODEL]), files, _own_measures(files))


def _json(content: bytes) -> Any:
    return json.loads(content.decode("utf-8"))


def _write(path: Path, data: Any) -> None:
    text = json.dumps(data, allow_nan=False, indent=None if path.name in {MODEL, BASELINE} else 1)
    path.write_text(text + "\n", encoding="utf-8")


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: _sha256(files[name]) for name in sorted(files)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
