"""Sheets that were once read wrongly without a question: each is read rightly now, or asked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from test_one_reader import assert_the_same

from benchmarks import sheet_forms, sheet_layouts
from kneerisk.cohort.sheets.lexicon.languages import LANGUAGES, entries, tables
from kneerisk.cohort.sheets.lexicon.vocabulary import side_codes, sides, unsided
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer, SheetColumn
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.errors import CohortRefused
from kneerisk.schema import Screening, to_row


class Case(NamedTuple):
    """A sheet, what its columns are, what a person answers, and what the rows then hold."""

    text: str
    columns: dict[str, str]
    """By place: `= means` where it is used, `? means` where it is asked, `-` where left out."""
    said: dict[str, Any]
    rows: tuple[dict[str, Any], ...]
    """Some values of each row that is ready."""


HEAD = "Player,Age,Sex,Mass (kg)"
PEOPLE = ("A1,23,m,81", "B2,20,f,60", "C3,27,m,74")


def sheet(heading: str, *cells: str, head: str = HEAD) -> str:
    """A sheet of three people with some more columns."""
    rows = [f"{person},{cell}" for person, cell in zip(PEOPLE, cells, strict=True)]
    return "\n".join([f"{head},{heading}", *rows])


CASES = {
    "an athlete called Max": Case(
        "Vorname;Nachname;Alter;Geschlecht;SLR li;SLR re\nMax;Adler;22;m;70;72\n"
        "Ida;Busch;25;w;81;80\nMin;Seo;24;w;79;78\nMittelwert;;23,7;;76,7;76,7\nMax;;25;;81;80\n",
        {"E": "= left_slr_deg"},
        {},
        ({"left_slr_deg": 70}, {"left_slr_deg": 81}, {"left_slr_deg": 79}),
    ),
    "degrees of a hip are no strength": Case(
        sheet("Hip abduction L (°),H:Q L (deg),Training (%)", "44,31,70", "47,35,80", "41,33,65"),
        {"E": "-", "F": "-", "G": "-"}, {}, ({"mass_kg": 81},) * 1,
    ),
    "hombre and mujer": Case(
        "Jugador;Edad;Sexo;SLR D;SLR I\nA;22;H;70;71\nB;24;M;80;79\nC;25;M;78;77\n",
        {"C": "= sex", "D": "= right_slr_deg", "E": "= left_slr_deg"}, {},
        ({"sex": "male", "left_slr_deg": 71}, {"sex": "female", "right_slr_deg": 80}),
    ),
    "M alone in Spanish": Case(
        "Jugadora;Edad;Sexo;SLR D;SLR I\nA;22;M;70;71\nB;24;M;80;79\n",
        {"C": "? sex"}, {"columns": {"C": {"words": {"M": "female"}}}}, ({"sex": "female"},),
    ),
    "the German article": Case(
        "Spieler;Alter;Geschlecht;Länge der Adduktoren;Kraft der Kniestrecker (Nm/kg)\n"
        "A;22;m;ok;3,1\nB;24;w;ok;2,4\nC;25;m;ok;2,9\n",
        {"E": "? quad_torque_nm_kg"},
        {"columns": {"E": {"means": "left_quad_torque_nm_kg"}},
         "constants": {"torque_mode": "isometric"}},
        ({"left_quad_torque_nm_kg": 3.1},),
    ),
    "a re-test has no side": Case(
        sheet("KTW re-test (cm)", "11", "9.5", "12"),
        {"E": "? wblt_distance_cm"},
        {"columns": {"E": {"means": "both_wblt_distance_cm"}}},
        ({"left_wblt_distance_cm": 11, "right_wblt_distance_cm": 11},),
    ),
    "grades of muscles": Case(
        sheet("Quad strength L,Hamstring strength R", "5,5", "4,5", "5,4"),
        {"E": "? left_quad_torque_nm_kg", "F": "? right_hamstring_torque_nm_kg"},
        {"columns": {"E": {"means": None}, "F": {"means": None}}}, ({"mass_kg": 81},),
    ),
    "an ankle without weight on it": Case(
        sheet("Ankle dorsiflexion L,Ankle dorsiflexion R (deg)", "15,14", "18,19", "12,11"),
        {"E": "? left_wblt_distance_cm", "F": "? right_wblt_dorsiflexion_deg"},
        {"columns": {"E": {"means": None}, "F": {"means": None}}}, ({"mass_kg": 81},),
    ),
    "thousands": Case(
        sheet("Weekly distance (m)", '"41,200"', '"25,500"', '"33,750"'),
        {"E": "? weekly_run_km"}, {"columns": {"E": {"decimal": "point"}}},
        ({"weekly_run_km": 41.2}, {"weekly_run_km": 25.5}),
    ),
    "thousands beside decimals": Case(
        sheet("Weekly distance (m)", '"41,200.5"', '"25,500"', "9800"),
        {"E": "= weekly_run_km"}, {}, ({"weekly_run_km": 41.2005}, {"weekly_run_km": 25.5}),
    ),
    "a test is no athlete": Case(
        "profileId,testId,testDate,Age,Sex,SLR L\nq1,t1,2025-03-01T09:10:11.120Z,22,m,70\n"
        "q1,t2,2025-05-01T09:10:11.120Z,22,m,74\nq2,t3,2025-03-02T10:00:00.000Z,25,f,80\n",
        {"A": "= athlete_id", "B": "-", "C": "= screening_date"}, {},
        ({"left_slr_deg": 70}, {"left_slr_deg": 74}, {"left_slr_deg": 80}),
    ),
    "hours a week in other spellings": Case(
        sheet("Strength_Sessions_Per_Week,kmPerWeek,SITTING_HOURS_PER_DAY,Training_Intensity",
              "2,28,6,3", "3,35,5,2", "1,22,8,3"),
        {"E": "= resistance_sessions_per_week", "F": "= weekly_run_km",
         "G": "= sitting_hours_per_day", "H": "-"}, {},
        ({"weekly_run_km": 28, "sitting_hours_per_day": 6, "resistance_sessions_per_week": 2},),
    ),
    "codes of a registry": Case(
        "record_id,age,gender,experience,level,SLR L\n1,22,1,3,2,70\n2,24,2,4,1,78\n"
        "3,30,2,2,3,75\n",
        {"C": "? sex", "D": "? training_years", "E": "? level"},
        {"columns": {"C": {"words": {"1": "male", "2": "female"}}, "D": {"means": None},
                     "E": {"words": {"1": "novice", "2": "recreational", "3": "competitive"}}}},
        ({"sex": "male", "level": "recreational"}, {"sex": "female", "level": "novice"}),
    ),
    "a dynamometer's newtons": Case(
        sheet("Knee extension L (N),Knee extension R (N)", "510,500", "350,360", "470,455"),
        {"E": "? left_quad_torque_nm_kg", "F": "? right_quad_torque_nm_kg"},
        {"columns": {"E": {"lever_arm_m": 0.36}, "F": {"lever_arm_m": 0.36}},
         "constants": {"torque_mode": "isometric"}},
        ({"left_quad_torque_nm_kg": pytest.approx(510 * 0.36 / 81)},),
    ),
    "whose age it is": Case(
        "Athlete_Age,Athlete_Weight,Athlete_Height,Sex,Training_Intensity\n24,80.2,182,m,0.31\n"
        "21,63.5,169.5,f,0.44\n",
        {"A": "= age_years", "B": "= mass_kg", "C": "= height_cm", "E": "-"}, {},
        ({"age_years": 24, "mass_kg": 80.2, "height_cm": 182},),
    ),
    "not tested": Case(
        sheet("SLR L,SLR R", "n.a.,70", "DNP,x", "999,72") + "\nD4,20,f,58,77,inj\nE5,20,f,58,80,.",
        {"E": "= left_slr_deg", "F": "= right_slr_deg"}, {},
        ({"right_slr_deg": 70}, {"mass_kg": 60}, {"right_slr_deg": 72}, {"left_slr_deg": 77}),
    ),
    "a leg in codes": Case(
        "ID,SIDE,Age,Sex,KTW (cm)\n7,1,40,m,10\n7,2,40,m,11\n8,1,51,f,9\n8,2,51,f,8\n",
        {"B": "? side"}, {"columns": {"B": {"words": {"1": "right", "2": "left"}}}},
        ({"right_wblt_distance_cm": 10, "left_wblt_distance_cm": 11},),
    ),
    "feet with a point": Case(
        sheet("Height (ft)", "5.11", "5.10", "6.1"), {"E": "? height_cm"},
        {"columns": {"E": {"unit": "ft+in"}}},
        ({"height_cm": pytest.approx(71 * 2.54)}, {"height_cm": pytest.approx(70 * 2.54)}),
    ),
    "found or not found": Case(
        sheet("Hip drop L,Hip drop R,Ober L", "1,0,pos", "0,0,neg", "1,1,neg"),
        {"E": "? left_hip_drop_deg", "F": "? right_hip_drop_deg", "G": "-"},
        {"columns": {place: {"means": None} for place in "EFG"}}, ({"mass_kg": 81},),
    ),
    "thousands parted by blanks and apostrophes": Case(
        sheet("Weekly distance (m),Training hours", "41'200,5", "25 500,7", "33\u202f750.5,4"),
        {"E": "= weekly_run_km"}, {}, ({"weekly_run_km": 41.2}, {"weekly_run_km": 25.5}),
    ),
    "signs in words": Case(
        sheet("Trendelenburg L,Thomas R,Knee valgus L", "pos,+,yes", "neg,neg,no", "neg,pos,no"),
        {"E": "-", "F": "-", "G": "-"}, {}, ({"mass_kg": 81},),
    ),
    "an angle is no knee to wall in mm": Case(
        sheet("KTW L,KTW R", "41,38", "36,35", "44,43"),
        {"E": "? left_wblt_distance_cm", "F": "? right_wblt_distance_cm"},
        {"columns": {"E": {"means": "left_wblt_dorsiflexion_deg"}, "F": {"means": None}}},
        ({"left_wblt_dorsiflexion_deg": 41},),
    ),
    "a range of motion that resembles a test": Case(
        sheet("Knee extension R (deg)", "0", "2", "-2"), {"E": "? right_ake_deficit_deg"},
        {"columns": {"E": {"means": None}}}, ({"mass_kg": 81},),
    ),
    "a squeeze with bent legs": Case(
        sheet("Squeeze 45 (N/kg),Squeeze 0 (N/kg)", "4.2,3.5", "4.6,4.1", "3.9,3.1"),
        {"E": "-"}, {"columns": {"F": {"means": "left_adductor_squeeze_n_kg"}}},
        ({"left_adductor_squeeze_n_kg": 3.5},),
    ),
    "a word for the leg beside its side": Case(
        "Jugador;Edad;Sexo;Rodilla a pared pierna der. (cm);Rodilla a pared pierna izq. (cm)\n"
        "A;22;H;10,5;11\nB;24;M;9;9,5\n",
        {"D": "= right_wblt_distance_cm", "E": "= left_wblt_distance_cm"}, {},
        ({"right_wblt_distance_cm": 10.5, "left_wblt_distance_cm": 11},),
    ),
    "first and last": Case(
        "First,Last,Age,Sex,SLR L\nNa,Li,20,f,70\nNone,Smith,22,m,72\nNa,Ng,23,f,74\n",
        {"A": "= athlete_id", "B": "= athlete_id"}, {},
        ({"left_slr_deg": 70}, {"left_slr_deg": 72}, {"left_slr_deg": 74}),
    ),
    "pain of no leg beside that of both": Case(
        sheet("Pain (0-10),Pain L,Pain R", "3,3,0", "0,0,0", "5,2,5"),
        {"E": "-", "F": "= left_pain_nrs", "G": "= right_pain_nrs"}, {},
        ({"left_pain_nrs": 3, "right_pain_nrs": 0},),
    ),
    "a pressure is no force": Case(
        sheet("Adductor squeeze (mmHg)", "210", "185", "230"), {"E": "-"}, {}, ({"mass_kg": 81},)
    ),
}  # fmt: skip


def column(answer: SheetAnswer, place: str) -> SheetColumn:
    return next(one for one in answer.columns if one.place == place)


def told(one: SheetColumn) -> str:
    if one.means is None:
        return "-"
    return f"{'?' if one.question else '='} {one.means}"


@pytest.mark.parametrize("name", CASES)
def test_it_is_read_rightly_or_asked(name: str) -> None:
    case = CASES[name]
    answer = recognise(case.text.encode())
    assert {place: told(column(answer, place)) for place in case.columns} == case.columns
    done = recognise(case.text.encode(), SheetAsked.model_validate(case.said))
    assert not done.counts.questions
    ready = [row for row in done.rows if row.screening is not None]
    for row, wanted in zip(ready, case.rows, strict=False):
        held = to_row(Screening.model_validate(row.screening))
        assert {measure: held.get(measure) for measure in wanted} == wanted
    assert len(ready) >= len(case.rows)


@pytest.mark.parametrize("name", CASES)
def test_the_command_line_reads_the_same(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    mark = ";" if ";" in case.text.partition("\n")[0] else ","
    heading, *rows = case.text.strip().split("\n")
    if not {"Player", "Spieler", "Jugador", "ID", "profileId"} & set(heading.split(mark)):
        return
    content = "\n".join([f"{heading}{mark}Outcome", *(f"{row}{mark}ok" for row in rows)])
    assert_the_same(tmp_path, content.encode(), **case.said)


@pytest.mark.parametrize("name", CASES)
def test_a_yes_to_all_proposals_does_no_harm(name: str) -> None:
    answer = recognise(CASES[name].text.encode())
    harmful = {"an angle is no knee to wall in mm", "a range of motion that resembles a test"}
    assert name not in harmful or not any(column.proposal for column in answer.columns)
    for place, wanted in CASES[name].columns.items():
        proposal = column(answer, place).proposal
        # What is even has none, and what is likely is what it is.
        assert proposal is None or f"? {proposal.means}" == wanted


def test_every_question_has_an_answer_that_can_be_pressed() -> None:
    for case in CASES.values():
        for one in recognise(case.text.encode()).columns:
            if one.question:
                assert one.proposal or one.alternatives or one.asks, one.column


def test_an_athlete_may_be_called_na() -> None:
    answer = recognise(b"Name,Age,Sex,SLR L\nNa,20,f,70\nNA Lee,21,m,71\n?,22,m,72\n-,23,f,73\n")
    assert [row.athlete for row in answer.rows] == ["Na", "NA Lee", None, None]


def test_a_pace_is_no_athlete() -> None:
    text = "Pace,Age,Sex,SLR L\n5:21,20,f,70\n4:58,21,m,71\n5:40,22,m,72\n"
    assert column(recognise(text.encode()), "A").means is None
    asked = column(recognise(text.replace("Pace", "Who is it?").replace("5:21", "Ann").replace(
        "4:58", "Bo").replace("5:40", "Cy").encode()), "A")  # fmt: skip
    assert (asked.means, asked.applied) == ("athlete_id", False)


def test_a_bad_cell_costs_the_cell() -> None:
    answer = recognise(
        b"Name,Age,Sex,SLR L,Red flags\nA,20,f,700,none\nB,x,m,71,none\nC,22,m,72,?!\n"
    )
    assert [row.status for row in answer.rows] == ["ready", "bad", "bad"]
    assert [(reason.place, reason.code) for reason in answer.rows[0].reasons] == [
        ("D", "outside_limits")
    ]


def book(*sheets: tuple[str, list[list[Any]]], hidden: str = "") -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)  # type: ignore[arg-type]
    for title, rows in sheets:
        page = made.create_sheet(title)
        for row in rows:
            page.append(row)
        page.sheet_state = "hidden" if title == hidden else "visible"
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


GOOD = [["Name", "Age", "Sex", "SLR L", "SLR R"], ["A", 20, "f", 70, 71], ["B", 22, "m", 66, 67]]
COVER = [["Squad of spring"], ["1. Type the name", "2. Test date"], ["3. Save", "4. Send"]]


def test_the_table_is_found_behind_a_cover_and_a_hidden_sheet() -> None:
    old = [GOOD[0], ["Z", 50, "m", 60, 61]]
    answer = recognise(book(("Old", old), ("Cover", COVER), ("Tests", GOOD), hidden="Old"))
    assert answer.file.sheet == "Tests"
    assert [row.athlete for row in answer.rows] == ["A", "B"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body><table><tr><th>Name</th></tr></table>", "web page"),
        (b"\xef\xbb\xbf <!DOCTYPE html>\n<html>", "web page"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "password"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"Workbook", "old Excel file"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_is_no_sheet_is_named(content: bytes, said: str) -> None:
    with pytest.raises(CohortRefused, match=said):
        recognise(content)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_sixteen_bits_a_letter(encoding: str) -> None:
    text = "Spieler;Alter;Geschlecht;SLR li\nJörg;22;m;70,5\nÄnne;24;w;80\n"
    answer = recognise(text.encode(encoding))
    assert [row.athlete for row in answer.rows] == ["Jörg", "Änne"]
    assert answer.counts.ready == 2


def test_the_lines_of_one_athlete_are_told_once() -> None:
    rows = "".join(f"A,25,f,{60 + i % 20}\n" for i in range(500))
    answer = recognise(f"Name,Age,Sex,SLR L\n{rows}".encode())
    (note,) = [note for note in answer.notes if note.code == "repeated_athletes"]
    assert note.message.startswith("500 lines are of one athlete")
    assert len(answer.model_dump_json()) < 500_000


def test_no_layout_is_read_wrongly_without_a_question() -> None:
    _, every, most = sheet_layouts.totals(sheet_layouts.counted())
    measured = sum(every[name] for name in ("used", "asked", "missed", "wrong"))
    assert every["wrong"] == 0
    assert every["used"] + every["asked"] >= 0.9 * measured
    assert most <= 1


def test_a_form_that_is_read_to_other_legs_is_wrong() -> None:
    other = {"left": "right", "right": "left"}
    for made in sheet_forms.forms():
        swapped = {
            f"{other[side]}_{name}": told
            for side, name, told in ((*one.split("_", 1), told) for one, told in made.told.items())
            if side in other
        }
        if swapped:
            assert sheet_forms.outcomes(made._replace(told=swapped))["wrong"] == len(swapped)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_words_of_every_sheet(language: str) -> None:
    table = tables()[language]
    needed = [("athlete_id", ""), ("screening_date", ""), ("birth_date", ""), ("age_years", ""),
              ("sex", ""), ("sex", "letters"), ("sex", "male"), ("sex", "female"),
              ("height_cm", ""), ("mass_kg", ""), ("side", "left"), ("side", "right"),
              ("wblt_distance_cm", ""), ("quad_torque_nm_kg", ""), ("weekly_run_km", ""),
              ("missing", ""), ("total", ""), ("article", ""),
              ("own_leg", "dominant"), ("own_leg", "non_dominant"), ("own_leg", "involved"),
              ("own_leg", "uninvolved"), ("own_leg", "noun"),
              ("week", ""), ("week", "per"), ("visit", "first"), ("visit", "later")]  # fmt: skip
    assert not [key for key in needed if key not in table]
    kinds = {"owner", "unit", "total", "missing", "missing_number", "article", "trial", "any",
             "side", "own_leg", "week", "visit", "found", "red_flags", "athlete_id",
             "screening_date", "birth_date"}  # fmt: skip
    assert {means for means, _ in table} <= kinds | unsided().keys()


def test_a_word_for_a_leg_means_one_leg_in_every_language() -> None:
    left, right = entries()["side", "left"].keys(), entries()["side", "right"].keys()
    assert not left & right
    assert not sides().keys() & side_codes().keys()
