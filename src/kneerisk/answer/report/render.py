"""Lay a report out: one HTML page that needs nothing else, or Markdown.

An HTML report is set in the largest of four sizes in which its height, estimated from its words,
fits on one A4 page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

from jinja2 import Environment
from markupsafe import Markup

from kneerisk.answer import number_format
from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.cited_sources import Source, author_year
from kneerisk.answer.printed_page import directives, style_of, templates
from kneerisk.answer.report import drawings, driver_table, leg_findings, wording
from kneerisk.answer.report.report_page import ONE_PAGE, WHOLE, Page, report_page
from kneerisk.schema import Screening
from kneerisk.words import plural, short, text, variant

#: What Markdown or the HTML inside it would read as more than text.
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+!|&~-])")

TypeSetting = Literal["", "dense", "packed", "tight"]

#: Millimetres of a line and of a table's row in the largest setting, and the letters that a line
#: of each column holds there; measured in a browser with the style sheet beside this.
LINE, ROW = 4.6, 5.0
WIDE, LEFT, RIGHT, HALF, HEAD = 118, 80, 32, 56, 58
#: Height of an A4 page, less what other fonts may need.
ROOM = 278.0
#: The settings but the smallest, and how much of the height each needs; measured likewise.
SETTINGS: tuple[tuple[TypeSetting, float], ...] = (("", 1.0), ("dense", 0.84), ("packed", 0.75))


def report_html(
    answer: Answer, screening: Screening, title: str | None = None, date: str | None = None
) -> str:
    """The report as a whole HTML document: one A4 page when printed, no script, no request.

    Parameters
    ----------
    answer
        The answer to the screening.
    screening
        The screening.
    title
        Whom or what it is about, such as a name or an id; shown as it is.
    date
        When the screening took place; shown as it is.

    Returns
    -------
    An HTML document.
    """
    page = report_page(answer, screening, _one_line(title), _one_line(date), ONE_PAGE)
    template = _environment().get_template("report.html.j2")
    return template.render(
        page=page, setting=type_setting(page), style=style(), policy=directives(style())
    )


def report_markdown(
    answer: Answer, screening: Screening, title: str | None = None, date: str | None = None
) -> str:
    """The report as Markdown: the same words, with every row.

    Parameters
    ----------
    answer
        The answer to the screening.
    screening
        The screening.
    title
        Whom or what it is about, such as a name or an id; shown as it is.
    date
        When the screening took place; shown as it is.

    Returns
    -------
    A Markdown document.
    """
    page = report_page(answer, screening, _escaped(title), _escaped(date), WHOLE)
    document = _environment().get_template("report.md.j2").render(page=page)
    return re.sub(r"\n{3,}", "\n\n", document).strip() + "\n"


def style() -> Markup:
    """The report's style sheet."""
    return style_of(__package__, "style.css")


@cache
def _environment() -> Environment:
    environment = templates("kneerisk.answer.report")
    environment.globals |= {
        "author_year": author_year,
        "axis": drawings.AXIS_STEPS,
        "description": drawings.description,
        "difference_sentence": leg_findings.difference_sentence,
        "driver_bar_geometry": drawings.driver_bar,
        "flag_sentence": wording.flag_sentence,
        "leg_of": leg_findings.leg_of,
        "minus": number_format.MINUS,
        "number": number_format.number,
        "outlines": drawings.outlines(),
        "plural": plural,
        "settled_patterns": leg_findings.settled_patterns,
        "short": short,
        "test_sentence": leg_findings.test_sentence,
        "unit": number_format.unit_symbol,
        "untested_sentence": driver_table.untested_sentence,
        "value_bar_geometry": drawings.value_bar,
        "width_sentence": leg_findings.width_sentence,
    }
    environment.filters |= {
        "groupby_reason": leg_findings.by_reason,
        "sentence": number_format.sentence,
    }
    return environment


def _one_line(words: str | None) -> str | None:
    return " ".join(words.split()) if words else None


def _escaped(words: str | None) -> str | None:
    """A person's text inside Markdown: nothing of it is a mark."""
    line = _one_line(words)
    return _MARKS.sub(r"\\\1", line) if line else None


def type_setting(page: Page) -> TypeSetting:
    """The largest setting in which the page's estimated height fits on one A4 page."""
    columns = max(_risk_and_plan(page), _next_and_legs(page)) + max(_proof(page), _sides(page))
    height = _top(page) + columns + _bottom(page)
    return next((name for name, share in SETTINGS if share * height <= ROOM), "tight")


def _lines(texts: Iterable[str], letters: int) -> float:
    return LINE * sum(math.ceil(len(words) / letters) for words in texts)


def _top(page: Page) -> float:
    flags = [] if page.answer.red_flags_status == "cleared" else [page.flags_line]
    flags += [flag.reason + 100 * "x" for flag in page.flags]
    first, *then = page.answer.summary
    return (
        27
        + 6.2 * math.ceil(len(first) / HEAD)
        + 1.15 * _lines(then, round(WIDE / 1.15))
        + _lines([*page.summary, *flags], WIDE)
    )


def _risk_and_plan(page: Page) -> float:
    risk = 13 + 10.5 * len(page.knees or (page.either,)) + (6 if page.learnt is not None else 0)
    risk += _lines([f"{page.usual_rates} {page.overlap or ''} {160 * 'x'}"], LEFT)
    plan = page.answer.plan
    if plan is None:
        return risk
    items = [
        f"{item.title} {item.dose or 30 * 'x'} {item.why} {30 * 'x'}" + _names(item.sources)
        for item in plan.items
    ]
    ends = [f"{plan.test_again.text} {plan.see}"]
    return risk + 9 + _lines(items, LEFT) + len(items) + _lines(ends, LEFT)


def _next_and_legs(page: Page) -> float:
    tests = _lines((test.label + 90 * "x" for test in page.tests), RIGHT)
    return 90 + 6 + (tests or LINE)


def _proof(page: Page) -> float:
    rows = sum(2 + len(pattern.rows) for leg in page.legs for pattern in leg.patterns)
    patterns = 10 + ROW * (rows + bool(rows)) + _lines(page.undecided, LEFT) if page.legs else 0.0
    drivers = 0.0
    if page.driver_table:
        drivers = 19.2 + ROW * (2 + sum(1 + len(group.rows) for group in page.driver_table.groups))
    return patterns + drivers


def _sides(page: Page) -> float:
    rows = 1.4 * ROW * (len(page.differences) + 1) if page.differences else 0.0
    width = 0.0
    if page.coverage:
        width = 10 + LINE * (4 + len(page.knees or (page.either,)))
        width += _lines([f"{page.counted or ''} {page.coverage}"], RIGHT)
    return 10 + width + _lines([page.difference_summary], RIGHT) + rows


def _names(sources: Iterable[Source]) -> str:
    return "; ".join(author_year(source) for source in sources)


def _bottom(page: Page) -> float:
    items = [
        f"{piece.grade} {text('report.advice.leg', leg=variant('shared.leg_title', 'right'))} "
        f"{piece.text} {piece.dose or text('shared.advice.no_dose')} {_names(piece.sources)}"
        for piece in page.advice
    ]
    advice = 13 + (_lines(items, HALF) + len(items)) / 2 if items else 0.0
    week = page.answer.coming_week
    if page.also:
        advice += 5 + _lines([f"{12 * 'x'} {'; '.join(page.also)}"], WIDE)
    if week:
        advice += 5 + _lines([f"{week.message} {_names(week.sources)}"], WIDE)
    return advice + 6 + _lines(page.stop_rules, WIDE) + 16 + 12
