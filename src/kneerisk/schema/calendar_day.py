"""A calendar day in a body: text as ISO 8601 writes it, and no other form."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def day_of(stated: str) -> dt.date | None:
    """The day that a text states; None where it states none."""
    if not _DATE.fullmatch(stated):
        return None
    try:
        return dt.date.fromisoformat(stated)
    except ValueError:
        return None


def last_possible_day() -> dt.date:
    """Tomorrow: somewhere it has begun already. What is later has not happened yet."""
    return dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)


def read_day(value: Any) -> dt.date:
    """The day that a value of a body is.

    Parameters
    ----------
    value
        A text, or a day already.

    Returns
    -------
    The day.

    Raises
    ------
    PydanticCustomError
        Where it is none.
    """
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    day = day_of(value) if isinstance(value, str) else None
    if day is None:
        raise PydanticCustomError(FaultCode.NOT_A_DATE, text("shared.fault.not_a_date"))
    return day


Day = Annotated[
    dt.date, BeforeValidator(read_day), WithJsonSchema({"type": "string", "format": "date"})
]
