"""Files that are no sheet, or one of a form that is not read: what each is, and what to do."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import BadZipFile, ZipFile

#: What an old Excel file (.xls) begins with, and a new one with a password: the magic of OLE 2
#: compound documents, and the name of what is locked in one.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_LOCKED = "EncryptedPackage".encode("utf-16-le")
#: So far a file is looked into (assumption: a header is shorter).
_HEAD = 4_096
_MARKUP = re.compile(
    rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|meta|table|style)\b",
    re.IGNORECASE | re.DOTALL,
)
#: Members of an archive that tell what it is; a workbook has none of them.
_MEMBERS = {
    "content.xml": "open_document",
    "Index/Document.iwa": "numbers",
    "Index.zip": "numbers",
    "xl/workbook.bin": "binary_excel",
    "word/document.xml": "word",
    "ppt/presentation.xml": "word",
}


def other_kind(content: bytes) -> str | None:
    """What a file is that can't be read as a sheet.

    Parameters
    ----------
    content
        The file.

    Returns
    -------
    str or None
        A code of `sheet.kind`; None where it may be a sheet.
    """
    head = content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if content.startswith(_OLE):
        return "locked" if _LOCKED in content else "old_excel"
    if head.startswith(b"%PDF"):
        return "pdf"
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        return "picture"
    if head.startswith(b"<?xml") and b"office:spreadsheet" in head:
        return "xml_excel"
    if _MARKUP.match(head):
        return "web_page"
    return _archive(content) if content.startswith(b"PK") else None


def _archive(content: bytes) -> str | None:
    try:
        # Only the list of its members is read, and no more of it than a workbook may have.
        names = set(ZipFile(BytesIO(content)).namelist()) if _is_short(content) else set()
    except (BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    return next((kind for member, kind in _MEMBERS.items() if member in names), None)


def _is_short(content: bytes) -> bool:
    return content.count(b"PK\x01\x02") <= 2_000
