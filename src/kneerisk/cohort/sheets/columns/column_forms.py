"""The words and the dates that the cells of a column are written in, once its meaning is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kneerisk.cohort.sheets.cells.cell_dates import date_forms
from kneerisk.cohort.sheets.cells.cell_text import as_text
from kneerisk.cohort.sheets.columns.agreement import words_not_tested
from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import ENGLISH, Languages
from kneerisk.cohort.sheets.lexicon.vocabulary import BIRTH, DATE, FLAGS, answers, answers_in
from kneerisk.cohort.sheets.sheet_answer import Alternative
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked
from kneerisk.schema import Quantity
from kneerisk.words import text


def in_its_form(
    column: RecognisedColumn,
    cells: Sequence[Any],
    day_first: bool | None = None,
    languages: Languages = ENGLISH,
) -> RecognisedColumn:
    """A column with the words or the dates that its cells are written in.

    Parameters
    ----------
    column
        A column with a meaning.
    cells
        Its cells as they stand.
    day_first
        The order of its dates, where a person stated it.
    languages
        Those that its words may be of.

    Returns
    -------
    RecognisedColumn
        The column, with the question about its dates if there is one.
    """
    if column.means in {DATE, BIRTH}:
        return _with_dates(column, cells, day_first)
    if column.means is None:
        return column
    if isinstance(column.measure, Quantity):
        not_tested = dict.fromkeys(words_not_tested(column.values), "")
        return replace(column, words={**not_tested, **column.words})
    return replace(column, words=_words(column.means, cells, languages) | column.words)


def _with_dates(
    column: RecognisedColumn, cells: Sequence[Any], day_first: bool | None
) -> RecognisedColumn:
    forms = date_forms(cells, day_first, years=column.means == BIRTH)
    column = replace(column, formats=tuple(forms.formats))
    if not forms.is_open or column.question:
        return column
    orders = (
        (True, text("sheet.question.day_comes_first")),
        (False, text("sheet.question.month_first")),
    )
    return replace(
        column,
        confidence="unsure",
        question=text("sheet.question.day_first", column=repr(column.name)),
        alternatives=tuple(
            Alternative(
                label=order,
                ask=ColumnAsked(means=column.means, day_first=is_day),
            )
            for is_day, order in orders
        ),
    )


def in_one_order(
    columns: Sequence[RecognisedColumn], cells: Sequence[Sequence[Any]], languages: Languages
) -> list[RecognisedColumn]:
    """Columns of dates that can be read both ways, as the others of the sheet are read.

    Parameters
    ----------
    columns
        The columns of a sheet.
    cells
        The cells of each.
    languages
        The languages of their names.

    Returns
    -------
    list of RecognisedColumn
        Those that no other tells of are still asked about; but for English, the day is proposed to
        come first, as in every other language that is known here.
    """
    told = {
        order
        for column in columns
        if column.means in {DATE, BIRTH} and not column.question
        for form in column.formats
        if (order := _day_comes_first(form)) is not None
    }
    return [
        _ordered(column, own, told, languages) if _is_order_open(column) else column
        for column, own in zip(columns, cells, strict=True)
    ]


def _day_comes_first(form: str) -> bool | None:
    """Whether a form writes the day before the month; None where that goes without saying."""
    orders = {("%d", "%m"): True, ("%m", "%d"): False}
    # With points the day comes first everywhere, which says nothing of 03/04.
    return None if form[2:3] == "." else orders.get((form[:2], form[3:5]))


def _is_order_open(column: RecognisedColumn) -> bool:
    asks = {one.ask.day_first for one in column.alternatives}
    return column.question is not None and asks == {True, False}


def _ordered(
    column: RecognisedColumn, cells: Sequence[Any], told: set[bool], languages: Languages
) -> RecognisedColumn:
    if len(told) == 1:
        settled = replace(column, question=None, confidence="certain", alternatives=())
        why = text("sheet.why.order_of_others", why=column.why)
        return _with_dates(replace(settled, why=why), cells, next(iter(told)))
    if "en" in languages:
        return column
    first, *others = sorted(column.alternatives, key=lambda one: not one.ask.day_first)
    return replace(column, proposal=first.ask, alternatives=tuple(others), confidence="likely")


def _words(means: str, cells: Sequence[Any], languages: Languages) -> dict[str, str | int | float]:
    entries = dict.fromkeys(as_text(cell) for cell in cells if cell != "")
    if means == FLAGS:
        return {entry: codes for entry in entries if (codes := _red_flags(entry))}
    known = answers_in(means, map(fold, entries), languages)
    return {entry: known[fold(entry)] for entry in entries if fold(entry) in known}


def _red_flags(entry: str) -> str | None:
    words = [fold(word) for word in entry.replace(",", ";").split(";")]
    if (len(words) == 1 and answers("osteoarthritis").get(words[0]) == "no") or words == ["keine"]:
        return "none"
    known = answers(FLAGS)
    return ";".join(known[word] for word in words) if all(w in known for w in words) else None
