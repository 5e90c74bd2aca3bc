"""What became of an export's rows, tests and columns, so that nothing is left out quietly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import text, variant

#: So many are listed, and each up to here (assumptions: more help nobody).
_MOST_LISTED, _LONGEST = 12, 80


def export_notes(
    listed: Mapping[str, Sequence[str]], rows: Mapping[str, Sequence[int]]
) -> list[SheetNote]:
    """What was left out of an export.

    Parameters
    ----------
    listed
        By the code of the note: tests without a measure, and columns that nothing is made of.
    rows
        By the code of the note: lines.

    Returns
    -------
    list of SheetNote
        That its rows are tests, and a note for each of those that has any.
    """
    notes = [SheetNote(code="tests_in_rows", message=text("sheet.note.tests_in_rows"))]
    for code, names in listed.items():
        if names:
            message = variant("sheet.note.of_device", code, listed=_listed(names))
            notes.append(SheetNote(code=code, message=message))
    for code, lines in rows.items():
        if lines:
            message = variant("sheet.note.of_rows", code)
            notes.append(SheetNote(code=code, message=message, lines=list(lines)))
    return notes


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:_LONGEST] for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return shown + text("sheet.note.and_more", count=more) if more > 0 else shown
