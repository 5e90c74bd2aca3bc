"""The calls of the service's addresses: what is sent, and how what comes back is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from kneerisk import __version__
from kneerisk.answer import Answer
from kneerisk.answer.follow_up.follow_up_request import FollowUp, Visit
from kneerisk.answer.follow_up.follow_up_schema import FollowUpAnswer
from kneerisk.answer.what_if import WhatIf, WhatIfAnswer
from kneerisk.client.client_errors import NotUnderstood, refusal
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs.log_answer import LogAnswer, LogAsked
from kneerisk.messages.form_texts import Texts
from kneerisk.messages.recorded_athletes import ListedAthletes, OutcomesKept, RecordedAthlete
from kneerisk.messages.served_model import SchemaDocument, ServedModel
from kneerisk.messages.team_answer import TeamAnswer
from kneerisk.monitoring.monitoring_schema import MonitoringAnswer
from kneerisk.records.follow_up_states import CheckInState
from kneerisk.records.outcome_report import OutcomeReport
from kneerisk.schema import Screening
from kneerisk.words import text

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)
#: A body as its model, or as plain data: own measures of a club are known to the service alone.
Body = BaseModel | Mapping[str, Any]
AnyScreening = Screening | Mapping[str, Any]
#: A file by its path, or as its name and its bytes.
AnyFile = str | PathLike[str] | tuple[str, bytes]
#: A row of a table: texts, numbers, None for an empty cell.
TableRow = Sequence[str | float | None]


@dataclass(frozen=True, slots=True)
class Recording:
    """Whose screening is to be kept with its answer; the same one, sent again, is kept once."""

    athlete: str
    """The club's id of the athlete."""
    day: date
    """Of the screening."""
    idempotency_key: str = field(default_factory=lambda: str(uuid4()))

    def headers(self) -> dict[str, str]:
        """What a request says of it."""
        return {
            "Kneerisk-Record": "yes",
            "Kneerisk-Athlete": self.athlete,
            "Kneerisk-Date": self.day.isoformat(),
            "Idempotency-Key": self.idempotency_key,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request, which may be made several times, and how its answer is read."""

    path: str
    read: Callable[[httpx.Response], T]
    body: bytes | None = None
    files: Sequence[tuple[str, bytes]] = ()
    """Names and contents of an upload, of which ``body`` is the part ``mapping``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def request(self, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request of a client; one with a body or files is a POST."""
        if self.files:
            return client.build_request(
                "POST",
                self.path,
                files=[("file", file) for file in self.files],
                data=None if self.body is None else {"mapping": self.body.decode()},
            )
        kind = {} if self.body is None else {"content-type": "application/json"}
        return client.build_request(
            "GET" if self.body is None else "POST",
            self.path,
            content=self.body,
            headers={**kind, **self.headers},
            params=dict(self.query) or None,
        )

    def result(self, response: httpx.Response) -> T:
        """What a response says.

        Parameters
        ----------
        response
            With its content.

        Returns
        -------
        What its body means.

        Raises
        ------
        Refused
            Where it is a problem.
        NotUnderstood
            Where it is not the service's.
        """
        if not response.is_success:
            raise refusal(response)
        try:
            return self.read(response)
        except ValidationError as error:
            told = text("client.another_version", path=self.path, count=error.error_count())
            raise NotUnderstood(told) from None


def headers(key: str | None) -> dict[str, str]:
    """What every request says: who calls, and the key that opens the service."""
    opened = {"authorization": f"Bearer {key}"} if key else {}
    return {"user-agent": f"kneerisk-client/{__version__}", **opened}


def predict(screening: Body, recording: Recording | None) -> Call[Answer]:
    """The answer to a screening, which is kept where a recording is given."""
    recorded = recording.headers() if recording else {}
    return Call(path="/v1/predict", body=_json(screening), read=_model(Answer), headers=recorded)


def predict_team(screenings: Iterable[Body]) -> Call[TeamAnswer]:
    """The answers to a team."""
    body = _json({"screenings": [_plain(screening) for screening in screenings]})
    return Call(path="/v1/predict_team", body=body, read=_model(TeamAnswer))


def what_if(question: WhatIf | Mapping[str, Any]) -> Call[WhatIfAnswer]:
    """The answer to a screening with some measures changed."""
    return Call(path="/v1/what_if", body=_json(question), read=_model(WhatIfAnswer))


def follow_up(visits: FollowUp | Iterable[Visit | Mapping[str, Any]]) -> Call[FollowUpAnswer]:
    """The comparison of visits."""
    asked = visits if isinstance(visits, FollowUp) else {"visits": [_plain(one) for one in visits]}
    return Call(path="/v1/follow_up", body=_json(asked), read=_model(FollowUpAnswer))


def page(path: str, screening: Body) -> Call[str]:
    """A printable page about a screening."""
    return Call(path=path, body=_json(screening), read=lambda response: response.text)


def report_outcomes(outcomes: Iterable[OutcomeReport | Mapping[str, Any]]) -> Call[OutcomesKept]:
    """Outcomes to keep."""
    body = _json({"outcomes": [_plain(outcome) for outcome in outcomes]})
    return Call(path="/v1/outcomes", body=body, read=_model(OutcomesKept))


def athlete(code: str) -> Call[RecordedAthlete]:
    """All that is kept of an athlete."""
    return Call(path=f"/v1/athletes/{quote(code, safe='')}", read=_model(RecordedAthlete))


def athletes(
    states: Collection[CheckInState], after: str | None, limit: int | None
) -> Call[ListedAthletes]:
    """A page of a club's athletes.

    Parameters
    ----------
    states
        Those in one of these; empty: in any.
    after
        Those whose id comes after this one.
    limit
        At most so many.

    Returns
    -------
    The call.
    """
    asked = {"follow_up": ",".join(states), "after": after or "", "limit": str(limit or "")}
    query = {name: value for name, value in asked.items() if value}
    return Call(path="/v1/athletes", query=query, read=_model(ListedAthletes))


def import_sheet(
    files: Sequence[AnyFile], mapping: SheetAsked | Mapping[str, Any] | None
) -> Call[SheetAnswer]:
    """What a sheet holds."""
    return _upload("/v1/import", files, mapping, SheetAnswer)


def import_training_log(
    files: Sequence[AnyFile], mapping: LogAsked | Mapping[str, Any] | None
) -> Call[LogAnswer]:
    """The load that training logs tell of."""
    return _upload("/v1/training_log", files, mapping, LogAnswer)


def export_table(columns: Sequence[str], rows: Iterable[TableRow]) -> Call[bytes]:
    """A table as an Excel file."""
    body = _json({"columns": list(columns), "rows": [list(row) for row in rows]})
    return Call(path="/v1/export", body=body, read=lambda response: response.content)


def monitoring() -> Call[MonitoringAnswer]:
    """What was told to a club's athletes against what happened."""
    return Call(path="/v1/monitoring", read=_model(MonitoringAnswer))


def texts() -> Call[Texts]:
    """The words of a form."""
    return Call(path="/v1/texts", read=_model(Texts))


def model() -> Call[ServedModel]:
    """The served model."""
    return Call(path="/v1/model", read=_model(ServedModel))


def schema() -> Call[SchemaDocument]:
    """What a screening may hold."""
    return Call(path="/v1/schema", read=_model(SchemaDocument))


def _upload(
    path: str, files: Sequence[AnyFile], mapping: Body | None, answer: type[Model]
) -> Call[Model]:
    """An upload, whose files are read once, however often it is sent."""
    if not files:
        raise ValueError(text("client.no_file"))
    read = [file if isinstance(file, tuple) else _file(Path(file)) for file in files]
    body = None if mapping is None else _json(mapping)
    return Call(path=path, files=read, body=body, read=_model(answer))


def _file(path: Path) -> tuple[str, bytes]:
    return path.name, path.read_bytes()


def _model(kind: type[Model]) -> Callable[[httpx.Response], Model]:
    return lambda response: kind.model_validate_json(response.content)


def _plain(body: Body) -> Mapping[str, Any]:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", exclude_none=True, exclude_unset=True, by_alias=True)
    return body


def _json(body: Body) -> bytes:
    # What is no number is sent as a text, so that the service says where it stands.
    return to_json(_plain(body), inf_nan_mode="strings")
