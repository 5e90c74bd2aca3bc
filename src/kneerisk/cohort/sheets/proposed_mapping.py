"""The mapping of a recognised sheet as a file (TOML), for a person to check."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.lexicon.vocabulary import ATHLETE, BIRTH, DATE, FLAGS, leg_names
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.recognition import RecognisedSheet
from kneerisk.schema import Category
from kneerisk.words import text


def mapping_file(sheet: RecognisedSheet) -> str:
    """The text of the mapping file; columns whose question is open stand in it as comments."""
    entries = [
        text("sheet.proposal.heading"),
        'source = "..."',
        *_roles(sheet),
        "",
        *_form(sheet.mapping),
        *_arrangement(sheet),
        *_constants(sheet.mapping),
        *_measures(sheet),
    ]
    return "\n".join([*entries, text("sheet.proposal.outcome")])


def _roles(sheet: RecognisedSheet) -> Iterator[str]:
    if identity := sheet.mapping.athlete_id:
        # First and last name together tell athletes apart.
        names = _listed(identity.columns)
        yield f"athlete_id = {names}" if len(identity.columns) == 1 else f"athlete_id = [{names}]"
    for column in sheet.columns:
        if column.means == ATHLETE and column.question:
            yield _open_or(column, f"athlete_id = {_text(column.reference)}")
    for column in sheet.columns:
        if column.means in {DATE, BIRTH}:
            formats = _listed(column.formats)
            name = _text(column.reference)
            yield _open_or(column, f"{column.means} = {{ column = {name}, formats = [{formats}] }}")


def _form(mapping: Mapping) -> Iterator[str]:
    form = mapping.sheet
    yield "[sheet]"
    if form.name is not None:
        yield f"name = {_text(form.name)}"
    if form.delimiter is not None:
        yield f"delimiter = {_text(form.delimiter)}"
    if form.encoding != "utf-8-sig":
        yield f"encoding = {_text(form.encoding)}"
    yield f"header_row = {form.header_row}"
    if form.header_rows > 1:
        yield f"header_rows = {form.header_rows}"
    if form.leave_out:
        yield f"leave_out = [{_listed(form.leave_out)}]"
    yield f"missing = [{_listed(form.missing)}]"


def _arrangement(sheet: RecognisedSheet) -> Iterator[str]:
    how = sheet.mapping.arrangement
    if how is None:
        return
    yield "\n[arrangement]"
    yield f"within_days = {how.within_days}"
    if how.day_first is not None:
        yield f"day_first = {_value(how.day_first)}"
    yield f"same_athletes = {_table(dict(how.same_athletes))}"
    for row in sheet.arranged.unmatched if sheet.arranged else ():
        for one in row.candidates:
            names = " = ".join(" ".join(str(name).split()) for name in (row.athlete, one.athlete))
            yield f"# {_text(row.place)} = {_text(one.place)}  # {names}"


def _constants(mapping: Mapping) -> Iterator[str]:
    for heading, entries in (("constants", mapping.constants), ("cells", mapping.changes)):
        if entries:
            yield f"\n[{heading}]"
        yield from (f"{name} = {_value(value)}" for name, value in entries.items())


def _measures(sheet: RecognisedSheet) -> Iterator[str]:
    measured = [c for c in sheet.columns if c.canonical and (c.measure or c.means == FLAGS)]
    legs = [column for column in measured if column.canonical in leg_names() and not column.side]
    if sides := sheet.mapping.sides:
        yield "\n[sides]"
        yield f"column = {_text(sides.column)}"
        yield f"values = {_table(dict(sides.meanings))}"
    yield "\n[columns]"
    yield from (_entry(column) for column in measured if column not in legs)
    if legs and sheet.mapping.sides:
        yield "\n[legs]"
    yield from (_entry(column) for column in legs)


def _entry(column: RecognisedColumn) -> str:
    unit = column.proposal.unit if column.proposal else column.unit.name
    per_mass = column.proposal.per_body_mass if column.proposal else column.unit.per_body_mass
    entries = [f"column = {_text(column.reference)}", *([f"unit = {_text(unit)}"] if unit else [])]
    entries += ["per_body_mass = true"] if per_mass else []
    entries += ["opposite = true"] if column.opposite else []
    entries += ["decimal_comma = true"] if column.values.marks.commas else []
    entries += ["thousands = true"] if column.values.marks.thousands else []
    entries += [f"lever_arm_m = {column.lever_arm_m}"] if column.lever_arm_m else []
    entries += [f"values = {_table(column.words)}"] if column.words else []
    line = f" = {{ {', '.join(entries)} }}"
    entry = _open_or(column, *(f"{canonical}{line}" for canonical in column.canonicals))
    if not isinstance(column.measure, Category):
        return entry
    known = {word.casefold() for word in column.words}
    unknown = [word for word in column.values.words if word.casefold() not in known]
    listed = _listed([word for word in unknown if not is_missing(word)])
    return text("sheet.proposal.words", entry=entry, words=listed) if listed else entry


def _open_or(column: RecognisedColumn, *lines: str) -> str:
    if column.question is None:
        return "\n".join(lines)
    commented = "\n".join(f"# {line}" for line in lines)
    return f"# {' '.join(column.question.split())}\n{commented}"


def _table(words: dict[str, str | int | float]) -> str:
    pairs = ", ".join(f"{_text(word)} = {_value(value)}" for word, value in words.items())
    return f"{{ {pairs} }}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(_text, words))


def _value(value: str | float) -> str:
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    # JSON leaves the one control character as it is that TOML has escaped besides.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
