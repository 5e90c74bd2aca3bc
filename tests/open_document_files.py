"""OpenDocument files put together by hand, in the way in which LibreOffice writes them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

_XMLNS = "urn:oasis:names:tc:opendocument:xmlns"
_NAMES = "".join(
    f' xmlns:{short}="{name}"'
    for short, name in {
        "office": f"{_XMLNS}:office:1.0",
        "style": f"{_XMLNS}:style:1.0",
        "table": f"{_XMLNS}:table:1.0",
        "text": f"{_XMLNS}:text:1.0",
        "draw": f"{_XMLNS}:drawing:1.0",
        "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    }.items()
)
_STYLES = "".join(
    f'<style:style style:name="{name}" style:family="table">'
    f'<style:table-properties table:display="{shown}"/></style:style>'
    for name, shown in (("ta1", "true"), ("ta2", "false"))
)
#: What stands below and beside the entries of every sheet of LibreOffice's.
_REST = (
    '<table:table-row table:number-rows-repeated="1048550">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)


def filled(value: str | float | None, attributes: str = "") -> str:
    """A cell with a number or a text, or an empty one."""
    if value is None:
        return f"<table:table-cell {attributes}/>"
    if isinstance(value, str):
        shown = f"<text:p>{value}</text:p>" if value else ""
        return (
            f'<table:table-cell office:value-type="string" {attributes}>{shown}</table:table-cell>'
        )
    return of_kind("float", f'office:value="{value}" {attributes}', f"{value:.0f}")


def of_kind(kind: str, attributes: str, shown: str = "") -> str:
    """A cell of a kind, with what a person sees of it."""
    return (
        f'<table:table-cell office:value-type="{kind}" {attributes}>'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


def line(*cells: str | float | None, repeated: int = 1) -> str:
    """A row; a cell that begins with `<` stands as it is."""
    inside = "".join(
        cell if isinstance(cell, str) and cell.startswith("<") else filled(cell) for cell in cells
    )
    times = f' table:number-rows-repeated="{repeated}"' if repeated > 1 else ""
    return f"<table:table-row{times}>{inside}</table:table-row>"


def open_document(
    *sheets: str,
    names: Sequence[str] = (),
    hidden: Sequence[int] = (),
    before: str = "",
    prefix: str = "",
    parts: dict[str, str] | None = None,
) -> bytes:
    """An .ods file of worksheets of rows.

    Parameters
    ----------
    *sheets
        The rows of each worksheet.
    names
        Their names; `S1` and so on.
    hidden
        The numbers of those that nobody sees, from 0.
    before
        What stands before the first worksheet.
    prefix
        What the part with the cells begins with.
    parts
        Other parts of the archive, or other texts of those that it has.
    """
    names = names or [f"S{at}" for at, _ in enumerate(sheets, start=1)]
    tables = "".join(
        f'<table:table table:name="{name}" table:style-name="ta{2 if at in hidden else 1}">'
        f"<table:table-column/>{rows}{_REST}</table:table>"
        for at, (name, rows) in enumerate(zip(names, sheets, strict=True))
    )
    content = (
        f"{prefix}<office:document-content{_NAMES}>"
        f"<office:automatic-styles>{_STYLES}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{before}{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            **(parts or {}),
        }.items():
            archive.writestr(name, part)
    return written.getvalue()
