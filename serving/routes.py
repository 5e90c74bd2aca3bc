"""The table of routes: one row for each address that the service answers.

What follows from a row stands in `serving.route`. A new endpoint is one row here and one function
in `serving.endpoints`, or beside it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from kneerisk.answer import PARTS, Answer
from kneerisk.answer.follow_up.follow_up_request import MOST_VISITS, FollowUp
from kneerisk.answer.follow_up.follow_up_schema import FollowUpAnswer
from kneerisk.answer.what_if import WhatIf, WhatIfAnswer
from kneerisk.cohort.sheets.files.sheet_limits import MOST_FILES, MOST_LOGS
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs.log_answer import LogAnswer, LogAsked
from kneerisk.messages.form_texts import Texts
from kneerisk.messages.recorded_athletes import ListedAthletes, OutcomesKept, RecordedAthlete
from kneerisk.messages.served_model import OpenApiDocument, SchemaDocument, ServedModel
from kneerisk.messages.team_answer import TeamAnswer
from kneerisk.monitoring.monitoring_schema import MonitoringAnswer
from kneerisk.records.outcome_report import MOST_OUTCOMES, OutcomeReports
from kneerisk.records.roles import Role
from kneerisk.schema import Screening
from serving import endpoints, page_files, record_endpoints, table_export, team_endpoint
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
from serving.route import MEGABYTE, Route
from serving.sheet_import import MAX_UPLOAD_BYTES, import_sheet, import_training_log
from serving.team_endpoint import MAX_SCREENINGS, Team

# A few milliseconds of Python gain nothing from a thread of their own, which would compete with
# the event loop for the interpreter's lock: short predictions run on the event loop.
_PREDICTIONS = (
    Route(
        path="/v1/predict", method="POST", operation="predict",
        summary="Answer one screening", endpoint=endpoints.predict,
        body=Screening, answer=Answer, max_body_bytes=MEGABYTE, fields=PARTS,
        refusals=("unknown_field", "idempotency_key_used", *RECORDS_REFUSALS),
        examples={"runner": EXAMPLE}, needs_champion=True, records=True,
    ),
    Route(
        path="/v1/predict_team", method="POST", operation="predict_team",
        summary=f"Answer up to {MAX_SCREENINGS:,} screenings, each on its own",
        endpoint=team_endpoint.predict_team, body=Team, answer=TeamAnswer, fields=PARTS,
        refusals=("unknown_field",),
        # A screening with every measure is near 5 kB, so 1,000 of them fit with room for blanks.
        max_body_bytes=10 * MEGABYTE, max_values=400 * MAX_SCREENINGS,
        largest_seconds=40,
        examples={"two": {"screenings": [EXAMPLE, EXAMPLE]}}, needs_champion=True,
        count=lambda team: len(team.screenings),
    ),
    Route(
        path="/v1/what_if", method="POST", operation="what_if",
        summary="Answer a screening again with some measures changed",
        endpoint=endpoints.what_if, body=WhatIf, answer=WhatIfAnswer, max_body_bytes=MEGABYTE,
        examples={"less_hip_drop": WHAT_IF}, needs_champion=True, on_event_loop=True,
    ),
    Route(
        path="/v1/follow_up", method="POST", operation="follow_up",
        summary=f"Compare 2 to {MOST_VISITS} visits of one athlete",
        endpoint=endpoints.follow_up, body=FollowUp, answer=FollowUpAnswer,
        max_body_bytes=MEGABYTE, max_values=400 * MOST_VISITS,
        examples={"twelve_weeks": FOLLOW_UP}, needs_champion=True,
        count=lambda follow_up: len(follow_up.visits),
    ),
    Route(
        path="/v1/report", method="POST", operation="report",
        summary="Answer one screening as a page to print", endpoint=endpoints.report,
        body=Screening, media_type="text/html", max_body_bytes=MEGABYTE,
        examples={"runner": EXAMPLE}, needs_champion=True, on_event_loop=True,
    ),
    Route(
        path="/v1/hand_out", method="POST", operation="hand_out",
        summary="Answer one screening as a sheet for the athlete", endpoint=endpoints.hand_out,
        body=Screening, media_type="text/html", max_body_bytes=MEGABYTE,
        examples={"runner": EXAMPLE}, needs_champion=True, on_event_loop=True,
    ),
)  # fmt: skip

_SHEETS = (
    Route(
        path="/v1/export", method="POST", operation="export_table",
        summary=f"A table of up to {table_export.MOST_ROWS:,} rows as an Excel file",
        endpoint=table_export.export, body=table_export.Table, media_type=table_export.WORKBOOK,
        max_body_bytes=10 * MEGABYTE, max_values=401 * table_export.MOST_ROWS,
        largest_seconds=10,
        examples={"squad": TABLE},
    ),
    Route(
        path="/v1/import", method="POST", operation="import_sheet",
        summary="Recognise a CSV or Excel file: columns, units, bad cells, screenings",
        endpoint=import_sheet, upload=SheetAsked, most_files=MOST_FILES, answer=SheetAnswer,
        max_body_bytes=MAX_UPLOAD_BYTES, largest_seconds=10,
        refusals=("malformed_upload", "unreadable_sheet"),
        examples={"club": {"file": SHEET, "mapping": SHEET_MAPPING}},
    ),
    Route(
        path="/v1/training_log", method="POST", operation="import_training_log",
        summary="The load before a screening, from training logs",
        endpoint=import_training_log, upload=LogAsked, most_files=MOST_LOGS, answer=LogAnswer,
        max_body_bytes=MAX_UPLOAD_BYTES, largest_seconds=10,
        refusals=("malformed_upload", "unreadable_sheet"),
        examples={"watch": {"file": LOG, "mapping": LOG_MAPPING}},
    ),
)  # fmt: skip

_ABOUT = (
    Route(
        path="/v1/schema", operation="get_schema", summary="What a screening may hold",
        endpoint=endpoints.schema, answer=SchemaDocument,
    ),
    Route(
        path="/v1/model", operation="get_model",
        summary="The served model and its training population", endpoint=endpoints.model,
        answer=ServedModel, needs_champion=True,
    ),
    Route(
        path="/v1/texts", operation="get_texts", summary="Texts for building your own form",
        endpoint=endpoints.texts, answer=Texts,
    ),
    Route(
        path="/openapi.json", operation="get_openapi", summary="This document",
        endpoint=endpoints.openapi, answer=OpenApiDocument,
    ),
)  # fmt: skip

_RECORDS = (
    Route(
        path="/v1/outcomes", method="POST", operation="report_outcomes",
        summary=f"Keep up to {MOST_OUTCOMES:,} outcomes and check-ins of a club's athletes",
        endpoint=record_endpoints.outcomes, body=OutcomeReports,
        answer=OutcomesKept, max_body_bytes=MEGABYTE,
        max_values=40 * MOST_OUTCOMES, refusals=RECORDS_REFUSALS,
        examples={"week": OUTCOMES}, role=Role.WRITE,
    ),
    Route(
        path="/v1/athletes", operation="list_athletes",
        summary="The club's athletes: when each was heard of, and whose check-in is overdue",
        endpoint=record_endpoints.athletes, answer=ListedAthletes,
        query=record_endpoints.ATHLETES_QUERY, refusals=("bad_query", *RECORDS_REFUSALS),
        role=Role.READ,
    ),
    Route(
        path="/v1/athletes/{athlete}", operation="get_athlete",
        summary="All that is kept of an athlete: visits, answers, outcomes, exposure",
        endpoint=record_endpoints.athlete, answer=RecordedAthlete,
        refusals=("no_such_athlete", *RECORDS_REFUSALS), role=Role.READ,
    ),
    Route(
        path="/v1/monitoring", operation="get_monitoring",
        summary="What was told to the club's athletes against what happened, and what to do",
        endpoint=record_endpoints.monitoring,
        answer=MonitoringAnswer,
        refusals=("nothing_to_monitor", *RECORDS_REFUSALS), role=Role.READ, needs_champion=True,
    ),
)  # fmt: skip

_PAGE = (
    Route(
        path="/", operation="page", summary="The page", endpoint=page_files.page_response,
        media_type="text/html", needs_key=False, has_etag=True,
    ),
    Route(
        path="/docs", operation="api_reader", summary="The API, to read and to try",
        endpoint=page_files.api_reader_response, media_type="text/html", needs_key=False,
        has_etag=True,
    ),
    Route(
        path="/docs.json", operation="docs", summary="The OpenAPI document, as it was called first",
        endpoint=endpoints.openapi, answer=OpenApiDocument,
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

_OPERATION = (
    Route(
        path="/livez", operation="get_liveness", summary="Whether the service runs",
        media_type="text/plain", logged=False, needs_key=False,
    ),
    Route(
        path="/readyz", operation="get_readiness", summary="Whether a checked champion is loaded",
        media_type="text/plain", needs_champion=True, logged=False, needs_key=False,
    ),
    Route(
        path="/metrics", operation="get_metrics", summary="Counts and durations, for Prometheus",
        endpoint=endpoints.metrics, media_type="text/plain", logged=False, metrics_key=True,
    ),
)  # fmt: skip

#: The rows by the chapter of the OpenAPI document that they stand in; those without are left out.
_CHAPTERS: dict[str, tuple[Route, ...]] = {
    "answers": _PREDICTIONS, "sheets": _SHEETS, "records": _RECORDS,
    "about": _ABOUT, "operation": _OPERATION, "": _PAGE,
}  # fmt: skip

#: Every route by its path.
ROUTES = {route.path: replace(route, tag=tag) for tag, rows in _CHAPTERS.items() for route in rows}


def served_routes() -> Mapping[str, Route]:
    """The routes of this service: those of FHIR too where ``$KNEERISK_FHIR`` says yes."""
    if os.environ.get("KNEERISK_FHIR") != "yes":
        return ROUTES
    # Here: a service without FHIR does not load its modules.
    from serving.fhir_routes import FHIR_ROUTES

    return ROUTES | FHIR_ROUTES
