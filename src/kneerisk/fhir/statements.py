"""What resources state of a screening, each statement with its place, and the screening they make.

A fault of the screening is told at the element that stated the value, so that a sender finds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic import ValidationError

from kneerisk.errors import Fault, ScreeningRefused
from kneerisk.fhir.screening_items import NONE_APPLIES, Item
from kneerisk.schema import FaultCode, Quantity, Screening, faults_of
from kneerisk.schema.calendar_day import day_of, last_possible_day
from kneerisk.schema.faults import json_pointer
from kneerisk.words import text

Json = dict[str, Any]
Place = tuple[int | str, ...]
#: `2026-03-01` of a dateTime, an instant or a date.
_DAY_LENGTH = 10


def day_stated(stated: Any) -> date | None:
    """The day of a dateTime, an instant or a date; None where it states none."""
    return day_of(stated[:_DAY_LENGTH]) if isinstance(stated, str) else None


def _is_same(one: str, other: str) -> bool:
    """Whether two references are to one resource; one may have its server's address before it."""
    shorter, longer = sorted((one, other), key=len)
    return longer == shorter or longer.endswith(f"/{shorter}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A screening out of resources, and what an assessment has to say of where it comes from."""

    screening: Screening
    subject: Json
    """A Reference to whom it is about."""
    day: date | None
    """Of the newest of its parts."""
    basis: tuple[Json, ...]
    """References to what it was made from."""


@dataclass(slots=True)
class Statements:
    """What was stated so far, and every fault of it."""

    faults: list[Fault] = field(default_factory=list)
    basis: list[Json] = field(default_factory=list)
    values: dict[Item, Any] = field(default_factory=dict)
    _places: dict[Item, Place] = field(default_factory=dict)
    _subject: Json | None = None
    is_unread: bool = False
    """Whether answers were refused as a whole, so that nothing is known to be missing."""
    _refused: set[Item] = field(default_factory=set)
    _day: date | None = None

    def state(self, item: Item, value: Any, place: Place) -> None:
        """Take a statement.

        Parameters
        ----------
        item
            What it is about.
        value
            Its value, in the measure's unit.
        place
            Where the value stands.
        """
        if item.repeats:
            self.values.setdefault(item, []).append(value)
        elif item in self.values:
            self.fault(FaultCode.TOLD_TWICE, place, text("fhir.fault.twice"), item)
        else:
            self.values[item] = value
        self._places.setdefault(item, place)

    def fault(self, code: FaultCode, place: Place, message: str, item: Item | None = None) -> None:
        """Note a fault.

        Parameters
        ----------
        code
            Its code.
        place
            Where it is.
        message
            The rule in words, which go on from the name of the element.
        item
            What it is about, where it is about one.
        """
        measure = item.measure if item else None
        self._refused |= {item} if item else set()
        self.faults.append(
            Fault(
                pointer=json_pointer(*place),
                code=str(code),
                message=message,
                allowed=measure.allowed if measure else None,
                unit=measure.unit if isinstance(measure, Quantity) else None,
            )
        )

    def about(self, resource: Json, place: Place) -> None:
        """Take whom a resource is about; all have to be about the same one."""
        subject = resource.get("subject")
        if subject is None:
            return
        if not isinstance(subject, dict) or not isinstance(subject.get("reference"), str):
            self.fault(
                FaultCode.MISSING, (*place, "subject", "reference"), text("fhir.fault.subject")
            )
            return
        self.subject({"reference": subject["reference"]}, (*place, "subject", "reference"))

    def subject(self, reference: Json, place: Place) -> None:
        """Take a Reference to whom it is about, without the name that may stand beside it."""
        if self._subject is None:
            self._subject = reference
        elif not _is_same(self._subject["reference"], reference["reference"]):
            self.fault(FaultCode.ANOTHER_ATHLETE, place, text("fhir.fault.another_athlete"))

    def patient(self, names: list[str], place: Place) -> None:
        """Take the Patient itself, under any of whose names the others may be about it.

        Parameters
        ----------
        names
            References to it, the best first; without any it may be anybody.
        place
            Where it stands.
        """
        if self._subject is None:
            self._subject = {"reference": names[0]} if names else None
        elif names and not any(_is_same(self._subject["reference"], name) for name in names):
            self.fault(FaultCode.ANOTHER_ATHLETE, place, text("fhir.fault.another_athlete"))

    def dated(self, stated: Any, place: Place) -> None:
        """Take the day of a part; the newest counts."""
        if stated is None:
            return
        day = day_stated(stated)
        if day is None:
            self.fault(FaultCode.NOT_A_DATE, place, text("shared.fault.not_a_date"))
        elif day > last_possible_day():
            self.fault(FaultCode.STILL_TO_COME, place, text("records.report.still_to_come"))
        else:
            self._day = max(day, self._day or day)

    @property
    def day(self) -> date | None:
        """The newest day so far."""
        return self._day

    def received(self) -> Received:
        """The screening that was stated.

        Returns
        -------
        The screening, with what an assessment says of its origin.

        Raises
        ------
        ScreeningRefused
            With every fault of the statements and of the screening.
        """
        screening = self._screening()
        if not self._subject:
            self.fault(FaultCode.MISSING, ("subject",), text("fhir.fault.subject"))
        if self.faults or screening is None or self._subject is None:
            raise ScreeningRefused(self.faults)
        return Received(
            screening=screening, subject=self._subject, day=self._day, basis=tuple(self.basis)
        )

    def _screening(self) -> Screening | None:
        body: Json = {}
        for item, value in self.values.items():
            part = body
            *sections, name = item.location
            for section in sections:
                part = part.setdefault(section, {})
            part[name] = value if item.code != "red_flags" else self._red_flags(item, value)
        try:
            return Screening.model_validate({"athlete": {}} | body)
        except ValidationError as error:
            found = [fault for fault in faults_of(error) if not self._is_told(fault)]
            self.faults += [self._at_its_place(fault) for fault in found]
            return None

    def _is_told(self, fault: Fault) -> bool:
        """Whether something is missing only because its statement was refused."""
        refused = {json_pointer(*item.location) for item in self._refused}
        return fault.code == FaultCode.MISSING and (self.is_unread or fault.pointer in refused)

    def _red_flags(self, item: Item, stated: list[str]) -> list[str]:
        flags = [flag for flag in stated if flag != NONE_APPLIES]
        if flags and len(flags) < len(stated):
            self.fault(
                FaultCode.TOLD_TWICE, self._places[item], text("fhir.fault.none_and_some"), item
            )
        return flags

    def _at_its_place(self, fault: Fault) -> Fault:
        """A fault of the screening's body as one of the element that stated the value."""
        for item, place in self._places.items():
            own = json_pointer(*item.location)
            if fault.pointer == own or (item.repeats and fault.pointer.startswith(f"{own}/")):
                return replace(fault, pointer=json_pointer(*place))
        name = fault.pointer.strip("/").replace("/", "_").removeprefix("athlete_")
        message = text("fhir.fault.not_read", name=name, message=fault.message)
        return replace(fault, pointer="", message=message)
