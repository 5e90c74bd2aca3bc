"""Logs of outcomes: what each row becomes, worked out by hand in the real layouts."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kneerisk.errors import CohortRefused, KneeriskError
from kneerisk.records.outcome_logs.episodes import covered_days, gaps_between
from kneerisk.records.outcome_logs.event_table import asked, event_row, summary
from kneerisk.records.outcome_logs.knee_codes import class_of, knee_codes
from kneerisk.records.outcome_logs.ostrc import scored
from kneerisk.records.outcome_logs.outcome_mapping import OutcomeMapping, read_outcome_mapping
from kneerisk.records.outcome_logs.read_outcomes import NamedFile, read_outcome_logs
from pipelines import __main__ as cli

ROOT = Path(__file__).parents[1]


def read(*texts: str, **mapping):
    files = [NamedFile(f"{at}.csv", text.encode()) for at, text in enumerate(texts, start=1)]
    log = read_outcome_logs(files, OutcomeMapping(**mapping))
    for file in log.files:
        assert file.accounted == file.rows
    return log


def told(log, *names):
    """Some columns of each event."""
    return [tuple(event_row(event)[name] for name in names) for event in log.events]


def questions(log):
    return [question.name for question in log.questions]


def weekly(*answers: str, first="2025-01-06", skip=(), heading="Knee_1,Knee_2,Knee_3,Knee_4"):
    """One athlete's questionnaires on Mondays; weeks that are skipped were not answered."""
    start = date.fromisoformat(first)
    weeks = (start + timedelta(weeks=week) for week in range(100) if week not in skip)
    rows = [f"A1,{day},{one}" for day, one in zip(weeks, answers, strict=False)]
    return "\n".join([f"athlete_id,date,{heading}", *rows]) + "\n"


CLEAN, SORE, BAD = "0,0,0,0", "8,0,0,8", "17,17,17,17"
ALL = {"side": "unknown"}


class TestScoresOfTheQuestionnaire:
    """Clarsen 2013 (version 1) and 2020 (version 2)."""

    @pytest.mark.parametrize(
        ("version", "answers", "severity", "says", "substantial"),
        [
            ("v1", (8, 6, 13, 8), 35, "problem", True),
            ("v1", (0, 6, 6, 8), 20, "problem", False),
            ("v1", (0, 0, 0, 8), 8, "problem", False),
            ("v1", (25, 25, 25, 25), 100, "problem", True),
            ("v1", (25, 0, 0, 0), 25, "problem", True),
            ("v2", (8, 8, 17, 8), 41, "problem", True),
            ("v2", (8, 8, 8, 8), 32, "problem", False),
            ("v2", (0, None, None, None), 0, "nothing_new", False),
            # Cannot participate: 100, though the answers sum to 25.
            ("v2", (25, None, None, None), 100, "problem", True),
            ("v2", (8, None, None, None), None, "problem", None),
            # The first version has no gatekeeper: what was left out may have been a problem.
            ("v1", (0, None, None, None), None, "unknown", None),
        ],
    )
    def test_by_hand(self, version, answers, severity, says, substantial):
        given_ = tuple(None if a is None else float(a) for a in answers)
        result = scored(given_, version, "scores", None)
        assert (result.severity, result.says, result.substantial) == (severity, says, substantial)
        assert result.answers == given_

    @pytest.mark.parametrize("bad", [(8.0, 6.0, 0.0, 0.0), (1.5, 0.0, 0.0, 0.0)])
    def test_what_a_version_does_not_have_is_no_answer(self, bad):
        assert scored(bad, "v2", "scores", None) == "not_an_answer"

    def test_no_answer_at_all_says_nothing(self):
        assert scored((None,) * 4, "v2", "scores", None) == "unanswered"

    def test_the_version_is_told_by_the_scores(self):
        assert {c.version for c in read(weekly("8,13,6,8"), **ALL).check_ins} == {"ostrc_v1"}
        assert {c.version for c in read(weekly("8,17,8,8"), **ALL).check_ins} == {"ostrc_v2"}

    def test_a_version_that_matters_is_asked(self):
        log = read(weekly("25,25,25,25", "25,0,0,0"), **ALL)
        assert questions(log) == ["ostrc_version"]
        severities = [
            [c.severity for c in read(weekly("25,0,0,0"), ostrc_version=v, **ALL).check_ins]
            for v in ("v1", "v2")
        ]
        assert severities == [[25.0], [100.0]]

    def test_numbers_of_options_count_from_nought_or_one(self):
        from_0 = read(weekly("0,0,0,0", "1,2,4,1"), **ALL).check_ins
        assert [c.severity for c in from_0] == [0.0, 8 + 13 + 25 + 8]
        assert questions(read(weekly("1,1,1,1", "2,3,2,2"), **ALL)) == ["ostrc_coding"]
        from_1 = read(
            weekly("1,1,1,1", "2,3,2,2"), ostrc_coding="from_1", ostrc_version="v2", **ALL
        )
        assert [c.severity for c in from_1.check_ins] == [0.0, 8 + 17 + 8 + 8]

    def test_a_sum_that_is_not_its_answers_is_told(self):
        heading = "Knee_1,Knee_2,Knee_3,Knee_4,Knee_Total"
        log = read(weekly("25,,,,25", "0,,,,0", heading=heading), **ALL)
        assert [c.severity for c in log.check_ins] == [100.0, 0.0]
        assert any(note.startswith("1 sums") for note in log.notes)


