"""Columns that only the title of their table says the test of: `L (cm)` in a sheet called `KTW`."""

from __future__ import annotations

from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME, Named, read_name
from kneerisk.cohort.sheets.columns.own_legs import telling_legs
from kneerisk.cohort.sheets.device_exports.device_tests import words_of
from kneerisk.cohort.sheets.device_exports.export_columns import quantity_in, value_column
from kneerisk.cohort.sheets.device_exports.read_tests import DoneTest, read_test
from kneerisk.cohort.sheets.device_exports.tidy_table import TidyColumn, TidyTable
from kneerisk.cohort.sheets.lexicon.vocabulary import MASS, leg_names

#: A name this alike is likely a measure's (as in `questions`).
_LIKELY = 0.8


def with_title(tidy: TidyTable, title: str) -> TidyTable:
    """A table whose columns have what its title says of their test.

    Parameters
    ----------
    tidy
        The table; columns that say nothing by themselves are changed in place.
    title
        The name of its worksheet or file.

    Returns
    -------
    TidyTable
        The same table.
    """
    if len(title) <= LONGEST_NAME:
        telling = telling_legs([column.name for column in tidy.columns])
        tidy.columns[:] = [
            column if tells else _titled(column, title)
            for column, tells in zip(tidy.columns, telling, strict=True)
        ]
    return tidy


def _titled(column: TidyColumn, title: str) -> TidyColumn:
    if not column.name or column.named.matches or column.why:
        return column
    name = f"{title} {column.name}"
    named = read_name(name)
    if _is_test(named):
        return TidyColumn(name, named)
    value = value_column(0, column.name)
    if value is None:
        return column
    quantity = value.quantity if value.quantity != "any" else quantity_in(value.unit)
    done = DoneTest(title, (title,), words_of(title), frozenset(), value.unit, value.side)
    read = read_test(done, quantity, value.unit, value.side)
    asked = read.question.format(name=repr(name)) if read.question else None
    named = read.named._replace(own_leg=value.own_leg)
    return TidyColumn(name, named, read.why, asked, read.protocol)


def _is_test(named: Named) -> bool:
    first = named.matches[0] if named.matches else None
    if first is None or first.likeness < _LIKELY:
        return False
    return first.means in leg_names() or first.means == MASS
