"""Case lists: what each row was, of which knee, from when to when.

The order in which a row is understood: the club's own words (mapping), end of follow-up, illness,
the code, the body part, the diagnosis. What is left open is asked, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from kneerisk.records.outcome_logs.episodes import Case
from kneerisk.records.outcome_logs.knee_codes import CodeClass, class_of, code_in, kind_of_class
from kneerisk.records.outcome_logs.log_rows import (
    Beginning,
    LogRows,
    beginning_of,
    is_word,
    number_in,
    says,
    side_named,
)
from kneerisk.records.outcome_logs.outcome_events import (
    CheckIn,
    Course,
    EventKind,
    FollowedPeriod,
    KneeSide,
    OutcomeEvent,
)

_OF_KNEES: frozenset[EventKind] = frozenset({"knee_pain", "knee_injury", "surgery"})
#: Words of a first, a second and an unhealed case (IOC consensus 2020, BJSM 54:372).
_COURSES: tuple[Course, ...] = ("new", "recurrence", "flare")


class Understood(NamedTuple):
    """What a row is."""

    kind: EventKind
    code: str | None = None
    code_class: CodeClass | None = None


class CasesRead(NamedTuple):
    """What the rows of a case list are."""

    cases: list[Case]
    check_ins: list[CheckIn]
    followed: list[FollowedPeriod]
    ends_before_onset: int = 0
    code_against_area: int = 0


def read_cases(rows: LogRows) -> CasesRead:
    """The cases of a file, and from when to when each athlete was watched, where it says so."""
    onsets = rows.days("onset_date" if rows.table.has("onset_date") else "date")
    ends, starts, stops = rows.days("end_date"), rows.days("start"), rows.days("stop")
    names_places = any(_names_knee(rows, cells) for _, cells in rows.table.rows)
    found = CasesRead([], [], _followed(rows, starts, stops))
    before = against = 0
    for at, (line, cells) in enumerate(rows.table.rows):
        onset = onsets[at]
        if not (athlete := rows.whose(at)):
            continue
        if rows.table.kind == "follow_up" and not _is_event(rows, cells, onset):
            _end_follow_up(rows, found, athlete, stops[at], line)
            continue
        if onset is None:
            rows.file.leave_out("no_day", line)
            continue
        if _is_nothing(rows, cells):
            found.check_ins.append(
                CheckIn(athlete=athlete, covers_from=onset, covers_to=onset, side="both",
                        says="nothing_new", file=rows.table.name, line=line)
            )  # fmt: skip
            rows.file.as_check_ins += 1
            continue
        known = _understood(rows, cells, names_places=names_places)
        side = _side(rows, cells, at, known)
        if known is None or side is None:
            rows.file.leave_out("asked", line)
            continue
        rows.file.as_events += 1
        before += bool(ends[at] and ends[at] < onset)  # type: ignore[operator]
        against += _is_against_area(rows, cells, known)
        found.cases.append(_case(rows, cells, at, known, side, onset, ends[at], starts[at]))
    return found._replace(ends_before_onset=before, code_against_area=against)


def _is_event(rows: LogRows, cells: Sequence[str], onset: date | None) -> bool:
    status = rows.table.cell(cells, "status")
    return number_in(status) == 1.0 or is_word(status, "yes") if status else onset is not None


def _is_nothing(rows: LogRows, cells: Sequence[str]) -> bool:
    told = [rows.table.cell(cells, field) for field in ("problem", "what", "area")]
    filled = [cell for cell in told if cell]
    return bool(filled) and all(is_word(cell, "nothing") for cell in filled)


def _texts(rows: LogRows, cells: Sequence[str]) -> str:
    """What a row says of the problem in words, from every column of it."""
    fields = rows.table.fields
    places = [*fields.get("what", ()), *fields.get("problem", ())]
    return "; ".join(cells[at] for at in places if cells[at])


def _names_knee(rows: LogRows, cells: Sequence[str]) -> bool:
    return says(_texts(rows, cells), "knee")


def _understood(rows: LogRows, cells: Sequence[str], *, names_places: bool) -> Understood | None:
    """What a row is; None where it is asked."""
    problem, words = rows.table.cell(cells, "problem"), _texts(rows, cells)
    told = {word.casefold(): kind for word, kind in rows.mapping.problem_words.items()}
    for cell in (problem, rows.table.cell(cells, "what")):
        if cell and cell.casefold() in told:
            return Understood(told[cell.casefold()])
    whole = [rows.table.cell(cells, "what"), rows.table.cell(cells, "area")]
    if says(problem, "end_of_follow_up") or any(is_word(w, "end_of_follow_up") for w in whole):
        # Of a diagnosis the whole cell counts: one may be transferred to a hospital.
        return Understood("end_of_follow_up")
    if problem and is_word(problem, "not_injury"):
        return Understood("other_problem")
    onset = beginning_of(rows.table.cell(cells, "onset"))
    code = code_in(rows.table.cell(cells, "code"))
    if code is not None:
        return _of_code(rows, code, onset, words)
    place = _is_knee(rows, cells, words, names_places=names_places)
    if place is None:
        rows.ask("problems_without_place", {"knees": "knee", "elsewhere": "elsewhere"})
        return None
    if not place:
        return Understood("other_problem")
    if says(words, "surgery"):
        return Understood("surgery")
    began = onset or beginning_of(words) or rows.mapping.knee_onset
    if began is None:
        rows.ask("knee_onset", {"gradual": "gradual", "traumatic": "traumatic"})
        return None
    return Understood("knee_pain" if began == "gradual" else "knee_injury")


def _of_code(rows: LogRows, code: str, onset: Beginning | None, words: str) -> Understood | None:
    known = rows.mapping.codes.get(code) or class_of(code)
    if known is None:
        rows.ask_word("codes", code, ("gradual", "degenerative", "traumatic", "after_surgery"))
        return None
    kind = kind_of_class(known, code, onset)
    if code.startswith("K") and says(words, "surgery"):
        kind = "surgery"
    return Understood(kind, code, known)


def _is_knee(rows: LogRows, cells: Sequence[str], words: str, *, names_places: bool) -> bool | None:
    """Whether a row is about a knee; None where nothing of it says so."""
    if area := rows.table.cell(cells, "area"):
        return says(area, "knee")
    if says(words, "knee"):
        return True
    stated = rows.mapping.problems_without_place
    if stated is not None:
        return stated == "knee"
    # Where some rows name the knee in words, the others are about what their words say.
    return False if words and names_places else None


def _side(
    rows: LogRows, cells: Sequence[str], at: int, known: Understood | None
) -> KneeSide | None:
    if known is None:
        return "unknown"
    if known.kind not in _OF_KNEES:
        return "unknown"
    cell = rows.table.cell(cells, "side")
    if not cell:
        words = f"{rows.table.cell(cells, 'area')}; {_texts(rows, cells)}"
        cell = side_named(words) or ""
    return rows.side(cell, at)


def _is_against_area(rows: LogRows, cells: Sequence[str], known: Understood) -> bool:
    area = rows.table.cell(cells, "area")
    if not area or known.code is None:
        return False
    return says(area, "knee") != known.code.startswith("K")


def _case(
    rows: LogRows,
    cells: Sequence[str],
    at: int,
    known: Understood,
    side: KneeSide,
    onset: date,
    end: date | None,
    start: date | None,
) -> Case:
    severity = number_in(rows.table.cell(cells, "severity"))
    lost = number_in(rows.table.cell(cells, "days_lost"))
    # A problem that was there on the first day of follow-up is not new.
    was_there = start is not None and onset <= start
    event = OutcomeEvent(
        athlete=rows.athlete(at), kind=known.kind, side=side,
        onset_earliest=None if was_there else onset, onset_latest=onset,
        course="at_first_report" if was_there else "new",
        free_by=end if end is not None and end >= onset else None,
        severity=severity if severity is not None and 0.0 <= severity <= 100.0 else None,
        grade=_grade(rows, cells, severity),
        days_lost=int(lost) if lost is not None and lost >= 0 and lost.is_integer() else None,
        code=known.code, code_class=known.code_class,
        file=rows.table.name, lines=(rows.table.rows[at][0],),
    )  # fmt: skip
    area = rows.table.cell(cells, "area") or (known.code or "")[:1] or _texts(rows, cells)
    part = area.casefold() if known.kind == "other_problem" else ""
    return Case(event, part, _stated_course(rows, cells) if not was_there else None)


def _grade(rows: LogRows, cells: Sequence[str], severity: float | None) -> str | None:
    """The file's word for how bad it was; a column of severity may hold words."""
    word = rows.table.cell(cells, "grade")
    if not word and severity is None:
        word = rows.table.cell(cells, "severity")
    return word.casefold() or None


