"""Lay a report out: one HTML page that needs nothing else, or Markdown."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.report import (
    chart_geometry,
    leg_drawing,
    leg_findings,
    number_format,
    page_fit,
    wording,
)
from kneerisk.answer.report.report_page import ONE_PAGE, WHOLE, page
from kneerisk.schema import Screening
from kneerisk.words import listed, plural, short, text, variant

#: What Markdown or the HTML inside it would read as more than text.
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+!|&~-])")


def report_html(
    answer: Answer, screening: Screening, title: str | None = None, date: str | None = None
) -> str:
    """The report as a whole HTML document: one A4 page when printed, no script, no request.

    Parameters
    ----------
    title
        Whom or what it is about, such as a name or an id; shown as it is.
    date
        When the screening took place; shown as it is.
    """
    found = page(answer, screening, _one_line(title), _one_line(date), ONE_PAGE)
    template = _environment().get_template("report.html.j2")
    style = Markup(_style())  # noqa: S704 - ours, from the package
    return template.render(
        page=found, setting=page_fit.setting(found), style=style, policy=_directives()
    )


def report_markdown(
    answer: Answer, screening: Screening, title: str | None = None, date: str | None = None
) -> str:
    """The report as Markdown: the same words, every row of it."""
    found = page(answer, screening, _plain(title), _plain(date), WHOLE)
    text = _environment().get_template("report.md.j2").render(page=found)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def content_policy() -> str:
    """The Content-Security-Policy that the HTML report works under: its own style, nothing else."""
    return f"{_directives()}; frame-ancestors 'self'"


def _directives() -> str:
    sha256 = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{sha256}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return files(__package__).joinpath("style.css").read_text("utf-8")


@cache
def _environment() -> Environment:
    """Templates escape what they are given in HTML; a name that they don't know is an error."""
    made = Environment(
        loader=PackageLoader("kneerisk.answer.report", "."),
        autoescape=select_autoescape(disabled_extensions=("md.j2",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "amount": number_format.amount,
        "axis": chart_geometry.AXIS_STEPS,
        "description": leg_drawing.description,
        "difference": leg_findings.difference_sentence,
        "flag": wording.flag_sentence,
        "listed": listed,
        "minus": number_format.MINUS,
        "number": number_format.number,
        "plural": plural,
        "push": chart_geometry.push,
        "settled": leg_findings.settled,
        "short": short,
        "sides": leg_findings.sides_of,
        "strip": chart_geometry.strip,
        "test": leg_findings.test_sentence,
        "text": text,
        "unit": number_format.unit_of,
        "variant": variant,
        "width": leg_findings.width_sentence,
    }
    made.filters |= {"groupby_reason": leg_findings.by_reason, "sentence": number_format.sentence}
    return made


def _one_line(text: str | None) -> str | None:
    return " ".join(text.split()) if text else None


def _plain(text: str | None) -> str | None:
    """A person's text inside Markdown: nothing of it is a mark."""
    one = _one_line(text)
    return _MARKS.sub(r"\\\1", one) if one else None
