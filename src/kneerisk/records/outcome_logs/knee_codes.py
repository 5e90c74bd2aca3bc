"""What an OSIICS code says of the knee, by our own class of each.

All codes of the knee begin with K, and no other does (OSIICS 15, doi:10.1136/bjsports-2019-101969
and PMC11184301). The classes are ours, not the table's: `gradual` counts as knee pain,
`degenerative` counts too and is told apart by its class, `traumatic` is an outcome of its own after
which gradual pain is not looked for, `after_surgery` tells of an operation, `stump` is none of
these.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files
from typing import Literal

from kneerisk.records.outcome_logs.outcome_events import EventKind

CodeClass = Literal["gradual", "degenerative", "traumatic", "after_surgery", "stump", "not_knee"]
#: A letter for the region and up to five more letters or figures.
CODE = re.compile(r"[A-Z][A-Z0-9]{1,5}", re.ASCII)
_KIND: dict[CodeClass, EventKind] = {
    "gradual": "knee_pain", "degenerative": "knee_pain", "traumatic": "knee_injury",
    "after_surgery": "surgery", "stump": "other_problem", "not_knee": "other_problem",
}  # fmt: skip


@cache
def knee_codes() -> dict[str, CodeClass]:
    """Our class of each code of the knee."""
    table = files(__package__).joinpath("knee_codes.csv").read_text(encoding="utf-8")
    return {row["code"]: _class(row["class"]) for row in csv.DictReader(table.splitlines())}


def _class(name: str) -> CodeClass:
    return next(known for known in _KIND if known == name)


def code_in(cell: str) -> str | None:
    """The code that a cell shows; None where it is none."""
    code = cell.strip().upper()
    return code if CODE.fullmatch(code) else None


def class_of(code: str) -> CodeClass | None:
    """Our class of a code; None for one that begins with K and is not in our list."""
    return "not_knee" if not code.startswith("K") else knee_codes().get(code)


def kind_of_class(code_class: CodeClass, code: str, onset: str | None) -> EventKind:
    """What kind of event a code stands for.

    Parameters
    ----------
    code_class
        Our class of it.
    code
        The code.
    onset
        How it began, gradual or traumatic, where the file says so.

    Returns
    -------
    EventKind
        That of the class. A code of no tissue (second letter Z in the IOC consensus of 2020,
        BJSM 54:372) tells of pain and injury alike, so there the onset decides.
    """
    if code_class == "gradual" and code[1:2] == "Z" and onset == "traumatic":
        return "knee_injury"
    return _KIND[code_class]
