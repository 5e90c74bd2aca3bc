"""Mapping files as TOML: read within what Python can, and their mistakes in words."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kneerisk.errors import CohortRefused
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

#: Where a mistake is, a step a table or list.
Steps = Sequence[int | str]


class MappingRefused(CohortRefused):
    """A mapping file with mistakes, all of them named."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        self.faults = faults
        lines = [f"  {fault}" for fault in faults]
        heading = text("sheet.mapping.faults", path=path, count=len(faults))
        super().__init__("\n".join([heading, *lines]))


def mapping_entries(path: Path) -> dict[str, Any]:
    """The entries of a mapping file.

    Parameters
    ----------
    path
        The file (TOML).

    Returns
    -------
    As TOML has them, not yet checked.

    Raises
    ------
    MappingRefused
        Where it can't be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingRefused(path, [text("sheet.mapping.no_file")]) from None
    except OSError as error:
        fault = text("sheet.mapping.unreadable", reason=error.strerror)
        raise MappingRefused(path, [fault]) from None
    except UnicodeDecodeError:
        raise MappingRefused(path, [text("sheet.mapping.not_utf8")]) from None
    # Of a number with thousands of digits, or lists within lists, Python says so itself.
    except (ValueError, RecursionError) as error:
        raise MappingRefused(path, [text("sheet.mapping.not_toml", reason=error)]) from None


def _dotted(steps: Steps) -> str:
    return ".".join(map(str, steps))


def mapping_faults(error: ValidationError, place: Callable[[Steps], str] = _dotted) -> list[str]:
    """The mistakes of a mapping file, a line each.

    Parameters
    ----------
    error
        What is wrong with its entries.
    place
        Names where a mistake is; by default its steps with dots between them.

    Returns
    -------
    Place and rule of each.
    """
    plain = {
        "extra_forbidden": text("sheet.mapping.unknown_entry"),
        "missing": text("shared.fault.missing"),
        FaultCode.NOT_TEXT_OR_NUMBER: text("shared.fault.not_text_or_number"),
    }
    return [f"{place(one['loc'])}: {plain.get(one['type'], one['msg'])}" for one in error.errors()]