class TestCheckIns:
    def test_a_report_covers_its_day_and_the_six_before(self):
        """Not the six after, as a published script fills them."""
        (one,) = read(weekly(CLEAN, first="2025-03-10")).check_ins
        assert (one.covers_from, one.covers_to) == (date(2025, 3, 4), date(2025, 3, 10))

    def test_onset_lies_between_the_last_clean_and_the_first_painful_report(self):
        """Clean on 6 and 13 January, sore on the 20th and 27th, clean on 3 February.

        By hand: it began from the 14th to the 20th, was last reported on the 27th, and the clean
        report covers 28 January to 3 February.
        """
        log = read(weekly(CLEAN, CLEAN, SORE, BAD, CLEAN), **ALL)
        names = ("event", "onset_earliest", "onset_latest", "last_reported", "free_by", "course")
        assert told(log, *names) == [
            ("knee_pain", "2025-01-14", "2025-01-20", "2025-01-27", "2025-01-28", "new")
        ]
        assert log.events[0].severity == 68.0

    def test_missed_weeks_widen_the_onset_and_are_unknown(self):
        """Clean on 6 January, nothing on the 13th and 20th, sore on the 27th."""
        log = read(weekly(CLEAN, SORE, skip=(1, 2)), **ALL)
        assert told(log, "onset_earliest", "onset_latest") == [("2025-01-07", "2025-01-27")]
        periods = covered_days(log.check_ins)["A1"]
        assert periods == [
            (date(2024, 12, 31), date(2025, 1, 6)), (date(2025, 1, 21), date(2025, 1, 27)),
        ]  # fmt: skip
        assert gaps_between(periods) == [(date(2025, 1, 7), date(2025, 1, 20))]
        assert any("unknown" in note for note in log.notes)

    def test_days_that_two_reports_cover_count_once(self):
        rows = weekly(CLEAN) + "A1,2025-01-09,0,0,0,0\n"
        assert covered_days(read(rows).check_ins)["A1"] == [(date(2024, 12, 31), date(2025, 1, 9))]

    def test_pain_at_the_first_report_is_not_new_and_its_flare_is_not(self):
        """Sore from the start, worse in the third week: one episode, of unknown onset."""
        log = read(weekly(SORE, SORE, BAD, SORE), **ALL)
        assert told(log, "onset_earliest", "course", "severity") == [
            (None, "at_first_report", 68.0)
        ]

    def test_pain_that_comes_back_after_clean_weeks_is_a_recurrence(self):
        log = read(weekly(SORE, CLEAN, CLEAN, SORE), **ALL)
        assert told(log, "course", "onset_earliest", "onset_latest") == [
            ("at_first_report", None, "2025-01-06"),
            ("recurrence", "2025-01-21", "2025-01-27"),
        ]

    def test_pain_after_silence_is_a_flare(self):
        """Clean on 6 January, sore on the 13th and, after three silent weeks, on 10 February."""
        log = read(weekly(CLEAN, SORE, SORE, skip=(2, 3, 4)), **ALL)
        assert told(log, "course", "onset_earliest", "onset_latest") == [
            ("new", "2025-01-07", "2025-01-13"),
            ("flare", "2025-01-14", "2025-02-10"),
        ]
        assert log.events[0].free_by is None

    def test_an_unanswered_week_is_no_clean_one(self):
        log = read(weekly(CLEAN, ",,,", SORE), **ALL)
        assert told(log, "onset_earliest") == [("2025-01-07",)]
        assert [(rows.reason, rows.lines) for rows in log.files[0].left_out] == [
            ("unanswered", [3])
        ]

    def test_the_side_is_asked_once_and_only_for_pain(self):
        assert questions(read(weekly(CLEAN, CLEAN))) == []
        assert questions(read(weekly(CLEAN, SORE))) == ["side"]
        assert told(read(weekly(CLEAN, SORE), sides={"a1": "left"}), "side") == [("left",)]
        by_line = read(weekly(CLEAN, SORE), sides={"1.csv:3": "right"})
        assert told(by_line, "side") == [("right",)]

    def test_each_knee_may_have_its_own_questions(self):
        """Left sore in the second week, right in the third; the other knee was clean by its own."""
        heading = ",".join(f"knee_{side}_q{n}" for side in ("left", "right") for n in (1, 2, 3, 4))
        log = read(weekly(f"{CLEAN},{CLEAN}", f"{SORE},{CLEAN}", f"{SORE},{BAD}", heading=heading))
        assert told(log, "side", "onset_earliest", "onset_latest") == [
            ("left", "2025-01-07", "2025-01-13"),
            ("right", "2025-01-14", "2025-01-20"),
        ]

    def test_questions_about_other_parts_are_not_the_knee(self):
        parts = ",".join(f"{part}_{n}" for part in ("Shoulder", "Knee") for n in (1, 2, 3, 4))
        log = read(weekly(f"{BAD},{CLEAN}", f"{BAD},{SORE}", heading=parts), **ALL)
        assert told(log, "event", "severity") == [("knee_pain", 16.0)]

    def test_questions_without_a_part_are_asked_about(self):
        heading = "Q1,Q2,Q3,Q4"
        assert questions(read(weekly(SORE, heading=heading), **ALL)) == ["questions_about"]
        log = read(weekly(CLEAN, SORE, heading=heading), questions_about="knee", **ALL)
        assert told(log, "event") == [("knee_pain",)]
        log = read(weekly(CLEAN, SORE, heading=heading), questions_about="anywhere")
        assert told(log, "event") == [("other_problem",)]
        assert [c.says for c in log.check_ins] == ["nothing_new", "unknown"]

    def test_answers_in_words_can_be_told(self):
        words = {"full": 0.0, "a bit": 8.0}
        log = read(weekly("full,,,", "a bit,a bit,full,full"), answer_words=words, **ALL)
        assert [c.severity for c in log.check_ins] == [0.0, 16.0]

    def test_a_bad_answer_and_a_repeated_report_are_left_out(self):
        log = read(weekly(CLEAN, "9,0,0,0", "soon,,,", "0,0,0,0") + "A1,2025-01-27,0,0,0,0\n")
        assert {rows.reason: rows.lines for rows in log.files[0].left_out} == {
            "not_an_answer": [3, 4], "repeated": [6],
        }  # fmt: skip


