"""One chunk of a file scored, as any process or machine does it: a model and rows in, answers out.

The model goes along as the files of its bundle, which a process reads once: what it says is checked
by the golden cases there too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kneerisk.answer.score_columns import score_columns
from kneerisk.cohort.file_chunks import Chunk, rows_in
from kneerisk.cohort.file_screenings import checked_rows
from kneerisk.cohort.file_validation import coded_cells
from kneerisk.cohort.layout import ATHLETE_ID, GROUP, RED_FLAGS_COLUMN, SCREENING_DATE
from kneerisk.errors import CellFault
from kneerisk.model import Bundle, bundle
from kneerisk.schema import Columns
from kneerisk.schema.own_measures import OwnMeasures

#: Columns of the input that stand before each answer, so that the two can be joined.
KEYS = (ATHLETE_ID, SCREENING_DATE, GROUP)
#: Rows whose drivers or next tests are worked out at once (assumption): one's take some 150 kB.
_AT_ONCE = 500
#: The line of the file that each row starts on; it is not in the answers.
LINE = "line"


@dataclass(frozen=True, slots=True)
class PackedModel:
    """A released model as it goes to a process: the files of its bundle, and what is in force.

    ``own`` are own measures besides the model's, which it does not read but which a file may have.
    """

    files: tuple[tuple[str, bytes], ...]
    own: OwnMeasures
    drivers: bool = False
    """Whether the strongest drivers are wanted too."""
    next_test: bool = False
    """Whether the test that is worth most is wanted too."""


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """The answers of a chunk, one row a screening; none where some of its cells are bad."""

    number: int
    answers: Any
    faults: list[CellFault]


def packed(
    released: Bundle, own: OwnMeasures, *, drivers: bool = False, next_test: bool = False
) -> PackedModel:
    """A model ready to be sent.

    Parameters
    ----------
    released
        The model.
    own
        Own measures that are in force besides its own.
    drivers
        Whether the strongest drivers are wanted too.
    next_test
        Whether the test that is worth most is wanted too.

    Returns
    -------
    The model as plain bytes.
    """
    with TemporaryDirectory() as folder:
        bundle.save(released.model, released.metadata, Path(folder))
        files = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    return PackedModel(tuple(files.items()), own, drivers, next_test)


@lru_cache(maxsize=2)
def _unpacked(files: tuple[tuple[str, bytes], ...]) -> Bundle:
    with TemporaryDirectory() as folder:
        for name, content in files:
            (Path(folder) / name).write_bytes(content)
        return bundle.load(Path(folder))


def score_chunk(model: PackedModel, chunk: Chunk) -> ScoredChunk:
    """Check the rows of a chunk, and score them where all of them are good.

    Parameters
    ----------
    model
        The model.
    chunk
        Some rows of a file.

    Returns
    -------
    The answers as an Arrow table, `KEYS` and the line first; or the faults.

    Raises
    ------
    CohortRefused
        Where the rows can't be read, or have columns that a cohort does not have.
    """
    released = _unpacked(model.files)
    with model.own.in_force(), released.model.own.also_in_force():
        raw = rows_in(chunk)
        frame, faults = checked_rows(raw.frame, list(raw.lines), chunk.source)
        if faults:
            return ScoredChunk(chunk.number, None, faults)
        flags = RED_FLAGS_COLUMN in frame
        asked = frame[RED_FLAGS_COLUMN].to_numpy(dtype=object) if flags else None
        scored = _scored(model, released, coded_cells(frame), asked)
    keys = {name: frame[name].to_numpy() for name in KEYS if name in frame}
    return ScoredChunk(chunk.number, _table(keys, np.array(raw.lines), scored), [])


def _scored(
    model: PackedModel, released: Bundle, data: Columns, asked: NDArray[Any] | None
) -> Mapping[str, NDArray[Any]]:
    """Score all rows at once; with drivers or tests, which take more memory, some at a time."""
    if not (model.drivers or model.next_test):
        return score_columns(released, data, asked)
    n = max(len(data["sex"]), 1)
    slices = [slice(first, first + _AT_ONCE) for first in range(0, n, _AT_ONCE)]
    parts = [
        score_columns(
            released,
            {name: values[rows] for name, values in data.items()},
            None if asked is None else asked[rows],
            drivers=model.drivers,
            next_test=model.next_test,
        )
        for rows in slices
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _table(
    keys: Mapping[str, NDArray[Any]], lines: NDArray[Any], scored: Mapping[str, NDArray[Any]]
) -> Any:
    """One Arrow table, which has the same types whatever its rows hold."""
    arrays = {name: pa.array(values, pa.string()) for name, values in keys.items()}
    arrays[LINE] = pa.array(lines, pa.int64())
    for name, values in scored.items():
        kind = pa.float64() if values.dtype == np.float64 else pa.string()
        arrays[name] = pa.array(values, kind, from_pandas=True)
    return pa.table(arrays)
