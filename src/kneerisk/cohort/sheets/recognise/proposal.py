"""An understood sheet as a mapping file (TOML): what a person checks and `ingest sheet` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kneerisk.cohort.sheets.recognise.column import Column
from kneerisk.cohort.sheets.recognise.understanding import Understood
from kneerisk.cohort.sheets.recognise.values import is_missing
from kneerisk.cohort.sheets.recognise.vocabulary import (
    ATHLETE,
    BIRTH,
    DATE,
    SIDE,
    leg_names,
    plain_words,
)
from kneerisk.schema import Category

_OUTCOME = """
# What happened to the knees is for you to say; docs/your-own-sheet.md has every way to.
# [outcome]
# kind = "new_pain"
# horizon_months = 12
# left = "..."
# right = "..."
"""


def mapping_file(sheet: Understood) -> str:
    """The text of the mapping file; columns whose question is open stand in it as comments."""
    parts = [
        "# Proposed from the sheet itself: check every line. Lines with # are questions.",
        'source = "..."',
        *_roles(sheet),
        "",
        *_form(sheet),
        *_constants(sheet),
        *_measures(sheet),
    ]
    return "\n".join(parts) + "\n" + _OUTCOME


def _roles(sheet: Understood) -> Iterator[str]:
    named = [one for one in sheet.columns if one.means == ATHLETE]
    if named:
        yield f"athlete_id = {_text(named[0].name)}"
    for column in sheet.columns:
        if column.means == DATE:
            formats = ", ".join(_text(form) for form in column.formats)
            line = f"screening_date = {{ column = {_text(column.name)}, formats = [{formats}] }}"
            yield _open_or(column, line)
        if column.means == BIRTH:
            yield f"# {_text(column.name)} is a date of birth: a mapping needs the age in years"


def _form(sheet: Understood) -> Iterator[str]:
    file, lines = sheet.opened, sheet.heading.lines
    yield "[sheet]"
    if file.sheet is not None:
        yield f"name = {_text(file.sheet)}"
    if file.delimiter is not None:
        yield f"delimiter = {_text(file.delimiter)}"
    if file.encoding not in {None, "utf-8"}:
        yield f"encoding = {_text(file.encoding or '')}"
    yield f"header_row = {lines[0]}"
    if len(lines) > 1:
        yield f"header_rows = {lines[-1] - lines[0] + 1}"
    kept = [line for line in sheet.body.lines if line not in sheet.body.left_out]
    if kept and kept[-1] != sheet.body.lines[-1]:
        yield f"last_row = {kept[-1]}"
    missing = ", ".join(_text(word) for word in sorted(plain_words("missing")))
    yield f"missing = [{missing}]"


def _constants(sheet: Understood) -> Iterator[str]:
    if sheet.constants:
        yield "\n[constants]"
    yield from (f"{name} = {json.dumps(value)}" for name, value in sheet.constants.items())


def _measures(sheet: Understood) -> Iterator[str]:
    measured = [one for one in sheet.columns if one.canonical and one.measure]
    legs = [one for one in measured if one.canonical in leg_names() and not one.side]
    if side := next((one for one in sheet.columns if one.means == SIDE and one.is_applied), None):
        yield "\n[sides]"
        yield f"column = {_text(side.name)}"
        yield f"values = {_table(side.words)}"
    yield "\n[columns]"
    yield from (_entry(column) for column in measured if column not in legs)
    if legs and sheet.has_sides:
        yield "\n[legs]"
    yield from (_entry(column) for column in legs)


def _entry(column: Column) -> str:
    unit = column.proposal.unit if column.proposal else column.unit.name
    per_mass = column.proposal.per_body_mass if column.proposal else column.unit.per_body_mass
    parts = [f"column = {_text(column.name)}"]
    parts += [f"unit = {_text(unit)}"] if unit else []
    parts += ["per_body_mass = true"] if per_mass else []
    parts += ["opposite = true"] if column.opposite else []
    parts += ["decimal_comma = true"] if column.facts.commas else []
    parts += [f"values = {_table(column.words)}"] if column.words else []
    entry = _open_or(column, f"{column.canonical} = {{ {', '.join(parts)} }}")
    if not isinstance(column.measure, Category):
        return entry
    known = {word.casefold() for word in column.words}
    unknown = [word for word in column.facts.words if word.casefold() not in known]
    listed = ", ".join(_text(word) for word in unknown if not is_missing(word))
    return f"{entry}\n# What do these words of it stand for? {listed}" if listed else entry


def _open_or(column: Column, line: str) -> str:
    if column.question is None:
        return line
    return f"# {' '.join(column.question.split())}\n# {line}"


def _table(words: dict[str, str | int | float]) -> str:
    pairs = ", ".join(f"{_text(word)} = {json.dumps(value)}" for word, value in words.items())
    return f"{{ {pairs} }}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
