"""What is known of a test beforehand, brought to its column: why, and what has to be asked."""

from __future__ import annotations

from dataclasses import replace

from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn, in_words, stating
from kneerisk.cohort.sheets.device_exports.tidy_table import TidyColumn
from kneerisk.cohort.sheets.lexicon.units import Unit, unit_of
from kneerisk.cohort.sheets.lexicon.vocabulary import DATE
from kneerisk.cohort.sheets.sheet_answer import Alternative
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked
from kneerisk.schema import Quantity
from kneerisk.words import text


def as_tested(column: RecognisedColumn, known: TidyColumn) -> RecognisedColumn:
    """A recognised column with what its test says.

    Parameters
    ----------
    column
        The column as its name and its cells say.
    known
        The same column of the tidy table.

    Returns
    -------
    RecognisedColumn
        With the reason, and the question that the test leaves, if any. Such a question has no
        proposal: the file does not say which answer is the better one.
    """
    is_left_out_here = not known.named.matches
    if known.why and column.question is None and (column.means or is_left_out_here):
        column = replace(column, why=known.why)
    if known.order_is_open:
        return _asked_for_order(column)
    if not known.question or column.means is None:
        return column
    return replace(
        column,
        confidence="unsure",
        question=known.question,
        asks=None,
        proposal=None,
        alternatives=(*_uses(column, known), _leave_out()),
    )


def _asked_for_order(column: RecognisedColumn) -> RecognisedColumn:
    orders = [ColumnAsked(means=DATE, day_first=first) for first in (True, False)]
    labels = (text("sheet.question.day_comes_first"), text("sheet.question.month_first"))
    return replace(
        column,
        confidence="unsure",
        question=text("sheet.question.day_first", column=repr(column.name)),
        proposal=None,
        alternatives=tuple(
            Alternative(label=label, ask=ask) for label, ask in zip(labels, orders, strict=True)
        ),
    )


def _uses(column: RecognisedColumn, known: TidyColumn) -> list[Alternative]:
    measure, means = column.measure, str(column.means)
    if column.proposal is not None and column.proposal.unit:
        own = [Unit(column.proposal.unit, bool(column.proposal.per_body_mass))]
    else:
        own = [column.unit]
    if isinstance(measure, Quantity):
        own += [unit for name in known.other_units if (unit := unit_of(measure, name))]
    return [
        Alternative(label=in_words(means, column.side, unit), ask=stating(means, column.side, unit))
        for unit in own
    ]


def _leave_out() -> Alternative:
    return Alternative(
        label=text("sheet.question.leave_it_out"), ask=ColumnAsked.model_validate({"means": None})
    )
