"""One athlete at one visit: the body of a request, and the same as a row of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Self, cast, get_args

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kneerisk.errors import ScreeningRefused
from kneerisk.schema.athlete import Athlete
from kneerisk.schema.body_faults import faults_of
from kneerisk.schema.columns import FloatArray, code, column_locations, columns
from kneerisk.schema.faults import STRICT, FaultCode, Violation
from kneerisk.schema.measure import Equipment
from kneerisk.schema.own_measures import fields_of, own_measures_in_force, per_schema
from kneerisk.schema.rules import refuse_contradictions, rules_schema
from kneerisk.schema.sections import RED_FLAGS, SIDES, Leg, Pain, Protocol, Setting, Side
from kneerisk.words import text


def red_flag_violation(code: str) -> Violation | None:
    """How a code breaks the list of red flags; None where it is one of them."""
    if code in RED_FLAGS:
        return None
    return Violation(FaultCode.UNKNOWN_CHOICE, text("shared.fault.unknown_red_flag"))


def _known_red_flag(code: str) -> str:
    violation = red_flag_violation(code)
    if violation is not None:
        raise PydanticCustomError(violation.code, violation.message)
    return code


def _known_equipment(name: str) -> str:
    if name not in EQUIPMENT:
        choices = text("schema.allowed.one_of", choices=", ".join(EQUIPMENT))
        message = text("shared.limits.must_be", allowed=choices)
        raise PydanticCustomError(FaultCode.UNKNOWN_CHOICE, message)
    return name


RedFlag = Annotated[
    str, AfterValidator(_known_red_flag), Field(json_schema_extra={"enum": list(RED_FLAGS)})
]
#: What a test may need; a measure of the schema says which.
EQUIPMENT: tuple[str, ...] = get_args(Equipment)
AtHand = Annotated[
    str, AfterValidator(_known_equipment), Field(json_schema_extra={"enum": list(EQUIPMENT)})
]


class Screening(BaseModel):
    """One athlete at one visit. Every measure is optional but age and sex.

    ``red_flags`` left out means that they were not asked; an empty list that all were asked and
    none applies. ``setting`` is the club's own count of knee pain. ``equipment`` is what
    is at hand for further tests, left out: a tape, a phone and a dynamometer; a test that needs
    none is always possible.

    Raises
    ------
    pydantic.ValidationError
        With every fault: unknown names, wrong types, values outside their limits, and
        measures that contradict each other.
    """

    model_config = STRICT | {"json_schema_extra": rules_schema}

    athlete: Athlete
    left: Leg = Leg()
    right: Leg = Leg()
    protocol: Protocol = Protocol()
    pain: Pain = Pain()
    setting: Setting | None = None
    red_flags: Annotated[list[RedFlag], Field(max_length=len(RED_FLAGS))] | None = None
    equipment: Annotated[list[AtHand], Field(max_length=len(EQUIPMENT))] | None = Field(
        default=None,
        title="Equipment at hand",
        description="What further tests may need; left out: a tape measure, a phone and a hand-held dynamometer. None is always allowed.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _consistent(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        in_force = screening_type()
        if not (issubclass(cls, in_force) or isinstance(value, Screening)):
            # With own measures a screening has their fields too.
            return cast("Self", in_force.model_validate(value))
        checked: Self = refuse_contradictions(value, handler)
        return checked

    def leg(self, side: Side) -> Leg:
        """The measures of one leg."""
        return self.left if side == "left" else self.right

    def swapped(self) -> Screening:
        """The same visit with left and right exchanged."""
        return self.model_copy(
            update={
                "left": self.right,
                "right": self.left,
                "pain": Pain(left=self.pain.right, right=self.pain.left),
            }
        )


@per_schema
def screening_type() -> type[Screening]:
    """The screening with the fields of the own measures that are in force."""
    own = own_measures_in_force()
    if not own:
        return Screening
    athlete = create_model("Athlete", __base__=Athlete, **fields_of(own.athlete))
    leg = create_model("Leg", __base__=Leg, **fields_of(own.leg))
    legs: dict[str, Any] = {side: (leg, leg()) for side in SIDES}
    return create_model("Screening", __base__=Screening, athlete=(athlete, ...), **legs)


def to_row(screening: Screening) -> dict[str, Any]:
    """A screening as a flat row of its measured values, by canonical column."""
    row: dict[str, Any] = {}
    for path, names in _names_by_section().items():
        section: Any = screening
        for part in path:
            section = getattr(section, part)
        values = vars(section)
        for column, name in names.items():
            # A screening that was read before an own measure was in force has no field for it.
            value = values.get(name)
            if value is not None:
                row[column] = value
    return row


@per_schema
def _names_by_section() -> dict[tuple[str, ...], dict[str, str]]:
    """By the path of each section of a screening its columns, each with its name there."""
    sections: dict[tuple[str, ...], dict[str, str]] = {}
    for column, (*path, name) in column_locations().items():
        sections.setdefault(tuple(path), {})[column] = name
    return sections


def from_row(row: Mapping[str, Any], red_flags: Sequence[str] | None = None) -> Screening:
    """The screening of a flat row; the inverse of `to_row`.

    Parameters
    ----------
    row
        Canonical column to value; columns that were not measured are left out.
    red_flags
        The signs that apply; None where nobody asked.

    Returns
    -------
    The screening, checked.

    Raises
    ------
    pydantic.ValidationError
        Where the row breaks the schema.
    """
    body: dict[str, Any] = {"athlete": {}}
    for column, value in row.items():
        values = body
        *section_names, name = column_locations().get(column, (column,))
        for section_name in section_names:
            values = values.setdefault(section_name, {})
        values[name] = value
    if red_flags is not None:
        body["red_flags"] = list(red_flags)
    return Screening.model_validate(body)


def coded(screenings: Iterable[Screening]) -> dict[str, FloatArray]:
    """Screenings as coded columns.

    Parameters
    ----------
    screenings
        The n screenings.

    Returns
    -------
    Every canonical column, each of shape (n_screenings,): a quantity in its unit, a category as the
    position of the choice, NaN where it was not measured.
    """
    return coded_rows([to_row(screening) for screening in screenings])


def coded_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, FloatArray]:
    """Flat rows as coded columns.

    Parameters
    ----------
    rows
        Canonical column to value, one mapping a screening, as `to_row` gives it.

    Returns
    -------
    Every canonical column, each of shape (n_rows,), as `coded` gives it.
    """
    measures = columns()
    table = np.full((len(measures), len(rows)), np.nan)
    positions = {name: position for position, name in enumerate(measures)}
    for i, row in enumerate(rows):
        for column, value in row.items():
            table[positions[column], i] = code(measures[column], value)
    return dict(zip(measures, table, strict=True))


def read_screening(body: Mapping[str, Any]) -> Screening:
    """A screening from a plain mapping.

    Parameters
    ----------
    body
        What a client sends as JSON: sections ``athlete``, ``left``, ``right`` and so on.

    Returns
    -------
    The screening, checked.

    Raises
    ------
    ScreeningRefused
        With every fault of the body.
    """
    try:
        return Screening.model_validate(dict(body))
    except ValidationError as error:
        raise ScreeningRefused(faults_of(error)) from None
