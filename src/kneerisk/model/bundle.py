"""A released model as a folder of JSON and UBJ files, whose hashes stand in a manifest.

Golden cases, made-up screenings with the numbers that the model gave for them when it was saved,
show on loading that it still gives the same ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb

from kneerisk.errors import BundleRefused
from kneerisk.model.metadata import Metadata
from kneerisk.model.risk_model import Prediction, RiskModel
from kneerisk.model.serialization import from_data, to_data
from kneerisk.schema import Screening, coded
from kneerisk.schema.columns import fingerprint

#: Format of the files; it goes up when bundles of an older program can't be read any more.
FORMAT = 2
MANIFEST, MODEL, METADATA, GOLDEN = "manifest.json", "model.json", "facts.json", "golden.json"
#: What may lie in the folder as well, for people: the card and the plots that it shows.
UNLISTED = ("card.md", "plots")

#: Errors that reading something else than a bundle may end in.
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    xgb.core.XGBoostError,
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model, ready to predict, with the metadata that every answer cites."""

    model: RiskModel
    metadata: Metadata
    sha256: str


def save(model: RiskModel, metadata: Metadata, folder: Path) -> str:
    """Write a bundle into a new or empty folder.

    Parameters
    ----------
    model
        The model.
    metadata
        What is recorded about it.
    folder
        Where to write; it is made where it does not exist.

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
        raise BundleRefused(f"{folder} is not empty; a bundle is written once")
    written = to_data(model)
    for name, booster in written.boosters.items():
        booster.save_model(folder / name)
    _write(folder / MODEL, written.data)
    _write(folder / METADATA, metadata.as_dict())
    _write(folder / GOLDEN, golden_numbers(_read_back(folder)))
    files = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    _write(folder / MANIFEST, {"format": FORMAT, "schema": fingerprint(), "files": files})
    return _sha256(folder / MANIFEST)


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
        _check_files(folder, manifest["files"])
        model = _read_back(folder)
        metadata = Metadata(**_json(folder / METADATA))
        off = deviation(model, _json(folder / GOLDEN))
    except _UNREADABLE as error:
        raise BundleRefused(f"{folder.name} can't be read: {type(error).__name__}") from error
    if not off <= TOLERANCE:
        raise BundleRefused(
            f"{folder.name} gives other numbers for its golden cases than when it was made "
            f"(off by {off:.2g}, allowed {TOLERANCE:g})"
        )
    return Bundle(model, metadata, _sha256(folder / MANIFEST))


def _manifest(folder: Path, sha256: str | None) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleRefused(f"{folder.name} is no bundle: it has no {MANIFEST}")
    if sha256 is not None and _sha256(path) != sha256:
        raise BundleRefused(f"{folder.name} is not the bundle that was released (SHA-256 differs)")
    manifest = _json(path)
    if manifest.get("format") != FORMAT:
        raise BundleRefused(
            f"{folder.name} has format {manifest.get('format')}, this program reads {FORMAT}: "
            "train a new model"
        )
    if manifest.get("schema") != fingerprint():
        raise BundleRefused(
            f"{folder.name} was trained with schema {manifest.get('schema')}, this program has "
            f"{fingerprint()}: train a new model"
        )
    return dict(manifest)


def _check_files(folder: Path, files: dict[str, str]) -> None:
    present = {path.name for path in folder.iterdir()} - {MANIFEST, *UNLISTED}
    for name in sorted(present ^ files.keys()):
        what = "is missing" if name in files else "does not belong to it"
        raise BundleRefused(f"{folder.name}: {name} {what}")
    for name, expected in files.items():
        if _sha256(folder / name) != expected:
            raise BundleRefused(f"{folder.name}: {name} was changed (SHA-256 differs)")


def _read_back(folder: Path) -> RiskModel:
    return from_data(_json(folder / MODEL), folder)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write(path: Path, data: Any) -> None:
    text = json.dumps(data, allow_nan=False, indent=1 if path.name != MODEL else None)
    path.write_text(text + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


#: How far a number may lie from the one recorded: other processors round differently.
TOLERANCE = 1e-6

#: Nobody's values: an empty screening, one with three tests, one leg only, and a broad one.
BODIES: tuple[dict[str, Any], ...] = (
    {"athlete": {"age_years": 30, "sex": "female"}},
    {
        "athlete": {"age_years": 24, "sex": "male", "sport": "basketball", "weekly_run_km": 12},
        "left": {"wblt_dorsiflexion_deg": 33, "hip_drop_deg": 8, "hamstring_quad_ratio": 0.8},
        "right": {"wblt_dorsiflexion_deg": 41, "hip_drop_deg": 4, "hamstring_quad_ratio": 0.58},
    },
    {
        "athlete": {"age_years": 55, "sex": "unspecified", "sport": "weightlifting"},
        "right": {"prior_knee_injury": "within_12_months", "same_side_episodes": 2},
        "pain": {"right": {"pain_nrs": 4, "pain_site": "anterior"}},
    },
    {
        "athlete": {"age_years": 41, "sex": "female", "height_cm": 168, "mass_kg": 61,
                    "sport": "running", "level": "competitive", "session_spike_ratio": 1.4,
                    "step_rate_spm": 168, "resistance_sessions_per_week": 1},
        "left": {"quad_torque_nm_kg": 1.9, "hamstring_torque_nm_kg": 1.1, "fppa_deg": 11,
                 "ober_adduction_deg": 15, "run_eversion_peak_deg": 11},
        "right": {"quad_torque_nm_kg": 2.4, "hamstring_torque_nm_kg": 1.1, "fppa_deg": 6,
                  "ober_adduction_deg": 24, "run_eversion_peak_deg": 6},
        "protocol": {"torque_mode": "isometric", "valgus_task": "single_leg_squat"},
    },
)  # fmt: skip


def golden_numbers(model: RiskModel) -> dict[str, Any]:
    """What a model gives for the golden cases, as plain data."""
    screenings = [Screening.model_validate(body) for body in BODIES]
    return dict(_numbers(model.predict(coded(screenings))))


def deviation(model: RiskModel, recorded: dict[str, Any]) -> float:
    """The largest difference between what a model gives now and what was recorded."""
    now = golden_numbers(model)
    if now.keys() != recorded.keys():
        return float("inf")
    return max(float(np.abs(np.array(now[name]) - np.array(recorded[name])).max()) for name in now)


def _numbers(prediction: Prediction) -> Iterator[tuple[str, Any]]:
    for name in ("left", "right", "either", "imbalances"):
        values = getattr(prediction, name)
        if values is not None:
            yield name, values.tolist()
    for name, (low, high) in prediction.intervals.items():
        yield f"{name}_interval", [low.tolist(), high.tolist()]
