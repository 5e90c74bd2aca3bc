"""Many clubs' cohort files, each worked on by itself: one that is refused stops no other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.cohort import Cohort
from kneerisk.errors import CohortRefused, KneeriskError
from kneerisk.progress import Progress, event
from kneerisk.training.provenance import Source, load
from kneerisk.words import text
from kneerisk.workers.this_process import Workers

#: What cohort files are called.
_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class ClubDone:
    """A club's file, what was in it and what came of it."""

    file: Path
    cohort: Cohort
    result: Any

    @property
    def source(self) -> Source:
        """Where the cohort can be had again."""
        return Source(path=self.file.resolve())


@dataclass(frozen=True, slots=True)
class ClubRefused:
    """A club's file, and why nothing came of it."""

    file: Path
    reason: str


def cohort_files(folder: Path) -> list[Path]:
    """The cohort files of a folder, by name.

    Parameters
    ----------
    folder
        With one file a club.

    Returns
    -------
    Every CSV and Parquet file in it.

    Raises
    ------
    CohortRefused
        Where there is none, or two are called alike but for how their names end.
    """
    files = sorted(
        path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in _SUFFIXES
    )
    if not files:
        raise CohortRefused(text("training.clubs.none", folder=folder))
    names = [file.stem.casefold() for file in files]
    alike = sorted({file.stem for file in files if names.count(file.stem.casefold()) > 1})
    if alike:
        raise CohortRefused(text("training.clubs.alike", folder=folder, names=", ".join(alike)))
    return files


def over_clubs(
    work: Callable[[Any, Cohort], Any],
    shared: Any,
    files: Sequence[Path],
    workers: Workers,
    progress: Progress,
) -> Iterator[ClubDone | ClubRefused]:
    """Read clubs' files one by one, and do the same with each.

    Parameters
    ----------
    work
        A function of a module, called with `shared` and a club's cohort.
    shared
        What every call needs.
    files
        The clubs' cohort files.
    workers
        What does the work.
    progress
        Called as each file is read.

    Yields
    ------
    What came of each file, in their order.
    """
    waiting = deque[ClubRefused | tuple[Path, Cohort]]()

    def cohorts() -> Iterator[Cohort]:
        for number, file in enumerate(files, 1):
            progress(event("club", number=number, total=len(files)))
            try:
                cohort, _ = load(Source(path=file.resolve()))
            except KneeriskError as error:
                waiting.append(ClubRefused(file, str(error)))
            else:
                waiting.append((file, cohort))
                yield cohort

    for result, refusal in workers(_or_refused, (work, shared), cohorts()):
        while isinstance(first := waiting.popleft(), ClubRefused):
            yield first
        file, cohort = first
        yield ClubDone(file, cohort, result) if refusal is None else ClubRefused(file, refusal)
    yield from (each for each in waiting if isinstance(each, ClubRefused))


def _or_refused(
    shared: tuple[Callable[[Any, Cohort], Any], Any], cohort: Cohort
) -> tuple[Any, str | None]:
    work, needed = shared
    try:
        return work(needed, cohort), None
    except KneeriskError as error:
        return None, str(error)
