"""Screenings with outcomes: where they come from, and the one file form that holds them.

The names are imported when they are asked for: the service reads sheets without pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kneerisk.cohort.file_screenings import Screenings, read_screenings, screenings_of
    from kneerisk.cohort.files import Cohort, Outcomes, check, read, write
else:
    _MODULES = {
        "files": ("Cohort", "Outcomes", "check", "read", "write"),
        "file_screenings": ("Screenings", "read_screenings", "screenings_of"),
    }

    def __getattr__(name: str) -> Any:
        for module, names in _MODULES.items():
            if name in names:
                return getattr(import_module(f"kneerisk.cohort.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Cohort",
    "Outcomes",
    "Screenings",
    "check",
    "read",
    "read_screenings",
    "screenings_of",
    "write",
]