CASE_COLUMNS = (
    "player_id;team;sex;case_id;event_id;date_event;problem_type;onset;body_area;tissue;"
    "pathology_type;organ_system;aetiology;mh_symptoms;when_occurred;match_min;contact;"
    "contact_type;player_action;sanction;card;subsequent_cat;recurrence_type;timeloss;"
    "timeloss_cat;osiics_15_code"
)


def case_list(*rows: str) -> str:
    """The columns that a row does not tell are empty, as in the published example."""
    told_ = ("player_id", "date_event", "problem_type", "onset", "body_area", "subsequent_cat",
             "timeloss", "osiics_15_code")  # fmt: skip
    lines = [CASE_COLUMNS]
    for row in rows:
        cells = dict(zip(told_, row.split(";"), strict=True))
        lines.append(";".join(cells.get(name, "") for name in CASE_COLUMNS.split(";")))
    return "\n".join(lines) + "\n"


CASES = case_list(
    "player_1;05/02/2025;Injury;Sudden-onset;Lower leg;index;33;QM1",
    "player_2;07/02/2025;Injury;Sudden-onset;Knee;index;44;KL3",
    "player_3;14/01/2025;Illness;;Medical;index;6;MPI",
    "player_4;08/02/2025;Injury;Gradual-onset;Knee;exacerbation;0;KT2",
    "player_4;01/09/2025;Injury;Gradual-onset;Knee;re-injury;3;KT2",
    "player_5;01/09/2025;Injury;Gradual-onset;Knee;index;;KA1",
)
EXPOSURE = """\
date;player_id;team;match_day;training_minutes;match_minutes
2025-02-03;1;t1;0;75;
2025-02-04;2;t1;1;0;90
2025-02-04;4;t2;1;;
2025-02-04;5;t2;0;0;0
2025-02-05;9;t2;0;2000;0
"""
PLAYERS = """\
team;player_id;positions;date_birth;height;weight;consent
t1;1;GK;1990-01-01;180;70;yes
t1;2;GK;1990-01-01;180;70;yes
t2;3;GK;1990-01-01;180;70;no
t2;4;GK;1990-01-01;180;70;yes
t2;5;GK;1990-01-01;180;70;yes
"""


