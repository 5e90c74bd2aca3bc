"""A file of screenings scored into a file of answers, of any size in the memory of some chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from kneerisk.batch.csv_answers import csv_header, csv_lines
from kneerisk.batch.scored_chunk import LINE, PackedModel, score_chunk
from kneerisk.batch.unfinished_run import UnfinishedRun
from kneerisk.cohort.file_chunks import CHUNK_ROWS, chunks_of, row_count
from kneerisk.cohort.file_validation import repeated_screening
from kneerisk.cohort.layout import ATHLETE_ID, SCREENING_DATE
from kneerisk.errors import BadCells, CellFault
from kneerisk.progress import Progress, event
from kneerisk.workers.this_process import Workers


def score_in_chunks(
    model: PackedModel,
    file: Path,
    out: Path,
    workers: Workers,
    progress: Progress,
    rows: int = CHUNK_ROWS,
) -> UnfinishedRun:
    """Score every screening of a file that is not scored yet.

    Parameters
    ----------
    model
        The model.
    file
        A canonical file of screenings.
    out
        The file of answers, beside which the scored chunks lie until it is written.
    workers
        What does the work.
    progress
        Called with what is being done.
    rows
        How many rows a chunk has.

    Returns
    -------
    The run with all chunks.

    Raises
    ------
    BadCells
        With every cell of the file that breaks the schema.
    CohortRefused
        Where the file can't be read or has columns that a cohort does not have.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    total, run = row_count(file), UnfinishedRun.beside(out, _what(model, file, rows))
    finished = run.finished()
    done = min(len(finished) * rows, total)
    left = (chunk for chunk in chunks_of(file, rows) if chunk.number not in finished)
    faults: list[CellFault] = []
    progress(event("answering", number=done + 1, total=total))
    for scored in workers(score_chunk, model, left):
        faults += scored.faults
        if not faults:
            run.keep(scored.number, scored.answers)
        done = min(done + rows, total)
        progress(event("answering", number=min(done + 1, total), total=total))
    faults += [] if faults else repeated_over_chunks(run)
    if faults:
        run.clear()
        raise BadCells(str(file), sorted(faults, key=lambda fault: fault.line))
    return run


def _what(model: PackedModel, file: Path, rows: int) -> dict[str, Any]:
    """All that the answers depend on: the file as it is now, and the model."""
    digest, state = hashlib.sha256(), file.stat()
    for name, content in model.files:
        digest.update(name.encode() + content)
    return {
        "file": str(file.resolve()),
        "bytes": state.st_size,
        "changed": state.st_mtime_ns,
        "model": digest.hexdigest(),
        "own_measures": sorted(model.own.names),
        "rows": rows,
        "drivers": model.drivers,
        "next_test": model.next_test,
    }


def repeated_over_chunks(run: UnfinishedRun) -> list[CellFault]:
    """Screenings that stand in two chunks: 8 bytes a row are kept, and rows alike looked at again.

    Parameters
    ----------
    run
        The scored chunks, each without repeats of its own.

    Returns
    -------
    A fault for each row whose athlete and date stand further up already.
    """
    digests = [pd.util.hash_array(keys) for keys, _ in _keys(run)]
    if len(digests) < 2:
        return []
    values, counts = np.unique(np.concatenate(digests), return_counts=True)
    alike = values[counts > 1]
    seen: set[str] = set()
    faults: list[CellFault] = []
    for (keys, table), digest in zip(_keys(run), digests, strict=True):
        for row in np.flatnonzero(np.isin(digest, alike)).tolist():
            if keys[row] in seen:
                by = SCREENING_DATE if SCREENING_DATE in table.column_names else ATHLETE_ID
                faults.append(repeated_screening(table[LINE][row].as_py(), by))
            seen.add(keys[row])
    return faults


def _keys(run: UnfinishedRun) -> Iterator[tuple[Any, Any]]:
    """Athlete and date of each row as one text, chunk by chunk, and the chunk."""
    for table in run.tables():
        columns = [name for name in (ATHLETE_ID, SCREENING_DATE) if name in table.column_names]
        parts: Sequence[list[Any]] = [table[name].to_pylist() for name in columns]
        keys = ["\n".join(part or "" for part in row) for row in zip(*parts, strict=True)]
        yield np.array(keys, dtype=object), table


def write_answers(run: UnfinishedRun, out: Path) -> int:
    """Put the answers of all chunks into one file, all of it or nothing.

    Parameters
    ----------
    run
        The scored chunks.
    out
        The file to write, .csv or .parquet.

    Returns
    -------
    How many answers it has.
    """
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        unfinished = Path(folder) / out.name
        tables = (table.drop_columns([LINE]) for table in run.tables())
        write = _write_parquet if out.suffix.lower() == ".parquet" else _write_csv
        count = write(tables, unfinished)
        unfinished.replace(out)
    run.clear()
    return count


def _write_parquet(tables: Iterator[Any], path: Path) -> int:
    first = next(tables)
    count = first.num_rows
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
            count += table.num_rows
    return int(count)


def _write_csv(tables: Iterator[Any], path: Path) -> int:
    first = next(tables)
    count = first.num_rows
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_header(first.column_names) + csv_lines(first))
        for table in tables:
            file.write(csv_lines(table))
            count += table.num_rows
    return int(count)
