"""Columns looked at together: what they need of each other, and which of them mean the same.

A force that is still to be divided needs the body mass, a date of birth the day of the screening;
two columns can't be one measure, but first and last name together are one athlete.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn, label_of
from kneerisk.cohort.sheets.columns.questions import without_meaning
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import words_of
from kneerisk.cohort.sheets.lexicon.visit_words import visit_named
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    AGE,
    ATHLETE,
    BIRTH,
    DATE,
    MASS,
    leg_names,
    tokens,
)
from kneerisk.cohort.sheets.sheet_answer import Alternative
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked
from kneerisk.schema import SIDES
from kneerisk.words import text

#: An unnamed column is taken for the athletes' where so many of its entries differ (assumption).
_MOSTLY_DIFFERENT = 0.6
#: A name or a code of a person begins with a letter and has few words (assumption).
_NAME = re.compile(r"[^\W\d_][\w.'\u2019-]*(?:,? [\w.'\u2019-]+){0,4}")


def settle_columns(recognised: Sequence[RecognisedColumn]) -> list[RecognisedColumn]:
    """The columns of a sheet, with the questions that only the others raise.

    Parameters
    ----------
    recognised
        The columns, each recognised by itself.

    Returns
    -------
    list of RecognisedColumn
        In the same order; what another column makes useless is left out, with the reason.
    """
    columns = _without_records(_with_athlete(_with_pair_of_names(list(recognised))))
    columns = _without_unsided(_without_second_guess(columns))
    return _without_duplicates(_with_age(_without_mass(columns)))


def _with_pair_of_names(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """`First` and `Last` beside each other name people, which neither does alone."""
    if any(column.means == ATHLETE and not column.question for column in recognised):
        return recognised
    by_name = {fold(column.name): at for at, column in enumerate(recognised)}
    pairs = (pair.split() for pair in words_of(ATHLETE, "pair"))
    pair = next((own for own in pairs if by_name.keys() >= {*own}), [])
    for at in (by_name[name] for name in pair):
        column = recognised[at]
        if not column.is_confirmed and column.values.words.total() >= column.values.filled:
            recognised[at] = replace(
                without_meaning(column, text("sheet.why.names_athletes")),
                means=ATHLETE,
                confidence="certain",
            )
    return recognised


def _without_unsided(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """Beside columns of both legs, one of no leg is not asked about: `Pain`, `Pain L`, `Pain R`."""
    sure = {column.canonical: column for column in recognised if column.is_applied}
    settled = list(recognised)
    for at, column in enumerate(recognised):
        legs = [sure[one].name for side in SIDES if (one := f"{side}_{column.means}") in sure]
        is_open = column.question and column.means in leg_names() and not column.side
        if is_open and not column.is_confirmed and len(legs) == len(SIDES):
            left, right = map(repr, legs)
            settled[at] = _left_out(column, text("sheet.why.has_legs", left=left, right=right))
    return settled


def _with_athlete(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """Whether a column of different names is the athletes' is asked, if no other column is."""
    if any(column.means == ATHLETE for column in recognised):
        return recognised
    for at, column in enumerate(recognised):
        if column.means or column.is_confirmed or not _may_name_people(column):
            continue
        ask = ColumnAsked(means=ATHLETE)
        recognised[at] = replace(
            column,
            means=ATHLETE,
            confidence="unsure",
            why=text("sheet.why.names_athletes"),
            question=text("sheet.question.names_athletes", column=repr(column.name)),
            alternatives=(Alternative(label=label_of(ATHLETE), ask=ask),),
        )
        return recognised
    return recognised


