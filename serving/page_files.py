"""The page's static files: listed by name, so that nothing else in the folder is ever served."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kneerisk.answer.report import content_policy

INDEX = "page/index.html"
#: Everything that the page is made of; the browser asks for each once and then only whether it
#: has changed.
FILES = (
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
_MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}


def media_type(name: str) -> str:
    """The media type of a file, by its suffix; the machine's own table may say otherwise."""
    return _MEDIA_TYPES[Path(name).suffix]


class PageFiles(StaticFiles):
    """Starlette's static files, for the listed ones, with the page's policy and content ETags."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a listed file; the root of the site is the page itself."""
        name = INDEX if path == "." else Path(path).as_posix()
        return super().lookup_path(name) if name in (INDEX, *FILES) else ("", None)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, or 304 where the browser has it already.

        Starlette's ETag is the time of the file, which differs between two copies of one release;
        this one is a hash of its content.

        Parameters
        ----------
        full_path
            Where the file is.
        stat_result
            Its size and times.
        scope
            The request, with the ETag that the browser knows.
        status_code
            The status to send it with.

        Returns
        -------
        Response
            With the file's content, or without one.
        """
        etag = _etag(str(full_path))
        headers = {
            "cache-control": "no-cache",
            "etag": etag,
            "content-security-policy": _page_policy(),
        }
        if Headers(scope=scope).get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return FileResponse(
            full_path,
            status_code,
            headers,
            media_type=media_type(str(full_path)),
            stat_result=stat_result,
        )


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
def _etag(path: str) -> str:
    # Weak: it stands for the compressed bytes too.
    return f'W/"{hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]}"'
