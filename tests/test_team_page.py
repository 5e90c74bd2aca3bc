"""The team view, used as a coach uses it: a sheet as clubs keep them, then the squad."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from browser import Opener, Seen
from openpyxl import Workbook
from playwright.sync_api import Locator, Route, expect
from served import Served

pytestmark = pytest.mark.slow

PHONE, SMALL_PHONE, DESKTOP = (390, 844), (320, 640), (1280, 900)

#: One squad with everything that the list tells apart: a red flag, a knee that hurts, much and
#: little measured, a name that a spreadsheet would run.
SQUAD = """Athlete,Date,Sex,Age,Sport,Session spike,Hip abd R (% BW),Hip abd L (% BW),Ankle bend R,Ankle bend L,Ober R,Ober L,Hip drop R,Hip drop L,Pain now R,Pain now L,right_prior_knee_injury,left_prior_knee_injury,Red flags
Aisha Bello,2026-11-17,f,22,running,1.4,30,21,35,28,20,10,7,11,0,0,none,within_12_months,none
Tom Reilly,2026-11-17,m,31,basketball,1.0,40,41,41,40,25,26,4,5,0,0,none,none,none
Jonas Brandt,2026-11-17,m,19,football,1.1,38,37,40,41,24,25,5,4,0,0,none,none,hot_red_swollen_joint
Ola Berg,2026-11-17,f,27,running,1.2,33,31,40,38,22,20,5,6,0,4,none,within_12_months,none
"=HYPERLINK(""x"")",2026-11-17,m,24,running,1.2,35,36,33,34,24,25,10,8,0,0,none,none,none
Ruth Adeyemi,2026-11-17,f,44,general,,,,,,,,,,,,,,none
"""  # noqa: E501
BAD = """Harbour AC, November (made up);;;;;
Player;Tested;Sex;Age;Lunge R;Lunge L
Aisha Bello;17.11.2026;w;22;38,5;33,0
Dan Whitlock;17.11.2026;m;24;138;40
Lucia Ferro;31.02.2026;w;19;42;41
Sam Okafor;18.11.2026;m;28;36;weak
Nia Roberts;18.11.2026;w;25;44;43
Nia Roberts;18.11.2026;w;25;44;39
"""


@dataclass(frozen=True)
class Mess:
    """A sheet as it comes, what is answered, what is said of it, and what of it is scored."""

    text: str
    said: tuple[str, ...]
    sent: tuple[tuple[int, str, float | str], ...]
    """Which screening, which value, what it is."""
    athletes: int
    pressed: tuple[str, ...] = ()
    marks: tuple[str, ...] = field(default=())


MESSES = {
    "decimal commas": Mess(
        "Player;Sex;Age;Lunge R;Lunge L\nA;w;22;38,5;33,0\nB;m;24;41,5;40,5\n",
        ("decimal comma", "written with a comma"),
        ((0, "right.wblt_dorsiflexion_deg", 38.5), (1, "left.wblt_dorsiflexion_deg", 40.5)),
        athletes=2,
    ),
    "pounds and inches": Mess(
        "Player,Sex,Age,Weight (lb),Height (in)\nA,f,22,159,66.5\nB,m,24,196,73\n",
        ("lb to kg", "inch to cm"),
        ((0, "athlete.mass_kg", 159 * 0.45359237), (1, "athlete.height_cm", 73 * 2.54)),
        athletes=2,
        marks=("159 read as = 72.1 kg", "66.5 read as = 169 cm"),
    ),
    "newtons for kilograms": Mess(
        "Player,Sex,Age,Weight (kg),Hip abd R (kg),Hip abd L (kg)\n"
        "A,f,22,61,250,262\nB,m,30,80,300,310\nC,m,30,81,300,310\n",
        ("Hip abd R (kg)", "in N?"),
        ((0, "right.hip_abduction_pct_bw", 100 * 250 / 9.80665 / 61),),
        athletes=3,
        pressed=("Yes to all 2 proposals",),
    ),
    "two rows for one athlete": Mess(
        "Player,Date,Side,Sex,Age,Hip drop\nA,2026-01-01,L,f,22,5\nA,2026-01-01,R,f,22,9\n"
        "B,2026-01-01,L,m,22,4\nB,2026-01-01,R,m,22,6\n",
        ("2 rows are the other leg",),
        ((0, "left.hip_drop_deg", 5), (0, "right.hip_drop_deg", 9)),
        athletes=2,
    ),
    "empty columns": Mess(
        "Player,,Sex,Age,Notes,Hip drop L\nA,,f,22,,5\nB,,m,24,,6\n",
        ("Empty columns: B", "E"),
        ((1, "left.hip_drop_deg", 6),),
        athletes=2,
    ),
    "dates in three forms": Mess(
        "Player,Tested,Sex,Age\nA,17.11.2026,f,22\nB,2026-11-18,m,24\nC,19 Nov 2026,m,24\n",
        ("3 rows are ready",),
        ((2, "athlete.age_years", 24),),
        athletes=3,
    ),
    "a title above the column names": Mess(
        "Harbour AC (made up),,,\n,,,\nPlayer,Sex,Age,Hip drop L\nA,f,22,5\nB,m,24,6\n",
        ("olumn names in line 3",),
        ((0, "left.hip_drop_deg", 5),),
        athletes=2,
    ),
}


def bring(seen: Seen, text: str | bytes, name: str = "squad.csv") -> None:
    """Choose a file in the team view, and wait until it is read."""
    if "#team" not in seen.page.url:
        seen.view("Team")
    content = text if isinstance(text, bytes) else text.encode()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    seen.page.locator("#file").set_input_files([file])  # type: ignore[list-item]
    seen.settled()


def score(seen: Seen) -> None:
    """Accept the sheet."""
    seen.page.get_by_role("button", name="Accept and score").click()
    expect(seen.page.get_by_role("heading", name="Who first", exact=True)).to_be_visible()
    seen.settled()


def squad(seen: Seen, text: str = SQUAD) -> None:
    """The squad, scored."""
    bring(seen, text)
    score(seen)


def names(seen: Seen) -> list[str]:
    """The athletes as they stand in the list."""
    return seen.page.locator(".squad tbody .who a").all_inner_texts()


def before_all(seen: Seen) -> list[str]:
    """Whoever stands before the list, by name."""
    return seen.page.locator(".before a").all_inner_texts()


def row(seen: Seen, name: str) -> Locator:
    """The row of an athlete."""
    return seen.page.get_by_role("row").filter(has=seen.page.get_by_role("link", name=name))


def opens(seen: Seen, name: str) -> None:
    """Open an athlete of the squad by the name."""
    seen.page.get_by_role("link", name=name).click()
    expect(seen.page.locator(".squad")).to_have_count(0)
    expect(seen.page.get_by_role("heading", level=1)).to_contain_text(name)


def sent(seen: Seen) -> list[dict[str, Any]]:
    """Every screening that was sent to be scored, in order."""
    asked = seen.asked("/v1/predict_team", "risk")
    return [one for body in asked for one in body["screenings"]]


def at(screening: dict[str, Any], path: str) -> Any:
    for step in path.split("."):
        screening = screening[step]
    return screening


def points_that_can_change(answer: dict[str, Any]) -> float:
    """The priority, computed from the whole answer of the service."""
    total = 0.0
    for side in ("right", "left"):
        if side in answer["risk"]:
            raising = sum(
                max(driver["points"], 0.0)
                for driver in answer["drivers"]
                if driver["side"] == side and driver["modifiable"]
            )
            total += min(raising, 100 * answer["risk"][side]["probability"])
    return total


class TestASheetAsItIs:
    @pytest.mark.parametrize("mess", MESSES.values(), ids=MESSES)
    def test_it_is_read_checked_and_scored(self, opened: Opener, mess: Mess) -> None:
        seen = opened()
        bring(seen, mess.text)
        main = seen.page.get_by_role("main")
        for text in mess.said:
            expect(main).to_contain_text(text)
        for text in mess.marks:
            expect(seen.page.get_by_role("cell", name=text)).to_be_visible()
        assert sent(seen) == []
        for button in mess.pressed:
            seen.page.get_by_role("button", name=button).click()
            seen.settled()
        score(seen)
        assert len(names(seen)) == len(sent(seen)) == mess.athletes
        for index, path, value in mess.sent:
            assert at(sent(seen)[index], path) == pytest.approx(value)

    def test_bad_cells_are_marked_with_the_reason_and_the_row(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, BAD)
        marked = seen.page.locator("td.bad").all_text_contents()
        bad = ("138", "31.02.2026", "weak", "Nia Roberts", "Nia Roberts")
        assert marked == [f"! Not used: {one}" for one in bad]
        reasons = seen.page.get_by_role("list", name="Why rows can")
        whys = {
            4: "Lunge R “138” must be",
            5: "“31.02.2026” is not a date in the form that this column uses: a date as DD.MM.YYYY",
            6: "“weak” is not a number",
            7: "same athlete on the same date as line 8",
        }
        for line, why in whys.items():
            item = reasons.get_by_role("listitem").filter(has_text=f"Row {line}")
            expect(item).to_contain_text(why)
        seen.shot("team-sheet")
        score(seen)
        # A bad cell costs the cell, not the athlete.
        assert set(names(seen)) == {"Aisha Bello", "Dan Whitlock", "Sam Okafor", "Lucia Ferro"}

    def test_bad_rows_are_taken_home_with_their_reasons(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, BAD.replace("Sam Okafor", "=cmd|x"))
        with seen.page.expect_download() as download:
            seen.page.get_by_role("button", name="Download 5 rows with reasons").click()
        assert download.value.suggested_filename == "squad-bad-rows.csv"
        rows = _csv(download.value.path().read_bytes())
        assert list(rows[0]) == [
            "line",
            "reasons",
            "Player",
            "Tested",
            "Sex",
            "Age",
            "Lunge R",
            "Lunge L",
        ]
        assert [one["line"] for one in rows] == ["4", "5", "6", "7", "8"]
        assert rows[0]["Lunge R"] == "138"
        assert "5 to 65" in rows[0]["reasons"]
        assert rows[2]["Player"] == "'=cmd|x"

    def test_no_athlete_is_lost_to_one_cell(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, BAD)
        fixes = seen.page.get_by_role("region", name=re.compile("rows? with something"))
        put = fixes.get_by_label("Lunge R, row 4: what should stand there")
        put.fill("38,0")
        put.press("Enter")
        seen.settled()
        fixes.get_by_role("button", name="Leave out all 2 of these cells").click()
        seen.settled()
        name = fixes.get_by_label("Player, row 8: what should stand there")
        name.fill("Nia Roberts (2)")
        name.press("Enter")
        seen.settled()
        expect(fixes).to_have_count(0)
        changed = seen.page.get_by_role("region", name="4 cells that you changed")
        for words in (
            "Lunge R: 38 instead of “138”", "Tested: “31.02.2026” left out",
            "Lunge L: “weak” left out", "Player: Nia Roberts (2) instead of “Nia Roberts”",
        ):  # fmt: skip
            expect(changed).to_contain_text(words)
        item = changed.get_by_role("listitem").filter(has_text="“weak” left out")
        item.get_by_role("button", name="Undo").click()
        seen.settled()
        expect(fixes).to_contain_text("“weak” is not a number")
        fixes.get_by_role("button", name="Leave this cell out").click()
        seen.settled()
        score(seen)
        everybody = {
            "Aisha Bello", "Dan Whitlock", "Lucia Ferro", "Sam Okafor", "Nia Roberts (2)",
            "Nia Roberts",
        }  # fmt: skip
        assert set(names(seen)) == everybody
        assert at(sent(seen)[1], "right.wblt_dorsiflexion_deg") == 38
        assert "wblt_dorsiflexion_deg" not in sent(seen)[3].get("left", {})
        expect(row(seen, "Dan Whitlock")).to_contain_text("1 cell changed")
        with seen.page.expect_download() as download:
            seen.page.get_by_role("button", name="Export CSV").click()
        rows = {one["athlete"]: one for one in _csv(download.value.path().read_bytes())}
        assert rows["Sam Okafor"]["changed_cells"] == "Lunge L: “weak” left out"
        assert rows["Aisha Bello"]["changed_cells"] == ""

    def test_a_slip_is_mended_with_one_press(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, "Player,Sex,Age,Height (cm),Hip drop L\nA,f,22,1.78,5\nB,m,24,180,6\n")
        seen.page.get_by_role("button", name="Take 178 cm").click()
        seen.settled()
        score(seen)
        assert at(sent(seen)[0], "athlete.height_cm") == 178

    def test_words_are_told_once_for_the_column(self, opened: Opener) -> None:
        seen = opened()
        rows = "A,f,22,Frisbee,5\nB,enby,24,running,6\nC,f,24,Frisbee,6\nD,m,24,-,tba\n"
        bring(seen, f"Player,Sex,Age,Sport,Hip drop L\n{rows}E,m,24,running,4\n")
        asked = seen.page.get_by_role("region", name="3 words: what do they stand for?")
        for word, meaning in (
            ("Frisbee", "General fitness"), ("enby", "Not stated"), ("tba", "Not recorded"),
        ):  # fmt: skip
            asked.get_by_label(f"“{word}”").select_option(label=meaning)
            seen.settled()
        expect(seen.page.get_by_role("main")).to_contain_text(
            "Words have the meaning that you gave"
        )
        score(seen)
        assert [one["athlete"]["sex"] for one in sent(seen)][1] == "unspecified"
        sports = [one["athlete"].get("sport") for one in sent(seen)]
        assert sports == ["general", "running", "general", None, "running"]
        assert "left" not in sent(seen)[3]

    def test_every_question_has_its_answer_on_the_page(self, opened: Opener) -> None:
        seen = opened()
        bring(
            seen,
            "Player,Sex,Age,Mass (kg),KTW (cm),Knee ext L (N),Knee ext R (N),Hip drop L,Weekly (m)"
            "\n"
            'A,1,22,60,9.5,350,360,1,"42,195"\nB,2,24,80,11,520,505,0,"21,000"\n',
        )
        asked = seen.page.get_by_role("region", name=re.compile("questions? about the columns"))
        seen.shot("team-questions")
        # Nothing is likelier than its rival, so nothing is to be confirmed at once.
        expect(seen.page.get_by_role("button", name="Yes to all")).to_have_count(0)
        for word, meaning in (("1", "Female"), ("2", "Male")):
            seen.page.get_by_label(f"“{word}”").select_option(label=meaning)
            seen.settled()
        asked.get_by_role("button", name="Knee to wall, both legs, in cm").click()
        seen.settled()
        lever = asked.get_by_label("Lever arm in cm").first
        lever.fill("36")
        lever.press("Enter")
        seen.settled()
        asked.get_by_role("button", name="Leave it out: found or not found").click()
        seen.settled()
        asked.get_by_role("button", name="Thousands").click()
        seen.settled()
        expect(asked).to_have_count(0)
        seen.page.get_by_label("Knee strength mode").select_option("isometric")
        seen.settled()
        score(seen)
        first = sent(seen)[0]
        assert first["athlete"]["sex"] == "female"
        assert first["athlete"]["weekly_run_km"] == pytest.approx(42.195)
        assert first["left"]["wblt_distance_cm"] == first["right"]["wblt_distance_cm"] == 9.5
        assert first["right"]["quad_torque_nm_kg"] == pytest.approx(360 * 0.36 / 60)
        assert "hip_drop_deg" not in first["left"]

    def test_a_column_and_its_unit_are_corrected_by_hand(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, "Player,Sex,Age,Abd,Mass\nA,f,22,25,60\nB,m,24,30,80\n")
        seen.page.get_by_text("review and correct").click()
        table = seen.page.get_by_role("table", name="Columns of the sheet")
        line = table.get_by_role("row").filter(has=seen.page.get_by_role("rowheader", name="Abd"))
        line.get_by_role("combobox").first.select_option("left_hip_abduction_pct_bw")
        seen.settled()
        line.get_by_label("is written in").select_option(label="kgf, to be divided by body mass")
        seen.settled()
        score(seen)
        assert at(sent(seen)[0], "left.hip_abduction_pct_bw") == pytest.approx(100 * 25 / 60)

    def test_what_can_not_be_used_is_left_out_after_a_yes(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, "Player,Sex,Age,Hip drop L,Hip abd L (N)\nA,f,22,5,250\nB,m,24,6,300\n")
        expect(seen.page.get_by_role("main")).to_contain_text("has to be divided by body mass")
        expect(seen.page.get_by_role("button", name="No row can be scored yet")).to_be_disabled()
        seen.page.get_by_role("button", name="Yes: ignore it").click()
        seen.settled()
        score(seen)
        assert [one["left"] for one in sent(seen)] == [{"hip_drop_deg": 5}, {"hip_drop_deg": 6}]

    def test_one_sport_for_all_is_said_once(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, "Player,Sex,Age\nA,f,22\nB,m,24\n")
        seen.page.get_by_label("Main sport").select_option("volleyball")
        seen.settled()
        score(seen)
        assert {one["athlete"]["sport"] for one in sent(seen)} == {"volleyball"}

    def test_an_excel_file_with_several_sheets(self, opened: Opener) -> None:
        book = Workbook()
        for month, drop in (("October", 3), ("November", 5.5)):
            sheet = book.create_sheet(month)
            for line in (["Player", "Sex", "Age", "Hip drop L"], ["A", "f", 22, drop]):
                sheet.append(line)
        kept = io.BytesIO()
        book.save(kept)
        seen = opened()
        bring(seen, kept.getvalue(), "squad.xlsx")
        seen.page.get_by_text("Change how the file is read").click()
        seen.page.get_by_role("combobox", name=re.compile("^Sheet")).select_option("November")
        seen.settled()
        score(seen)
        assert at(sent(seen)[0], "left.hip_drop_deg") == 5.5

    def test_a_file_is_dropped_anywhere_on_the_view(self, opened: Opener) -> None:
        seen = opened()
        seen.view("Team")
        seen.page.evaluate(
            """text => {
              const data = new DataTransfer();
              data.items.add(new File([text], 'dropped.csv'));
              document.querySelector('.team').dispatchEvent(
                new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
            }""",
            SQUAD,
        )
        expect(seen.page.get_by_role("heading", name="dropped.csv")).to_be_visible()
        seen.settled()

    def test_files_of_one_squad_are_dropped_together(self, opened: Opener) -> None:
        seen = opened()
        seen.view("Team")
        people = (
            "Player,Born,Sex,Weight (kg),Date\nIda Voss,2004-02-01,f,60,2026-05-04\n"
            "Max Orth,2001-07-09,m,80,2026-05-04\nMax Orth,1999-01-30,m,75,2026-05-04\n"
        )
        frame = (
            "Name,Date,Test,Direction,Position,L Max Force (N),R Max Force (N)\n"
            "Ida Voss,2026-05-06,Hip AD/AB,Squeeze,Hip AD/AB - 0,240,252\n"
            "Max Orth,2026-05-06,Hip AD/AB,Squeeze,Hip AD/AB - 0,300,315\n"
        )
        seen.page.evaluate(
            """files => {
              const data = new DataTransfer();
              for (const [name, text] of files) data.items.add(new File([text], name));
              document.querySelector('.team').dispatchEvent(
                new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
            }""",
            [["people.csv", people], ["frame.csv", frame]],
        )
        expect(seen.page.get_by_role("heading", name="2 files")).to_be_visible()
        seen.settled()
        parts = seen.page.get_by_label("What was put together")
        expect(parts).to_contain_text("frame.csv an export of a force frame, 2 rows")
        assert seen.axe() == []
        assert seen.overflow() <= 0
        # Two share a name: whose row it is, is asked; 300 N over 75 kg.
        whose = seen.page.get_by_label("Max Orth frame.csv, row 3")
        whose.select_option(label="Max Orth (1999-01-30)")
        seen.settled()
        expect(seen.page.get_by_role("button", name="Undo 1 answer")).to_be_visible()
        expect(seen.page.get_by_role("row", name="people.csv, row 4")).to_contain_text(
            "frame.csv, row 3"
        )
        score(seen)
        squeezes = [at(one, "left").get("adductor_squeeze_n_kg") for one in sent(seen)
                    if "left" in one]  # fmt: skip
        assert squeezes == [4.0, 4.0]

    def test_what_is_no_sheet_is_said_and_the_next_file_is_read(self, opened: Opener) -> None:
        seen = opened()
        bring(seen, b"\x89PNG\r\n\x1a\n\x00\x00", "picture.png")
        expect(seen.page.get_by_role("alert")).to_be_visible()
        bring(seen, SQUAD)
        expect(seen.page.get_by_role("alert")).to_have_count(0)
        expect(seen.page.get_by_role("button", name="Accept and score 6 rows")).to_be_enabled()


class TestTheSquad:
    def test_the_order_is_what_it_says(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        squad(seen)
        answers = page_service.post("/v1/predict_team", {"screenings": sent(seen)}).json()[
            "results"
        ]
        lines = [line["Athlete"] for line in csv.DictReader(io.StringIO(SQUAD))]
        worth = {
            name: points_that_can_change(one["answer"])
            for name, one in zip(lines, answers, strict=True)
        }
        little = [name for name, one in zip(lines, answers, strict=True)
                  if one["answer"]["risk"]["status"] == "low_information"]  # fmt: skip
        assert "Ruth Adeyemi" in little
        ranked = [name for name in lines if name not in {"Jonas Brandt", "Ola Berg", *little}]
        ranked.sort(key=lambda name: -worth[name])
        assert before_all(seen) == ["Jonas Brandt"]
        assert names(seen) == [*ranked, "Ola Berg", *little]
        for place, name in enumerate(ranked, 1):
            expect(row(seen, name).locator(".no")).to_contain_text(str(place))
            expect(row(seen, name)).to_contain_text(f"{worth[name]:.1f} points can change")
        for name in ("Ola Berg", *little):
            expect(row(seen, name).locator(".no")).to_be_empty()
            expect(row(seen, name)).not_to_contain_text("can change")
        order = seen.page.locator(".order")
        expect(order).to_contain_text("points of risk that training can change")
        expect(order).to_contain_text("It is not an order of who will get hurt")
        expect(order).to_contain_text(f"{1 + len(little)} athletes are not ranked")
        flagged = seen.page.locator(".before")
        expect(flagged).to_contain_text("See a clinician today; no number is shown")
        expect(row(seen, "Ola Berg")).to_contain_text("Left knee hurts now: not scored")
        expect(row(seen, "Ruth Adeyemi")).to_contain_text("Too little was measured")
        seen.shot("team-squad")

    def test_each_row_has_a_reason_of_its_own(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        squad(seen)
        whys = seen.page.locator(".squad tbody .why1").all_inner_texts()
        assert len(set(whys)) == len(whys)
        told = page_service.post("/v1/predict", sent(seen)[0]).json()
        raising = [d for d in told["drivers"] if d["modifiable"] and d["points"] >= 1]
        total = {m: sum(d["points"] for d in raising if d["measure"] == m)
                 for m in {d["measure"] for d in raising}}  # fmt: skip
        strongest = max(total, key=lambda measure: total[measure])
        label = next(d["label"] for d in raising if d["measure"] == strongest)
        why = row(seen, "Aisha Bello").locator(".why1")
        expect(why).to_contain_text(f"{label}: ")
        expect(why).to_contain_text("usual ")

    def test_a_minor_is_not_ranked_and_no_number_looks_as_if_it_held(self, opened: Opener) -> None:
        seen = opened()
        squad(seen, SQUAD.replace("m,31,basketball", "m,14,basketball"))
        tom = row(seen, "Tom Reilly")
        expect(tom).to_contain_text("The model has not seen athletes like this one")
        expect(tom.locator(".rk b, .rk svg")).to_have_count(0)
        expect(tom.locator(".no")).to_be_empty()

    def test_how_much_was_learnt_is_a_meter(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        squad(seen)
        told = page_service.post("/v1/predict", sent(seen)[1]).json()["risk"]
        mean = (told["right"]["information"] + told["left"]["information"]) / 2
        meter = row(seen, "Tom Reilly").locator(".meter")
        expect(meter).to_have_text(f"{round(100 * mean)} %")
        expect(meter.locator(".m-on")).to_have_attribute("width", f"{round(100 * mean)}%")
        expect(seen.page.locator(".squad")).not_to_contain_text("Too little measured")

    def test_one_test_for_all(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        squad(seen)
        answers = page_service.post("/v1/predict_team", {"screenings": sent(seen)}).json()
        total: dict[str, float] = {}
        for one in answers["results"]:
            for test in one["answer"]["next_tests"]:
                if test["worth_the_time"]:
                    label = test["label"]
                    total[label] = total.get(label, 0.0) + test["uncertainty_removed"]
        best = max(total, key=lambda label: total[label])
        card = seen.page.get_by_role("region", name="Measure this next, for all")
        expect(card.get_by_role("heading")).to_contain_text(
            re.compile(re.escape(best), re.IGNORECASE)
        )
        expect(card).to_contain_text("of what is still open")
        expect(seen.page.get_by_role("heading", level=1)).to_contain_text("and one test for all")
        expect(seen.page.locator(".squad")).not_to_contain_text("Next:")

    def test_nothing_more_to_measure_is_said(self, opened: Opener) -> None:
        seen = opened()
        chosen = seen.page.evaluate(
            """async () => {
              const {nextForAll} = await import('/page/team/next_for_all.js');
              const test = (test, share, isWorth, minutes = 5) => ({test, share, isWorth, minutes});
              const one = (...nextTests) => ({summary: {status: 'ok', nextTests}});
              return [
                nextForAll([one(test('a', .02, false)), one()]),
                nextForAll([{summary: null}, {summary: {status: 'refer', nextTests: []}}]),
                nextForAll([one(test('a', .5, true)), one(test('b', .3, true)),
                            one(test('b', .3, true), test('a', .01, false))]),
              ].map((best) => best && [best.test, best.worthFor.length, best.all]);
            }"""
        )
        assert chosen == [None, None, ["b", 2, 3]]

    def test_the_order_of_the_groups_and_of_ties(self, opened: Opener) -> None:
        seen = opened()
        ordered = seen.page.evaluate(
            """async () => {
              const {sorted} = await import('/page/team/squad_order.js');
              const one = (id, status, right, more, line = 1) => ({id, line, summary: {
                status, hurting: [], flags: [], modifiablePoints: {right}, risks: {}, ...more}});
              const flag = (urgency) => ({flags: [{urgency, when: ''}]});
              const risk = (probability) => ({risks: {right: {probability}}});
              return sorted([
                one('little', 'low_information', 9, {isLittle: true}), one('low', 'ok', 1),
                one('outside', 'out_of_population', 3),
                one('unseen', 'out_of_population', 9, {isUnseen: true}), one('high', 'ok', 5),
                one('hurts', 'current_pain', 0, {hurting: ['left']}),
                one('days', 'refer', 0, flag('urgent')),
                one('today', 'refer', 0, flag('emergency')),
                {id: 'refused', line: 1, summary: null}, one('soon', 'ok', 2, flag('routine')),
                one('tie of line 9', 'ok', 2.52, risk(.2), 9),
                one('tie of line 8', 'ok', 2.48, risk(.2), 8),
                one('tie of higher risk', 'ok', 2.5, risk(.3), 10),
              ], 'priority').map(({id}) => id);
            }"""
        )
        assert ordered == [
            "today", "days", "high", "outside", "tie of higher risk", "tie of line 8",
            "tie of line 9", "soon", "low", "hurts", "little", "unseen", "refused",
        ]  # fmt: skip

    def test_a_knee_reads_as_the_service_says(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        squad(seen)
        told = page_service.post("/v1/predict", sent(seen)[0]).json()["risk"]
        cells = row(seen, "Aisha Bello").locator(".rk")
        for cell, side in zip(cells.all(), ("right", "left"), strict=True):
            low, high = (round(100 * p) for p in told[side]["interval"])
            expect(cell).to_contain_text(f"{told[side]['per_100']} {low} to {high}")

    def test_so_many_can_be_seen_today(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        expect(seen.page.get_by_role("heading", level=1)).to_contain_text("3 to see first")
        field = seen.page.get_by_label("I can see today")
        field.fill("2")
        field.press("Enter")
        expect(seen.page.get_by_role("heading", level=1)).to_contain_text("2 to see first")
        expect(seen.page.locator(".squad .today")).to_have_count(2)
        for name in names(seen)[:2]:
            expect(row(seen, name)).to_contain_text("see first")
        cut = seen.page.get_by_role("row", name="beyond the 2 you can see today")
        expect(cut).to_be_visible()

    def test_it_is_sorted_by_any_column_and_says_so(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        ranked = names(seen)[:3]
        said = {
            "Athlete": "By name, A to Z",
            "Left knee": "By the risk of the left knee",
            "How much was learnt": "By how much was learnt",
        }
        for by, words in said.items():
            seen.page.get_by_role("columnheader", name=by).get_by_role("button").click()
            expect(seen.page.get_by_role("columnheader", name=by)).to_have_attribute(
                "aria-sort", re.compile("ending")
            )
            expect(seen.page.locator("th[aria-sort]")).to_have_count(1)
            expect(seen.page.locator(".order")).to_contain_text(words)
            assert before_all(seen) == ["Jonas Brandt"]
        head = seen.page.get_by_role("columnheader", name="Athlete").get_by_role("button")
        head.click()
        assert names(seen)[:3] == sorted(ranked, key=str.casefold)
        for place, name in enumerate(ranked, 1):
            expect(row(seen, name).locator(".no")).to_contain_text(str(place))
        head.click()
        expect(seen.page.locator(".order")).to_contain_text("Reversed: By name")
        assert names(seen)[:3] == sorted(ranked, key=str.casefold, reverse=True)

    def test_it_is_filtered_by_sport_and_status(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        seen.page.get_by_label("Sport").select_option("running")
        assert set(names(seen)) == {"Aisha Bello", "Ola Berg", '=HYPERLINK("x")'}
        seen.page.get_by_label("Status").select_option("current_pain")
        assert names(seen) == ["Ola Berg"]
        expect(seen.page.locator(".about")).to_contain_text("1 of 6 shown")
        seen.page.get_by_label("Sport").select_option("football")
        expect(seen.page.get_by_role("main")).to_contain_text("No athletes match these filters")

    def test_the_next_test_is_one_for_what_is_at_hand(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        assert {tuple(one["equipment"]) for one in sent(seen)} == {
            ("none", "tape_or_phone", "dynamometer")
        }
        seen.page.get_by_label("Tests at hand").select_option("tape")
        seen.settled()
        assert {tuple(one["equipment"]) for one in sent(seen)[6:]} == {("none", "tape_or_phone")}
        expect(seen.page.locator(".nextall p")).not_to_contain_text("dynamometer")

    def test_a_large_squad_goes_in_blocks(self, opened: Opener) -> None:
        seen = opened()
        many = "".join(f"P{i:02d},f,{20 + i % 20},{3 + i % 8}\n" for i in range(60))
        squad(seen, f"Player,Sex,Age,Hip drop L\n{many}")
        for part in ("risk", "next_tests"):
            asked = seen.asked("/v1/predict_team", part)
            assert [len(body["screenings"]) for body in asked] == [25, 25, 10]
        assert len(names(seen)) == 60

    def test_tests_to_do_next_come_when_everybody_is_scored(self, opened: Opener) -> None:
        seen = opened()
        held: list[Route] = []
        seen.page.route("**/v1/predict_team?fields=next_tests", lambda route: held.append(route))
        bring(seen, SQUAD)
        seen.page.get_by_role("button", name="Accept and score").click()
        expect(seen.page.get_by_text("Everybody is scored. Working out")).to_be_visible()
        expect(seen.page.locator("#say")).to_have_text("6 athletes scored.")
        assert before_all(seen) == ["Jonas Brandt"]
        expect(row(seen, "Tom Reilly").locator(".no")).to_contain_text(re.compile(r"\d"))
        expect(seen.page.locator(".nextall")).to_have_count(0)
        expect(seen.page.get_by_role("heading", level=1)).not_to_contain_text("one test")
        expect(seen.page.get_by_role("button", name="Export for Excel")).to_be_disabled()
        seen.page.get_by_role("button", name="Stop").click()
        expect(seen.page.get_by_text("not worked out for 6 athletes")).to_be_visible()
        seen.page.unroute("**/v1/predict_team?fields=next_tests")
        seen.page.get_by_role("button", name="Continue").click()
        expect(seen.page.locator(".nextall")).to_be_visible()
        expect(seen.page.get_by_role("heading", level=1)).to_contain_text("one test")
        assert len(sent(seen)) == 6
        assert held

    def test_of_a_thousand_rows_those_in_sight_are_laid_out(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        seen.page.evaluate(
            """() => {
              const squad = JSON.parse(sessionStorage.getItem('kneerisk.squad'));
              squad.athletes = Array.from({length: 1000}, (_, i) => {
                const one = squad.athletes[i % squad.athletes.length];
                const rest = {id: `a${i}`, line: i, name: `Player ${i}`, body: {athlete: {}}};
                return {...one, ...rest};
              });
              sessionStorage.setItem('kneerisk.squad', JSON.stringify(squad));
            }"""
        )
        seen.page.reload()
        listed = seen.page.locator(".squad .who a")
        expect(listed.last).to_be_attached()
        expect(listed).to_have_count(1000 - len(before_all(seen)))
        worked = seen.page.evaluate(
            """async () => {
              const {draw} = await import('/page/lib/state.js');
              const table = document.querySelector('.squad');
              const frames = () => new Promise((done) => requestAnimationFrame(
                () => requestAnimationFrame(done)));
              const laidOut = () => [...table.querySelectorAll('.who a')]
                .filter((link) => link.checkVisibility({contentVisibilityAuto: true})).length;
              let changes = 0;
              new MutationObserver((found) => (changes += found.length)).observe(
                table, {childList: true, subtree: true, attributes: true, characterData: true});
              await frames();
              const atTop = laidOut();
              scrollTo(0, document.body.scrollHeight);
              await frames();
              const atEnd = laidOut();
              draw();
              await frames();
              const last = [...table.querySelectorAll('.who a')].at(-1);
              last.focus();
              await frames();
              return {atTop, atEnd, changes,
                elements: table.querySelectorAll('*').length,
                isSeen: last.checkVisibility({contentVisibilityAuto: true}),
                hasFocus: document.activeElement === last};
            }"""
        )
        assert worked["atTop"] < 60
        assert worked["atEnd"] < 60
        assert worked["changes"] == 0
        assert worked["elements"] < 50 * 1000
        assert worked["isSeen"]
        assert worked["hasFocus"]
        # A screen reader finds those out of sight too.
        expect(seen.page.get_by_role("link", name="Player 500", exact=True)).to_have_count(1)


class TestAnAthlete:
    def test_a_press_opens_the_athlete_and_a_change_comes_back(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        before = row(seen, "Tom Reilly").locator(".rk").last.inner_text()
        row(seen, "Tom Reilly").locator(".why1").click()
        expect(seen.page.get_by_role("heading", level=1)).to_contain_text("Tom Reilly")
        seen.settled()
        opened_body = {**sent(seen)[1]}
        opened_body.pop("equipment")
        assert seen.asked("/v1/predict")[-1] == opened_body
        seen.view("Screen")
        drop = seen.page.get_by_label("Left leg: Hip drop").and_(
            seen.page.locator("input[type=text]")
        )
        expect(drop).to_have_value("5")
        drop.fill("14")
        seen.settled()
        seen.view("Team")
        seen.settled()
        assert sent(seen)[-1]["left"]["hip_drop_deg"] == 14
        expect(row(seen, "Tom Reilly").locator(".rk").last).not_to_have_text(before)

    def test_a_form_that_was_begun_is_put_aside_not_lost(self, opened: Opener) -> None:
        seen = opened()
        seen.page.get_by_label("Name or initials").fill("Walk-in")
        seen.page.get_by_label("Age required").fill("33")
        squad(seen)
        opens(seen, "Aisha Bello")
        seen.view("Team")
        expect(seen.page.get_by_role("main")).to_contain_text("You had started a form: Walk-in")
        seen.page.get_by_role("button", name="Return to it").click()
        expect(seen.page.get_by_label("Age required")).to_have_value("33")


class TestWhatIsTakenAndKept:
    def test_the_squad_as_csv(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        squad(seen)
        with seen.page.expect_download() as download:
            seen.page.get_by_role("button", name="Export CSV").click()
        assert download.value.suggested_filename == "squad-squad.csv"
        rows = _csv(download.value.path().read_bytes())
        listed = [*before_all(seen), *names(seen)]
        assert [one["athlete"].removeprefix("'") for one in rows] == listed
        assert [one["athlete"] for one in rows if "HYPERLINK" in one["athlete"]] == [
            '\'=HYPERLINK("x")'
        ]
        aisha = next(one for one in rows if one["athlete"] == "Aisha Bello")
        told = page_service.post("/v1/predict", sent(seen)[0]).json()
        for side in ("right", "left", "either"):
            risk = told["risk"][side]
            assert float(aisha[f"{side}_risk_in_100"]) == pytest.approx(
                100 * risk["probability"], abs=0.05
            )
            found = [float(aisha[f"{side}_{end}"]) for end in ("low", "high")]
            assert found == pytest.approx([100 * p for p in risk["interval"]], abs=0.05)
        for unit, column in (("leg", "per_knee"), ("either", "either")):
            rate = 100 * told["risk"]["base_rate"][unit]
            assert float(aisha[f"base_rate_{column}_in_100"]) == pytest.approx(rate, abs=0.05)
        assert aisha["next_test"] == told["next_tests"][0]["label"]
        flagged = next(one for one in rows if one["athlete"] == "Jonas Brandt")
        assert (flagged["status"], flagged["right_risk_in_100"]) == ("See a clinician today", "")

    @pytest.mark.parametrize("button", ["Export for Excel", "Export CSV"])
    def test_an_export_comes_back_as_the_same_squad(self, opened: Opener, button: str) -> None:
        seen = opened()
        squad(seen)
        before = {one["line"]: one for one in _stored(seen)}
        order = [*before_all(seen), *names(seen)]
        with seen.page.expect_download() as download:
            seen.page.get_by_role("button", name=button).click()
        name, content = download.value.suggested_filename, download.value.path().read_bytes()
        assert name == f"squad-squad.{'csv' if 'CSV' in button else 'xlsx'}"
        seen.page.get_by_role("button", name="Review the sheet again").click()
        bring(seen, content, name)
        expect(seen.page.locator(".qs, .fixes")).to_have_count(0)
        score(seen)
        assert [*before_all(seen), *names(seen)] == order
        after = {one["name"]: one for one in _stored(seen)}
        for athlete in before.values():
            assert after[athlete["name"]]["body"] == athlete["body"]
            assert after[athlete["name"]]["date"] == athlete["date"]

    def test_names_go_in_the_file_alone(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        squad(seen)
        opens(seen, "Aisha Bello")
        seen.settled()
        assert [one for one in seen.requests if one.url.endswith("/v1/import")]
        told = [one for one in seen.requests if not one.url.endswith("/v1/import")]
        assert not [one for one in told if "Aisha" in f"{one.url} {one.headers} {one.post_data}"]
        assert "Aisha" not in page_service.log()

    def test_it_outlasts_a_reload_and_not_the_forgetting(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        before = names(seen)
        seen.open("#team")
        assert names(seen) == before
        assert (
            seen.page.evaluate("Object.keys(localStorage).filter(k => k.includes('squad'))") == []
        )
        seen.view("Screen")
        seen.page.get_by_role("button", name="Delete everything stored here").click()
        expect(seen.page.get_by_text("Nothing of yours is left")).to_be_visible()
        assert seen.page.evaluate("localStorage.length + sessionStorage.length") == 0
        seen.view("Team")
        expect(seen.page.get_by_role("main")).not_to_contain_text("Aisha")
        expect(seen.page.get_by_role("main")).to_contain_text(
            "Drop CSV, Excel or OpenDocument files here"
        )

    def test_the_list_is_printed_without_what_can_be_pressed(self, opened: Opener) -> None:
        seen = opened()
        squad(seen)
        opens(seen, "Aisha Bello")
        seen.view("Report")
        expect(seen.page.get_by_role("button", name="Print or save as PDF")).to_be_enabled()
        seen.view("Team")
        printed = seen.page.pdf(prefer_css_page_size=True)
        sizes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed))
        assert [(round(float(w)), round(float(h))) for w, h in sizes] == [(842, 595)]
        seen.page.emulate_media(media="print")
        expect(seen.page.get_by_role("link", name="Aisha Bello")).to_be_visible()
        for gone in ("Export CSV", "Print the list"):
            expect(seen.page.get_by_role("button", name=gone, include_hidden=True)).to_be_hidden()
        expect(seen.page.locator("#sheet")).to_be_hidden()


class TestOnEveryScreen:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_axe_finds_nothing_and_nothing_reaches_over_the_side(
        self, opened: Opener, scheme: str, size: tuple[int, int]
    ) -> None:
        phone = size == PHONE
        seen = opened(color_scheme=scheme, size=size, has_touch=phone, is_mobile=phone)
        found: dict[str, Any] = {}

        def look(name: str) -> None:
            found[name] = [
                *seen.axe(),
                *([f"over by {seen.overflow()}"] if seen.overflow() > 0 else []),
            ]
            seen.shot(f"{'phone' if phone else 'wide'}-{scheme}-{name}")

        seen.view("Team")
        look("team-empty")
        bring(seen, BAD.replace("Lunge", "Hip abd").replace("38,5;33,0", "268;259"))
        seen.page.get_by_text("review and correct").click()
        look("team-check")
        bring(seen, SQUAD)
        score(seen)
        look("team-list")
        assert {view: faults for view, faults in found.items() if faults} == {}

    def test_on_the_smallest_phone_it_is_cards(self, opened: Opener) -> None:
        seen = opened(size=SMALL_PHONE, has_touch=True, is_mobile=True)
        bring(seen, BAD)
        assert seen.overflow() <= 0
        bring(seen, SQUAD)
        score(seen)
        assert seen.overflow() <= 0
        expect(seen.page.locator(".squad tbody tr:not(.cut)")).to_have_count(5)
        card = row(seen, "Aisha Bello")
        tops = [box["y"] for cell in card.locator("th, td").all() if (box := cell.bounding_box())]
        assert len(set(tops)) >= 4
        seen.page.get_by_label("Order").select_option(label="Athlete")
        assert names(seen)[0].startswith("=HYPER")

    def test_nothing_reaches_over_the_side_at_any_width(self, opened: Opener) -> None:
        seen = opened(size=DESKTOP)
        over: dict[str, dict[int, int]] = {}
        seen.view("Team")
        over["no team"] = seen.overflows()
        bring(seen, BAD)
        seen.page.get_by_text("review and correct").click()
        over["a sheet"] = seen.overflows()
        bring(seen, SQUAD)
        score(seen)
        over["a squad"] = seen.overflows()
        seen.page.get_by_role("link", name="Aisha Bello").first.click()
        seen.settled()
        for view in ("Screen", "Answer", "Visits", "Report"):
            seen.view(view)
            over[view] = seen.overflows()
        assert {view: widths for view, widths in over.items() if widths} == {}

    def test_keys_alone_bring_a_sheet_sort_and_open(self, opened: Opener) -> None:
        seen = opened()
        # Chromium is told early that choosers are listened for: a press may overtake that.
        seen.page.on("filechooser", lambda _: None)
        seen.view("Team")
        keys = seen.page.keyboard
        _until(seen, "#file")
        with seen.page.expect_file_chooser() as chooser:
            keys.press("Enter")
        file = {"name": "squad.csv", "mimeType": "text/csv", "buffer": SQUAD.encode()}
        chooser.value.set_files([file])  # type: ignore[list-item]
        seen.settled()
        said = seen.page.locator("#say")
        expect(said).to_have_text("6 rows ready, 0 to correct, 0 questions.")
        _until(seen, ".sheetcard .btn--main:not(.filebtn)")
        keys.press("Enter")
        seen.settled()
        expect(said).to_have_text("6 athletes scored.")
        _until(seen, ".squad .h-name button")
        keys.press("Enter")
        assert seen.page.evaluate("document.activeElement.closest('th').ariaSort") == "ascending"
        _until(seen, ".squad .who a")
        first = names(seen)[0]
        keys.press("Enter")
        expect(seen.page.get_by_role("heading", level=1)).to_contain_text(first)
        expect(seen.page.get_by_role("heading", level=1)).to_be_focused()


def _until(seen: Seen, selector: str) -> None:
    """Press Tab until the focus is there."""
    there: Callable[[], bool] = lambda: bool(  # noqa: E731
        seen.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector)
    )
    for _ in range(120):
        if there():
            return
        seen.page.keyboard.press("Tab")
    raise AssertionError(f"the focus never came to {selector}")


def _stored(seen: Seen) -> list[dict[str, Any]]:
    """The athletes as this tab keeps them."""
    kept: list[dict[str, Any]] = seen.page.evaluate(
        "JSON.parse(sessionStorage.getItem('kneerisk.squad')).athletes"
    )
    return kept


def _csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
