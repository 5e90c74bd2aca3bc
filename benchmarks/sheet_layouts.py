"""How sheets in the layouts that people have are recognised, column by column.

`python -m benchmarks.sheet_layouts` writes each layout of `sheet_layouts.toml` with made-up values
and counts its columns: used rightly, asked with the right answer first, left out, and wrong without
a question, which must be none.
"""

from __future__ import annotations

import argparse
import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import sheet_forms
from kneerisk.cohort.sheets.lexicon.units import factor, unit_of
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer, SheetColumn
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.schema import Quantity, columns

LAYOUTS = Path(__file__).with_name("sheet_layouts.toml")
PAGE = Path(__file__).parent / "results" / "sheet-layouts.md"
#: Athletes of a made-up sheet (assumption: a squad), and the seed of their values.
ROWS, SEED = 14, 20_261_127
_COLUMN = re.compile(r"(?P<name>.+?) = (?P<holds>\w+)(?: @ (?P<unit>\S+))?(?: ~ (?P<form>\w+))?")
#: What is written for man and woman.
_SEXES = {"words": ("male", "female"), "codes": ("1", "2"), "words_pt": ("Masculino", "Feminino")}
_WORDS = ("ok", "see mail", "late", "new shoes", "left wing", "keeper", "pending")
#: Of a person without norms in the schema: what is drawn (assumptions).
_AGES = (18, 34)
#: What the rounding of a body mass to a tenth leaves of a force that is divided by it.
_ROUNDING = 0.005
_MADE = "Made-up sheets of `benchmarks/sheet_layouts.toml`; `python -m benchmarks.sheet_layouts`."
#: The forms of `sheet_forms` for people.
_FORMS = {
    "own_legs": "dominant and other, injured and healthy leg", "weeks": "a column a week",
    "dated_trials": "trials within dates", "isokinetic": "a row a movement and speed",
    "rows": "a row a value, with its unit", "turned": "a table on its side",
    "ods": "OpenDocument",
}  # fmt: skip
_OUTCOMES = ("used", "asked", "missed", "wrong", "pointless", "left_out")


class Column(NamedTuple):
    """A column of a layout."""

    name: str
    holds: str
    unit: str | None
    form: str | None

    @property
    def is_measured(self) -> bool:
        """Whether it should be used."""
        return self.holds not in {"none", "other"}


class Layout(NamedTuple):
    """A made-up sheet."""

    language: str
    name: str
    columns: tuple[Column, ...]
    content: bytes
    told: list[list[float | None]]
    """What the numbers of each column are in the schema's unit."""


def layouts() -> Iterator[Layout]:
    """Every layout, filled with values; the same ones each time."""
    tables = tomllib.loads(LAYOUTS.read_text(encoding="utf-8"))
    del tables["forms"]
    for language, named in tables.items():
        for name, listed in named.items():
            found = [_COLUMN.fullmatch(entry) for entry in listed]
            parts = tuple(Column(**match.groupdict()) for match in found if match)
            if len(parts) < len(listed):
                raise ValueError(f"{language}.{name}")
            yield _filled(language, name, parts)


def _filled(language: str, name: str, parts: tuple[Column, ...]) -> Layout:
    rng = random.Random(f"{SEED} {language} {name}")
    mark = "." if language == "en" else ","
    men = [rng.random() < 0.6 for _ in range(ROWS)]
    masses = [rng.gauss(78 if man else 63, 8) for man in men]
    cells: list[list[str]] = []
    told: list[list[float | None]] = []
    for part in parts:
        pairs = [_cell(part, at, men[at], masses[at], rng) for at in range(ROWS)]
        cells.append([shown.replace(".", mark) if value else shown for shown, value in pairs])
        told.append([value for _, value in pairs])
    lines = [[part.name for part in parts], *map(list, zip(*cells, strict=True))]
    text = "\n".join((";" if mark == "," else ",").join(line) for line in lines)
    return Layout(language, name, parts, text.encode(), told)


def _cell(
    part: Column, at: int, man: bool, mass_kg: float, rng: random.Random
) -> tuple[str, float | None]:
    """A cell as it is written, and what it is in the schema's unit."""
    if part.form in {"grade", "codes"} and part.holds != "sex":
        return str(rng.randint(3, 5) if part.form == "grade" else rng.randint(1, 4)), None
    made = {
        "found": lambda: str(at % 2),
        "range": lambda: str(rng.randint(36, 52)),
        "unloaded": lambda: str(rng.randint(10, 19)),
        "share": lambda: f"{rng.random():.2f}",
        "count": lambda: str(rng.randint(0, 40)),
    }
    if part.form in made:
        return made[part.form](), None
    if part.holds == "sex":
        return _sex(part, man), None
    return _person(part, at, rng) or _measured(part, man, mass_kg, rng)


def _sex(part: Column, man: bool) -> str:
    pair = _SEXES.get(part.form or "mf") or tuple(part.form or "mf")
    return pair[0] if man or len(pair) == 1 else pair[1]


def _person(part: Column, at: int, rng: random.Random) -> tuple[str, float | None] | None:
    texts = {
        "athlete_id": f"P{at:02d}",
        "screening_date": f"2026-0{1 + at % 6}-{13 + at}",
        "birth_date": f"{1996 + at % 9}-0{1 + at % 8}-{14 + at % 10}",
        "none": _WORDS[at % len(_WORDS)],
    }
    if part.holds == "age_years":
        age = rng.randint(*_AGES)
        return str(age), float(age)
    if part.form == "pain":
        pain = rng.choice((0, 0, 0, 1, 2, 4, 6))
        return str(pain), float(pain)
    return (texts[part.holds], None) if part.holds in texts else None


