"""Every meaning that a column may have, by its name and what its cells can be read as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kneerisk.cohort.sheets.cells.cell_dates import date_forms
from kneerisk.cohort.sheets.cells.cell_text import ColumnValues, as_text, is_missing
from kneerisk.cohort.sheets.columns.agreement import EXACT, Candidate, Setting, quantity_candidate
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import plain_words
from kneerisk.cohort.sheets.lexicon.name_matches import Match
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    ATHLETE,
    BIRTH,
    DATE,
    FLAGS,
    SIDE,
    answers,
    answers_in,
    unsided,
)
from kneerisk.schema import Quantity
from kneerisk.words import text

#: Below this a role is not thought of, since any name has words like `name` and `id` (assumption).
_LIKELY = 0.8
#: Names this alike are as good as each other (assumption).
SAME_LIKENESS = 0.02
#: A column of answers has no more different entries (assumption).
_MOST_ANSWERS = 12
#: Its answers are yes and no.
_YES_NO = "osteoarthritis"
#: Legs, and both of them, are no more.
_MOST_SIDES = 4


def candidates(
    named: Named, cells: Sequence[Any], values: ColumnValues, setting: Setting
) -> list[Candidate]:
    """Every meaning that the name allows and the unit does not exclude.

    Parameters
    ----------
    named
        What the column's name says.
    cells
        Its cells as they stand.
    values
        The same cells, counted.
    setting
        What is known of the sheet.

    Returns
    -------
    list of Candidate
        The likeliest first, each meaning once.
    """
    every = [
        _in_doubt(match, _candidate(match, named, cells, values, setting))
        for match in named.matches
    ]
    ranked = sorted(filter(None, every), key=lambda candidate: candidate.rank, reverse=True)
    # Of two measures with the same name a force is the one that is told as a force.
    is_told = any(one.is_possible and one.asks != "lever_arm" for one in ranked)
    ranked = [one for one in ranked if not (is_told and one.asks == "lever_arm")]
    return list({one.means: one for one in reversed(ranked)}.values())[::-1]


def _in_doubt(match: Match, found: Candidate | None) -> Candidate | None:
    """A meaning of a name that has other words too, which may say that it is another's."""
    if found is None or not match.has_more or match.likeness >= EXACT:
        return found
    return found._replace(is_even=True, doubt=found.doubt or text("sheet.doubt.more_words"))


def rivals(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Other meanings that are as good as the first."""
    if not ranked:
        return []
    first = ranked[0]
    return [
        other
        for other in ranked[1:]
        if other.is_possible
        and other.likeness >= first.likeness - SAME_LIKENESS
        and other.is_typical >= first.is_typical
    ]


def _candidate(
    match: Match, named: Named, cells: Sequence[Any], values: ColumnValues, setting: Setting
) -> Candidate | None:
    measure = unsided().get(match.means)
    if isinstance(measure, Quantity):
        return quantity_candidate(match, measure, named, cells, values, setting)
    if match.means == ATHLETE:
        is_likely = match.likeness >= _LIKELY and not _are_decimals(values)
        return Candidate(*match[:2], share=1.0) if is_likely else None
    if match.means in {DATE, BIRTH}:
        share = date_forms(cells, None, years=match.means == BIRTH).share
        return Candidate(*match[:2], share, is_even=share < 0.5)
    return _category(match, cells, setting)


def are_found_or_not(values: ColumnValues) -> bool:
    """Whether the entries of a column say that a sign was found or not, in words alone."""
    words = {fold(word) for word in values.words if not is_missing(word)}
    known = plain_words("found") | {fold(word) for word in answers(_YES_NO)}
    return not values.numbers and bool(words) and words <= known


def _may_be_sides(entries: Sequence[str]) -> bool:
    """Whether a few words or codes may stand for legs; lengths of them do not."""
    different = set(entries)
    return len(different) <= _MOST_SIDES and all(
        len(entry) == 1 or not entry[:1].isdigit() for entry in different
    )


def _are_decimals(values: ColumnValues) -> bool:
    return any(not number.is_integer() for number in values.numbers)


def _category(match: Match, cells: Sequence[Any], setting: Setting) -> Candidate | None:
    """A column of answers; where most of them are unknown, it is asked what they stand for."""
    entries = [fold(as_text(cell)) for cell in cells if cell != "" and not is_missing(cell)]
    known = answers_in(match.means, entries, setting.languages)
    share = sum(entry in known for entry in entries) / (len(entries) or 1)
    if share >= 0.5 or not entries:
        return Candidate(*match[:2], share)
    # Red flags are told row by row, and a long list of texts is no list of answers.
    are_answers = len(set(entries)) <= _MOST_ANSWERS and match.likeness >= _LIKELY
    if match.means == FLAGS:
        return Candidate(*match[:2], share=1.0)
    if not are_answers or (match.means == SIDE and not _may_be_sides(entries)):
        return None
    doubt = text("sheet.doubt.words")
    return Candidate(*match[:2], 1.0, doubt=doubt, is_even=True, asks="words")
