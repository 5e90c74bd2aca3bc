"""The output of commands: messages on stderr, one result on stdout, and files that are whole."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kneerisk.progress import Progress, ProgressEvent

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Progress as Bar

#: What is shown of control characters in a file's own words, which would steer a terminal.
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")
#: The row of the catalogue (`command_line.row`), by how the names of its metrics start.
BASELINES = {"": "model", "logistic_": "logistic", "refitted_logistic_": "refitted_logistic",
             "prior_": "base_rate", "oracle_": "oracle"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, with a style of rich where it is shown in colour."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to print: its first column holds words, the others numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    title: str = ""

    def plain(self) -> str:
        """Lines of text, columns padded with spaces."""
        lines = [list(self.columns), *([_text(cell) for cell in row] for row in self.rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        padded = [
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *padded] if self.title else padded)


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar with the time left on a terminal; one line a step where stderr is a file."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)


@contextmanager
def own_measures(file: Path | None) -> Iterator[None]:
    """Let the measures of a club's file be part of the schema within a ``with`` block."""
    if file is None:
        yield
        return
    from kneerisk.schema.measures_file import read_measures_file

    with read_measures_file(file).in_force():
        yield


def result(values: Mapping[str, Any], as_json: bool, *blocks: str | Table) -> None:
    """Print a result, in colour on a terminal alone.

    Parameters
    ----------
    values
        The result as plain data.
    as_json
        Whether to print it as one JSON object.
    *blocks
        The same for a person, from top to bottom.
    """
    if as_json:
        sys.stdout.write(json.dumps(values) + "\n")
    elif sys.stdout.isatty():
        _show(blocks)
    else:
        sys.stdout.write(plain(*blocks) + "\n")


def plain(*blocks: str | Table) -> str:
    """Texts and tables as one text, with an empty line around each table."""
    texts = [block if isinstance(block, str) else f"\n{block.plain()}\n" for block in blocks]
    return "\n".join(texts).replace("\n\n\n", "\n\n").strip("\n").translate(_CONTROLS)


def say(message: str) -> None:
    """Print a message on stderr."""
    sys.stderr.write(message.translate(_CONTROLS) + "\n")


def _show(blocks: Sequence[str | Table]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(highlight=False)
    for block in blocks:
        if isinstance(block, str):
            console.print(block.translate(_CONTROLS), markup=False)
            continue
        table = RichTable(box=box.SIMPLE_HEAD, title=block.title or None, title_justify="left")
        for place, column in enumerate(block.columns):
            table.add_column(column, justify="right" if place else "left", overflow="fold")
        for row in block.rows:
            table.add_row(*(Text(_text(c), c.style if isinstance(c, Cell) else "") for c in row))
        console.print(table)


def _text(cell: str | Cell) -> str:
    return (cell.text if isinstance(cell, Cell) else cell).translate(_CONTROLS)


def progress_text(event: ProgressEvent) -> str:
    """What is being done, in words."""
    from kneerisk.words import variant

    counts = {} if event.total is None else {"number": event.number, "total": event.total}
    values = {name: f"{value:,}" if isinstance(value, int) else value
              for name, value in {**event.details, **counts}.items()}  # fmt: skip
    text = variant("command_line.progress", event.stage, **values)
    if event.within is None:
        return text
    return variant("command_line.progress_within", event.within, step=text)


class _Bar:
    """The bar of a terminal: full where steps are counted, moving to and fro where not."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)
        self._stage: ProgressEvent | None = None

    def __call__(self, event: ProgressEvent) -> None:
        text = progress_text(event)
        if event.number is None or event.total is None:
            self._stage = None
            self._bar.reset(self._task, description=text, total=None)
            return
        stage = replace(event, number=None)
        if stage != self._stage:
            self._stage = stage
            self._bar.reset(self._task, total=event.total)
        # The step that begins is not done yet.
        self._bar.update(
            self._task, description=text, completed=event.number - 1, total=event.total
        )


class _Lines:
    """A line for each event on a stderr that is no terminal."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, event: ProgressEvent) -> None:
        text = progress_text(event)
        if text != self._last:
            self._last = text
            say(text)


def metrics_table(metrics: Mapping[str, float], rows: Mapping[str, str], title: str) -> Table:
    """The rows that were measured, and the columns that any of them has.

    Parameters
    ----------
    metrics
        By flat name.
    rows
        Which row of the catalogue it is (`command_line.row`), by the prefix of its metrics.
    title
        Above the table.

    Returns
    -------
    A row for each model; a metric that it does not have is a hyphen.
    """
    from kneerisk.evaluation.metric_table import listed
    from kneerisk.words import variant

    measured = {
        prefix: variant("command_line.row", row)
        for prefix, row in rows.items()
        if f"{prefix}log_loss" in metrics
    }
    columns = {
        metric.name: metric.column
        for metric in listed("printed")
        if any(f"{prefix}{metric.name}" in metrics for prefix in measured)
    }
    return Table(
        ["", *columns.values()],
        [
            [label, *(_four_decimals(metrics.get(f"{prefix}{name}")) for name in columns)]
            for prefix, label in measured.items()
        ],
        title,
    )


def left_out_table(metrics: Mapping[str, float], rows: Mapping[str, str]) -> list[Table]:
    """The table of groups that were left out, where there were any, baselines beside the models."""
    from kneerisk.words import text

    if "iecv_groups" not in metrics:
        return []
    title = text("command_line.table.left_out_groups", groups=f"{metrics['iecv_groups']:.0f}")
    baselines = {"iecv_logistic_": "logistic", "iecv_prior_": "base_rate"}
    return [metrics_table(metrics, {**rows, **baselines}, title)]


def _four_decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV, Excel file or Parquet, by suffix.

    Parameters
    ----------
    frame
        The table.
    path
        The file to write; its folder is made where it is not there.

    Raises
    ------
    CohortRefused
        Where the suffix is none of these.
    """
    from kneerisk.cohort.file_rows import suffix_of
    from kneerisk.cohort.layout import guarded

    suffix = path.suffix.lower() if path.suffix.lower() == ".xlsx" else suffix_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder) / path.name
        if suffix == ".csv":
            cells = frame.copy()
            for name in frame.select_dtypes(exclude="number"):
                cells[name] = frame[name].map(guarded)
            cells.to_csv(written, index=False, encoding="utf-8", lineterminator="\n")
        elif suffix == ".xlsx":
            written.write_bytes(_workbook_of(frame))
        else:
            frame.to_parquet(written, index=False)
        written.replace(path)


def write_text(text: str, path: Path) -> None:
    """Write a text as UTF-8 with plain line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder) / path.name
        written.write_text(text, encoding="utf-8", newline="\n")
        written.replace(path)


def _workbook_of(frame: pd.DataFrame) -> bytes:
    from kneerisk.cohort.sheets.files.written_workbook import workbook
    from kneerisk.words import text

    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return workbook([*frame.columns], rows, text("service.export.worksheet"))
