"""The scores of the OSTRC questionnaires: four answers, their sum, problem and substantial.

Version 1 (Clarsen, BJSM 2013;47:495) scores questions 1 and 4 with 0/8/17/25, 2 and 3 with
0/6/13/19/25. Version 2 (Clarsen, BJSM 2020;54:390) scores all with 0/8/17/25, and its first
question is a gatekeeper: "no problem" ends it with 0, "cannot participate" ends it with 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kneerisk.records.outcome_logs.outcome_events import Says
from kneerisk.records.outcome_logs.outcome_mapping import Coding

Version = Literal["v1", "v2"]
Answers = tuple[float | None, ...]

_FOUR = (0.0, 8.0, 17.0, 25.0)
_FIVE = (0.0, 6.0, 13.0, 19.0, 25.0)
_SCORES: dict[Version, tuple[tuple[float, ...], ...]] = {
    "v1": (_FOUR, _FIVE, _FIVE, _FOUR),
    "v2": (_FOUR, _FOUR, _FOUR, _FOUR),
}
#: Question 2 or 3 moderate or worse makes a problem substantial (the same papers).
_SUBSTANTIAL: dict[Version, float] = {"v1": 13.0, "v2": 17.0}
_CANNOT = 25.0
#: No option of any version has a higher number, counted from 1.
_HIGHEST_OPTION = 5.0


@dataclass(frozen=True, slots=True)
class Scored:
    """What four answers come to."""

    says: Says
    severity: float | None
    substantial: bool | None
    answers: Answers


@dataclass(frozen=True, slots=True)
class Reading:
    """How the answers of a file are written; None where the file leaves it open and it matters."""

    version: Version | None
    coding: Coding | None


def reading_of(rows: Iterable[Answers]) -> Reading:
    """How a file writes its answers, as far as all of them together tell.

    Parameters
    ----------
    rows
        The four answers of each report.

    Returns
    -------
    Reading
        The version and the coding; None for what is open.
    """
    known = [row for row in rows if any(value is not None for value in row)]
    values = {value for row in known for value in row if value is not None}
    middle = {value for row in known for value in row[1:3] if value is not None}
    coding = _coding(values)
    if coding is None:
        return Reading(None, None)
    return Reading(_version(known, middle, coding), coding)


def _coding(values: set[float]) -> Coding | None:
    if max(values, default=0.0) > _HIGHEST_OPTION or values <= {0.0}:
        return "scores"
    return "from_0" if 0.0 in values else None


def _version(known: Sequence[Answers], middle: set[float], coding: Coding) -> Version | None:
    is_gated = any(row[0] is not None and set(row[1:]) == {None} for row in known)
    if coding == "scores":
        one, two = bool(middle & {6.0, 13.0, 19.0}), bool(middle & {8.0, 17.0})
        if one != two:
            return "v1" if one else "v2"
        if one:
            return None
        # With 0 and 25 alone, only a "cannot participate" is scored differently.
        matters = any(row[0] == _CANNOT for row in known) and not is_gated
        return None if matters else "v2"
    highest = max(middle, default=0.0)
    if highest >= (4.0 if coding == "from_0" else 5.0):
        return "v1"
    lowest = 0.0 if coding == "from_0" else 1.0
    return "v2" if is_gated or highest <= lowest else None


def with_coding(rows: Iterable[Answers], coding: Coding) -> Reading:
    """How a file writes its answers, where a person told how the options are numbered."""
    known = [row for row in rows if any(value is not None for value in row)]
    middle = {value for row in known for value in row[1:3] if value is not None}
    return Reading(_version(known, middle, coding), coding)


def scored(given: Answers, version: Version, coding: Coding, total: float | None) -> Scored | str:
    """What the four answers of a report come to.

    Parameters
    ----------
    given
        The answers as they stand in the file; None for none.
    version
        Of the questionnaire.
    coding
        Whether they are scores, or numbers of options from 0 or from 1.
    total
        The sum that the file has, used only where answers are missing.

    Returns
    -------
    Scored or str
        The code of `outcome_log.left_out` that says why it can't be used.
    """
    answers = []
    for value, scores in zip(given, _SCORES[version], strict=True):
        score = _score(value, scores, coding)
        if value is not None and score is None:
            return "not_an_answer"
        answers.append(score)
    if all(answer is None for answer in answers) and total is None:
        return "unanswered"
    return _summed(tuple(answers), version, total)


def _score(value: float | None, scores: tuple[float, ...], coding: Coding) -> float | None:
    if value is None:
        return None
    if coding == "scores":
        return value if value in scores else None
    option = value - (coding == "from_1")
    is_option = option.is_integer() and 0 <= option < len(scores)
    return scores[int(option)] if is_option else None


def _summed(answers: Answers, version: Version, total: float | None) -> Scored:
    first = answers[0]
    above = [answer for answer in answers if answer]
    is_complete = None not in answers
    severity = float(sum(above)) if is_complete else None
    if version == "v2" and first is not None:
        # The gatekeeper alone tells whether there is a problem.
        says: Says = "problem" if first > 0 else "nothing_new"
        severity = {0.0: 0.0, _CANNOT: 100.0}.get(first, severity)
    else:
        says = "problem" if above else "nothing_new" if is_complete else "unknown"
    if severity is None and total is not None and 0.0 <= total <= 100.0:
        severity = total
        says = ("problem" if total > 0 else "nothing_new") if says == "unknown" else says
    limit = _SUBSTANTIAL[version]
    is_substantial = first == _CANNOT or any(a is not None and a >= limit for a in answers[1:3])
    if says == "nothing_new":
        is_substantial = False
    known = is_substantial or says == "nothing_new" or None not in answers[1:3]
    return Scored(says, severity, is_substantial if known else None, answers)
