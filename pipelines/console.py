"""What a command says: progress and messages on stderr, one result on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

#: Told of long work: what is being done now.
Progress = Callable[[str], None]


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on a terminal; one line a step where stderr is a file."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        yield lambda doing: bar.update(task, description=doing)


def result(found: Mapping[str, Any], as_json: bool, lines: str) -> None:
    """Print a result: one JSON object, or what a person reads."""
    sys.stdout.write((json.dumps(found) if as_json else lines) + "\n")


def say(message: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(message + "\n")


class _Lines:
    def __init__(self) -> None:
        self._told = ""

    def __call__(self, doing: str) -> None:
        if doing != self._told:
            self._told = doing
            say(doing)