class TestCaseLists:
    def test_sides_that_the_file_lacks_are_asked(self):
        log = read(CASES)
        assert questions(log) == ["side"]
        assert {choice.ask["side"] for choice in log.questions[0].choices} == {
            "left", "right", "both", "unknown",
        }  # fmt: skip

    def test_by_hand(self):
        """Days first, since the 14th can't be a month; codes before areas; days lost as they stand.

        QM1 is no knee, KL3 is traumatic, KT2 gradual, KA1 degenerative, and illness is elsewhere.
        """
        log = read(CASES, **ALL)
        names = ("athlete_id", "event", "onset_latest", "days_lost", "code_class", "course")
        assert told(log, *names) == [
            ("player_1", "other_problem", "2025-02-05", 33, "not_knee", "new"),
            ("player_2", "knee_injury", "2025-02-07", 44, "traumatic", "new"),
            ("player_3", "other_problem", "2025-01-14", 6, None, "new"),
            ("player_4", "knee_pain", "2025-02-08", 0, "gradual", "flare"),
            ("player_4", "knee_pain", "2025-09-01", 3, "gradual", "recurrence"),
            ("player_5", "knee_pain", "2025-09-01", None, "degenerative", "new"),
        ]
        assert all(event.onset_is_known_to_the_day for event in log.events)
        assert [e.censors_gradual_pain for e in log.events] == [False, True, *[False] * 4]

    def test_ids_are_matched_by_a_rule_that_is_shown(self):
        """`1` in two files is `player_1` in the other; 9 is in the exposure alone."""
        log = read(CASES, EXPOSURE, PLAYERS, **ALL)
        assert {event.athlete for event in log.events} == {"1", "2", "4", "5"}
        assert list(log.matched) == ["1.csv"]
        assert "player_<number> is <number>" in log.matched["1.csv"]
        assert any("One athlete is not in the list" in note for note in log.notes)

    def test_other_prefixes_may_be_other_people(self):
        other = CASES.replace("\nplayer_", "\nA")
        assert "same_numbers" in questions(read(other, EXPOSURE, **ALL))
        same = read(EXPOSURE, other, same_numbers=True, **ALL)
        # A3 is in one file alone.
        assert {event.athlete for event in same.events} == {"1", "2", "A3", "4", "5"}
        apart = read(EXPOSURE, other, same_numbers=False, **ALL)
        assert {event.athlete for event in apart.events} == {"A1", "A2", "A3", "A4", "A5"}

    def test_who_gave_no_consent_is_left_out_of_every_file(self):
        log = read(CASES, PLAYERS, **ALL)
        reasons = {f.name: {r.reason: r.lines for r in f.left_out} for f in log.files}
        assert reasons == {"1.csv": {"no_consent": [4]}, "2.csv": {"no_consent": [4]}}

    def test_minutes_of_a_day(self):
        """Nought is a day without sport; an empty cell says nothing; no day has 2000 minutes."""
        log = read(EXPOSURE)
        assert [(e.athlete, e.minutes, e.match_minutes) for e in log.exposure] == [
            ("1", 75.0, None), ("2", 90.0, 90.0), ("5", 0.0, 0.0),
        ]  # fmt: skip
        assert {r.reason: r.lines for r in log.files[0].left_out} == {
            "empty": [4], "not_possible": [6],
        }  # fmt: skip

    def test_a_column_a_day(self):
        log = read("team;player_id;27/05/2024;28/05/2024;29/05/2024\nA;A1;90;;0\n")
        assert [(e.day, e.minutes) for e in log.exposure] == [
            (date(2024, 5, 27), 90.0), (date(2024, 5, 29), 0.0),
        ]  # fmt: skip

    def test_a_time_loss_log_says_what_it_misses(self):
        assert any(
            "419" in note and "BJSM 2013;47:495" in note for note in read(CASES, **ALL).notes
        )
        assert not any("419" in note for note in read(weekly(CLEAN)).notes)

    def test_one_id_in_two_teams_is_asked(self):
        rows = "team,player_id,date,problem,side,onset\nX,1,2025-01-20,knee,left,gradual\n"
        rows += "Y,1,2025-03-20,knee,left,gradual\n"
        assert questions(read(rows)) == ["ids_by_team"]
        assert {e.athlete for e in read(rows, ids_by_team=True).events} == {"X/1", "Y/1"}
        assert {e.athlete for e in read(rows, ids_by_team=False).events} == {"1"}


class TestCodes:
    def test_the_list_is_of_knees_alone(self):
        assert len(knee_codes()) == 118
        assert all(code.startswith("K") for code in knee_codes())

    @pytest.mark.parametrize(
        ("code", "kind", "code_class"),
        [
            ("KT1", "knee_pain", "gradual"),
            ("kcd", "knee_pain", "degenerative"),
            ("KLA", "knee_injury", "traumatic"),
            ("KZS", "surgery", "after_surgery"),
            ("KWS", "other_problem", "stump"),
            ("AL1", "other_problem", "not_knee"),
        ],
    )
    def test_classes(self, code, kind, code_class):
        log = read(f"athlete,date_injured,side,osiics code\nA,2025-01-20,left,{code}\n")
        assert told(log, "event", "code_class", "code") == [(kind, code_class, code.upper())]

    def test_where_the_code_names_no_tissue_the_onset_decides(self):
        rows = "athlete,date_injured,side,osiics_code,onset\nA,2025-01-20,left,KZ1,{}\n"
        assert told(read(rows.format("Sudden-onset")), "event") == [("knee_injury",)]
        assert told(read(rows.format("Gradual-onset")), "event") == [("knee_pain",)]

    def test_a_code_that_is_not_in_the_list_is_asked(self):
        rows = "athlete,date_injured,side,osiics_code\nA,2025-01-20,left,KXY\n"
        log = read(rows)
        assert questions(log) == ["codes"]
        assert class_of("KXY") is None
        assert told(read(rows, codes={"KXY": "gradual"}), "event") == [("knee_pain",)]


