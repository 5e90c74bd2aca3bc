"""Challenger -> gates -> released bundle, champion.json."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kneerisk.training.registry.promotion import promote
from kneerisk.training.tracking import Tracking


def promote_to(
    models: Path, version: str | None, data: Path | None, *, serve: bool
) -> tuple[dict[str, Any], str]:
    """Promote a version; gives what was done, and the same for a person."""
    promoted = promote(Tracking(Path.cwd()), models, version, data=data, serve=serve)
    passed = [f"  passed: {gate.told}" for gate in promoted.gates]
    return asdict(promoted), "\n".join([promoted.message, *passed])
