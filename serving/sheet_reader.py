"""What the process of an upload answers with: a sheet or training logs, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs.log_answer import LogAsked
from kneerisk.cohort.sheets.training_logs.read_log import read_training_logs
from kneerisk.cohort.sheets.undescribed_sheet import recognise_files
from serving.body_validation import check_body

#: What a client may send.
Upload = Literal["sheet", "training_log"]


def _sheet_answer(files: Sequence[SquadFile], mapping: bytes) -> bytes:
    stated = check_body(mapping, SheetAsked) if mapping else None
    return recognise_files(files, stated).model_dump_json(exclude_none=True).encode()


def _log_answer(files: Sequence[SquadFile], mapping: bytes) -> bytes:
    asked = check_body(mapping, LogAsked) if mapping else None
    answer = read_training_logs([file.content for file in files], asked)
    return answer.model_dump_json(exclude_none=True).encode()


#: The answer's JSON, from files and the JSON of what was said of them.
READERS: Mapping[Upload, Callable[[Sequence[SquadFile], bytes], bytes]] = {
    "sheet": _sheet_answer,
    "training_log": _log_answer,
}
