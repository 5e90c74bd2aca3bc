"""A file of screenings in chunks of rows, so that it is never in memory as a whole.

A chunk holds what it takes to read it alone: another process may do so. Its rows are checked as
those of a whole file are, with the lines of the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from kneerisk.cohort.file_rows import (
    RawTable,
    arrow_rows,
    csv_rows,
    refuse_layout,
    refusing_broken,
    suffix_of,
)

#: Rows of a chunk (assumption: enough that patterns of tests repeat, some 300 MB in a worker).
CHUNK_ROWS = 10_000


class Chunk(NamedTuple):
    """Some rows of a file: bytes of a CSV with its header, or a batch of Arrow's records.

    ``before`` are the lines or rows of the file before it, ``size`` its lines or rows.
    """

    number: int
    source: str
    content: Any
    before: int
    size: int


def row_count(path: Path) -> int:
    """The rows of a file: of a CSV its lines below the header, which may be a few more."""
    with refusing_broken(path):
        if suffix_of(path) == ".parquet":
            return int(pq.ParquetFile(path).metadata.num_rows)
        ends, last = 0, b""
        with path.open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                ends, last = ends + block.count(b"\n"), block[-1:]
        # The header ends one line; the last row need not end its own.
        return max(ends - (last == b"\n"), 1)


def chunks_of(path: Path, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """The chunks of a file, always the same ones for the same file.

    Parameters
    ----------
    path
        A file that ends in .csv or .parquet.
    rows
        How many rows a chunk has, but for the last.

    Yields
    ------
    One chunk at least.

    Raises
    ------
    CohortRefused
        Where the file is absent, of another format, or broken.
    """
    read = _csv_chunks if suffix_of(path) == ".csv" else _parquet_chunks
    with refusing_broken(path):
        yield from read(path, rows)


def rows_in(chunk: Chunk) -> RawTable:
    """The cells of a chunk, and the line of each row in the file.

    Parameters
    ----------
    chunk
        The chunk.

    Returns
    -------
    Cells as `kneerisk.cohort.file_rows.read_table` gives them.

    Raises
    ------
    CohortRefused
        Where it can't be read.
    """
    if not isinstance(chunk.content, bytes):
        return arrow_rows(chunk.content, chunk.before)
    with refusing_broken(Path(chunk.source)):
        return csv_rows(chunk.content, chunk.source, chunk.before)


def _csv_chunks(path: Path, rows: int) -> Iterator[Chunk]:
    with path.open("rb") as file:
        records = _records(file)
        header = next(records, b"")
        while not header.strip(b"\xef\xbb\xbf\r\n") and (more := next(records, b"")):
            header += more
        number = before = 0
        block: list[bytes] = []
        for record in records:
            block.append(record)
            if len(block) == rows:
                yield _csv_chunk(number, path, header, block, before)
                number, before, block = number + 1, before + _lines(b"".join(block)), []
        if block or not number:
            yield _csv_chunk(number, path, header, block, before)


def _csv_chunk(number: int, path: Path, header: bytes, block: list[bytes], before: int) -> Chunk:
    return Chunk(number, str(path), header + b"".join(block), before, len(block))


def _records(file: io.BufferedReader) -> Iterator[bytes]:
    """Lines of a CSV, put together where a line ends inside of quotes."""
    record = b""
    for line in file:
        record = record + line if record else line
        if b'"' not in record or record.count(b'"') % 2 == 0:
            yield record
            record = b""
    if record:
        yield record


def _lines(content: bytes) -> int:
    """Lines as the csv module counts them."""
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")


def _parquet_chunks(path: Path, rows: int) -> Iterator[Chunk]:
    file = pq.ParquetFile(path)
    refuse_layout(file.schema_arrow, str(path))
    before = number = 0
    for batch in file.iter_batches(rows):
        table = pa.Table.from_batches([batch])
        yield Chunk(number, str(path), table, before, batch.num_rows)
        number, before = number + 1, before + batch.num_rows
    if not number:
        empty = file.schema_arrow.empty_table()
        yield Chunk(0, str(path), empty, 0, 0)
