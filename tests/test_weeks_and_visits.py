"""Columns of weeks are one load, and those of a test that was done again one visit or question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_one_reader import assert_the_same

from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise

HEADS = {
    "en": "Player,Age,Sex", "de": "Spieler,Alter,Geschlecht", "fr": "Joueur,Âge,Sexe",
    "es": "Jugador,Edad,Sexo", "sv": "Spelare,Ålder,Kön", "da": "Spiller,Alder,Køn",
    "fi": "Pelaaja,Ikä,Sukupuoli",
}  # fmt: skip


def sheet(columns: str, *rows: str, language: str = "en") -> str:
    """A sheet of a few people with some more columns."""
    people = ("A1,23,f", "B2,20,f", "C3,27,f")
    lines = [f"{person},{row}" for person, row in zip(people, rows, strict=False)]
    return "\n".join([f"{HEADS[language]},{columns}", *lines])


def read(text: str, **said: Any) -> SheetAnswer:
    return recognise(text.encode(), SheetAsked.model_validate(said))


def held(answer: SheetAnswer, measure: str) -> list[float | None]:
    return [row.screening["athlete"].get(measure) for row in answer.rows if row.screening]


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", "Week 1 km,Week 2 km,Week 3 km,Week 4 km,Week 5 km"),
        ("en", "W12 km,W13 km,W14 km,W15 km,W16 km"),
        ("de", "KW 12 (km),KW 13 (km),KW 14 (km),KW 15 (km),KW 16 (km)"),
        ("de", "km 1. Woche,km 2. Woche,km 3. Woche,km 4. Woche,km 5. Woche"),
        ("de", "Lauf km KW 2,Lauf km KW 3,Lauf km KW 4,Lauf km KW 5,Lauf km KW 6"),
        ("fr", "Semaine 1 (km),Semaine 2 (km),Semaine 3 (km),Semaine 4 (km),Semaine 5 (km)"),
        ("es", "Semana 1 km,Semana 2 km,Semana 3 km,Semana 4 km,Semana 5 km"),
        ("sv", "Vecka 1 km,Vecka 2 km,Vecka 3 km,Vecka 4 km,Vecka 5 km"),
        ("da", "Uge 1 løb km,Uge 2 løb km,Uge 3 løb km,Uge 4 løb km,Uge 5 løb km"),
        ("fi", "Viikko 1 km,Viikko 2 km,Viikko 3 km,Viikko 4 km,Viikko 5 km"),
    ],
)  # fmt: skip
def test_the_last_four_weeks_are_weekly_running(language: str, names: str) -> None:
    answer = read(sheet(names, "90,30,32,36,22", "80,40,,38,39", language=language))
    assert answer.counts.questions == 0
    assert held(answer, "weekly_run_km") == [30, 39]
    assert [column.means for column in answer.columns[3:]] == ["weekly_run_km"]


@pytest.mark.parametrize(
    "names",
    ["Week 5 km,Week 4 km,Week 3 km,Week 2 km,Week 1 km", "Week 1,Week 2,Week 3,Week 4,Week 5",
     "Week 1 km,Week 2 km,Week 3 km,Week 4 km,Week 9 km"],
)  # fmt: skip
def test_what_the_headings_leave_open_is_one_question(names: str) -> None:
    text = sheet(names, "20,30,32,36,22", "30,40,38,38,39")
    (asked,) = [column for column in read(text).columns if column.question]
    assert (asked.means, asked.proposal) == ("weekly_run_km", None)
    use, leave_out = (one.ask.model_dump() for one in asked.alternatives)
    # Without an order all weeks count.
    wanted = [28, 37] if "km" in names else [30, 38.75]
    assert held(read(text, columns={"D": use}), "weekly_run_km") == wanted
    assert held(read(text, columns={"D": leave_out}), "weekly_run_km") == [None, None]


def test_a_week_of_the_calendar_counts_before_the_screening_alone() -> None:
    names = ",".join(["Testdatum", *(f"KW {week} (km)" for week in (51, 52, 1, 2, 3))])
    answer = read(
        sheet(names, "2026-01-08,10,20,30,90,90", "2026-02-20,90,20,30,40,50",
              "2025-12-01,10,20,30,40,50", language="de")
    )  # fmt: skip
    # 8 January 2026 is in week 2; of February all weeks are past; of 1 December all are to come.
    assert held(answer, "weekly_run_km") == [20, 35, None]


@pytest.mark.parametrize(
    "names", ["Week 1 RPE,Week 2 RPE", "Week 1 bike km,Week 2 bike km", "W1,W2", "T1 km,T2 km",
              "Week 1 plan km,Week 2 plan km", "KTW week 1 L,KTW week 6 L"],
)  # fmt: skip
def test_another_quantity_of_weeks_is_no_running(names: str) -> None:
    answer = read(sheet(names, "5,6", "6,7"))
    assert not any(column.applied and column.means for column in answer.columns[3:])


def test_hours_and_miles_of_weeks() -> None:
    hours = read(sheet("Week 1 training (h),Week 2 training (h)", "5,6", "7,9"))
    assert held(hours, "training_hours_per_week") == [5.5, 8]
    miles = read(sheet("Week 1 miles,Week 2 miles", "20,22", "25,x"))
    assert held(miles, "weekly_run_km") == pytest.approx([21 * 1.609344, 25 * 1.609344])
    (note,) = [note for note in miles.notes if note.code == "weeks_unread"]
    assert "row 3" in note.message


AGAIN = sheet("KTW L,KTW R,KTW re-test L,KTW re-test R", "10,11,12,13", "9,10,9,10.5")


def legs(answer: SheetAnswer) -> list[tuple[str, float | None, float | None]]:
    bodies = [(row.status, row.screening) for row in answer.rows if row.screening]
    return [
        (status, *(body.get(leg, {}).get("wblt_distance_cm") for leg in ("left", "right")))
        for status, body in bodies
    ]


def test_a_test_done_again_is_one_question_a_pair() -> None:
    asked = [column for column in read(AGAIN).columns if column.question]
    assert [column.column for column in asked] == ["KTW re-test L", "KTW re-test R"]
    use = {one.place: one.alternatives[0].ask.model_dump() for one in asked}
    assert legs(read(AGAIN, columns=use)) == [("ready", 12, 13), ("ready", 9, 10.5)]
    keep = {one.place: {"means": None} for one in asked}
    assert legs(read(AGAIN, columns=keep)) == [("ready", 10, 11), ("ready", 9, 10)]


def test_with_a_date_of_its_own_it_is_a_later_visit() -> None:
    answer = read(
        sheet("Test date,Re-test date,KTW pre L,KTW pre R,KTW post L,KTW post R",
              "2026-01-05,2026-03-05,10,11,12,13", "2026-01-05,,9,10,9,10.5",
              "2026-01-05,,9,10,,")
    )  # fmt: skip
    assert answer.counts.questions == 0
    assert legs(answer) == [
        ("earlier", 10, 11), ("ready", 12, 13), ("ready", 9, 10), ("ready", 9, 10)
    ]  # fmt: skip
    (note,) = [note for note in answer.notes if note.code == "visits_undated"]
    assert "row 3" in note.message


def test_beside_a_screening_with_a_date_it_is_of_no_known_day() -> None:
    text = AGAIN.replace("KTW L,", "Test date,KTW L,", 1).replace(",f,", ",f,2026-01-05,")
    answer = read(text)
    assert answer.counts.questions == 0
    assert legs(answer) == [("ready", 10, 11), ("ready", 9, 10)]
    assert [column.means for column in answer.columns[-2:]] == [None, None]
    assert "add its date" in answer.columns[-1].why


def test_headings_with_dates_have_the_legs_of_their_language() -> None:
    answer = read(sheet("KTW li 02.09.2024,KTW re 02.09.2024", "10,11", "9,10", language="de"))
    assert legs(answer) == [("ready", 10, 11), ("ready", 9, 10)]


@pytest.mark.parametrize("text", [AGAIN, sheet("Week 1 km,Week 2 km", "30,40", "20,22")])
def test_the_command_line_reads_the_same(tmp_path: Path, text: str) -> None:
    heading, *rows = text.split("\n")
    lines = [f"{heading},Outcome", *(f"{row},ok" for row in rows)]
    said = {"F": {"means": "left_wblt_distance_cm"}, "G": {"means": None}}
    columns = said if "re-test" in heading else {}
    assert_the_same(tmp_path, "\n".join(lines).encode(), columns=columns)
