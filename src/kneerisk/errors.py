"""Every error that kneerisk raises on purpose. What a person did wrong is a `KneeriskError`.

A message says what was wrong, where, and what is allowed; it never repeats an athlete's value.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kneerisk.words import text


class KneeriskError(Exception):
    """Base of all: commands print its message and end with a non-zero exit, no traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a value outside its limits may have been meant to be; it goes only to who sent it."""

    value: float
    unit: str
    message: str
    """How it follows from what was written: ``210 Nm at 71 kg is 2.96 Nm/kg``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with an input: where it is, a stable code, the rule and what is allowed."""

    pointer: str
    code: str
    message: str
    allowed: str | None = None
    unit: str | None = None
    proposal: Proposal | None = None
    """Where a common slip explains the value; the value stays refused until it is sent anew."""

    def as_dict(self) -> dict[str, Any]:
        """The fault as plain data, without what is not known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class ScreeningRefused(KneeriskError):
    """A screening that breaks the schema, with every fault of it."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        lines = [f"  {fault.pointer}: {fault.message}" for fault in faults]
        super().__init__("\n".join([text("schema.faults.screening", count=len(faults)), *lines]))


class MeasuresRefused(KneeriskError):
    """A declaration of own measures that can't be used, with every fault of it."""

    def __init__(self, source: str, message: str, faults: list[Fault] | None = None) -> None:
        self.faults = faults or []
        lines = [f"  {fault.pointer}: {fault.message}" for fault in self.faults]
        super().__init__("\n".join([f"{source}: {message}", *lines]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFault:
    """One bad cell of a file: its line and column as a person counts them, and the rule."""

    line: int
    column: str
    rule: str
    allowed: str
    unit: str = ""
    code: str = "bad_cell"
    """Stable; for programs."""

    @property
    def message(self) -> str:
        """The rule, and what is allowed unless the rule says so already."""
        if self.allowed in self.rule:
            return self.rule
        return text("schema.faults.allowed", rule=self.rule, allowed=self.allowed)


class BadCells(KneeriskError):
    """A file with bad cells, all of them named; nothing of it was used or written."""

    def __init__(self, source: str, faults: list[CellFault]) -> None:
        self.source = source
        self.faults = faults
        lines = [
            text("schema.faults.cell", line=fault.line, column=fault.column, fault=fault.message)
            for fault in faults
        ]
        heading = text("schema.faults.cells", source=source, count=len(faults))
        super().__init__("\n  ".join([heading, *lines]))


class CohortRefused(KneeriskError):
    """A file or mapping that can't be read as a cohort, or a cohort that can't be trained on."""


class BundleRefused(KneeriskError):
    """A bundle that does not match its own facts, this schema or this program."""


class PromotionRefused(KneeriskError):
    """A challenger that did not pass a gate, or a release that can't be put back.

    ``verdict`` is each gate as plain data, where gates were asked.
    """

    def __init__(self, message: str, verdict: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict


class StudyRefused(KneeriskError):
    """A study that can't be gone on with: its trials would not compare with new ones."""


class WorkersLost(KneeriskError):
    """Processes that end again and again without finishing what they were given."""


class ClusterNotThere(KneeriskError):
    """No scheduler of a cluster where one should be, or nothing to talk to it with."""


class PortTaken(KneeriskError):
    """A port that another program listens on."""
