"""The page's HTML and static files: listed by name, so that nothing else is ever served."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kneerisk.answer import hand_out, report
from kneerisk.answer.printed_page import source
from kneerisk.words import LANGUAGE, text

#: Everything that the page is made of; the browser asks for each once and then only whether it
#: has changed.
FILES = (
    "page/style.css",
    "page/answer.css",
    "page/team/team.css",
    "page/api_reader/reader.css",
    "page/club/club.css",
    "page/theme.js",
    "page/app.js",
    "page/poses.svg",
    "page/lib/access_key.js",
    "page/lib/api_client.js",
    "page/lib/club_records.js",
    "page/lib/download.js",
    "page/lib/equipment.js",
    "page/lib/form_fields.js",
    "page/lib/icon.js",
    "page/lib/local_storage.js",
    "page/lib/measure_units.js",
    "page/lib/number_format.js",
    "page/lib/screening_body.js",
    "page/lib/state.js",
    "page/lib/texts.js",
    "page/lib/wording.js",
    "page/views/advice_cards.js",
    "page/views/answer_view.js",
    "page/views/charts.js",
    "page/views/driver_charts.js",
    "page/views/folds.js",
    "page/views/form_rows.js",
    "page/views/inputs_table.js",
    "page/views/interval_sources.js",
    "page/views/keep_card.js",
    "page/views/knee_cards.js",
    "page/views/leg_figure.js",
    "page/views/live_answer.js",
    "page/views/model_notice.js",
    "page/views/next_tests.js",
    "page/views/pattern_cards.js",
    "page/views/plan_card.js",
    "page/views/record_page.js",
    "page/views/red_flag_questions.js",
    "page/views/report_view.js",
    "page/views/screening_form.js",
    "page/views/side_differences.js",
    "page/views/training_log.js",
    "page/views/trend_chart.js",
    "page/views/visit_changes.js",
    "page/views/visits_view.js",
    "page/views/week_chart.js",
    "page/views/what_if_view.js",
    "page/actions/keep_actions.js",
    "page/actions/report_actions.js",
    "page/actions/screening_actions.js",
    "page/actions/training_log_actions.js",
    "page/actions/visit_actions.js",
    "page/actions/what_if_actions.js",
    "page/club/check_in_report.js",
    "page/club/check_in_view.js",
    "page/club/club_actions.js",
    "page/club/club_state.js",
    "page/club/club_view.js",
    "page/club/knee_history.js",
    "page/club/monitoring_charts.js",
    "page/club/monitoring_view.js",
    "page/club/overdue_list.js",
    "page/team/answer_summary.js",
    "page/team/cell_fixes.js",
    "page/team/joined_files.js",
    "page/team/next_for_all.js",
    "page/team/sheet_columns.js",
    "page/team/sheet_questions.js",
    "page/team/sheet_rows.js",
    "page/team/sheet_upload.js",
    "page/team/sheet_view.js",
    "page/team/squad_export.js",
    "page/team/squad_order.js",
    "page/team/squad_state.js",
    "page/team/squad_table.js",
    "page/team/squad_view.js",
    "page/team/status_words.js",
    "page/team/team_actions.js",
    "page/team/team_view.js",
    "page/team/why_here.js",
    "page/team/word_questions.js",
    "page/vendor/lit-html.js",
    "page/api_reader/reader.js",
    "page/vendor/swagger-ui-bundle.js",
    "page/vendor/swagger-ui.css",
)
_PAGE, _API_READER = "index.html.j2", "api_reader.html.j2"
#: Scripts without a hint: one that runs at once, those that wait for the team's view or a club's,
#: and those of the API's reader, a page of its own.
_NOT_PRELOADED = re.compile(
    r"page/(theme|team/(?!squad_state|answer_summary)|club/(?!club_state)|api_reader|vendor/swagger)"
)
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def media_type(name: str) -> str:
    """The media type of a file, by its suffix; the machine's own table may say otherwise."""
    return _MEDIA_TYPES[Path(name).suffix]


class PageFiles(StaticFiles):
    """Starlette's static files, for the listed ones, with the page's policy and content ETags."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a listed file."""
        return super().lookup_path(path) if Path(path).as_posix() in FILES else ("", None)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,  # noqa: ARG002 - Starlette gives it
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
        headers = _headers(_file_etag(str(full_path)))
        if Headers(scope=scope).get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        # Whole, whatever range was asked for: files are small, and Starlette's `FileResponse`
        # answers a range that it can't give in a shape of its own.
        content = _file_content(str(full_path))
        return Response(content, status_code, headers, media_type=media_type(str(full_path)))


def page_response(request: Request) -> Response:
    """The page's HTML, or 304 where the browser has it already."""
    return _html_response(request, _PAGE)


def api_reader_response(request: Request) -> Response:
    """The HTML of the API's reader, or 304 where the browser has it already."""
    return _html_response(request, _API_READER)


def _html_response(request: Request, template: str) -> Response:
    content = _html(template, records=bool(os.environ.get("KNEERISK_RECORDS")))
    headers = _headers(_etag(content))
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="text/html", headers=headers)


@cache
def _html(name: str, *, records: bool) -> bytes:
    """A template with its texts, and a hint for each script so that all load at once.

    But for those of the team's view and of a club's, which load when they are opened. Where no
    ``records`` are kept, nothing of the page is about them.
    """
    environment = Environment(
        loader=PackageLoader("serving", "page"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    modules = [name for name in FILES if name.endswith(".js") and not _NOT_PRELOADED.match(name)]
    template = environment.get_template(name)
    return template.render(text=text, language=LANGUAGE, modules=modules, records=records).encode()


def _headers(etag: str) -> dict[str, str]:
    return {
        "cache-control": "no-cache",
        "etag": etag,
        "content-security-policy": _page_policy(),
    }


@cache
def _page_policy() -> str:
    """Only the page's own files run or are shown.

    Printed pages are laid out in a frame of the page, which has the page's policy: so their styles
    are allowed too, known by their hashes.
    """
    printed = f"{source(report.style())} {source(hand_out.style())}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' {printed}; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _file_content(path: str) -> bytes:
    return Path(path).read_bytes()


@cache
def _file_etag(path: str) -> str:
    return _etag(_file_content(path))


def _etag(content: bytes) -> str:
    # Weak: it stands for the compressed bytes too.
    return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