class TestInjurytools:
    INJ = """\
person_id,date_injured,date_recovered,injury,injury_severity
p1,2018-03-04,2018-03-20,Knee Injury,Moderate
p1,2018-09-01,2018-12-01,Cruciate Ligament Rupture,Very_severe
p2,2018-05-05,NA,Hamstring Injury,Minor
"""

    def test_prepare_inj(self):
        """ "Knee Injury" does not say how it began; a cruciate rupture does."""
        assert questions(read(self.INJ, **ALL)) == ["knee_onset"]
        log = read(self.INJ, knee_onset="gradual", **ALL)
        names = ("athlete_id", "event", "onset_latest", "free_by", "grade")
        assert told(log, *names) == [
            ("p1", "knee_pain", "2018-03-04", "2018-03-20", "moderate"),
            ("p1", "knee_injury", "2018-09-01", "2018-12-01", "very_severe"),
            ("p2", "other_problem", "2018-05-05", None, "minor"),
        ]

    def test_without_a_word_of_where_it_is_asked(self):
        bare = "person_id,date_injured,date_recovered\np1,2018-03-04,2018-03-20\n"
        assert questions(read(bare, **ALL)) == ["problems_without_place"]
        log = read(bare, problems_without_place="elsewhere")
        assert told(log, "event") == [("other_problem",)]

    def test_prepare_exp(self):
        rows = "person_id,date,time_expo\np1,2018-03-04,1.5\n"
        assert questions(read(rows)) == ["exposure_unit"]
        assert [e.minutes for e in read(rows, exposure_unit="hours").exposure] == [90.0]
        assert [e.minutes for e in read(rows, exposure_unit="matches").exposure] == [135.0]

    def test_injd(self):
        """p1: there on the first day (not new), hurt in August, followed to June. p2: no event."""
        heading = (
            "person_id,t0,tf,date_injured,date_recovered,tstart,tstop,tstart_minPlay,"
            "tstop_minPlay,status,enum,days_lost,osiics_code,side\n"
        )
        rows = """\
p1,2017-07-01,2018-06-30,2017-07-01,2017-07-11,2017-07-01,2017-07-01,0,0,1,1,10,KT2,left
p1,2017-07-01,2018-06-30,2017-08-20,2017-09-01,2017-07-11,2017-08-20,0,9,1,2,12,KLA,right
p1,2017-07-01,2018-06-30,NA,NA,2017-09-01,2018-06-30,9,99,0,3,NA,NA,NA
p2,2017-07-01,2018-06-30,NA,NA,2017-07-01,2018-06-30,0,90,0,1,NA,NA,NA
"""
        log = read(heading + rows)
        names = ("athlete_id", "event", "side", "onset_latest", "course", "days_lost")
        assert told(log, *names) == [
            ("p1", "knee_pain", "left", "2017-07-01", "at_first_report", 10),
            ("p1", "knee_injury", "right", "2017-08-20", "new", 12),
            ("p1", "end_of_follow_up", "unknown", "2018-06-30", "new", None),
            ("p2", "end_of_follow_up", "unknown", "2018-06-30", "new", None),
        ]
        assert log.followed[0].start == date(2017, 7, 1)
        assert log.followed[1].end == date(2018, 6, 30)


def daily(*rows: tuple[str, str, dict[str, str]]) -> str:
    lines = [f'{who},"{json.dumps(parts)}",{day}'.replace('{"', '{""').replace('"}', '""}')
             for who, day, parts in rows]  # fmt: skip
    lines = [line.replace('": "', '"": ""').replace('", "', '"", ""') for line in lines]
    return "\n".join(["player_name,type,timestamp", *lines]) + "\n"