def _without_second_guess(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """Beside a column that surely names the athletes no other is proposed to: `Spielerposition`."""
    if not any(c.means == ATHLETE and c.confidence == "certain" for c in recognised):
        return recognised
    leave_out = Alternative(label=text("sheet.question.leave_it_out"), ask=ColumnAsked(means=None))
    return [
        replace(
            column,
            proposal=None,
            alternatives=(
                Alternative(label=label_of(ATHLETE), ask=column.proposal),
                *column.alternatives,
                leave_out,
            ),
        )
        if column.means == ATHLETE and column.question and column.proposal
        else column
        for column in recognised
    ]


def _without_records(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """The number of a record names an athlete only where nothing else does: a visit has its own."""
    athletes = [column for column in recognised if column.means == ATHLETE]
    records = {c.place for c in athletes if "record" in tokens(c.name) and not c.is_confirmed}
    if not records or len(records) == len(athletes):
        return recognised
    why = text("sheet.why.of_records")
    return [_left_out(c, why) if c.place in records else c for c in recognised]


def _may_name_people(column: RecognisedColumn) -> bool:
    """Words of letters, different on most rows, of which none is a time, a pace or a sentence."""
    words = column.values.words
    if words.total() < max(2, column.values.filled):
        return False
    is_varied = len(words) > _MOSTLY_DIFFERENT * column.values.filled
    return is_varied and all(_NAME.fullmatch(word) for word in words)


def _without_mass(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """Forces that are still to be divided need the body mass."""
    if any(column.means == MASS for column in recognised):
        return recognised
    why = text("sheet.question.needs_mass")
    return [_to_leave_out(c, why) if c.means and _is_undivided(c) else c for c in recognised]


def _is_undivided(column: RecognisedColumn) -> bool:
    proposed = column.proposal.per_body_mass if column.proposal else None
    return column.unit.per_body_mass if proposed is None else proposed


def _with_age(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """A date of birth gives the age at the screening, unless a column gives the age itself."""
    held = {column.means for column in recognised}
    if AGE in held:
        why = text("sheet.why.age_is_given")
        return [_left_out(c, why) if c.means == BIRTH else c for c in recognised]
    if DATE in held:
        return recognised
    why = text("sheet.question.needs_date")
    return [
        replace(_to_leave_out(c, why), alternatives=()) if c.means == BIRTH else c
        for c in recognised
    ]


def _to_leave_out(column: RecognisedColumn, why: str) -> RecognisedColumn:
    return replace(
        column,
        question=text("sheet.question.leave_out", column=repr(column.name), why=why),
        proposal=ColumnAsked(means=None),
        confidence="unsure",
    )


def _without_duplicates(recognised: list[RecognisedColumn]) -> list[RecognisedColumn]:
    """Columns that mean the same: what a person confirmed counts, else it is asked which one."""
    same: dict[str, list[int]] = defaultdict(list)
    for at, column in enumerate(recognised):
        # First and last name together name an athlete.
        waits_for_leg = column.question and column.means in leg_names() and not column.side
        # Of a test that was done again it is asked already whether it counts.
        waits_for_visit = column.question and _is_later(column)
        if column.means != ATHLETE and not waits_for_leg and not waits_for_visit:
            for canonical in column.canonicals:
                same[canonical].append(at)
    for places in same.values():
        confirmed = [at for at in places if recognised[at].is_confirmed]
        best = max(recognised[at].confidence == "certain" for at in places)
        sure = confirmed or [
            at for at in places if (recognised[at].confidence == "certain") == best
        ]
        for at in set(places) - set(sure):
            kept = recognised[sure[0]]
            why = text("sheet.why.same_meaning", column=repr(kept.name), place=kept.place)
            recognised[at] = _left_out(recognised[at], why)
        if len(sure) > 1:
            for at in sure:
                recognised[at] = _which(recognised, at, sure)
    return recognised


def _is_later(column: RecognisedColumn) -> bool:
    visit = visit_named(column.name)
    return visit is not None and visit.visit == "later"


def _left_out(column: RecognisedColumn, why: str) -> RecognisedColumn:
    return replace(without_meaning(column, why), alternatives=column.alternatives)


def _which(
    recognised: Sequence[RecognisedColumn], at: int, same: Sequence[int]
) -> RecognisedColumn:
    """One of several columns with the same meaning; the fullest is proposed."""
    column = recognised[at]
    others = ", ".join(recognised[other].place for other in same if other != at)
    fullest = max(same, key=lambda place: (recognised[place].values.filled, -place))
    filled = [recognised[other].values.filled for other in same]
    # Of two that are equally full neither is better.
    is_better = filled.count(max(filled)) == 1
    label = label_of(column.means or "")
    keep = ColumnAsked(
        means=column.canonical,
        unit=column.unit.name,
        per_body_mass=column.unit.per_body_mass or None,
    )
    drop = ColumnAsked(means=None)
    is_fullest = at == fullest
    other = Alternative(label=text("sheet.question.leave_it_out"), ask=drop)
    kept = Alternative(label=label, ask=keep)
    choices = (other if is_fullest else kept,) if is_better else (kept, other)
    return replace(
        column,
        confidence="unsure",
        question=text("sheet.question.which", column=repr(column.name), others=others, label=label),
        proposal=(keep if is_fullest else drop) if is_better else None,
        alternatives=choices,
    )
