"""Recording a screening with its answer: asked for by a header, since the body is the screening."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from starlette.datastructures import Headers

from kneerisk.answer import Answer
from kneerisk.answer.told_numbers import told_numbers
from kneerisk.model.bundle import Bundle
from kneerisk.records.identifiers import ATHLETE_CODE, IDEMPOTENCY_KEY
from kneerisk.schema import Screening, fingerprint
from kneerisk.schema.calendar_day import day_of, last_possible_day
from kneerisk.words import text, variant
from serving.club_records import OpenClub
from serving.problem import Refusal

#: The headers of a request that is to be recorded, by what they say.
RECORD_HEADERS = {
    "record": "Kneerisk-Record",
    "athlete": "Kneerisk-Athlete",
    "date": "Kneerisk-Date",
    "idempotency_key": "Idempotency-Key",
}
#: What recording can be refused for (`serving.problem.STATUS_BY_CODE`).
RECORDS_REFUSALS = (
    "bad_header", "key_required", "key_refused", "key_ended", "role_needed", "no_records",
    "records_unavailable", "busy",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRecord:
    """Whose screening is to be recorded, and of which day."""

    athlete: str
    day: date
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """What is to be recorded, and the records that the sender's key opens."""

    club: OpenClub
    asked: ToRecord

    async def keep(self, bundle: Bundle, screening: Screening, answer: Answer) -> str:
        """Keep a screening and the numbers of its answer.

        Parameters
        ----------
        bundle
            The model that answered.
        screening
            The screening.
        answer
            Its answer, with at least `kneerisk.answer.told_numbers.TOLD_PARTS`.

        Returns
        -------
        The id under which the answer is kept.

        Raises
        ------
        Refusal
            Where it can't be kept.
        """
        from kneerisk.records.visit_records import Screened, Told

        screened = Screened(
            athlete=self.asked.athlete,
            day=self.asked.day,
            screening=screening.model_dump(mode="json", exclude_none=True, exclude_unset=True),
            schema_fingerprint=fingerprint(),
        )
        told = Told(
            version=bundle.metadata.version,
            bundle_sha256=bundle.sha256,
            numbers=told_numbers(answer),
        )
        return await self.club.keep_answer(screened, told, self.asked.idempotency_key)


def asked_to_record(headers: Headers, *, may_record: bool) -> ToRecord | None:
    """What a request asks to be recorded, by its headers.

    Parameters
    ----------
    headers
        Of the request.
    may_record
        Whether its address records at all.

    Returns
    -------
    None where it asks for nothing of the kind.

    Raises
    ------
    Refusal
        With all that is wrong with the headers; their values are not repeated.
    """
    wish = headers.get(RECORD_HEADERS["record"], "no").lower()
    if wish not in {"yes", "no"}:
        raise _bad_headers(["record"])
    if wish == "no":
        return None
    if not may_record:
        raise Refusal("bad_header", text("service.records.not_here"))
    athlete, stated_day = _one(headers, "athlete"), _one(headers, "date")
    idempotency_key = _one(headers, "idempotency_key")
    day = day_of(stated_day or "")
    faults = [] if ATHLETE_CODE.fullmatch(athlete or "") else ["athlete"]
    faults += ["date"] if day is None or day > last_possible_day() else []
    if idempotency_key is not None and not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        faults.append("idempotency_key")
    if faults or day is None or athlete is None:
        raise _bad_headers(faults)
    return ToRecord(athlete=athlete, day=day, idempotency_key=idempotency_key)


def _one(headers: Headers, name: str) -> str | None:
    """What a header says; None where it is missing, nothing where it is there twice."""
    stated = headers.getlist(RECORD_HEADERS[name])
    return None if not stated else stated[0] if len(stated) == 1 else ""


def _bad_headers(faults: list[str]) -> Refusal:
    told = "; ".join(variant("service.records.header", name) for name in faults)
    return Refusal("bad_header", text("service.records.bad_headers", faults=told))
