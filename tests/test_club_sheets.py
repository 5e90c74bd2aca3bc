"""Sheets as clubs and practices keep them: nothing is read wrongly without a question."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from excel_files import workbook

from kneerisk.cohort.sheets.club_cohort import ingest
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer, SheetColumn
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked, SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise, recognise_files

OUTCOME = """[outcome]
kind = "past_injury"
either = { column = "Sex", values = { f = 1, m = 0 } }
"""


def read(content: str, **stated: Any) -> SheetAnswer:
    return recognise(content.encode(), SheetAsked(**stated))


def column(answer: SheetAnswer, name: str) -> SheetColumn:
    return next(one for one in answer.columns if one.column.startswith(name))


def used(answer: SheetAnswer) -> dict[str, str | None]:
    return {one.column: one.means for one in answer.columns if one.applied}


PRACTICE = """Patient;Geb.-Datum;Geschl.;Untersuchung am;Quadrizepskraft li (Nm/kg);KTW re;VAS
"Müller, Jürgen";12.03.1985;m;04.11.2025;2,4;10;0
"Schäfer, Ute";01.12.1990;w;05.11.2025;n.g.;7,5;3
"Weiß, Kai";23.07.1978;m;06.11.2025;2,2;10,5;6
"""


def test_a_scale_of_pain_is_no_leg_of_another_language() -> None:
    answer = read(PRACTICE)
    vas = column(answer, "VAS")
    assert not vas.applied
    assert {one.ask.means for one in vas.alternatives} == {
        "left_pain_nrs", "right_pain_nrs", "both_pain_nrs"
    }  # fmt: skip
    fin = read(
        "Pelaaja;Ikä;Sukupuoli;Kipu oik;Kipu vas\nAino;25;N;1;2\nEero;30;M;0;3\nIda;22;N;2;4"
    )
    assert used(fin)["Kipu vas"] == "left_pain_nrs"


def test_what_was_not_measured_is_no_bad_number() -> None:
    answer = read(PRACTICE, constants={"torque_mode": "isometric"})
    assert [row.reasons for row in answer.rows] == [[], [], []]


def test_a_row_of_both_legs_gives_both_their_value() -> None:
    sheet = "Spieler;Seite;Alter;Geschlecht;KTW\nTom;links;22;m;9,5\nTom;rechts;22;m;10\n"
    answer = read(sheet + "Ida;bds.;23;w;11\n")
    body = answer.rows[-1].screening
    assert body is not None
    assert body["left"] == body["right"] == {"wblt_distance_cm": 11.0}
    twice = read(sheet + "Ida;bds.;23;w;11\nIda;links;23;w;10\n")
    reasons = [reason.code for row in twice.rows for reason in row.reasons]
    assert reasons == ["repeated_leg"]
    coded = read(
        sheet.replace("links", "1").replace("rechts", "2") + "Ida;3;23;w;11\n",
        columns={"B": ColumnAsked(means="side", words={"1": "left", "2": "right", "3": "both"})},
    )
    assert coded.counts.ready == 2


def test_a_share_of_body_weight_is_told_in_every_language_and_before_the_leg() -> None:
    danish = (
        "Navn;Alder;Køn;Vægt (kg);Hofteabduktion H (% kropsvægt);Hofteabduktion V (% kropsvægt)"
    )
    answer = read(f"{danish}\nSøren;25;M;82;40;38\nMette;22;K;61;36;35\n")
    assert used(answer)["Hofteabduktion H (% kropsvægt)"] == "right_hip_abduction_pct_bw"
    english = read("ID,Sex,Age,Hip ABD %BW L,Hip ADD %BW R\n1,F,20,38,36\n2,M,22,42,40\n")
    assert used(english)["Hip ABD %BW L"] == "left_hip_abduction_pct_bw"
    assert column(english, "Hip ADD").means is None


def test_minutes_are_no_years_and_a_jump_is_no_ankle() -> None:
    exposure = "Name,Age,Sex,training_minutes\nAmy,25,f,90\nBo,31,m,75\n"
    assert column(read(exposure), "training_minutes").means is None
    jump = read("Name;Alter;Geschlecht;Sprung (cm)\nTom;25;m;40\nIda;22;w;35\n")
    assert column(jump, "Sprung").means is None


def test_the_dominant_leg_is_not_the_leg_of_the_row() -> None:
    answer = read("Player,Age,Sex,Dominant leg,KTW L\nA,25,f,R,9\nB,31,m,L,8\n")
    assert column(answer, "Dominant leg").means is None
    assert used(answer)["KTW L"] == "left_wblt_distance_cm"


class TestOrderOfDayAndMonth:
    def test_another_column_of_the_sheet_tells_it(self) -> None:
        answer = read(
            "Nom;Né(e) le;Sexe;Date du test\nA;12/06/1999;F;15/10/2025\nB;03/01/1995;M;02/10/2025\n"
        )
        assert [row.date for row in answer.rows] == ["2025-10-15", "2025-10-02"]
        assert [row.screening["athlete"]["age_years"] for row in answer.rows if row.screening] == [
            26, 30
        ]  # fmt: skip

    def test_points_tell_nothing_of_strokes(self) -> None:
        answer = read("Name,DOB,Date,Sex\nA,21.03.2001,03/04/2026,f\n")
        asked = column(answer, "Date")
        assert (asked.question is not None, asked.proposal) == (True, None)

    def test_it_is_proposed_where_the_language_writes_the_day_first(self) -> None:
        asked = column(
            read("Navn;Alder;Køn;Testdato\nA;25;M;05-09-2025\nB;22;K;06-09-2025\n"), "Testdato"
        )
        assert asked.proposal == ColumnAsked(means="screening_date", day_first=True)
        assert [one.ask.day_first for one in asked.alternatives] == [False]

    def test_one_answer_settles_every_column(self) -> None:
        sheet = "Name,DOB,Date,Sex\nA,02/03/2001,03/04/2026,f\n"
        stated = {"C": ColumnAsked(means="screening_date", day_first=False)}
        answer = read(sheet, columns=stated)
        assert answer.rows[0].date == "2026-03-04"
        assert column(answer, "DOB").applied


class TestSquadsOneBelowTheOther:
    HEAD: ClassVar = ["Name", "Age", "Sex", "KTW L (cm)", "KTW R (cm)"]
    FIRST: ClassVar = [
        HEAD, ["Amy", 16, "f", 9, 10], ["Bea", 17, "f", 8, 9], ["Abe", 17, "m", 7, 9],
    ]  # fmt: skip
    # The same columns in another order.
    SECOND: ClassVar = [
        ["Name", "Sex", "Age", "KTW L (cm)", "KTW R (cm)"],
        ["Cy", "m", 18, 9, 10], ["Di", "f", 18, 8, 9], ["Ed", "m", 19, 7, 9],
    ]  # fmt: skip

    def test_each_worksheet_is_a_team(self, tmp_path: Path) -> None:
        content = workbook(U17=self.FIRST, U19=self.SECOND, Notes=[["see mail"], ["to do"]])
        answer = recognise(content)
        assert [row.athlete for row in answer.rows] == [*["Amy", "Bea", "Abe", "Cy", "Di", "Ed"]]
        assert [row.screening["athlete"]["age_years"] for row in answer.rows if row.screening] == [
            16, 17, 17, 18, 18, 19
        ]  # fmt: skip
        assert answer.unmatched == []
        assert answer.rows[3].sources == ["U19, row 2"]
        assert any("'Notes'" in note.message for note in answer.notes)
        (tmp_path / "teams.xlsx").write_bytes(content)
        (tmp_path / "teams.toml").write_text(
            answer.mapping.replace('source = "..."', 'source = "a test"') + OUTCOME
        )
        cohort = ingest(tmp_path / "teams.xlsx", tmp_path / "teams.toml").cohort
        assert cohort.frame["athlete_id"].tolist() == [*["Amy", "Bea", "Abe", "Cy", "Di", "Ed"]]

    def test_files_of_teams_too_and_none_of_them_is_unmatched(self) -> None:
        files = [
            SquadFile(name, "\n".join(",".join(map(str, row)) for row in rows).encode())
            for name, rows in (("u17.csv", self.FIRST), ("u19.csv", self.SECOND))
        ]
        answer = recognise_files(files)
        assert (answer.counts.ready, answer.unmatched) == (6, [])

    def test_an_athlete_of_two_teams_is_asked_about_row_by_row(self) -> None:
        content = workbook(U17=self.FIRST, U19=[*self.SECOND, ["Amy", "f", 16, 9, 10]])
        answer = recognise(content)
        told = {row.athlete: [r.code for r in row.reasons] for row in answer.rows if row.reasons}
        assert told == {"Amy": ["same_athlete"]}
        assert answer.counts.ready == 5


def test_trials_within_dates_are_one_value_of_the_day() -> None:
    answer = read(
        "Name,Age,Sex,KTW L 1 02.09.2024,KTW L 2 02.09.2024,KTW L 1 10.12.2024\n"
        "Amy,25,f,9,9.5,10\nBo,31,m,8,8.5,9\n"
    )
    values = {
        (row.athlete, row.date): row.screening["left"]["wblt_distance_cm"]
        for row in answer.rows
        if row.screening
    }
    assert values["Amy", "2024-09-02"] == pytest.approx(9.5)
    assert values["Bo", "2024-12-10"] == 9.0


HUMAC = """Patient,Weight (kg),Date,Test,Side,Speed,Movement,Peak Torque (Nm),Total Work (J)
Ann Roe,60,2026-06-18,Knee Ext/Flex,Right,60,Extension,150,800
Ann Roe,60,2026-06-18,Knee Ext/Flex,Right,60,Flexion,90,500
Ann Roe,60,2026-06-18,Knee Ext/Flex,Right,180,Extension,110,600
"""


def test_a_test_named_after_both_movements_is_told_by_the_movement() -> None:
    answer = read(HUMAC, constants={"age_years": 25, "sex": "female"})
    body = answer.rows[0].screening
    assert body is not None
    assert body["right"] == {"quad_torque_nm_kg": 2.5, "hamstring_torque_nm_kg": 1.5}
    wide = read(
        "Subject,Body Weight (lbs),Extensors R 60 Peak Torque (ft-lb),"
        "Flex/Ext Ratio R 60 (%)\nS1,150,140,57\nS2,180,170,56\n"
    )
    assert used(wide)["Extensors R 60 Peak Torque (ft-lb)"] == "right_quad_torque_nm_kg"
    assert used(wide)["Flex/Ext Ratio R 60 (%)"] == "right_hamstring_quad_ratio"


def test_a_frame_s_ratio_is_one_of_both_directions_with_straight_legs() -> None:
    head = "Name,Date,Mode,Test,Direction,Position,L Max Force (N),L Max Ratio\n"
    rows = "".join(
        f"Amy,2026-03-14,Bilateral,Hip AD/AB,{way},{place},300,{ratio}\n"
        for way in ("Squeeze", "Pull")
        for place, ratio in (("Hip AD/AB - 45", 1.1), ("Hip AD/AB - 0", 1.2))
    )
    answer = read(head + rows)
    ratios = [c for c in answer.columns if c.means == "left_adduction_abduction_ratio"]
    assert [(c.column, c.question) for c in ratios] == [("Hip AD/AB, 0: L Max Ratio", None)]


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        # The other way round, it is another ratio.
        ("ABD/ADD L", ("0.9", "1.0")),
        ("Hip abd:add L", ("0.9", "1.0")),
        ("Q:H ratio L", ("1.6", "1.7")),
        ("Q:H L", ("1.6", "1.7")),
        ("Q/H R", ("1.6", "1.7")),
        ("Quad/Ham ratio L", ("0.6", "0.55")),
        ("VL:VMO L", ("0.9", "1.1")),
        # A cuff's pressure, a load in kilograms, another day.
        ("Squeeze", ("200", "240")),
        ("Squat 1RM change", ("5", "10")),
        ("Date of surgery", ("2024-01-02", "2024-03-04")),
        ("Datum Operation", ("2024-01-02", "2024-03-04")),
        ("Pull L Max Force (N)", ("220", "300")),
        ("IMTP L (N)", ("1200", "1500")),
    ],
)
def test_nothing_is_certain_that_may_be_another_thing(heading: str, cells: tuple[str, ...]) -> None:
    answer = read(
        f"Name,Age,Sex,Weight (kg),{heading}\nA,25,f,60,{cells[0]}\nB,31,m,80,{cells[1]}\n"
    )
    asked = answer.columns[-1]
    assert not asked.applied
    if asked.proposal is not None:
        assert heading.startswith("Pull")


def test_a_table_on_its_side_is_turned() -> None:
    answer = read(
        "Screening;;;;\nName;;Tom;Ida;Kai\nAlter;Jahre;22;25;31\nGeschlecht;;m;w;m\n"
        "Knie-Wand li;cm;9,5;10;8\nKnie-Wand re;cm;10;11;8,5\n"
    )
    assert [row.athlete for row in answer.rows] == ["Tom", "Ida", "Kai"]
    body = answer.rows[0].screening
    assert body is not None
    assert (body["left"], body["right"]) == ({"wblt_distance_cm": 9.5}, {"wblt_distance_cm": 10.0})
    assert "transposed" in {note.code for note in answer.notes}
    # A report of one athlete, with a column for each leg, is none of athletes.
    report = read("Test,Left,Right\nKTW (cm),10,11\nSLR,70,75\nQuad (Nm/kg),2.5,2.6\nAKE,20,22\n")
    assert not [c for c in report.columns if c.applied and c.side]


def test_a_mapping_reads_a_turned_table_again(tmp_path: Path) -> None:
    text = "Name,Tom,Ida\nAge,22,25\nSex,m,f\nSLR L,70,71\nSLR R,72,73\n"
    (tmp_path / "side.csv").write_text(text)
    mapping = recognise(text.encode()).mapping.replace('source = "..."', 'source = "a test"')
    outcome = (
        '[outcome]\nkind = "past_injury"\neither = { column = "Sex", values = { f = 1, m = 0 } }\n'
    )
    (tmp_path / "side.toml").write_text(mapping + outcome)
    frame = ingest(tmp_path / "side.csv", tmp_path / "side.toml").cohort.frame
    assert frame["left_slr_deg"].tolist() == [70, 71]
