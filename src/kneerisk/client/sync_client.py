"""The client: a call waits for its answer."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from kneerisk.answer import Answer
from kneerisk.answer.follow_up.follow_up_request import FollowUp, Visit
from kneerisk.answer.follow_up.follow_up_schema import FollowUpAnswer
from kneerisk.answer.what_if import WhatIf, WhatIfAnswer
from kneerisk.client import calls
from kneerisk.client.calls import AnyFile, AnyScreening, Call, Recording, TableRow
from kneerisk.client.client_errors import NoAnswer
from kneerisk.client.retry_policy import RetryPolicy
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs.log_answer import LogAnswer, LogAsked
from kneerisk.messages.form_texts import Texts
from kneerisk.messages.recorded_athletes import ListedAthletes, OutcomesKept, RecordedAthlete
from kneerisk.messages.served_model import SchemaDocument, ServedModel
from kneerisk.messages.team_answer import Result
from kneerisk.monitoring.monitoring_schema import MonitoringAnswer
from kneerisk.records.follow_up_states import CheckInState
from kneerisk.records.outcome_report import OutcomeReport
from kneerisk.words import text

T = TypeVar("T")


class Client:
    """A connection to a service; close it, or use it in a ``with`` block.

    Parameters
    ----------
    url
        Where the service is: ``http://127.0.0.1:3000``.
    key
        That opens it, where it has one: the service's or a club's.
    timeout_seconds
        How long an answer may take.
    retries
        When a call is made again.
    transport
        Of httpx, for certificates or a proxy of one's own.

    Raises
    ------
    Refused
        From any call: a problem with all its faults; `Unavailable` where later it may work.
    NoAnswer
        From any call: the service can't be reached.
    NotUnderstood
        From any call: what came is not the service's answer.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout_seconds: float = 60.0,
        retries: RetryPolicy | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._retries = retries or RetryPolicy()
        self._http = httpx.Client(
            base_url=url,
            headers=calls.headers(key),
            timeout=timeout_seconds,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def predict(self, screening: AnyScreening, recording: Recording | None = None) -> Answer:
        """Answer one screening.

        Parameters
        ----------
        screening
            The screening.
        recording
            Whose it is and of which day, where it is to be kept with its answer's numbers; needs a
            club's key.

        Returns
        -------
        The answer; recorded, with its `answer_id`.
        """
        return self._send(calls.predict(screening, recording))

    def predict_team(self, screenings: Iterable[AnyScreening]) -> list[Result]:
        """Answer up to 1,000 screenings; each result has an answer or a problem."""
        return self._send(calls.predict_team(screenings)).results

    def what_if(self, question: WhatIf | Mapping[str, Any]) -> WhatIfAnswer:
        """Answer a screening again with some measures changed."""
        return self._send(calls.what_if(question))

    def follow_up(self, visits: FollowUp | Iterable[Visit | Mapping[str, Any]]) -> FollowUpAnswer:
        """Compare visits of one athlete, the earliest first."""
        return self._send(calls.follow_up(visits))

    def report(self, screening: AnyScreening) -> str:
        """Answer one screening as a page to print, in HTML."""
        return self._send(calls.page("/v1/report", screening))

    def hand_out(self, screening: AnyScreening) -> str:
        """Answer one screening as a sheet for the athlete, in HTML."""
        return self._send(calls.page("/v1/hand_out", screening))

    def import_sheet(
        self, *files: AnyFile, mapping: SheetAsked | Mapping[str, Any] | None = None
    ) -> SheetAnswer:
        """Read CSV or Excel files: columns, units, bad cells, open questions, screenings.

        Parameters
        ----------
        *files
            One or several of a squad, each by its path, or as its name and its bytes.
        mapping
            What is known of the sheet, such as answers to its questions.

        Returns
        -------
        The sheet as it was understood.
        """
        return self._send(calls.import_sheet(files, mapping))

    def import_training_log(
        self, *files: AnyFile, mapping: LogAsked | Mapping[str, Any] | None = None
    ) -> LogAnswer:
        """Read training logs: the load before a screening, and open questions.

        Parameters
        ----------
        *files
            One or several, each by its path, or as its name and its bytes.
        mapping
            What is known of the log, such as the date of the screening.

        Returns
        -------
        The load of each athlete, a part of a screening.
        """
        return self._send(calls.import_training_log(files, mapping))

    def export_table(self, columns: Sequence[str], rows: Iterable[TableRow]) -> bytes:
        """A table as an Excel file, in which a text stays a text."""
        return self._send(calls.export_table(columns, rows))

    def report_outcomes(
        self, outcomes: Iterable[OutcomeReport | Mapping[str, Any]]
    ) -> OutcomesKept:
        """Keep outcomes and check-ins, all of them or none; needs a club's key."""
        return self._send(calls.report_outcomes(outcomes))

    def athlete(self, code: str) -> RecordedAthlete:
        """All that is kept of an athlete, by the club's id; needs a club's key."""
        return self._send(calls.athlete(code))

    def athletes(
        self,
        states: Collection[CheckInState] = (),
        after: str | None = None,
        limit: int | None = None,
    ) -> ListedAthletes:
        """A page of the club's athletes, by id, with when each was heard of; needs a club's key.

        Parameters
        ----------
        states
            Those in one of these states of follow-up; empty: in any.
        after
            Those whose id comes after this one: `next` of the page before.
        limit
            At most so many.

        Returns
        -------
        The page.
        """
        return self._send(calls.athletes(states, after, limit))

    def monitoring(self) -> MonitoringAnswer:
        """What was told to the club's athletes against what happened; needs a club's key."""
        return self._send(calls.monitoring())

    def texts(self) -> Texts:
        """The questions, labels, units and drawings for a form of one's own."""
        return self._send(calls.texts())

    def model(self) -> ServedModel:
        """The served model: where it comes from, and whom it was trained on."""
        return self._send(calls.model())

    def schema(self) -> SchemaDocument:
        """What a screening may hold, as a JSON Schema."""
        return self._send(calls.schema())

    def _send(self, call: Call[T]) -> T:
        for attempt in count(1):
            try:
                response = self._http.send(call.request(self._http))
            except httpx.TransportError as error:
                wait = self._retries.wait_after_failure(attempt)
                if wait is None:
                    told = text("client.no_answer", path=call.path, reason=type(error).__name__)
                    raise NoAnswer(told) from error
            else:
                wait = self._retries.wait_after(attempt, response)
                if wait is None:
                    return call.result(response)
            time.sleep(wait)
        raise AssertionError  # counting does not end
