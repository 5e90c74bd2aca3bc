"""A recognised sheet as a mapping file (TOML): a person checks it, and `ingest sheet` reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from kneerisk.cohort.sheets.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.column_values import is_missing
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.recognition import RecognisedSheet
from kneerisk.cohort.sheets.vocabulary import ATHLETE, BIRTH, DATE, FLAGS, leg_names
from kneerisk.errors import CohortRefused
from kneerisk.schema import Category

_OUTCOME = """
# What happened to the knees is for you to say; docs/your-own-sheet.md has every way to.
# [outcome]
# kind = "new_pain"
# horizon_months = 12
# left = "..."
# right = "..."
"""


def mapping_file(sheet: RecognisedSheet) -> str:
    """The text of the mapping file; columns whose question is open stand in it as comments."""
    entries = [
        "# Proposed from the sheet itself: check every line. Lines with # are questions.",
        'source = "..."',
        *_roles(sheet),
        "",
        *_form(sheet.mapping),
        *_constants(sheet.mapping),
        *_measures(sheet),
    ]
    return "\n".join(entries) + "\n" + _OUTCOME


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


def _constants(mapping: Mapping) -> Iterator[str]:
    if mapping.constants:
        yield "\n[constants]"
    yield from (f"{name} = {json.dumps(value)}" for name, value in mapping.constants.items())


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
    entries = [f"column = {_text(column.reference)}"]
    entries += [f"unit = {_text(unit)}"] if unit else []
    entries += ["per_body_mass = true"] if per_mass else []
    entries += ["opposite = true"] if column.opposite else []
    entries += ["decimal_comma = true"] if column.values.commas else []
    entries += [f"values = {_table(column.words)}"] if column.words else []
    entry = _open_or(column, f"{column.canonical} = {{ {', '.join(entries)} }}")
    if not isinstance(column.measure, Category):
        return entry
    known = {word.casefold() for word in column.words}
    unknown = [word for word in column.values.words if word.casefold() not in known]
    listed = _listed([word for word in unknown if not is_missing(word)])
    return f"{entry}\n# What do these words of it stand for? {listed}" if listed else entry


def _open_or(column: RecognisedColumn, line: str) -> str:
    if column.question is None:
        return line
    return f"# {' '.join(column.question.split())}\n# {line}"


def _table(words: dict[str, str | int | float]) -> str:
    pairs = ", ".join(f"{_text(word)} = {json.dumps(value)}" for word, value in words.items())
    return f"{{ {pairs} }}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(_text, words))


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_mapping(text: str, path: Path) -> None:
    """Write the proposed mapping; a file that is there already is a person's work and stays.

    Parameters
    ----------
    text
        The mapping file.
    path
        Where it is written.

    Raises
    ------
    CohortRefused
        Where it can't be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CohortRefused(f"{path}: is there already, choose another name") from None
    except OSError as error:
        raise CohortRefused(f"{path}: can't be written ({error.strerror})") from None
