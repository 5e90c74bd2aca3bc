"""One span of OpenTelemetry for each request, sent to a collector where an endpoint is set.

A span says what the log says, and no more: address, status, times, the request's id and the model's
version. It is made when the answer has ended, by a provider of our own: BentoML's spans hold
whatever path a client makes up, and go nowhere.
"""

from __future__ import annotations

import os
import time
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from starlette.datastructures import Headers

from kneerisk import __version__
from kneerisk.errors import KneeriskError
from kneerisk.words import text

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

#: Either is enough; the second is for traces alone (OpenTelemetry's specification).
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_SERVER_ERROR = 500


class AnsweredRequest(NamedTuple):
    """What a span says of a request."""

    route: str
    """Its name in the table of routes."""
    method: str
    """A method that the route has; empty for any other."""
    status: int
    seconds: float
    request_id: str
    version: str
    """Of the model that it was answered with; empty where there was none."""


class RequestSpans:
    """Makes the spans of one worker.

    Parameters
    ----------
    exporter
        Where they go.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._provider = _provider(exporter)
        self._tracer = self._provider.get_tracer("kneerisk.serving", __version__)

    @classmethod
    def from_environment(cls) -> RequestSpans | None:
        """Spans for the collector of the environment; None where it names none."""
        if not is_asked_for():
            return None
        require_exporter()
        return cls(import_module(_EXPORTER).OTLPSpanExporter())

    def add(self, request: AnsweredRequest, headers: Headers) -> None:
        """Make the span of a request that has just ended.

        Parameters
        ----------
        request
            What the span says.
        headers
            Those of the request: its ``traceparent`` makes the span a part of the caller's trace.
        """
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # Its form is fixed; a `tracestate` beside it would be a client's own text.
        carrier = {"traceparent": headers.get("traceparent", "")}
        stated: dict[str, str | int] = {
            "http.route": request.route,
            "http.request.method": request.method,
            "http.response.status_code": request.status,
            "kneerisk.request_id": request.request_id,
            "kneerisk.model_version": request.version,
        }
        ended = time.time_ns()
        span = self._tracer.start_span(
            f"{request.method} {request.route}".strip(),
            context=TraceContextTextMapPropagator().extract(carrier),
            kind=SpanKind.SERVER,
            attributes={name: value for name, value in stated.items() if value != ""},
            start_time=ended - int(request.seconds * 1e9),
        )
        if request.status >= _SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def flush(self) -> None:
        """Send what waits."""
        self._provider.force_flush()


def is_asked_for() -> bool:
    """Whether the environment names a collector."""
    return any(os.environ.get(name) for name in ENDPOINTS)


def require_exporter() -> None:
    """Refuse to start where a collector is named and nothing is installed that sends to it.

    Raises
    ------
    KneeriskError
        With what to install.
    """
    if is_asked_for() and find_spec("opentelemetry.exporter") is None:
        raise KneeriskError(text("service.start.telemetry"))


def _provider(exporter: SpanExporter) -> TracerProvider:
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "kneerisk")
    resource = Resource.create({SERVICE_NAME: name, SERVICE_VERSION: __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
