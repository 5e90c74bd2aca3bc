"""Files that are no sheet, or one of a form that is not read: what each is, and what to do."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZipFile

from kneerisk.cohort.sheets.files.counted_archive import BROKEN_ARCHIVE, MOST_MEMBERS

#: What an old Excel file (.xls) begins with, and a new one with a password: the magic of OLE 2
#: compound documents, and the name of what is locked in one.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_LOCKED = "EncryptedPackage".encode("utf-16-le")
#: So far a file is looked into (assumption: a header is shorter).
_HEAD, _LONGEST_MANIFEST = 4_096, 100_000
_MARKUP = re.compile(
    rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|meta|table|style)\b",
    re.IGNORECASE | re.DOTALL,
)
#: Members of an archive that tell what it is; a workbook has none of them.
_MEMBERS = {
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
    if head.startswith(b"<?xml") and b"<office:document" in head:
        return "flat_open_document"
    if _MARKUP.match(head):
        return "web_page"
    return _archive(content) if content.startswith(b"PK") else None


def _archive(content: bytes) -> str | None:
    # Only the list of its members is read, and no more of it than a workbook may have.
    if content.count(b"PK\x01\x02") > MOST_MEMBERS:
        return None
    try:
        archive = ZipFile(BytesIO(content))
        names = set(archive.namelist())
        if "content.xml" in names:
            return _open_document(archive, names)
    except BROKEN_ARCHIVE:
        return None
    return next((kind for member, kind in _MEMBERS.items() if member in names), None)


def _open_document(archive: ZipFile, names: set[str]) -> str | None:
    """None for a spreadsheet that can be read."""

    def head(member: str) -> bytes:
        with archive.open(member) as file:
            return file.read(_LONGEST_MANIFEST)

    if "mimetype" in names and b"spreadsheet" not in head("mimetype"):
        return "word"
    manifest = "META-INF/manifest.xml"
    return "locked" if manifest in names and b"encryption-data" in head(manifest) else None