class TestDailyReports:
    def test_repeats_merge_and_a_longer_gap_parts(self):
        """Reports on 13, 14 and 21 June are one episode; 29 June, eight days on, is another.

        The thigh alone on the 12th says that the knees were clean that day.
        """
        knee = {"right_knee": "minor"}
        log = read(daily(
            ("T-1", "12.06.2020", {"right_thigh": "minor"}), ("T-1", "13.06.2020", knee),
            ("T-1", "14.06.2020", {"right_knee": "major"}), ("T-1", "21.06.2020", knee),
            ("T-1", "29.06.2020", knee), ("T-1", "29.06.2020", knee),
        ))  # fmt: skip
        names = (
            "event",
            "side",
            "onset_earliest",
            "onset_latest",
            "last_reported",
            "course",
            "grade",
        )
        assert told(log, *names)[1:] == [
            ("knee_pain", "right", "2020-06-13", "2020-06-13", "2020-06-21", "new", "major"),
            ("knee_pain", "right", "2020-06-22", "2020-06-29", "2020-06-29", "flare", "minor"),
        ]
        assert [(r.reason, r.lines) for r in log.files[0].left_out] == [("repeated", [7])]

    def test_both_knees(self):
        """Both from 21 to 23 March, then the left one for two more days: two events."""
        both = {"left_knee": "minor", "right_knee": "minor"}
        same = read(daily(("T", "21.03.2020", both), ("T", "23.03.2020", both)))
        assert told(same, "side", "course") == [("both", "at_first_report")]
        log = read(daily(
            ("T", "21.03.2020", both), ("T", "23.03.2020", both),
            ("T", "25.03.2020", {"left_knee": "minor"}),
        ))  # fmt: skip
        assert sorted(told(log, "side", "last_reported", "free_by")) == [
            ("left", "2020-03-25", None), ("right", "2020-03-23", "2020-03-25"),
        ]  # fmt: skip

    def test_an_empty_report_is_a_clean_day(self):
        log = read(daily(("T", "20.03.2020", {}), ("T", "21.03.2020", {"left_knee": "minor"})))
        assert told(log, "onset_earliest", "course") == [("2020-03-21", "new")]

    def test_a_file_of_one_athlete_is_asked_whose_it_is(self):
        rows = (
            "effective_time_frame,injuries\n2020-03-20T08:00:00.000Z,\"{'left_knee': 'minor'}\"\n"
        )
        assert questions(read(rows)) == ["athlete"]
        assert told(read(rows, athlete="P1"), "athlete_id", "side") == [("P1", "left")]


class TestOtherTables:
    def test_kitman_like_fields(self):
        heading = (
            "athlete_id,occurrence_date,examination_date,side_id,osiics_15 code,"
            "unavailability_duration,is_first_occurrence\n"
        )
        rows = (
            heading
            + """\
7,2025-01-20,2025-01-22,1,KT2,12,true
7,2025-06-20,2025-06-22,1,KT2,0,false
8,2025-01-20,2025-01-22,2,KLA,200,true
"""
        )
        log = read(rows)
        assert questions(log) == ["side_words"]
        log = read(rows, side_words={"1": "left", "2": "right"})
        assert told(log, "athlete_id", "event", "side", "days_lost", "course") == [
            ("7", "knee_pain", "left", 12, "new"),
            ("7", "knee_pain", "left", 0, "recurrence"),
            ("8", "knee_injury", "right", 200, "new"),
        ]

    def test_a_plain_table(self):
        rows = """\
Athlete,Date of injury,Body part,Side,Diagnosis,Until,Onset
Ann,20.1.2025,Knee,L,Runner's knee,3.2.2025,overuse
Ann,20.3.2025,knee,R,ACL,,fall
Ann,1.6.2025,Knee,R,ACL surgery,,
Ben,1.6.2025,,,Transfer,,
Cem,1.6.2025,Ankle,L,Sprain,,sudden
"""
        log = read(rows)
        assert told(log, "event", "side", "free_by") == [
            ("knee_pain", "left", "2025-02-03"), ("knee_injury", "right", None),
            ("surgery", "right", None), ("end_of_follow_up", "unknown", None),
            ("other_problem", "unknown", None),
        ]  # fmt: skip

    def test_every_worksheet_of_a_workbook_is_read(self, tmp_path):
        path = tmp_path / "season.xlsx"
        with pd.ExcelWriter(path) as book:
            for name, text in (("Cases", CASES), ("Minutes", EXPOSURE), ("Squad", PLAYERS)):
                table = pd.read_csv(io.StringIO(text), sep=";", dtype=str)
                table.to_excel(book, sheet_name=name, index=False)
        log = read_outcome_logs([path], OutcomeMapping(**ALL))
        assert [file.name for file in log.files] == [
            "season.xlsx/Cases", "season.xlsx/Minutes", "season.xlsx/Squad",
        ]  # fmt: skip
        apart = read(CASES, EXPOSURE, PLAYERS, **ALL)
        names = ("athlete_id", "event", "onset_latest", "days_lost")
        assert told(log, *names) == told(apart, *names)

    def test_a_severity_in_words_is_a_grade(self):
        log = read("athlete,date_injured,side,osiics,severity\nA,2025-01-20,left,KT2,Mild\n")
        assert told(log, "severity", "grade") == [(None, "mild")]

    def test_a_german_table(self):
        rows = "Spieler;Verletzt am;Körperteil;Seite;Diagnose;Ausfalltage\n"
        rows += "S1;20.01.2025;Knie;rechts;Patellaspitzensyndrom;5\n"
        rows += "S2;21.01.2025;Schulter;links;Prellung;2\n"
        assert told(read(rows), "event", "side", "days_lost") == [
            ("knee_pain", "right", 5), ("other_problem", "unknown", 2),
        ]  # fmt: skip

    def test_a_clean_entry_is_a_report(self):
        log = read("athlete,date,problem,side\nA,2025-01-20,none,\n")
        assert [(c.says, c.covers_from) for c in log.check_ins] == [
            ("nothing_new", date(2025, 1, 20))
        ]

    @pytest.mark.parametrize(
        ("words", "kind"),
        [
            ("Stress fracture of the left knee", "knee_pain"),
            ("Fracture, left knee", "knee_injury"),
            ("left knee, repetitive sudden onset", "knee_pain"),
            ("left jumper's knee", "knee_pain"),
            ("Arthroscopy left knee", "surgery"),
            ("torn ligament left knee, transferred to hospital", "knee_injury"),
        ],
    )
    def test_a_diagnosis_in_words_tells_knee_side_and_onset(self, words, kind):
        log = read(f'athlete,date,diagnosis\nA,2025-01-20,"{words}"\n')
        assert told(log, "event", "side") == [(kind, "left")]

    def test_columns_can_be_named(self):
        rows = "wer,wann genau,wo,bein\nA,2025-01-20,Knie,li\n"
        with pytest.raises(CohortRefused, match=r"1\.csv"):
            read(rows)
        named = {"wer": "athlete", "wann genau": "onset_date", "wo": "area", "bein": "side"}
        log = read(rows, columns=named, knee_onset="gradual")
        assert told(log, "athlete_id", "event", "side") == [("A", "knee_pain", "left")]

    def test_an_end_before_the_onset_is_told(self):
        log = read("athlete,date_injured,until,side,osiics\nA,2025-01-20,2025-01-02,left,KT2\n")
        assert told(log, "free_by") == [(None,)]
        assert any("end before they begin" in note for note in log.notes)


