"""Units as FHIR has them: UCUM codes, and numbers in other units than the schema's.

`ucum_codes.csv` says which code of UCUM is which unit of the project; what a unit is multiplied by
stands in the table of units that sheets are read with, and nowhere else.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from kneerisk.cohort.sheets.lexicon.units import UnknownUnit, factor, usual_units
from kneerisk.schema import Quantity

UCUM = "http://unitsofmeasure.org"
#: What stands in braces has no meaning in UCUM: `%{stance}` is `%`, `{steps}/min` is `/min`.
_ANNOTATION = re.compile(r"\{[^{}]*\}")


@cache
def ucum_codes() -> Mapping[str, str]:
    """UCUM's code of each unit that the schema, a club's own measures or a device may have."""
    content = files(__package__).joinpath("ucum_codes.csv").read_text(encoding="utf-8")
    return {row["unit"]: row["ucum"] for row in csv.DictReader(content.splitlines())}


@cache
def _units_by_code() -> Mapping[str, str]:
    plain = {code: unit for unit, code in ucum_codes().items() if not _ANNOTATION.search(code)}
    return plain | {code: unit for unit, code in ucum_codes().items()}


def ucum_of(measure: Quantity) -> str:
    """The code of the measure's own unit."""
    return ucum_codes()[measure.unit]


def codes_of(measure: Quantity) -> tuple[str, ...]:
    """The codes of the units that a measure is usually told in, its own first."""
    usual = (unit for unit in usual_units(measure) if _reads(measure, unit))
    return tuple(ucum_codes()[unit] for unit in usual)


def in_own_unit(measure: Quantity, value: float, code: str) -> float:
    """A number of another unit in the measure's own.

    Parameters
    ----------
    measure
        The measure.
    value
        The number.
    code
        UCUM's code of its unit.

    Returns
    -------
    The number in the measure's unit; the very same one where it is in that already.

    Raises
    ------
    UnknownUnit
        Where the unit is unknown, or measures something else.
    """
    if _plain(code) == _plain(ucum_of(measure)):
        return value
    unit = _units_by_code().get(code)
    if unit is None:
        raise UnknownUnit(code)
    return value * factor(measure, unit)


def _plain(code: str) -> str:
    """A code without what stands in braces; nothing but that is the number one."""
    return _ANNOTATION.sub("", code) or "1"


def _reads(measure: Quantity, unit: str) -> bool:
    try:
        factor(measure, unit)
    except UnknownUnit:
        return False
    return unit in ucum_codes()
