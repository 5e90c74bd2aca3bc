"""Sheets of every kind of mistake and malice: good ones, changed at random from a seed."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import random
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from excel_files import excel_file

from kneerisk.cohort.sheets.lexicon.units import usual_units
from kneerisk.cohort.sheets.lexicon.vocabulary import ROLES, unsided
from kneerisk.schema import Category, Quantity, columns

Grid = list[list[str]]

GOOD = [
    """Name,Date,Age,Sex,Weight (kg),KTW L (cm),KTW R (cm),SLR L,Hip abd L (kgf),Outcome
Amy,2026-03-02,25,f,60,9.5,10,70,24,ok
Bea,2026-03-02,26,f,64,10,11,71,25.5,bad
Amy,2026-04-02,25,f,60.5,10,10,72,,ok
""",
    """Vorname;Nachname;Testdatum;Geburtsdatum;Geschlecht;Knie-Wand-Test li (cm);Größe;Outcome
Mia;Berg;02.09.2024;03.04.2003;w;12;180;ok
Mia;Feld;03.09.2024;05.06.1999;w;9,5;171,5;ok
Mittelwert;;;;;10,7;;
""",
    """ID,Side,Age,Sex,SLR,Knee pain,Outcome
1,L,20,m,70,0,ok
1,R,,m,72,3,bad
2,L,20,f,70,0,ok
2,R,21,f,72,1,ok
""",
    """Player\tAge\tSex\tHeight\tLeft knee before\tRed flags\tSport\tQuad L (Nm/kg)\tOutcome
A\t25\tm\t5'11"\tnever\tnone\trunning\t3\tok
B\t24\tf\t71\tonce\tlocked_knee\tfootball\t2.6\tok
""",
    """Tests of spring,,,,,
