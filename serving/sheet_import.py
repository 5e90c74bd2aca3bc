"""A person's sheet over HTTP: read in a process of its own, which can be ended; nothing is kept.

A sheet is the one input that other people's programs parse. Whatever a file makes them do, it
happens in a child that holds nothing else, with limits of time and memory, and the child's end is
an answer. The children are forked by a server process that has imported what they need
(`multiprocessing`'s forkserver), so that one takes some 10 ms to start.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import resource
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

import psutil
from anyio import to_thread
from pydantic import BaseModel
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from kneerisk.cohort.sheets.files.sheet_limits import MOST_FILES, MOST_LOGS
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_asked import AskRefused
from kneerisk.errors import CohortRefused, Fault
from kneerisk.schema.measures_file import own_measures
from kneerisk.schema.own_measures import NO_OWN_MEASURES, own_measures_in_force
from kneerisk.words import text
from serving.monitoring import LOGGER, traceback_text
from serving.problem import Refusal, invalid_body, refused_with

if TYPE_CHECKING:
    from serving.sheet_reader import Upload

#: About 50 times a squad's history as .xlsx (assumption).
MAX_UPLOAD_BYTES = 5_000_000
#: The mapping of its columns is far smaller (assumption).
_MAX_MAPPING_BYTES = 200_000
#: What file systems allow.
_LONGEST_FILE_NAME = 255
_USAGE = text("service.sheet.usage")


class _InMemory(MultiPartParser):
    """Starlette's parser without its files on disk from 1 MB up: these are people's data."""

    spool_max_size = 2 * MAX_UPLOAD_BYTES


async def import_sheet(request: Request) -> Response:
    """Answer what a CSV or Excel file holds, as far as it is certain, and what is still open."""
    return await _read_upload(request, "sheet", MOST_FILES)


async def import_training_log(request: Request) -> Response:
    """Answer what training logs say of the load before a screening, and what is still open."""
    return await _read_upload(request, "training_log", MOST_LOGS)


async def _read_upload(request: Request, upload: Upload, most_files: int) -> Response:
    try:
        files, mapping = await _upload(request, most_files)
        answer = await read_in_child(files, mapping, upload)
    except Refusal as refusal:
        return refused_with(refusal)
    return Response(answer, media_type="application/json")


async def _upload(request: Request, most_files: int) -> tuple[list[SquadFile], bytes | None]:
    headers = Headers(scope=request.scope)
    if not headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal("malformed_upload", _USAGE)
    parser = _InMemory(
        headers,
        request.stream(),
        max_files=most_files,
        max_fields=1,
        max_part_size=_MAX_MAPPING_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError):
        raise Refusal("malformed_upload", _USAGE) from None
    files, mapping = form.getlist("file"), form.get("mapping")
    if not files or set(form) - {"file", "mapping"}:
        raise Refusal("malformed_upload", _USAGE)
    read = [await _read(file) for file in files]
    await form.close()
    if mapping is not None and not isinstance(mapping, str):
        raise Refusal("malformed_upload", _USAGE)
    return read, None if mapping is None else mapping.encode()


async def _read(file: UploadFile | str) -> SquadFile:
    if not isinstance(file, UploadFile):
        raise Refusal("malformed_upload", _USAGE)
    return SquadFile((file.filename or "")[:_LONGEST_FILE_NAME], await file.read())


#: Several times what the largest sheet that is accepted takes (assumption).
_CPU_SECONDS = 15
#: On a busy machine the processor time takes longer to pass; the request's own limit is 50 s.
WALL_SECONDS = 40.0
#: Beyond what the child has when it starts; the largest sheet takes a third (assumption).
_MEMORY_BYTES = 400_000_000
#: Predictions come first where the processors are busy.
_NICENESS = 10
_ANSWER, _REFUSAL, _MISTAKE = b"A", b"R", b"M"
_OUT_OF_MEMORY = text("service.sheet.memory")
_OUT_OF_TIME = text("service.sheet.time")
_ENDED = text("service.sheet.ended")

_context = multiprocessing.get_context("forkserver")


class _Refused(BaseModel):
    """A refusal on its way between the processes."""

    code: str
    detail: str
    faults: list[Fault]


class SheetMistake(Exception):
    """A mistake of ours in the child; the message is its traceback, without values."""


def prepare() -> None:
    """Start the server process, so that the first sheet need not wait for it."""
    _context.set_forkserver_preload([__name__, "serving.sheet_reader", "serving.warm_sheet_reader"])
    forkserver.ensure_running()


async def read_in_child(
    files: Sequence[SquadFile], mapping: bytes | None, upload: Upload = "sheet"
) -> bytes:
    """Read the files of a squad in a child process.

    Parameters
    ----------
    files
        Their names and their bytes.
    mapping
        The JSON of what a person stated about it, not yet checked; None: nothing.
    upload
        What they are.

    Returns
    -------
    bytes
        The answer as JSON.

    Raises
    ------
    Refusal
        Where the file or the mapping is not sound, or reading it takes too much.
    SheetMistake
        Where the mistake is ours.
    """
    connection, process = await to_thread.run_sync(_start, files, mapping, upload)
    try:
        async with asyncio.timeout(WALL_SECONDS):
            await _readable(connection)
        message = await to_thread.run_sync(connection.recv_bytes)
    except TimeoutError:
        raise Refusal("unreadable_sheet", _OUT_OF_TIME) from None
    except (EOFError, OSError):
        raise await to_thread.run_sync(_death, process) from None
    finally:
        process.kill()
        connection.close()
        await to_thread.run_sync(process.join)
    return _unwrapped(message)


def _start(
    files: Sequence[SquadFile], mapping: bytes | None, upload: Upload
) -> tuple[Connection, BaseProcess]:
    ours, theirs = _context.Pipe()
    process = _context.Process(target=_read_one, args=(theirs, upload), daemon=True)
    process.start()
    theirs.close()
    with suppress(OSError):  # where it died early, that shows when its answer is read
        ours.send_bytes(str(len(files)).encode())
        for file in files:
            ours.send_bytes(file.name.encode("utf-8", "replace"))
            ours.send_bytes(file.content)
        ours.send_bytes(mapping or b"")
        ours.send_bytes(json.dumps(dict(own_measures_in_force().declared)).encode())
    return ours, process


async def _readable(connection: Connection) -> None:
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(connection.fileno())


def _death(process: BaseProcess) -> Refusal:
    process.join(WALL_SECONDS)
    LOGGER.warning("the process that read a sheet ended with %s", process.exitcode)
    over_time = process.exitcode == -signal.SIGXCPU
    return Refusal("unreadable_sheet", _OUT_OF_TIME if over_time else _ENDED)


def _unwrapped(message: bytes) -> bytes:
    kind, payload = message[:1], message[1:]
    if kind == _ANSWER:
        return payload
    if kind == _REFUSAL:
        refused = _Refused.model_validate_json(payload)
        raise Refusal(refused.code, refused.detail, refused.faults)
    raise SheetMistake(payload.decode())


def _read_one(connection: Connection, upload: Upload) -> None:
    """What the child does: read one upload and end."""
    # Here: what parses files takes a fifth of a worker's start, and a worker never does.
    from serving.sheet_reader import READERS

    _limit_itself()
    files = [
        SquadFile(connection.recv_bytes().decode(), connection.recv_bytes())
        for _ in range(int(connection.recv_bytes()))
    ]
    mapping = connection.recv_bytes()
    declared = json.loads(connection.recv_bytes())
    try:
        with (own_measures(declared, "") if declared else NO_OWN_MEASURES).in_force():
            message = _ANSWER + READERS[upload](files, mapping)
    except Refusal as refusal:
        # Of what was sent, the mapping alone is a body of JSON.
        told = text("service.sheet.of_the_mapping", reason=refusal.detail)
        message = _refused(Refusal(refusal.code, told, refusal.faults))
    except CohortRefused as refused:
        message = _refused(
            Refusal("unreadable_sheet", text("service.sheet.of_the_file", reason=refused))
        )
    except AskRefused as refused:
        message = _refused(invalid_body(refused.faults))
    except MemoryError:
        message = _refused(Refusal("unreadable_sheet", _OUT_OF_MEMORY))
    except Exception as error:  # noqa: BLE001 - it goes to the log of the worker
        message = _MISTAKE + traceback_text(error).encode()
    connection.send_bytes(message)


def _refused(refusal: Refusal) -> bytes:
    refused = _Refused(code=refusal.code, detail=refusal.detail, faults=refusal.faults)
    return _REFUSAL + refused.model_dump_json().encode()


def _limit_itself() -> None:
    os.nice(_NICENESS)
    # It ends before there is garbage worth a look; without, a large sheet takes a third less.
    gc.disable()
    # What a library writes may hold a value of the sheet, and so would a core file.
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The signal of the lower limit says why it ended; that of the upper one would not.
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 2))
    memory = psutil.Process().memory_info().vms + _MEMORY_BYTES
    with suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