class TestDates:
    @pytest.mark.parametrize(
        ("first", "second"),
        [("03/04/2025", "25/04/2025"), ("04/03/2025", "04/25/2025"), ("2025-04-03", "2025-04-25"),
         ("3.4.2025", "25.4.2025")],
    )  # fmt: skip
    def test_the_form_is_decided_over_the_whole_column(self, first, second):
        rows = f"athlete,date_injured,side,osiics\nA,{first},left,KT2\nB,{second},left,KT2\n"
        assert told(read(rows), "onset_latest") == [("2025-04-03",), ("2025-04-25",)]

    def test_what_can_be_read_both_ways_is_asked(self):
        rows = "athlete,date_injured,side,osiics\nA,03/04/2025,left,KT2\n"
        assert questions(read(rows)) == ["day_first"]
        assert told(read(rows, day_first=True), "onset_latest") == [("2025-04-03",)]
        assert told(read(rows, day_first=False), "onset_latest") == [("2025-03-04",)]

    def test_another_column_of_the_file_may_tell(self):
        rows = "athlete,date_injured,until,side,osiics\nA,03/04/2025,25/04/2025,left,KT2\n"
        assert told(read(rows), "onset_latest", "free_by") == [("2025-04-03", "2025-04-25")]

    def test_a_day_that_can_not_be_read_leaves_the_row_out(self):
        log = read("athlete,date_injured,side,osiics\nA,soon,left,KT2\nB,2025-01-20,left,KT2\n")
        assert [(r.reason, r.lines) for r in log.files[0].left_out] == [("no_day", [2])]