,,,,,
athlete_id,screening_date,age_years,sex,left_hip_drop_deg,Outcome
p1,2026-01-02,19,female,4.5,ok
p2,2026-01-03,31,male,-2,bad
p3,,44,female,6,ok
""",
]
#: What cells are made to hold.
ODD_CELLS = (
    "", " ", "1e999999", "9" * 5_000, "-1e308", "1e308", "nan", "inf", "-inf", "1_000", "٣",
    "½", "-0", "0x10", "+5", "--5", "1,5", "1.234,5", "1.234.567", ",", ".", "1.", "=1+2", "+1",
    "-1", "@SUM(1)", "=cmd|' /C calc'!A0", "#N/A", "#VALUE!", "true", "TRUE", "None", "null",
    "\x07", "\x1f", "\ufeff", "\u202eabc", "\u200b", "\u2028", "\ud7ff", "😀", "👩‍👩‍👧",
    "e\u0301", "ﷺ" * 20, "İ", "ß", "12:30", "1:30:00", "5'11\"", "6'", "5ft 11in", "99/99/9999",
    "00.00.0000", "0000-00-00", "9999-12-31", "0001-01-01", "29.02.2023", "31/04/2024", "12 cm",
    "12 kg", "38°", "1 %", "40 % BW", "3 smoots", "x" * 3_000, "a\nb", "\r", "'", '"', ";", "|",
    "\t", "L", "R", "both", "left", "links", "0", "1", "2", "n/a", "-", "female", "m", "none",
    "locked_knee;none", "locked_knee;locked_knee", "2026-03-02", "02/03/2026", "3. March 2026",
    "2026-03-02 11:00:00", "Total", "Mean", "100000000000000000000",
)  # fmt: skip
ODD_NAMES = (
    "", "(", "((((((", ")" * 300, "[", "(kg", "kg)", "_" * 500, "L", "R", "left", "left right",
    "SLR", "SLR L", "SLR L (kg)", "9**9**9", "kg/0", "Age", "age_years", "left_slr_deg", "Name",
    "ID", "side", "sex", "red_flags", "Total", "unit", "\u202eegA", "😀 (cm)", "x" * 2_000, "1",
    "2026-03-02", "Date", "Geburtsdatum", "Weight (lb)", "Force L (N)", "Hip abd L",
    "outcome_left", "a.b", 'a"b', "a\\b", "a]", "[[x]]", "#", "Outcome",
)  # fmt: skip
#: Cells of Excel's as they stand in the file, for what no text becomes.
ODD_EXCEL_CELLS = (
    '<c s="1"><v>-1</v></c>', '<c s="1"><v>0</v></c>', '<c s="1"><v>0.5</v></c>',
    '<c s="1"><v>60</v></c>', '<c s="1"><v>2958466</v></c>', '<c s="1"><v>1e10</v></c>',
    '<c s="1"><v>1e308</v></c>', '<c s="1"><v>46083</v></c>', '<c s="2"><v>0.3125</v></c>',
    '<c s="2"><v>46083.99999999</v></c>', '<c s="3"><v>1.25</v></c>',
    '<c s="3"><v>-1.25</v></c>', '<c s="3"><v>1e300</v></c>', '<c s="99"><v>5</v></c>',
    '<c s="-1"><v>5</v></c>', '<c><v>1e999999</v></c>', '<c><v>nan</v></c>',
    f'<c><v>{"9" * 5_000}</v></c>', "<c><v>abc</v></c>", '<c t="b"><v>1</v></c>',
    '<c t="b"><v>x</v></c>', '<c t="e"><v>#N/A</v></c>', '<c t="e"><v>#DIV/0!</v></c>',
    '<c t="s"><v>0</v></c>', '<c t="s"><v>7</v></c>', '<c t="s"><v>-1</v></c>',
    '<c t="s"><v>x</v></c>', '<c t="str"><v></v></c>', '<c t="str"><f>A1</f><v>12</v></c>',
    "<c><f>A1+1</f></c>", "<c><f>A1+1</f><v></v></c>", "<c/>",
    '<c t="d"><v>2026-03-02T10:00:00Z</v></c>', '<c t="d"><v>soon</v></c>',
    '<c t="q"><v>1</v></c>',
    '<c t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>c</t></rPh></is></c>',
    '<c t="inlineStr"/>', '<c r="ZZZ1"><v>1</v></c>', '<c r="A1"><v>1</v></c>',
    '<c r="1"><v>1</v></c>', '<c r="Ä1"><v>1</v></c>', '<c><v>1<x/>2</v></c>',
    "<c><v>0.1</v><v>0.2</v></c>", "<v>1</v>", "<t>1</t>", "<row/>", '<row r="3"/>',
    '<row r="x"/>', "</c>", "&#0;", "&lt;", '<c><v>1 </v></c>',
)  # fmt: skip
UNITS = (
    "kg", "lb", "cm", "inch", "N", "Nm", "kgf", "%", "deg", "rad", "months", "9**9**9", "kg/0",
    "(", "", " ", "smoot", "KG", "N*m", "°", "1", "-", "x" * 300,
)  # fmt: skip
#: Often stated, so that two columns are stated to be the same.
MEANINGS = (
    None, "nothing", "", "left_age_years", "side", "athlete_id", "screening_date", "slr_deg",
    "birth_date", "red_flags", "age_years", "sex", "mass_kg", "left_slr_deg",
)  # fmt: skip
PLACES = ("A", "B", "C", "D", "E", "F", "G", "H", "J", "AA", "ZZZZZZZZ", "a", "1", "", "A/~", "Ä")


class Sheet(NamedTuple):
    """One sheet and what is stated about it."""

    content: bytes
    stated: str
    """JSON, as it comes with a request."""
    is_whole: bool
    """Nothing was done to the bytes, so that page and command line can both read it."""


def grids(texts: list[str]) -> list[Grid]:
    """Sheets to begin with, and those of a folder that KNEERISK_SHEETS names."""
    if folder := os.environ.get("KNEERISK_SHEETS"):
        paths = sorted(Path(folder).rglob("*.csv"))
        texts = texts + [path.read_text("utf-8", errors="replace")[:20_000] for path in paths]
    dialects = (max(";,\t|", key=text.partition("\n")[0].count) for text in texts)
    return [
        list(csv.reader(text.replace("\0", "").splitlines(), delimiter=delimiter))
        for text, delimiter in zip(texts, dialects, strict=True)
    ]


def mutated(seed: int, seeds: list[Grid]) -> Sheet:
    """The sheet of a seed: always the same.

    Parameters
    ----------
    seed
        Any number.
    seeds
        The sheets to begin with.
    """
    rng = random.Random(seed)
    grid = [list(row) for row in rng.choice(seeds)]
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        rng.choice(CHANGES)(rng, grid)
    content = _excel(rng, grid) if rng.random() < 0.4 else _text(rng, grid)
    is_whole = rng.random() < 0.8
    stated = stated_of(rng, grid) if rng.random() < 0.6 else {}
    return Sheet(content if is_whole else damaged(rng, content), json.dumps(stated), is_whole)


def _row(rng: random.Random, grid: Grid) -> list[str]:
    return rng.choice(grid) if grid else []


def _odd_cell(rng: random.Random, grid: Grid) -> None:
    if row := _row(rng, grid):
        row[rng.randrange(len(row))] = rng.choice(ODD_CELLS)


def _odd_column(rng: random.Random, grid: Grid) -> None:
    at = rng.randrange(9)
    for row in grid[1:]:
        if at < len(row):
            row[at] = rng.choice(ODD_CELLS)


def _odd_name(rng: random.Random, grid: Grid) -> None:
    heading = max(grid[:3], key=len, default=[])
    if heading:
        heading[rng.randrange(len(heading))] = rng.choice(ODD_NAMES)


def _repeated_name(rng: random.Random, grid: Grid) -> None:
    heading = max(grid[:3], key=len, default=[])
    if heading:
        heading[rng.randrange(len(heading))] = rng.choice(heading)


def _measure_s_name(rng: random.Random, grid: Grid) -> None:
    if grid and grid[0]:
        name = rng.choice([*columns(), *ROLES])
        label = getattr(columns().get(name), "label", name)
        grid[0][rng.randrange(len(grid[0]))] = rng.choice(
            [name, label, f"{label} L ({rng.choice(UNITS)})"]
        )


def _ragged(rng: random.Random, grid: Grid) -> None:
    row = _row(rng, grid)
    if rng.random() < 0.5:
        row += [rng.choice(ODD_CELLS) for _ in range(rng.randrange(1, 5))]
    else:
        del row[rng.randrange(len(row) + 1) :]


def _lines(rng: random.Random, grid: Grid) -> None:
    at = rng.randrange(len(grid) + 1)
    extra = rng.choice(
        [[], [""], ["Total", "1"], ["remark"], list(_row(rng, grid)), ["(cm)", "kg"]]
    )
    grid[at:at] = [list(extra)] * rng.choice((1, 1, 3))


def _fewer_lines(rng: random.Random, grid: Grid) -> None:
    del grid[rng.randrange(len(grid) + 1) :]


def _swapped(rng: random.Random, grid: Grid) -> None:
    first, second = rng.randrange(6), rng.randrange(6)
    for row in grid:
        if max(first, second) < len(row):
            row[first], row[second] = row[second], row[first]


CHANGES = (_odd_cell, _odd_cell, _odd_cell, _odd_column, _odd_name, _repeated_name, _measure_s_name,
           _ragged, _lines, _fewer_lines, _swapped)  # fmt: skip


def _text(rng: random.Random, grid: Grid) -> bytes:
    text = io.StringIO()
    delimiter = rng.choice((",", ",", ";", "\t", "|"))
    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(grid)
    encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"))
    return text.getvalue().encode(encoding, errors="replace")


def _excel(rng: random.Random, grid: Grid) -> bytes:
    rows = ["<row>" + "".join(_excel_cell(rng, cell) for cell in row) + "</row>" for row in grid]
    sheets = ["".join(rows)]
    states = ["visible"]
    for _ in range(rng.choice((0, 0, 1, 3))):
        sheets.insert(rng.randrange(len(sheets) + 1), rng.choice(("", rows[0] if rows else "")))
        states.append(rng.choice(("visible", "hidden", "veryHidden")))
    names = [rng.choice(("S", "", "😀", "a/b", "x" * 40)) + str(at) for at in range(len(sheets))]
    shared = rng.choice(("", "<si><t>Amy</t></si>", "<si><r><t>a</t></r></si><si/>"))
    return excel_file(*sheets, names=names, states=states, shared=shared)


def _excel_cell(rng: random.Random, value: str) -> str:
    if rng.random() < 0.02:
        return rng.choice(ODD_EXCEL_CELLS)
    printable = "".join(c for c in value if c in "\t\n\r" or c >= " ")
    if printable.replace(".", "", 1).isdecimal() and printable.isascii() and len(printable) < 300:
        return f"<c><v>{printable}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(printable)}</t></is></c>' if printable else "<c/>"


def damaged(rng: random.Random, content: bytes) -> bytes:
    damaged = bytearray(content)
    kind = rng.randrange(4)
    if kind == 0:
        del damaged[rng.randrange(len(damaged) + 1) :]
    elif kind == 1 and damaged:
        for _ in range(rng.randrange(1, 20)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    elif kind == 2:
        at = rng.randrange(len(damaged) + 1)
        damaged[at:at] = rng.choice((b"\0", b"\0" * 50, b'"', b"\xff\xfe", b"PK\x05\x06", b"\r"))
    else:
        start = rng.randrange(len(damaged) + 1)
        damaged[start:start] = damaged[start : start + rng.randrange(1, 200)]
    return bytes(damaged)


def stated_of(rng: random.Random, grid: Grid) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    if rng.random() < 0.8:
        places = [
            rng.choice(PLACES[:7] if rng.random() < 0.9 else PLACES)
            for _ in range(rng.randrange(1, 4))
        ]
        stated["columns"] = {place: _column(rng, _cells_of(rng, grid, place)) for place in places}
        if rng.random() < 0.3:
            means = rng.choice(MEANINGS)
            stated["columns"] = {
                place: column | {"means": means} for place, column in stated["columns"].items()
            }
    if rng.random() < 0.3:
        stated["constants"] = {
            rng.choice([*columns(), "sport", "sex", "shoe"]): _constant(rng) for _ in range(2)
        }
    for name, choices in (
        ("header_line", (1, 2, 3, 30, 10**9)),
        ("delimiter", (",", ";", "\t", "|")),
        ("encoding", ("utf-8", "cp1252", "utf-16")),
        ("decimal", ("point", "comma")),
        ("sheet", ("S0", "S1", "", "nobody")),
    ):
        if rng.random() < 0.1:
            stated[name] = rng.choice(choices)
    return stated


def _cells_of(rng: random.Random, grid: Grid, place: str) -> list[str]:
    """The column's own cells, more often than not."""
    at = PLACES.index(place)
    own = [row[at] for row in grid if at < len(row)]
    return own if own and rng.random() < 0.7 else [cell for row in grid for cell in row]


