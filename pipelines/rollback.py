"""Champion -> what it replaced, put back into champion.json."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kneerisk.training.registry.promotion import rollback
from kneerisk.training.tracking import Tracking


def rollback_in(models: Path) -> tuple[dict[str, Any], str]:
    """Put the previous champion back; gives what was done, and the same for a person."""
    restored = rollback(Tracking(Path.cwd()), models)
    return asdict(restored), restored.message
