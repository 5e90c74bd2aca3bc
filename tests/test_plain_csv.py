"""A CSV that Arrow splits, and one that it makes, are those of the csv module."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kneerisk.batch.csv_answers import csv_header, csv_lines
from kneerisk.cohort import file_rows
from kneerisk.cohort.file_rows import csv_rows
from kneerisk.cohort.file_validation import typed
from kneerisk.cohort.layout import guarded
from kneerisk.cohort.plain_csv import plain_cells
from kneerisk.errors import CohortRefused

#: What texts are put together from: all that divides cells, and all that may stand in them.
_PIECES = [*'"",,', "\n", "\r\n", "\r", *"a1' é=\0", '""', "'-5", '"a,b"', '"a""b"', "\ufeff"]
_CELLS = ["", "1", '"x"', '"a,b"', '"a""b"', "'=1", '"\'-5"', '""', " 2", "é", "NA", '"\n"']


def _told(content: bytes) -> Any:
    try:
        frame, lines = csv_rows(content, "a file", 3)
    except (CohortRefused, csv.Error, UnicodeDecodeError) as error:
        return str(error)
    return list(frame.columns), [frame[name].tolist() for name in frame.columns], lines


def _table(draw: random.Random) -> str:
    width, end = draw.randrange(1, 4), draw.choice(["\n", "\n", "\r\n"])
    rows = [[f'"h{place}"' for place in range(width)]]
    rows += [draw.choices(_CELLS, k=width) for _ in range(draw.randrange(5))]
    if draw.random() < 0.1:
        rows[-1].append("ragged")
    return end.join(map(",".join, rows)) + draw.choice(["", end])


def test_a_plain_text_is_read_as_the_csv_module_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(5)
    texts = [_table(draw) for _ in range(1_000)]
    texts += ["".join(draw.choices(_PIECES, k=draw.randrange(1, 25))) for _ in range(1_000)]
    contents = [text.encode() for text in texts]
    contents += [b"\xef\xbb\xbf" + content for content in contents[::20]]
    contents += [content.replace(b"1", b"\xff") for content in contents[::20]]
    contents += [b"h\n" + b"a" * size + b"\n" for size in (131_071, 131_072, 131_073)]
    assert sum(plain_cells(content) is not None for content in contents) > 300
    at_once = list(map(_told, contents))
    monkeypatch.setattr(file_rows, "plain_cells", lambda _: None)
    for content, told in zip(contents, at_once, strict=True):
        assert told == _told(content), content


def test_bad_cells_of_a_plain_text_have_the_same_faults() -> None:
    columns = {
        "athlete_id": ["a", "b", "", "d", "e", "0042"],
        "screening_date": ["2024-05-31", "31.5.2024", "2024-02-30", "", "'2024-01-01", "2024"],
        "age_years": ["20", " 20", "1_0", "1e400", '"2,5"', "'-5"],
        "height_cm": ["170.5", "", "180", "1.65e2", "0175", "1" * 30],
        "mass_kg": ["nan", "inf", "-NaN", "Infinity", "", "70"],
        "sex": ["male", "Male", "", "male", "f", "'=x"],
        "red_flags": ["none", "effusion;hard_mass", "nonsense", "", "none;none", "effusion"],
    }
    rows = [",".join(columns), *map(",".join, zip(*columns.values(), strict=True))]
    raw = csv_rows("\n".join(rows).encode(), "a file")
    assert all(isinstance(kind, pd.ArrowDtype) for kind in raw.frame.dtypes)
    frame, faults = typed(raw.frame, raw.lines)
    expected, expected_faults = typed(raw.frame.astype(object), raw.lines)
    pd.testing.assert_frame_equal(frame, expected)
    assert faults == expected_faults
    assert {fault.column for fault in faults} == set(columns)


def test_answers_are_written_as_the_csv_module_writes_them() -> None:
    draw = np.random.default_rng(3)
    sizes = 10.0 ** draw.uniform(-20.0, 20.0, 2_000) * draw.choice([-1.0, 1.0], 2_000)
    edges = [0.0, -0.0, 1.0, 2.5, 1e-4, np.nextafter(1e-4, 0.0), 1e9, 1e16, 1e-320, 0.1 + 0.2]
    numbers = np.concatenate([draw.random(500), sizes, edges, [np.nan]])
    cells = ["", None, "=1+1", "-5", "'-x", "a,b", 'a "b"', "x\ny", "x\r", "é", " a", "\t=", "1,5"]
    texts = draw.choice(np.array(cells, dtype=object), len(numbers))
    table = pa.table({
        "athlete_id": pa.array(texts, pa.string()),
        "risk": pa.array(numbers, pa.float64(), from_pandas=True),
        "none": pa.nulls(len(numbers), pa.float64()),
        "no_text": pa.nulls(len(numbers), pa.string()),
    })  # fmt: skip
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(table.column_names)
    for text, number in zip(texts.tolist(), numbers.tolist(), strict=True):
        writer.writerow([guarded(text), "" if number != number else number, "", ""])
    assert csv_header(table.column_names) + csv_lines(table) == written.getvalue()
    assert csv_lines(table.slice(0, 0)) == ""