def _column(rng: random.Random, cells: list[str]) -> dict[str, Any]:
    means = rng.choice(MEANINGS if rng.random() < 0.4 else [*columns(), *unsided(), *ROLES])
    column: dict[str, Any] = {"means": means} if rng.random() < 0.9 else {}
    measure = columns().get(str(means)) or unsided().get(str(means))
    if rng.random() < 0.4:
        usual = usual_units(measure) if isinstance(measure, Quantity) else UNITS
        column["unit"] = rng.choice(usual if rng.random() < 0.5 else UNITS)
    for name in ("per_body_mass", "opposite", "day_first"):
        if rng.random() < 0.15:
            column[name] = rng.random() < 0.5
    if rng.random() < 0.15:
        column["decimal"] = rng.choice(("point", "comma"))
    if rng.random() < 0.4:
        words = cells or [""]
        choices = measure.choices if isinstance(measure, Category) else ("left", "right", "none")
        column["words"] = {
            rng.choice([*words, *words[-20:]]): rng.choice(
                [*choices, "", "odd", "😀", math.inf, 1, 2.5, 1e308, 10**30, 10**400]
            )
            for _ in range(3)
        }
    return column


def _constant(rng: random.Random) -> Any:
    return rng.choice(
        ("running", "female", "", "odd", 25, 2.5, -1, 1e308, 10**30, 10**400, math.inf, math.nan, 0)
    )
