"""Exports of devices become one row for each athlete and date, with the values worked out by hand.

Every file here is made up, in the layout of a kind of device.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_one_reader import assert_the_same

from kneerisk.cohort.sheets.columns.column_names import read_name
from kneerisk.cohort.sheets.device_exports.device_tests import known_tests
from kneerisk.cohort.sheets.device_exports.export_columns import layouts
from kneerisk.cohort.sheets.device_exports.tidy_table import Trial, one_of, takes_best
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer, SheetColumn
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.errors import CohortRefused
from kneerisk.schema import Category, Quantity, columns, leg_measures

FRAME = """Name,Sex,Age,Weight (kg),Date,Time,Device,Mode,Test,Direction,Position,L Reps,R Reps,L Max Force (N),R Max Force (N),Max Imbalance,L Max Ratio,R Max Ratio,L Max Force Per kg (N/kg),R Max Force Per kg (N/kg),L Max RFD (N/s),R Max RFD (N/s),Notes
Ida Voss,f,22,60,2026/05/04,9:02 AM,FF-7,Iso,Hip AD/AB,Squeeze,Hip AD/AB - 0,3,3,240,252,5,1.2,1.25,4.0,4.2,900,910,
Ida Voss,f,22,60,2026/05/04,9:05 AM,FF-7,Iso,Hip AD/AB,Squeeze,Hip AD/AB - 0,3,3,252,264,5,1.1,1.15,4.2,4.4,900,910,
Ida Voss,f,22,60,2026/05/04,9:09 AM,FF-7,Iso,Hip AD/AB,Pull,Hip AD/AB - 0,3,3,210,216,3,,,3.5,3.6,800,820,
Ida Voss,f,22,60,2026/05/04,9:12 AM,FF-7,Iso,Hip AD/AB,Squeeze,Supine (Knee),3,3,300,310,3,,,5.0,5.2,,,
Ida Voss,f,22,60,2026/05/04,9:15 AM,FF-7,Iso,Hip IR/ER,Pull,Hip IR/ER - Supine,3,3,120,126,5,,,2.0,2.1,,,
Max Orth,m,25,80,2026/05/04,9:30 AM,FF-7,Iso,Hip AD/AB,Squeeze,Hip AD/AB - 0,3,3,320,328,2,1.0,1.0,4.0,4.1,,,
"""  # noqa: E501

BENCH = """Name,Sex,Age,Date UTC,Time UTC,Device,Test,L Reps,R Reps,L Max Force (N),R Max Force (N),Max Imbalance (%),L Max Torque (Nm),R Max Torque (Nm),L Max Torque Per Kg (Nm/kg),R Max Torque Per Kg (Nm/kg),Notes
Ida Voss,f,22,5/14/2026,10:01,NB-1,Nordic,5,5,300,310,3,120,124,2.0,2.07,
Ida Voss,f,22,5/14/2026,10:09,NB-1,ISO 60,3,3,200,205,2,75,78,1.25,1.3,
Ida Voss,f,22,5/14/2026,10:12,NB-1,ISO 60,3,3,205,209,2,81,72,1.35,1.2,
"""  # noqa: E501

DYNAMOMETER = """Athlete,Sex,Age,Weight (kg),Groups,Date,Time,Device,Type,Body Region,Movement,Position,L Reps,R Reps,L Max Force (N),R Max Force (N),Force Asymmetry,L Max ROM,R Max ROM
Ida Voss,f,22,60,U23,2026-05-04,09:00,HD-2,Strength,Hip,Hip Abduction,Side Lying,4,4,200,206,3,,
Ida Voss,f,22,60,U23,2026-05-04,09:04,HD-2,Range of Motion,Ankle,Ankle Dorsiflexion,Standing Lunge,2,2,,,,40,42
Ida Voss,f,22,60,U23,2026-05-04,09:06,HD-2,Range of Motion,Ankle,Ankle Dorsiflexion,Standing Lunge,2,2,,,,42,43
Ida Voss,f,22,60,U23,2026-05-04,09:08,HD-2,Range of Motion,Ankle,Ankle Dorsiflexion,Supine,2,2,,,,18,17
Ida Voss,f,22,60,U23,2026-05-04,09:10,HD-2,Strength,Wrist,Wrist Flexion,Seated,2,2,90,95,5,,
"""  # noqa: E501

PLATES = """Name,Test Type,Date,Time,BW [KG],Reps,Tags,Additional Load [lb],Jump Height (Imp-Mom) [cm],Peak Power / BM [W/kg]
Ida Voss,Countermovement Jump,05/14/2026,10:00 AM,60.2,3,,0,31.5,44
Ida Voss,Squat Jump,05/14/2026,10:05 AM,60.4,3,,0,29.9,43
Ida Voss,Squat Jump,05/14/2026,10:09 AM,80.4,3,,44,21.9,43
"""  # noqa: E501

ISOKINETIC_ROWS = """Patient,Age,Sex,Weight (kg),Date,Side,Movement,Contraction,Speed (deg/s),Peak Torque (N-m),Total Work (J)
P-1,20,f,60,2026-02-01,Left,Knee Extension,Concentric,60,150,900
P-1,20,f,60,2026-02-01,Left,Knee Flexion,Concentric,60,84,500
P-1,20,f,60,2026-02-01,Right,Knee Extension,Concentric,60,162,900
P-1,20,f,60,2026-02-01,Right,Knee Flexion,Concentric,60,90,500
P-1,20,f,60,2026-02-01,Right,Knee Extension,Concentric,180,110,600
P-1,20,f,60,2026-02-01,Right,Knee Flexion,Eccentric,60,130,700
"""  # noqa: E501


SHARES = ",".join(f"Knee {m} peak torque/BW 60 deg/s left (%)" for m in ("extension", "flexion"))
FOOT_POUNDS = ",".join(f"Knee {m} peak torque 60 left (ft-lbs)" for m in ("extension", "flexion"))


def read(text: str, **stated: Any) -> SheetAnswer:
    return recognise(text.encode(), SheetAsked.model_validate(stated))


def value(answer: SheetAnswer, means: str, row: int = 0) -> Any:
    """What a row has of a canonical column."""
    places = {column.place for column in answer.columns if column.means == means and column.applied}
    found = [cell.value for cell in answer.rows[row].cells if cell.place in places]
    return found[0] if found else None


def column(answer: SheetAnswer, *words: str) -> SheetColumn:
    """The column that has some words in its name."""
    found = [one for one in answer.columns if all(word in one.column for word in words)]
    assert len(found) == 1, [one.column for one in answer.columns]
    return found[0]


def codes(answer: SheetAnswer) -> dict[str, str]:
    return {note.code: note.message for note in answer.notes}


class TestForceFrame:
    def test_squeeze_and_pull_are_adduction_and_abduction(self) -> None:
        answer = read(FRAME)
        assert answer.counts.questions == 0
        assert [(row.athlete, row.date, row.status) for row in answer.rows] == [
            ("Ida Voss", "2026-05-04", "ready"), ("Max Orth", "2026-05-04", "ready"),
        ]  # fmt: skip
        # The mean of two tests, as the protocol of the squeeze says: (4.0 + 4.2) / 2.
        assert value(answer, "left_adductor_squeeze_n_kg") == pytest.approx(4.1)
        assert value(answer, "right_adductor_squeeze_n_kg") == pytest.approx(4.3)
        # 3.5 N/kg over 9.80665 N/kg, in percent.
        assert value(answer, "left_hip_abduction_pct_bw") == pytest.approx(35.69006)
        assert value(answer, "right_hip_abduction_pct_bw") == pytest.approx(36.70978)
        assert value(answer, "left_adduction_abduction_ratio") == pytest.approx(1.15)
        assert value(answer, "hip_torque_mode") == "isometric"

    def test_a_short_lever_and_a_rotation_are_listed_not_used(self) -> None:
        answer = read(FRAME)
        knee = column(answer, "Supine (Knee)", "L Max")
        assert (knee.means, knee.applied) == (None, False)
        assert "short lever" in knee.why
        rotation = column(answer, "Hip IR/ER", "R Max")
        assert (rotation.means, rotation.why) == (None, "no measure holds this test")
        told = codes(answer)
        assert "Hip IR/ER" in told["tests_without_measure"]
        assert "L Max RFD (N/s)" in told["columns_of_the_device"]

    def test_without_a_position_it_is_asked_and_nothing_is_proposed(self) -> None:
        text = (
            "Name,Sex,Age,Weight (kg),Date,Test,Direction,L Max Force (N),R Max Force (N)\n"
            "A,f,20,60,2026-01-02,Hip AD/AB,Squeeze,240,250\n"
            "A,f,20,60,2026-01-02,Hip AD/AB,Pull,200,210\n"
        )
        answer = read(text)
        squeeze = column(answer, "Squeeze", "L Max")
        assert squeeze.question is not None
        assert "straight legs" in squeeze.question
        assert squeeze.proposal is None
        first, leave = squeeze.alternatives
        assert leave.ask.means is None
        asked = [one for one in answer.columns if one.question]
        said = {one.place: one.alternatives[0].ask.model_dump() for one in asked}
        confirmed = read(text, columns=said)
        assert first.ask.means == "left_adductor_squeeze_n_kg"
        # 240 N over 60 kg.
        assert value(confirmed, "left_adductor_squeeze_n_kg") == 4.0
        assert confirmed.rows[0].status == "ready"

    def test_the_interface_of_the_device_names_the_directions_inner_and_outer(self) -> None:
        answer = read(
            "profileId,sex,age,testId,testDateUtc,testTypeName,testPositionName,innerLeftMaxForce,"
            "innerRightMaxForce,outerLeftMaxForce,outerRightMaxForce,weight kg\n"
            "p1,m,21,t1,2026-03-04T09:12:01.000Z,Hip AD/AB,Hip AD/AB - 0,320,328,280,288,80\n"
        )
        assert (answer.rows[0].athlete, answer.rows[0].date) == ("p1", "2026-03-04")
        assert value(answer, "left_adductor_squeeze_n_kg") == 4.0
        # 280 N are 28.55205 kgf, of 80 kg.
        assert value(answer, "left_hip_abduction_pct_bw") == pytest.approx(35.69006)


class TestNordicBench:
    def test_isometric_is_read_and_the_nordic_never_is(self) -> None:
        answer = read(BENCH)
        assert answer.rows[0].date == "2026-05-14"
        # The better of two: a peak torque.
        assert value(answer, "left_hamstring_torque_nm_kg") == 1.35
        assert value(answer, "right_hamstring_torque_nm_kg") == 1.3
        assert value(answer, "torque_mode") == "isometric"
        nordic = column(answer, "Nordic", "L Max")
        assert (nordic.means, nordic.confidence) == (None, "none")
        assert "eccentric" in nordic.why

    def test_the_test_has_an_id_and_the_athlete_another(self) -> None:
        answer = read(
            "profileId,testId,testDate,testTypeName,device,leftMaxForce,leftTorque,rightMaxForce,"
            "rightTorque\nx1,t1,2026-01-10T12:14:33.8Z,ISO 60,NB,300,120,310,124\n"
            "x1,t2,2026-03-14T09:02:11.1Z,ISO 60,NB,310,124,320,128\n"
        )
        assert [(row.athlete, row.date) for row in answer.rows] == [
            ("x1", "2026-01-10"), ("x1", "2026-03-14"),
        ]  # fmt: skip
        assert "testId" in codes(answer)["columns_of_the_device"]


class TestHandDynamometer:
    def test_side_lying_strength_and_the_lunge(self) -> None:
        answer = read(DYNAMOMETER)
        assert answer.rows[0].status == "ready"
        # 200 N are 20.39432 kgf, of 60 kg.
        assert value(answer, "left_hip_abduction_pct_bw") == pytest.approx(33.99054)
        # The mean, since the protocol names no best: (40 + 42) / 2.
        assert value(answer, "left_wblt_dorsiflexion_deg") == 41
        assert value(answer, "right_wblt_dorsiflexion_deg") == 42.5

    def test_a_lying_ankle_is_no_lunge(self) -> None:
        answer = read(DYNAMOMETER)
        lying = column(answer, "Supine", "L Max ROM")
        assert (lying.means, lying.applied) == (None, False)
        assert "lying" in lying.why

    def test_an_ankle_without_a_position_is_asked(self) -> None:
        answer = read(
            "Athlete,Date,Type,Body Region,Movement,L Max ROM,R Max ROM\n"
            "A,2026-01-02,Range of Motion,Ankle,Ankle Dorsiflexion,38,40\n"
        )
        ankle = column(answer, "L Max ROM")
        assert ankle.question is not None
        assert (ankle.proposal, ankle.applied) == (None, False)

    def test_the_rows_of_each_value_are_told(self) -> None:
        answer = recognise(DYNAMOMETER.encode())
        lunge = next(one for one in answer.columns if one.means == "left_wblt_dorsiflexion_deg")
        cell = next(cell for cell in answer.rows[0].cells if cell.place == lunge.place)
        assert cell.source == "rows 3, 4"
        assert answer.rows[0].sources == ["rows 2, 3, 4, 5, 6"]


def test_force_plates_weigh_the_athlete() -> None:
    answer = read(PLATES)
    # The mean of the day, without the jump with a barbell.
    assert value(answer, "mass_kg") == pytest.approx(60.3)
    assert "load" in codes(answer)["weighed_with_load"]
    assert "row 4" in codes(answer)["weighed_with_load"]


class TestIsokinetic:
    def test_a_row_for_each_movement_leg_and_speed(self) -> None:
        answer = read(ISOKINETIC_ROWS)
        assert answer.rows[0].status == "ready"
        # 150 Nm of 60 kg.
        assert value(answer, "left_quad_torque_nm_kg") == 2.5
        assert value(answer, "left_hamstring_torque_nm_kg") == 1.4
        assert value(answer, "right_quad_torque_nm_kg") == 2.7
        assert value(answer, "torque_mode") == "isokinetic_60"
        assert "60 degrees" in column(answer, "180").why
        assert "eccentric" in column(answer, "Eccentric").why

    @pytest.mark.parametrize(
        ("heading", "cells", "quad", "ham"),
        [
            # 100 times Nm/kg.
            (f"Weight (kg),{SHARES}", "70,250,150", 2.5, 1.5),
            # 100 times ft-lb/lb: 84 % are 0.84 * 1.3558179 / 0.45359237 Nm/kg.
            (f"Weight (lb),{SHARES}", "154,84,50", 2.510816, 1.494533),
            # 150 ft-lb of 150 lb: 150 * 1.3558179 / (150 * 0.45359237).
            (f"Weight (lb),{FOOT_POUNDS}", "150,150,75", 2.989067, 1.494533),
        ],
    )
    def test_a_share_of_body_weight_in_both_systems(
        self, heading: str, cells: str, quad: float, ham: float
    ) -> None:
        answer = read(f"Patient,Age,Sex,{heading}\nB1,21,m,{cells}\nB2,22,m,{cells}\n")
        assert answer.counts.questions == 0
        assert value(answer, "left_quad_torque_nm_kg") == pytest.approx(quad, rel=1e-6)
        assert value(answer, "left_hamstring_torque_nm_kg") == pytest.approx(ham, rel=1e-6)
        assert value(answer, "torque_mode") == "isokinetic_60"

    def test_where_the_units_are_not_told_they_are_asked(self) -> None:
        text = (
            "Patient,Age,Sex,Knee extension peak torque/BW 60 left (%)\nB1,21,m,110\nB2,22,m,112\n"
        )
        answer = read(text)
        quad = column(answer, "extension")
        assert quad.question is not None
        assert [one.ask.unit for one in quad.alternatives] == [
            "% (ft-lb/lb)", "% (Nm/kg)", None,
        ]  # fmt: skip
        said = {quad.place: quad.alternatives[1].ask.model_dump()}
        assert value(read(text, columns=said), "left_quad_torque_nm_kg") == pytest.approx(1.1)

    def test_only_60_degrees_a_second_and_the_ratio_as_one(self) -> None:
        answer = read(
            "Patient,Age,Sex,Agon/Antag Ratio 60 Left (%),Agon/Antag Ratio 180 Left (%),"
            "Knee extension peak torque 180 left (N-m)\nB1,21,m,58.5,66,150\n"
        )
        assert value(answer, "left_hamstring_quad_ratio") == pytest.approx(0.585)
        for words in (("180", "Ratio"), ("180", "torque")):
            assert column(answer, *words).means is None
            assert "60 degrees" in column(answer, *words).why


def test_the_injured_leg_and_the_other_one() -> None:
    answer = read(
        "Patient Name,Involved,Weight (kg),Speed,Movement,Peak Torque Involved (N-m),"
        "Peak Torque Uninvolved (N-m)\nA,Left,70,60,Extension,140,161\n"
        "B,Right,60,60,Extension,120,150\n"
    )
    assert value(answer, "left_quad_torque_nm_kg") == 2.0
    assert value(answer, "right_quad_torque_nm_kg") == 2.3
    assert value(answer, "right_quad_torque_nm_kg", 1) == 2.0
    assert value(answer, "left_quad_torque_nm_kg", 1) == 2.5


def test_a_force_at_the_knee_waits_for_its_lever() -> None:
    text = (
        "Name,Sex,Age,Date,Weight (kg),Movement,Position,L Max Force (N),R Max Force (N)\n"
        "A,f,22,2026-05-03,70,Knee Extension Isometric,Seated 90,400,420\n"
    )
    answer = read(text)
    asked = [one for one in answer.columns if one.question]
    assert {one.asks for one in asked} == {"lever_arm"}
    said = {one.place: {"lever_arm_m": 0.35} for one in asked}
    told = read(text, columns=said)
    # 400 N at 0.35 m over 70 kg.
    assert value(told, "left_quad_torque_nm_kg") == pytest.approx(2.0)
    assert value(told, "torque_mode") == "isometric_90"


LONG = {
    "Spanish": (
        "Nombre;Sexo;Edad;Fecha;Prueba;Valor;Unidad\n"
        "Ana Gil;M;22;15.03.2026;Rodilla a pared I;11;cm\n"
        "Ana Gil;M;22;15.03.2026;Rodilla a pared D;12,5;cm\n"
    ),
    "Portuguese": (
        "Nome,Sexo,Idade,Data,Teste,Lado,Resultado,Unidade\n"
        "Bia,F,22,2026-03-15,Joelho à parede,Direito,12.5,cm\n"
        "Bia,F,22,2026-03-15,Joelho à parede,Esquerdo,11,cm\n"
    ),
    "English": (
        "firstName,lastName,gender,date,age,metric,value,units\n"
        "Eli,Roe,Male,2026-03-15,22,KNEE_TO_WALL_L,11,cm\n"
        "Eli,Roe,Male,2026-03-15,22,KNEE_TO_WALL_R,12.5,cm\n"
    ),
    "German": (
        "Name;Geschlecht;Alter;Datum;Messung;Seite;Wert;Einheit\n"
        "Jan Bo;m;22;15.03.2026;Knie-Wand-Test;links;11;cm\n"
        "Jan Bo;m;22;15.03.2026;Knie-Wand-Test;rechts;12,5;cm\n"
    ),
    "one leg a column": (
        "Player,Sex,Age,Date,Test,L,R\nJan,m,22,2026-03-15,Knee to wall (cm),11,12.5\n"
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_a_table_of_tests_and_values(name: str) -> None:
    answer = read(LONG[name])
    assert (len(answer.rows), answer.rows[0].date) == (1, "2026-03-15")
    assert value(answer, "left_wblt_distance_cm") == 11
    assert value(answer, "right_wblt_distance_cm") == 12.5


def test_a_table_of_values_may_weigh_the_athlete() -> None:
    rows = "Ida,2026-02-01,body mass,,60,kg\nIda,2026-02-01,hip drop,left,5,deg\n"
    answer = read("athlete,date,metric,side,value,unit\n" + rows)
    assert (value(answer, "mass_kg"), value(answer, "left_hip_drop_deg")) == (60.0, 5.0)


def test_best_beside_its_trials_is_the_value_of_a_row() -> None:
    rows = "Ida,Knee to wall (cm),L,10,10.5,11,11\nIda,Knee to wall (cm),R,9,9.5,9,9.5\n"
    answer = read("Player,Test,Leg,Trial 1,Trial 2,Trial 3,Best\n" + rows)
    assert value(answer, "left_wblt_distance_cm") == 11.0
    assert value(answer, "right_wblt_distance_cm") == 9.5


def test_short_words_of_an_isokinetic_report() -> None:
    heading = "Ext 60 Peak Torque R (N-m),Flex 60 Peak Torque R (N-m),Ext 180 Peak Torque R (N-m)"
    answer = read(f"Name,Sex,Age,Weight (kg),{heading}\nIda,f,24,60,150,81,110\n")
    assert value(answer, "right_quad_torque_nm_kg") == 2.5
    assert value(answer, "right_hamstring_torque_nm_kg") == 1.35
    assert column(answer, "Ext 180").means is None


def test_dates_in_the_headings_become_visits() -> None:
    answer = read(
        "Athlete,Sex,Age,KTW L 02.09.2024,KTW R 02.09.2024,KTW L 10.02.2025,KTW R 10.02.2025\n"
        "P1,m,21,11,12,10,11\nP2,f,19,9,10,,\n"
    )
    assert [(row.athlete, row.date, row.status) for row in answer.rows] == [
        ("P1", "2024-09-02", "earlier"), ("P1", "2025-02-10", "ready"),
        ("P2", "2024-09-02", "ready"),
    ]  # fmt: skip
    assert value(answer, "right_wblt_distance_cm", 1) == 11
    assert "2 dates" in codes(answer)["dates_in_columns"]


def test_of_trials_the_best_or_the_mean_counts() -> None:
    answer = read(
        "Athlete,Sex,Age,KTW L 1,KTW L 2,KTW L 3,SLR R trial 1,SLR R trial 2\n"
        "P1,m,21,11,12.5,12,70,74\nP2,f,19,9,,10,66,68\n"
    )
    # "Greatest distance" is the protocol of the one; that of the other names no best.
    assert value(answer, "left_wblt_distance_cm") == 12.5
    assert value(answer, "right_slr_deg") == 72
    assert value(answer, "left_wblt_distance_cm", 1) == 10
    assert "best of 3" in codes(answer)["best_of_trials"]
    assert "mean of 2" in codes(answer)["mean_of_trials"]


def test_a_summary_of_the_sheet_s_own_stays() -> None:
    answer = read("Athlete,Sex,Age,KTW L 1,KTW L 2,KTW L\nP1,m,21,11,12,11.5\n")
    assert "best_of_trials" not in codes(answer)


def test_one_bad_trial_loses_a_trial() -> None:
    named = read_name("KTW L (cm)")
    assert one_of([Trial("11", 2), Trial("x", 3), Trial("12", 4)], named, commas=False) == (
        12.0, (2, 4),
    )  # fmt: skip


def test_a_squeeze_of_another_joint_is_no_squeeze_of_the_adductors() -> None:
    answer = read(
        "Name,Weight (kg),Date,Test,Direction,Position,L Max Force (N),R Max Force (N),"
        "L Max Force Per kg (N/kg),R Max Force Per kg (N/kg)\n"
        "A,70,2026-05-04,Knee Flexion,Squeeze,Prone,210,215,3.0,3.1\n"
        "A,70,2026-05-04,Odd joint,Squeeze,Prone,110,115,1.6,1.7\n"
    )
    assert {one.means for one in answer.columns if one.means} == {
        "athlete_id", "mass_kg", "screening_date",
        "left_hamstring_torque_nm_kg", "right_hamstring_torque_nm_kg",
    }  # fmt: skip


def test_dates_in_a_line_above_the_names() -> None:
    answer = read("Athlete,02.09.2024,,10.02.2025,\n,KTW L,KTW R,KTW L,KTW R\nP1,11,12,10,11\n")
    assert [row.date for row in answer.rows] == ["2024-09-02", "2025-02-10"]
    assert value(answer, "right_wblt_distance_cm", 1) == 11


def test_what_is_of_the_athlete_may_be_a_row_too() -> None:
    answer = read(
        "Name,Date,Metric,Value,Unit\nA,2026-01-14,Body mass,70,kg\nA,2026-01-14,Age,22,years\n"
        "A,2026-01-14,Sex,male,\nA,2026-01-14,KTW L,11,cm\n"
    )
    assert answer.rows[0].status == "ready"
    assert value(answer, "mass_kg") == 70


def test_an_ordinary_sheet_is_left_as_it_is() -> None:
    for text in (
        "Name,Age,Sex,KTW L (cm),KTW R (cm)\nA,22,f,11,12\n",
        "Name,Age,Sex,Test,KTW L (cm)\nA,22,f,baseline,11\n",
        "Name,Age,Sex,Position,Sport,KTW L (cm)\nA,22,f,goalkeeper,football,11\n",
        "Name,Age,Sex,Type,Result\nA,22,f,screening,fit\n",
    ):
        assert read(text).parts == []


@pytest.mark.parametrize(
    "text",
    [FRAME, BENCH, DYNAMOMETER, ISOKINETIC_ROWS, LONG["German"]],
    ids=["frame", "bench", "dynamometer", "isokinetic", "long"],
)
def test_page_and_command_line_read_the_same(tmp_path: Path, text: str) -> None:
    lines = text.splitlines()
    mark = ";" if ";" in lines[0] else ","
    with_outcome = [lines[0] + f"{mark}Outcome", *(f"{line}{mark}ok" for line in lines[1:])]
    assert_the_same(tmp_path, "\n".join(with_outcome).encode())


def test_too_many_tests_are_listed_and_cost_no_time() -> None:
    rows = "".join(f"A,2026-01-02,Odd test {n},1,2\n" for n in range(4_000))
    rows += "A,2026-01-02,Knee to wall lunge,11,12\n" * 3
    answer = read(f"Athlete,Date,Movement,L Max ROM,R Max ROM\n{rows}")
    assert len(answer.columns) < 60
    assert len(codes(answer)["tests_without_measure"]) < 500


def test_more_dates_than_rows_are_allowed_is_refused() -> None:
    days = ",".join(f"KTW L {d:02}.{m:02}.2024" for m in range(1, 7) for d in range(1, 29))
    row = ",".join(["11"] * 168)
    with pytest.raises(CohortRefused, match="lines"):
        read(f"Athlete,{days}\n" + "".join(f"P{n},{row}\n" for n in range(40)))


class TestTables:
    def test_every_measure_and_mode_of_the_table_is_the_schema_s(self) -> None:
        for known in known_tests():
            assert known.measure is None or known.measure in leg_measures()
            for name, choice in known.protocol.items():
                mode = columns()[name]
                assert isinstance(mode, Category)
                assert choice in mode.choices
            assert (known.outcome == "left_out") == (known.measure is None)
            assert known.source

    def test_every_kind_of_export_has_columns_that_tell_it(self) -> None:
        assert len({layout.telling for layout in layouts()}) == len(layouts())

    def test_best_and_mean_follow_the_protocol(self) -> None:
        best = {n for n, m in leg_measures().items() if isinstance(m, Quantity) and takes_best(m)}
        assert {"wblt_distance_cm", "quad_torque_nm_kg", "hip_abduction_pct_bw"} <= best
        assert not {"adductor_squeeze_n_kg", "slr_deg", "ake_deficit_deg"} & best
