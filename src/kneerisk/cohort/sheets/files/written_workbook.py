"""A table as an Excel file that runs nothing: every text in it is one, whatever it begins with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, TYPE_STRING

Content = str | float | int | None


def workbook(columns: Sequence[str], rows: Iterable[Sequence[Content]], title: str) -> bytes:
    """A table as the one worksheet of an Excel file.

    Parameters
    ----------
    columns
        The names of the columns.
    rows
        The cells of each row, in their order; None leaves a cell empty.
    title
        The name of the worksheet.

    Returns
    -------
    bytes
        The file (.xlsx).
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "B2"
    for row in (columns, *rows):
        sheet.append([_cell(sheet, content) for content in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(sheet: object, content: Content) -> object:
    if not isinstance(content, str):
        return content
    # A name such as `=1+1` would be a formula, and XML has no place for some characters.
    cell = WriteOnlyCell(sheet, value="")
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", content)
    cell.data_type = TYPE_STRING
    return cell
