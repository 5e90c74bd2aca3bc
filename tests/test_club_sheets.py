"""Sheets as clubs and practices keep them: nothing is read wrongly without a question."""

from __future__ import annotations

from typing import Any

from kneerisk.cohort.sheets.sheet_answer import SheetAnswer, SheetColumn
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked, SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise


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
