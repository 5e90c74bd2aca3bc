"""The workouts of Apple Health's `export.xml`, streamed past everything else that it holds.

The file has every heartbeat of years and may be a gigabyte. It is passed to the standard library's
expat piece by piece; of its elements only workouts are kept. An entity that the file declares is
refused, since it could grow without end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate

import numpy as np

from kneerisk.cohort.sheets.training_logs.log_columns import unit_word
from kneerisk.cohort.sheets.training_logs.log_questions import km_in
from kneerisk.cohort.sheets.training_logs.sessions import LONGEST_HOURS, Sessions, is_of_a_log
from kneerisk.cohort.sheets.training_logs.sports import sport_kind
from kneerisk.errors import CohortRefused
from kneerisk.words import text

#: Two gigabytes: some ten years of a watch that is worn day and night (assumption).
MOST_BYTES = 2_000_000_000
#: Five workouts a day for ten years; and elements within elements (assumptions).
MOST_WORKOUTS, _DEEPEST = 20_000, 32
#: The parser keeps a tag that is not closed yet, and reads it again with each piece (assumption:
#: Apple's have hundreds of bytes).
_LONGEST_TAG = 1_000_000
#: Attributes in its document type (assumption: Apple's declares some hundred).
_MOST_DECLARED = 1_000
_HOURS = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600}
_DISTANCE = "HKQuantityTypeIdentifierDistanceWalkingRunning"


class Workout(NamedTuple):
    """One workout."""

    day: date
    word: str
    """Apple's word for the sport, without its prefix."""
    km: float
    hours: float


class _Handlers:
    """What is done with each element."""

    def __init__(self) -> None:
        self.workouts: list[Workout] = []
        self.unread = 0
        self._depth = self._declared = 0
        self._open: Workout | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise CohortRefused(text("training_log.apple.too_deep"))
        if tag == "Workout":
            self._open = _workout(attributes)
            self.unread += self._open is None
            if len(self.workouts) >= MOST_WORKOUTS:
                most = f"{MOST_WORKOUTS:,}"
                raise CohortRefused(text("training_log.apple.workouts", most=most))
        elif tag == "WorkoutStatistics" and self._open and attributes.get("type") == _DISTANCE:
            km = _km(attributes.get("sum"), attributes.get("unit"))
            self._open = self._open._replace(km=km) if km > 0 else self._open

    def end(self, tag: str) -> None:
        """End an element."""
        self._depth -= 1
        if tag == "Workout" and self._open is not None:
            self.workouts.append(self._open)
            self._open = None

    def refuse_entity(self, *_: object) -> None:
        """No export declares one."""
        raise CohortRefused(text("training_log.apple.entity"))

    def declare(self, *_: object) -> None:
        """Count the attributes that are declared: each is looked at again with each element."""
        self._declared += 1
        if self._declared > _MOST_DECLARED:
            raise CohortRefused(text("training_log.apple.broken"))


def _workout(attributes: dict[str, str]) -> Workout | None:
    try:
        # The day as the watch's own clock showed it: `2026-05-01 07:12:33 +0200`.
        day = date.fromisoformat(attributes["startDate"][:10])
        hours = float(attributes["duration"]) * _HOURS[attributes.get("durationUnit", "min")]
    except (KeyError, ValueError):
        return None
    if not (is_of_a_log(day) and 0 <= hours <= LONGEST_HOURS):
        return None
    word = attributes.get("workoutActivityType", "")[:100].removeprefix("HKWorkoutActivityType")
    km = _km(attributes.get("totalDistance"), attributes.get("totalDistanceUnit"))
    return Workout(day, word, km, hours)


def _km(number: str | None, unit: str | None) -> float:
    known = unit_word(unit) if unit else None
    try:
        return float(number) * km_in(known) if number and known in {"km", "mile", "m"} else np.nan
    except ValueError:
        return np.nan


def workouts_of(pieces: Iterable[bytes]) -> tuple[list[Workout], int]:
    """The workouts of an export, and how many could not be read.

    Parameters
    ----------
    pieces
        The file, piece by piece.

    Returns
    -------
    tuple
        The workouts in the order of the file, and a count.

    Raises
    ------
    CohortRefused
        Where it is no XML, declares entities, or has more of something than is read.
    """
    handlers, parser = _Handlers(), ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = handlers.start, handlers.end
    parser.EntityDeclHandler = handlers.refuse_entity
    parser.AttlistDeclHandler = handlers.declare
    # Defaults of the document type are none of a workout's.
    parser.specified_attributes = True
    fed = 0
    try:
        for piece in pieces:
            fed += len(piece)
            if fed > MOST_BYTES:
                raise CohortRefused(text("training_log.apple.bytes", most=f"{MOST_BYTES:,}"))
            parser.Parse(piece, False)
            if fed - parser.CurrentByteIndex > _LONGEST_TAG:
                raise CohortRefused(text("training_log.apple.broken"))
        parser.Parse(b"", True)
    # Of an encoding that it doesn't have, or won't read, the parser says so in other ways.
    except (ExpatError, ValueError, LookupError):
        raise CohortRefused(text("training_log.apple.broken")) from None
    return handlers.workouts, handlers.unread


def sessions_of(workouts: Iterable[Workout]) -> Sessions:
    """Workouts as sessions; only runs have a distance."""
    several = list(workouts)
    kinds = [sport_kind(workout.word) or "other" for workout in several]
    is_run = np.array([kind == "running" for kind in kinds], dtype=bool)
    nothing = np.full(len(several), np.nan)
    return Sessions(
        day=np.array([workout.day.isoformat() for workout in several], dtype="datetime64[D]"),
        kind=np.array(kinds, dtype="U8"),
        distance_km=np.where(is_run, np.array([w.km for w in several], dtype=float), np.nan),
        hours=np.array([workout.hours for workout in several], dtype=float),
        cadence_spm=nothing,
        planned_km=nothing,
        athlete=np.full(len(several), None, dtype=object),
        line=np.zeros(len(several), dtype=int),
    )