def _measured(
    part: Column, man: bool, mass_kg: float, rng: random.Random
) -> tuple[str, float | None]:
    measure = columns()[part.holds]
    if not isinstance(measure, Quantity):
        raise TypeError(part.holds)
    mean, sd = measure.norms[0].of("male" if man else "female") or (0.0, 1.0)
    value = min(max(rng.gauss(mean, sd / 2), measure.low), measure.high)
    if part.holds == "mass_kg":
        value = mass_kg
    unit = unit_of(measure, part.unit) if part.unit else None
    scale = factor(measure, unit.name, per_body_mass=unit.per_body_mass) if unit else 1.0
    divisor = mass_kg if unit and unit.per_body_mass else 1.0
    shown = f"{value * divisor / scale:.{2 if abs(value / scale) < 10 else 1}f}"
    return shown, float(shown) * scale / divisor


def outcome(
    part: Column, column: SheetColumn, answer: SheetAnswer, told: list[float | None]
) -> str:
    """What became of a column: one of `_OUTCOMES`.

    Parameters
    ----------
    part
        What the column holds.
    column
        What it was recognised as.
    answer
        The whole sheet.
    told
        Its numbers in the schema's unit.

    Returns
    -------
    str
        `wrong` where something else is used without a question.
    """
    if column.applied and column.means:
        return "used" if _is_right(part, column, answer, told) else "wrong"
    if not part.is_measured:
        is_even = part.holds == "other" or not column.question
        return "left_out" if is_even else "pointless"
    if not column.question:
        return "missed"
    first = column.proposal or next((one.ask for one in column.alternatives), None)
    if column.asks:
        return "asked" if column.means == part.holds else "missed"
    is_unit = first is not None and (part.unit in {None, first.unit})
    return "asked" if first is not None and first.means == part.holds and is_unit else "missed"


def _is_right(
    part: Column, column: SheetColumn, answer: SheetAnswer, told: list[float | None]
) -> bool:
    means = part.holds
    if column.means != means:
        return False
    cells = [cell for row in answer.rows for cell in row.cells if cell.place == column.place]
    numbers = [cell.value for cell in cells]
    if means == "sex":
        return "unspecified" not in numbers
    wanted = [value for value in told if value is not None]
    return not wanted or all(
        isinstance(number, int | float) and abs(number - value) <= _ROUNDING * max(1.0, abs(value))
        for number, value in zip(numbers, wanted, strict=True)
        if number is not None
    )


def counted() -> dict[str, tuple[int, Counter[str], int]]:
    """Of each language the layouts, the columns by outcome, and the most pointless questions."""
    found: dict[str, tuple[int, Counter[str], int]] = {}
    for layout in layouts():
        answer = recognise(layout.content)
        outcomes = Counter(
            outcome(part, column, answer, told)
            for part, column, told in zip(layout.columns, answer.columns, layout.told, strict=True)
        )
        _add(found, layout.language, outcomes)
    for made in sheet_forms.forms():
        _add(found, made.language, sheet_forms.outcomes(made))
    return found


def _add(found: dict[str, tuple[int, Counter[str], int]], key: str, outcomes: Counter[str]) -> None:
    number, total, most = found.get(key, (0, Counter(), 0))
    found[key] = (number + 1, total + outcomes, max(most, outcomes["pointless"]))


def counted_forms() -> dict[str, tuple[int, Counter[str], int]]:
    """The same of each form of a sheet that is no row an athlete."""
    found: dict[str, tuple[int, Counter[str], int]] = {}
    for made in sheet_forms.forms():
        _add(found, _FORMS[made.form], sheet_forms.outcomes(made))
    return found


def totals(found: dict[str, tuple[int, Counter[str], int]]) -> tuple[int, Counter[str], int]:
    """The layouts, the columns by outcome and the most pointless questions of all languages."""
    every = Counter[str]()
    for _, outcomes, _ in found.values():
        every += outcomes
    return sum(one[0] for one in found.values()), every, max(one[2] for one in found.values())


def table(found: dict[str, tuple[int, Counter[str], int]]) -> str:
    """The counts as a table of Markdown."""
    heads = ["language", "layouts", "columns with a measure", "used rightly"]
    heads += ["asked, the right answer first", "missed", "wrong without a question"]
    heads += ["most pointless questions in a file"]
    lines = ["# Sheets in the layouts that people have", "", _MADE, ""]
    lines += [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    lines += [_line(language, *one) for language, one in found.items()]
    lines += [
        _line("all", *totals(found)),
        "",
        "Of these the sheets that are no row an athlete:",
        "",
    ]
    lines += [f"| {' | '.join(['form', *heads[1:]])} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    lines += [_line(form, *one) for form, one in counted_forms().items()]
    return "\n".join(lines) + "\n"


def _line(language: str, number: int, outcomes: Counter[str], worst: int) -> str:
    measured = sum(outcomes[name] for name in ("used", "asked", "missed", "wrong"))
    shown = [number, measured, *(outcomes[name] for name in _OUTCOMES[:4]), worst]
    return f"| {language} | {' | '.join(map(str, shown))} |"


def main() -> None:
    """Write the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(table(counted()), encoding="utf-8")


if __name__ == "__main__":
    main()
