"""A person's sheet over HTTP: read in memory, answered whole, nothing kept."""

from __future__ import annotations

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from serving.import_process import read_in_child
from serving.problem import Refusal, refused_with

#: About 50 times a squad's history as .xlsx (assumption).
MAX_UPLOAD_BYTES = 5_000_000
#: The mapping of its columns is far smaller (assumption).
_MAX_MAPPING_BYTES = 200_000
_USAGE = "Send multipart/form-data with a part 'file' and, optionally, 'mapping'."


class _InMemory(MultiPartParser):
    """Starlette's parser without its files on disk from 1 MB up: these are people's data."""

    spool_max_size = 2 * MAX_UPLOAD_BYTES


async def import_sheet(request: Request) -> Response:
    """Answer what a CSV or Excel file holds, as far as it is certain, and what is still open."""
    try:
        content, mapping = await _upload(request)
        answer = await read_in_child(content, mapping)
    except Refusal as refusal:
        return refused_with(refusal)
    return Response(answer, media_type="application/json")


async def _upload(request: Request) -> tuple[bytes, bytes | None]:
    headers = Headers(scope=request.scope)
    if not headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal("malformed_upload", _USAGE)
    parser = _InMemory(
        headers, request.stream(), max_files=1, max_fields=1, max_part_size=_MAX_MAPPING_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError):
        raise Refusal("malformed_upload", _USAGE) from None
    file, mapping = form.get("file"), form.get("mapping")
    if not isinstance(file, UploadFile) or set(form) - {"file", "mapping"}:
        raise Refusal("malformed_upload", _USAGE)
    content = await file.read()
    await form.close()
    if mapping is not None and not isinstance(mapping, str):
        raise Refusal("malformed_upload", _USAGE)
    return content, None if mapping is None else mapping.encode()
