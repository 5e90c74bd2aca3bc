"""The log as JSON, and traces: one line and one span a request, and nothing of an athlete."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from served import ONE_WORKER, served
from starlette.datastructures import Headers

from kneerisk.errors import KneeriskError
from kneerisk.model import Bundle
from serving import tracing
from serving.json_log import JsonLines
from serving.monitoring import RedactValues
from serving.request_examples import EXAMPLE
from serving.tracing import AnsweredRequest, RequestSpans

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
CANARY = "Canary-4711"


def test_a_line_has_the_fields_and_a_traceback_without_messages() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        raised = (type(error), error, error.__traceback__)
    record = logging.LogRecord(
        "bentoml.kneerisk", logging.ERROR, "x.py", 1, "request %s\nfailed", ("r1",), raised
    )
    record.fields = {"route": "/v1/predict", "status": 500}
    assert RedactValues().filter(record)
    written = JsonLines().format(record)
    assert "\n" not in written
    assert CANARY not in written
    line = json.loads(written)
    assert line["message"] == "request r1\nfailed"
    assert (line["level"], line["route"], line["status"]) == ("error", "/v1/predict", 500)
    assert line["traceback"].endswith("builtins.ValueError")
    assert line["time"].endswith("+00:00")


def test_a_span_says_what_the_log_says() -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    spans = RequestSpans(exporter)
    headers = Headers(PARENT | {"tracestate": f"club={CANARY}", "user-agent": CANARY})
    spans.add(AnsweredRequest("/v1/predict", "POST", 200, 0.25, "r1", "v1"), headers)
    spans.add(AnsweredRequest("other", "", 500, 0.25, "r2", ""), Headers({}))
    spans.flush()
    first, second = exporter.get_finished_spans()
    assert first.name == "POST /v1/predict"
    assert dict(first.attributes or {}) == {
        "http.route": "/v1/predict", "http.request.method": "POST",
        "http.response.status_code": 200, "kneerisk.request_id": "r1",
        "kneerisk.model_version": "v1",
    }  # fmt: skip
    assert f"{first.context.trace_id:032x}" == TRACE
    assert first.end_time - first.start_time == 250_000_000
    assert CANARY not in first.to_json() + second.to_json()
    assert set(second.attributes or {}) == {
        "http.route", "http.response.status_code", "kneerisk.request_id",
    }  # fmt: skip
    assert not second.status.is_ok
    assert second.parent is None


def test_without_an_endpoint_there_are_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert RequestSpans.from_environment() is None
    tracing.require_exporter()


def test_an_endpoint_without_an_exporter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracing.ENDPOINTS[0], "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "find_spec", lambda name: None)
    with pytest.raises(KneeriskError, match="telemetry"):
        tracing.require_exporter()


class Collector(BaseHTTPRequestHandler):
    """Takes what an exporter sends; keeps it in its server's list."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def collector() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    server.received = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
def test_the_service_writes_a_line_and_sends_a_span_a_request(
    champion_models: Path, released: Bundle, tmp_path: Path
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    settings = {
        "KNEERISK_MODELS": str(champion_models), "KNEERISK_LOG_FORMAT": "json",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }  # fmt: skip
    body = EXAMPLE | {"athlete": EXAMPLE["athlete"] | {"age_years": 31.4159}}
    with collector() as server:
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
        with served(tmp_path, *ONE_WORKER, **settings) as service:
            service.until(lambda: service.alive("/readyz"))
            answer = service.post("/v1/predict", body, headers=PARENT)
            assert answer.status_code == 200
            assert service.post(f"/{CANARY}?{CANARY}", body).status_code == 404
            request_id = answer.headers["x-request-id"]
            service.until(lambda: any(request_id.encode() in sent for _, sent in server.received))
        log = service.log()
    assert {path for path, _ in server.received} == {"/v1/traces"}
    sent = b"".join(body for _, body in server.received)
    spans = [
        span
        for _, message in server.received
        for resource in ExportTraceServiceRequest.FromString(message).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    # BentoML's own spans, with addresses and callers, are not among them.
    assert sorted(span.name for span in spans) == ["POST /v1/predict", "other"]
    (predicted,) = (span for span in spans if span.name != "other")
    assert predicted.trace_id.hex() == TRACE
    stated = {one.key: one.value for one in predicted.attributes}
    assert stated["kneerisk.model_version"].string_value == released.metadata.version
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (line,) = (line for line in lines if line.get("request_id") == request_id)
    assert (line["route"], line["method"], line["status"]) == ("/v1/predict", "POST", 200)
    assert line["version"] == released.metadata.version
    for told in (log, sent.decode("latin-1")):
        assert CANARY not in told
        assert "31.4159" not in told
    assert not [text for text in log.splitlines() if text and not text.startswith("{")]
