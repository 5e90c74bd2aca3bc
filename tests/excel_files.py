"""Excel files: as openpyxl writes them, or by hand for what no program writes by itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl

_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
#: The number formats of the cells in `row`: 0 general, 1 a date, 2 a time of day, 3 a duration.
_FORMATS = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 20, 46))
STYLES = f'<styleSheet xmlns="{_MAIN}"><cellXfs>{_FORMATS}</cellXfs></styleSheet>'


def row(*cells: str | float) -> str:
    """A row of texts and numbers."""
    return f"<row>{''.join(map(cell, cells))}</row>"


def cell(value: str | float, *, style: int = 0, kind: str = "n") -> str:
    """A cell; a text stands in the cell itself, unless a kind says what it is."""
    if isinstance(value, str) and kind == "n":
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c s="{style}" t="{kind}"><v>{value}</v></c>'


def excel_file(
    *sheets: str,
    names: Sequence[str] = (),
    states: Sequence[str] = (),
    shared: str = "",
    styles: str = STYLES,
    prefix: str = "",
) -> bytes:
    """An Excel file of worksheets of rows.

    Parameters
    ----------
    *sheets
        The rows of each worksheet.
    names
        Their names; `S1` and so on.
    states
        `visible` or `hidden`.
    shared
        The texts that cells share, `<si>` elements.
    styles
        The part of styles.
    prefix
        What each part begins with.
    """
    names = names or [f"S{at}" for at, _ in enumerate(sheets, start=1)]
    states = states or ["visible"] * len(sheets)
    entries = "".join(
        f'<sheet name="{name}" sheetId="{at}" state="{state}" r:id="r{at}"/>'
        for at, (name, state) in enumerate(zip(names, states, strict=True), start=1)
    )
    related = "".join(
        f'<Relationship Id="r{at}" Type="{_TYPE}/worksheet" Target="worksheets/s{at}.xml"/>'
        for at, _ in enumerate(sheets, start=1)
    )
    related += f'<Relationship Id="t" Type="{_TYPE}/sharedStrings" Target="texts.xml"/>'
    related += f'<Relationship Id="f" Type="{_TYPE}/styles" Target="styles.xml"/>'
    first = f'<Relationship Id="b" Type="{_TYPE}/officeDocument" Target="xl/workbook.xml"/>'
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">{first}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_TYPE}">'
        f"<sheets>{entries}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">'
        f"{related}</Relationships>",
        "xl/styles.xml": styles,
        "xl/texts.xml": f'<sst xmlns="{_MAIN}">{shared}</sst>',
    }
    for at, rows in enumerate(sheets, start=1):
        parts[f"xl/worksheets/s{at}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, prefix + part)
    return content.getvalue()


def workbook(**sheets: list[list[Any]]) -> bytes:
    """A file of worksheets of rows, as openpyxl writes it."""
    book = openpyxl.Workbook()
    book.remove(book.active or book.create_sheet())
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
