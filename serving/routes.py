"""The table of routes: one row for each address that the service answers.

From a row follow the registration with BentoML or Starlette (`serving.registration`), the largest
size of a body and the allowed methods (`serving.request_validation`), the validation of the body,
the addresses that the metrics count, and the OpenAPI document (`serving.openapi`). A new endpoint
is one row here and one function in `serving.endpoints`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from starlette.routing import compile_path

from kneerisk.answer import PARTS, Answer
from kneerisk.answer.follow_up_request import MOST_VISITS, FollowUp
from kneerisk.answer.follow_up_schema import FollowUpAnswer
from kneerisk.answer.what_if import WhatIf, WhatIfAnswer
from kneerisk.cohort.sheets.several_files.arrange import MOST_FILES
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs.log_answer import LogAnswer, LogAsked
from kneerisk.cohort.sheets.training_logs.log_files import MOST_FILES as MOST_LOGS
from kneerisk.records.outcome_report import MOST_OUTCOMES, OutcomeReports
from kneerisk.records.roles import Role
from kneerisk.schema import Screening
from serving import endpoints, page_files, record_endpoints, table_export
from serving.endpoints import MAX_SCREENINGS, Team, TeamAnswer
from serving.recording import RECORDS_REFUSALS
from serving.request_examples import (
    EXAMPLE,
    FOLLOW_UP,
    LOG,
    LOG_MAPPING,
    OUTCOMES,
    SHEET,
    SHEET_MAPPING,
    TABLE,
    WHAT_IF,
)
from serving.sheet_import import MAX_UPLOAD_BYTES, import_sheet, import_training_log

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address: what it takes, what it answers, and how it is described."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    operation: str
    """Its name in the OpenAPI document and on the service class."""
    summary: str
    endpoint: Callable[..., Any] | None = None
    """The function that answers; None where BentoML or the page's static files do."""
    body: type[BaseModel] | None = None
    """The model of a JSON body; a route that needs the champion gets its bundle first."""
    upload: type[BaseModel] | None = None
    """The model of the JSON part beside an uploaded file."""
    most_files: int = 1
    """So many files may come together in one upload."""
    max_body_bytes: int = 0
    """The largest size of a body; 0 where the route takes none."""
    max_values: int = 2_000
    """The most keys and values of a JSON body; a full screening has some 220."""
    fields: tuple[str, ...] = ()
    """The fields of the answer of which some may be asked for alone: ``?fields=risk,likely``."""
    largest_seconds: float = 0.0
    """How long its largest request takes, at first guess, beside other work; such requests pass one
    after the other (`serving.capacity.Lane`). 0 where none takes seconds."""
    answer: type[BaseModel] | str = ""
    """The model of a JSON answer, or a few words on it; other media types have neither."""
    media_type: str = "application/json"
    refusals: tuple[str, ...] = ()
    """Codes of its problems (`serving.problem.STATUS_BY_CODE`) besides those of every body."""
    examples: dict[str, Any] = field(default_factory=dict)
    """Example bodies by name."""
    needs_champion: bool = False
    needs_key: bool = True
    """Whether callers need the key, where the service has one."""
    records: bool = False
    """Whether the answer is kept in a club's records where a header asks for it."""
    role: Role | None = None
    """What a club's key has to allow, where the route works on the club's records; they come after
    the body."""
    on_event_loop: bool = False
    """Whether it runs on the event loop, as coroutines do, not in a thread of its own."""
    count: Callable[[Any], int] | None = None
    """How many screenings a body holds, for the metrics; None: one."""
    has_etag: bool = False
    """Whether it answers 304 to a browser that has it already."""
    logged: bool = True
    """False for addresses that machines poll; they are kept out of the log."""
    metrics_name: str = ""
    """Its name in metrics and log; the path where empty."""

    @property
    def allowed_methods(self) -> tuple[str, ...]:
        """The HTTP methods that it answers."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


# A few milliseconds of Python gain nothing from a thread of their own, which would compete with
# the event loop for the interpreter's lock: short predictions run on the event loop.
_PREDICTIONS = (
    Route(
        path="/v1/predict", method="POST", operation="predict",
        summary="Answer one screening", endpoint=endpoints.predict,
        body=Screening, answer=Answer, max_body_bytes=_MEGABYTE, fields=PARTS,
        refusals=("unknown_field", "idempotency_key_used", *RECORDS_REFUSALS),
        examples={"runner": EXAMPLE}, needs_champion=True, records=True,
    ),
    Route(
        path="/v1/predict_team", method="POST", operation="predict_team",
        summary=f"Answer up to {MAX_SCREENINGS:,} screenings, each on its own",
        endpoint=endpoints.predict_team, body=Team, answer=TeamAnswer,
        # A screening with every measure is near 5 kB, so 1,000 of them fit with room for blanks.
        max_body_bytes=10 * _MEGABYTE, max_values=400 * MAX_SCREENINGS,
        largest_seconds=40,
        examples={"two": {"screenings": [EXAMPLE, EXAMPLE]}}, needs_champion=True,
        count=lambda team: len(team.screenings),
    ),
    Route(
        path="/v1/what_if", method="POST", operation="what_if",
        summary="Answer a screening again with some measures changed",
        endpoint=endpoints.what_if, body=WhatIf, answer=WhatIfAnswer, max_body_bytes=_MEGABYTE,
        examples={"less_hip_drop": WHAT_IF}, needs_champion=True, on_event_loop=True,
    ),
    Route(
        path="/v1/follow_up", method="POST", operation="follow_up",
        summary=f"Compare 2 to {MOST_VISITS} visits of one athlete",
        endpoint=endpoints.follow_up, body=FollowUp, answer=FollowUpAnswer,
        max_body_bytes=_MEGABYTE, max_values=400 * MOST_VISITS,
        examples={"twelve_weeks": FOLLOW_UP}, needs_champion=True,
        count=lambda follow_up: len(follow_up.visits),
    ),
    Route(
        path="/v1/report", method="POST", operation="report",
        summary="Answer one screening as a page to print", endpoint=endpoints.report,
        body=Screening, media_type="text/html", max_body_bytes=_MEGABYTE,
        examples={"runner": EXAMPLE}, needs_champion=True, on_event_loop=True,
    ),
    Route(
        path="/v1/hand_out", method="POST", operation="hand_out",
        summary="Answer one screening as a sheet for the athlete", endpoint=endpoints.hand_out,
        body=Screening, media_type="text/html", max_body_bytes=_MEGABYTE,
        examples={"runner": EXAMPLE}, needs_champion=True, on_event_loop=True,
    ),
)  # fmt: skip

_DOCUMENTS = (
    Route(
        path="/v1/export", method="POST", operation="export",
        summary=f"A table of up to {table_export.MOST_ROWS:,} rows as an Excel file",
        endpoint=table_export.export, body=table_export.Table, media_type=table_export.WORKBOOK,
        max_body_bytes=10 * _MEGABYTE, max_values=401 * table_export.MOST_ROWS,
        largest_seconds=10,
        examples={"squad": TABLE},
    ),
    Route(
        path="/v1/import", method="POST", operation="import",
        summary="Recognise a CSV or Excel file: columns, units, bad cells, screenings",
        endpoint=import_sheet, upload=SheetAsked, most_files=MOST_FILES, answer=SheetAnswer,
        max_body_bytes=MAX_UPLOAD_BYTES, largest_seconds=10,
        refusals=("malformed_upload", "unreadable_sheet"),
        examples={"club": {"file": SHEET, "mapping": SHEET_MAPPING}},
    ),
    Route(
        path="/v1/training_log", method="POST", operation="training_log",
        summary="The load before a screening, from training logs",
        endpoint=import_training_log, upload=LogAsked, most_files=MOST_LOGS, answer=LogAnswer,
        max_body_bytes=MAX_UPLOAD_BYTES, largest_seconds=10,
        refusals=("malformed_upload", "unreadable_sheet"),
        examples={"watch": {"file": LOG, "mapping": LOG_MAPPING}},
    ),
    Route(
        path="/v1/schema", operation="schema", summary="What a screening may hold",
        endpoint=endpoints.schema, answer="JSON Schema 2020-12 of a screening.",
    ),
    Route(
        path="/v1/model", operation="model", summary="The served model and its training population",
        endpoint=endpoints.model, answer="Lineage, population seen, kind of cohort.",
        needs_champion=True,
    ),
    Route(
        path="/v1/texts", operation="texts", summary="Texts for building your own form",
        endpoint=endpoints.texts, answer="Red flags as questions, labels of the imbalances.",
    ),
)  # fmt: skip

_RECORDS = (
    Route(
        path="/v1/outcomes", method="POST", operation="outcomes",
        summary=f"Keep up to {MOST_OUTCOMES:,} outcomes and check-ins of a club's athletes",
        endpoint=record_endpoints.outcomes, body=OutcomeReports,
        answer=record_endpoints.OutcomesKept, max_body_bytes=_MEGABYTE,
        max_values=40 * MOST_OUTCOMES, refusals=RECORDS_REFUSALS,
        examples={"week": OUTCOMES}, role=Role.WRITE,
    ),
    Route(
        path="/v1/athletes/{athlete}", operation="athlete",
        summary="All that is kept of an athlete: visits, answers, outcomes, exposure",
        endpoint=record_endpoints.athlete, answer=record_endpoints.RecordedAthlete,
        refusals=("no_such_athlete", *RECORDS_REFUSALS), role=Role.READ,
    ),
    Route(
        path="/v1/monitoring", operation="monitoring",
        summary="What was told to the club's athletes against what happened, and what to do",
        endpoint=record_endpoints.monitoring,
        answer="Observed and told by part, alarm, calibration, promise, drift, follow-up.",
        refusals=("nothing_to_monitor", *RECORDS_REFUSALS), role=Role.READ, needs_champion=True,
    ),
)  # fmt: skip

_PAGE = (
    Route(
        path="/", operation="page", summary="The page", endpoint=page_files.page_response,
        media_type="text/html", needs_key=False, has_etag=True,
    ),
    *(
        Route(
            path=f"/{name}", operation=name.translate(str.maketrans("/.-", "___")),
            summary="A file of the page", media_type=page_files.media_type(name),
            metrics_name="/page", needs_key=False, has_etag=True,
        )
        for name in page_files.FILES
    ),
)  # fmt: skip

_OPERATIONS = (
    Route(
        path="/docs.json", operation="docs", summary="This document", endpoint=endpoints.openapi,
    ),
    Route(
        path="/livez", operation="livez", summary="Whether the service runs",
        media_type="text/plain", logged=False, needs_key=False,
    ),
    Route(
        path="/readyz", operation="readyz", summary="Whether a checked champion is loaded",
        media_type="text/plain", needs_champion=True, logged=False, needs_key=False,
    ),
    Route(
        path="/metrics", operation="metrics", summary="Counts and durations, for Prometheus",
        endpoint=endpoints.metrics, media_type="text/plain", logged=False,
    ),
)  # fmt: skip

#: Every route by its path.
ROUTES = {
    route.path: route for route in (*_PREDICTIONS, *_DOCUMENTS, *_RECORDS, *_PAGE, *_OPERATIONS)
}


def find_route(routes: Mapping[str, Route], path: str) -> Route | None:
    """The route that answers a path; a name in braces stands for any one part of it."""
    if path in routes:
        return routes[path]
    templates = (route for route in routes.values() if "{" in route.path)
    return next((route for route in templates if _pattern(route.path).match(path)), None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return compile_path(template)[0]