class TestTheCommand:
    @pytest.fixture
    def run(self, monkeypatch, tmp_path, capsys):
        monkeypatch.chdir(tmp_path)

        def kneerisk(*arguments):
            monkeypatch.setattr(sys, "argv", ["kneerisk", "outcomes", "import", *arguments])
            with pytest.raises(SystemExit) as ended:
                cli.main()
            return int(ended.value.code or 0), *capsys.readouterr()

        return kneerisk

    def test_nothing_is_written_before_the_questions_are_answered(self, run, tmp_path):
        (tmp_path / "cases.csv").write_text(CASES.replace("\nplayer_", "\nZoe Quux "))
        code, out, err = run("cases.csv", "--out", "events.csv")
        assert (code, out) == (1, "")
        assert 'side = "unknown"' in err
        assert "Quux" not in err
        assert not (tmp_path / "events.csv").exists()
        (tmp_path / "club.toml").write_text('side = "unknown"\n')
        code, out, err = run("cases.csv", "--out", "events.csv", "--mapping", "club.toml")
        assert code == 0
        assert "Quux" not in out + err
        written = pd.read_csv(tmp_path / "events.csv")
        assert written["event"].tolist().count("knee_pain") == 3

    def test_tables_and_json(self, run, tmp_path):
        (tmp_path / "weekly.csv").write_text(weekly(CLEAN, SORE))
        (tmp_path / "club.toml").write_text('[sides]\nA1 = "right"\n')
        code, out, _ = run("weekly.csv", "--mapping", "club.toml", "--out", "e.parquet",
                           "--check-ins", "c.csv", "--json")  # fmt: skip
        assert code == 0
        result = json.loads(out)
        assert result["events"] == {"knee_pain": 1}
        assert result["files"][0]["as_check_ins"] == 2
        events = pd.read_parquet(tmp_path / "e.parquet")
        assert events["onset_earliest"].tolist() == ["2025-01-07"]
        check_ins = pd.read_csv(tmp_path / "c.csv")
        assert check_ins["q1"].tolist() == [0, 8]

    def test_the_example_of_the_document(self, run, tmp_path):
        page = (ROOT / "docs" / "outcome-logs.md").read_text("utf-8")
        (table,) = re.findall(r"^```csv\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        answers, every = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        (tmp_path / "weekly.csv").write_text(table)
        (tmp_path / "every.toml").write_text(every)
        assert read_outcome_mapping(tmp_path / "every.toml").sides["cases.csv:12"] == "right"
        (tmp_path / "club.toml").write_text(answers)
        assert run("weekly.csv", "--mapping", "club.toml", "--out", "events.csv")[0] == 0
        (event,) = pd.read_csv(tmp_path / "events.csv").to_dict("records")
        assert (event["side"], event["severity"]) == ("left", 59)
        assert (event["onset_earliest"], event["onset_latest"]) == ("2025-01-14", "2025-01-20")
        assert (event["last_reported"], event["free_by"]) == ("2025-01-27", "2025-01-28")

    def test_every_file_that_can_not_be_read_is_told(self, run, tmp_path):
        (tmp_path / "a.csv").write_text("x,y\n1,2\n")
        (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4")
        code, _, err = run("a.csv", "b.pdf", "c.csv", "--out", "e.csv")
        assert code == 1
        assert all(name in err for name in ("a.csv", "b.pdf", "c.csv"))

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ('side = "middle"\nfoo = 1\n', ["side: ", "foo: "]),
            ("side = \n", ["is not TOML"]),
            ("side = " + "9" * 5_000, ["is not TOML"]),
            ("side = " + "[" * 20_000, ["is not TOML"]),
        ],
        ids=["two mistakes", "half a line", "a long number", "lists within lists"],
    )
    def test_every_mistake_of_a_mapping_is_told(self, tmp_path, text, told):
        path = tmp_path / "club.toml"
        path.write_text(text)
        with pytest.raises(KneeriskError) as refused:
            read_outcome_mapping(path)
        assert all(part in str(refused.value) for part in told)

    def test_no_file_is_written_over_what_is_read(self, run, tmp_path):
        (tmp_path / "weekly.csv").write_text(weekly(CLEAN))
        assert run("weekly.csv", "--out", "weekly.csv")[0] == 1
        assert (tmp_path / "weekly.csv").read_text() == weekly(CLEAN)


HEADINGS = st.sampled_from([
    "athlete", "player_id", "team", "date", "date_injured", "date_recovered", "side", "body_area",
    "problem_type", "onset", "osiics_code", "diagnosis", "timeloss", "severity", "subsequent_cat",
    "consent", "training_minutes", "minutes", "time_expo", "t0", "tf", "status", "date_birth",
    "type", "Knee_1", "Knee_2", "Knee_3", "Knee_4", "Q1", "Q2", "Q3", "Q4", "total", "x",
])  # fmt: skip
CELLS = st.one_of(
    st.sampled_from([
        "", "A1", "player_2", "3", "0", "8", "17", "25", "6", "1", "2025-01-20", "03/04/2025",
        "25.4.2025", "left", "R", "both", "Knee", "Ankle", "KT2", "KLA", "KXY", "Gradual-onset",
        "none", "yes", "no", "{}", '{"left_knee": "minor"}', "{'right_knee':", "transfer",
        "surgery", "NA", "index", "-1", "1e999",
    ]),
    st.text(max_size=8),
)  # fmt: skip


@st.composite
def tables(draw):
    width = draw(st.integers(1, 9))
    names = draw(st.lists(HEADINGS, min_size=width, max_size=width))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6))
    frame = pd.DataFrame(rows, columns=names)
    return frame.to_csv(index=False, sep=draw(st.sampled_from(",;\t"))).encode("utf-8", "ignore")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(tables(), st.binary(max_size=60)), min_size=1, max_size=3))
def test_every_row_is_accounted_for(contents):
    files = [NamedFile(f"{at}.csv", content) for at, content in enumerate(contents)]
    for mapping in (OutcomeMapping(), OutcomeMapping(
        side="unknown", day_first=True, athlete="A", questions_about="knee", ostrc_version="v1",
        ostrc_coding="from_0", problems_without_place="knee", knee_onset="gradual",
        exposure_unit="hours", ids_by_team=True, same_numbers=True,
    )):  # fmt: skip
        try:
            log = read_outcome_logs(files, mapping)
        except CohortRefused:
            continue
        for file in log.files:
            assert file.accounted == file.rows
        for event in log.events:
            assert event.athlete
            assert event.onset_earliest is None or event.onset_earliest <= event.onset_latest
            assert event.free_by is None or event.free_by >= event.onset_latest
        assert all(check_in.covers_from <= check_in.covers_to for check_in in log.check_ins)
        json.dumps(summary(log))
        asked(log)
