"""The files of the page: listed by name, so that nothing else in the folder is ever served."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from kneerisk.answer.report import content_policy

#: Everything that the page is made of; the browser asks for each once and then only whether it
#: has changed.
ASSETS = (
    "page/style.css",
    "page/answer.css",
    "page/team/team.css",
    "page/theme.js",
    "page/app.js",
    "page/advice.js",
    "page/answer.js",
    "page/ask.js",
    "page/charts.js",
    "page/check.js",
    "page/drivers.js",
    "page/fields.js",
    "page/files.js",
    "page/follow.js",
    "page/form.js",
    "page/keep.js",
    "page/knees.js",
    "page/legs.js",
    "page/live.js",
    "page/patterns.js",
    "page/record.js",
    "page/report.js",
    "page/screening.js",
    "page/state.js",
    "page/visits.js",
    "page/whatif.js",
    "page/words.js",
    "page/team/acts.js",
    "page/team/athletes.js",
    "page/team/columns.js",
    "page/team/csv.js",
    "page/team/priority.js",
    "page/team/read.js",
    "page/team/sheet.js",
    "page/team/squad.js",
    "page/team/view.js",
    "page/team/words.js",
    "page/vendor/lit-html.js",
)
_MEDIA = {"css": "text/css", "html": "text/html", "js": "text/javascript"}


def asset(request: Request) -> Response:
    """One file of the page."""
    return _file(request, request.url.path.removeprefix("/"))


def page(request: Request) -> Response:
    """The page itself."""
    return _file(request, "page/index.html")


def _file(request: Request, name: str) -> Response:
    content, etag = _read(name)
    headers = {
        "cache-control": "no-cache",
        "etag": etag,
        "content-security-policy": _page_policy(),
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_MEDIA[name.rpartition(".")[2]], headers=headers)


@cache
def _page_policy() -> str:
    """Only the page's own files run or are shown.

    A report is laid out in a frame of the page, which has the page's policy: so its one style is
    allowed too, known by its hash.
    """
    sha256 = re.search(r"'sha256-[^']+'", content_policy())
    report = f" {sha256.group()}" if sha256 else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'{report}; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _read(name: str) -> tuple[bytes, str]:
    content = (files("serving") / name).read_bytes()
    # Weak: it stands for the packed bytes too.
    return content, f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
