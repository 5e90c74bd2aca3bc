"""A finding of `kneerisk doctor`: what was looked at, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from kneerisk.errors import KneeriskError

State = Literal["ok", "note", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one thing found."""

    about: str
    """Such as ``champion`` or ``port 3000``."""
    state: State
    """A note tells what may surprise; a fault is what does not work."""
    told: str
    cure: str = ""
    """What to do about it; empty where nothing is to be done or `told` says it."""

    def as_dict(self) -> dict[str, str]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is looked at: a folder, its models, and where service and MLflow listen."""

    folder: Path
    models: Path
    service_port: int
    mlflow_port: int


Check = Callable[[Place], Sequence[Finding]]


def examine(place: Place, checks: Sequence[Check]) -> list[Finding]:
    """Look at everything; what a check can't cope with is a fault too, and the others go on.

    Parameters
    ----------
    place
        What is looked at.
    checks
        In the order in which their findings are told.

    Returns
    -------
    All findings.
    """
    return [finding for check in checks for finding in _findings(place, check)]


def _findings(place: Place, check: Check) -> Sequence[Finding]:
    about = check.__name__.removeprefix("check_").replace("_", " ")
    try:
        return check(place)
    except KneeriskError as error:
        return [Finding(about, "fault", str(error))]
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        return [Finding(about, "fault", f"{named}{error.strerror or error}")]