def _stated_course(rows: LogRows, cells: Sequence[str]) -> Course | None:
    cell = rows.table.cell(cells, "subsequent")
    for course in _COURSES:
        if cell and is_word(cell, course):
            return course
    if is_word(rows.table.cell(cells, "first"), "no_word"):
        return "recurrence"
    return None


def _end_follow_up(
    rows: LogRows, found: CasesRead, athlete: str, stop: date | None, line: int
) -> None:
    """A row without an event tells when follow-up ended."""
    if stop is None:
        rows.file.leave_out("no_day", line)
        return
    rows.file.as_events += 1
    event = OutcomeEvent(
        athlete=athlete, kind="end_of_follow_up", side="unknown", onset_earliest=stop,
        onset_latest=stop, file=rows.table.name, lines=(line,),
    )  # fmt: skip
    found.cases.append(Case(event, "", None))


def _followed(
    rows: LogRows, starts: Sequence[date | None], stops: Sequence[date | None]
) -> list[FollowedPeriod]:
    if rows.table.kind != "follow_up":
        return []
    periods: dict[str, tuple[list[date], list[date]]] = {}
    for at in range(len(rows.table.rows)):
        first, last = periods.setdefault(rows.athlete(at), ([], []))
        first += [day for day in (starts[at],) if day]
        last += [day for day in (stops[at],) if day]
    return [
        FollowedPeriod(athlete=name, start=min(first, default=None), end=max(last, default=None))
        for name, (first, last) in periods.items()
        if name
    ]
