"""Progress of long work as events: what is being done, and how far it has come.

Code that takes time calls a `Progress` with an `event`. The words for a person are found by the
event's stage in the message catalogue (``command_line.progress``), so that nothing here is prose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """What is being done."""

    stage: str
    """A key of ``command_line.progress`` in the message catalogue."""
    number: int | None = None
    """Which of the stage's steps begins, from 1; None where steps are not counted."""
    total: int | None = None
    """How many steps the stage has."""
    details: Mapping[str, object] = field(default_factory=dict)
    """What the stage is about, such as a file's name: placeholders of its text."""
    within: str | None = None
    """The stage that this one is a part of."""


#: Called as long work goes on.
Progress = Callable[[ProgressEvent], None]


def event(
    stage: str, /, *, number: int | None = None, total: int | None = None, **details: object
) -> ProgressEvent:
    """An event, its details given by keyword.

    Parameters
    ----------
    stage
        A key of ``command_line.progress`` in the message catalogue.
    number
        Which step begins, from 1; None where steps are not counted.
    total
        How many steps there are.
    **details
        What the placeholders of the stage's text stand for.

    Returns
    -------
    The event.
    """
    return ProgressEvent(stage, number, total, details)


def ignore(_: ProgressEvent) -> None:
    """The progress that nobody looks at."""


def within(stage: str, progress: Progress) -> Progress:
    """The same progress, for events that are parts of a longer stage.

    Parameters
    ----------
    stage
        The longer stage, a key of ``command_line.progress_within``.
    progress
        What is called with the events.

    Returns
    -------
    What to call in its place.
    """
    return lambda part: progress(replace(part, within=stage))
