"""CORS for pages of the sites that were stated with ``--allow-origin``."""

from __future__ import annotations

from collections.abc import Collection
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from kneerisk.messages.problem_document import MEDIA_TYPE
from kneerisk.words import text
from serving.problem import SECURITY_HEADERS, Refusal, problem
from serving.recording import RECORD_HEADERS

_METHODS = ("GET", "POST")
_SENT = ("authorization", "content-type", *RECORD_HEADERS.values())
_READ = ("x-request-id", "retry-after", "ratelimit", "ratelimit-policy")


class CrossOrigin(CORSMiddleware):
    """Starlette's, whose own answers, those to a preflight, get our headers and our problems.

    It stands before everything else: a browser shows a problem to a page of another site only with
    the headers of CORS on it.

    Parameters
    ----------
    app
        The application behind it.
    origins
        The sites, as browsers write them.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=sorted(origins),
            allow_methods=_METHODS,
            allow_headers=_SENT,
            expose_headers=_READ,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a browser that asks what a page may send; with a problem where it may not."""
        response, request_id = super().preflight_response(request_headers), str(uuid4())
        if response.status_code >= 400:
            body = problem(self._refusal(request_headers), request_id)
            allowed = {
                name: value
                for name, value in response.headers.items()
                if name not in {"content-length", "content-type"}
            }
            response = Response(body.as_json(), body.status, allowed, MEDIA_TYPE)
        response.headers["x-request-id"] = request_id
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _refusal(self, request_headers: Headers) -> Refusal:
        if not self.is_allowed_origin(origin=request_headers["origin"]):
            return Refusal("foreign_origin", text("service.access.foreign_origin"))
        methods, headers = ", ".join(_METHODS), ", ".join(_SENT)
        detail = text("service.access.preflight", methods=methods, headers=headers)
        return Refusal("bad_header", detail)
