"""The page, used as a coach uses it, in a real browser over a real service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from browser import Opener, Seen
from playwright.sync_api import FrameLocator, Locator, expect
from served import Served

from pipelines import examples
from serving.request_examples import EXAMPLE

pytestmark = pytest.mark.slow

NAME = "Mara Lindqvist"
VIEWS = ("Screen", "Answer", "Visits", "Report")
HEAVIEST = 300_000
#: The answer with everything folded, in pixels on a desktop.
TALLEST = 1_900
MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
PHONE, SMALL_PHONE, DESKTOP = (390, 844), (320, 640), (1280, 900)

#: What a coach measures with a tape, a phone and a dynamometer: label, right, left.
MEASURED = {
    "Ankle bend, lunge test": ("41", "33"),
    "Ober test, modified": ("25", "12"),
    "Quadriceps strength": ("2.4", "2,1"),
    "Hamstring strength": ("1.1", "1.05"),
    "Hip abduction strength": ("38", "22"),
    "Hip drop": ("4.5", "9,5"),
    "Knee in (valgus)": ("6", "13"),
}
#: The same as the service takes it.
BODY: dict[str, Any] = {
    "athlete": {"age_years": 27, "sex": "female", "sport": "running", "session_spike_ratio": 1.25},
    "right": {"wblt_dorsiflexion_deg": 41, "ober_adduction_deg": 25, "quad_torque_nm_kg": 2.4,
              "hamstring_torque_nm_kg": 1.1, "hip_abduction_pct_bw": 38, "hip_drop_deg": 4.5,
              "fppa_deg": 6},
    "left": {"wblt_dorsiflexion_deg": 33, "ober_adduction_deg": 12, "quad_torque_nm_kg": 2.1,
             "hamstring_torque_nm_kg": 1.05, "hip_abduction_pct_bw": 22, "hip_drop_deg": 9.5,
             "fppa_deg": 13},
    "protocol": {"torque_mode": "isometric", "valgus_task": "single_leg_squat"},
    "red_flags": [],
}  # fmt: skip


def leg(seen: Seen, side: str, label: str) -> Locator:
    """The field of one leg, as a screen reader finds it."""
    return seen.page.get_by_label(f"{side} leg: {label}", exact=False).and_(
        seen.page.locator("input[type=text]")
    )


def start(seen: Seen, age: str = "27", sex: str = "female") -> None:
    """Age and sex: enough for a first answer."""
    seen.page.get_by_label("Age required").fill(age)
    seen.page.get_by_label("Sex required").select_option(sex)


def fill(seen: Seen) -> None:
    """The whole form, field by field."""
    page = seen.page
    page.get_by_label("All 21 asked, none apply").check()
    start(seen)
    page.get_by_label("Main sport").select_option("running")
    page.get_by_label("Session spike").fill("1.25")
    for label, (right, left) in MEASURED.items():
        leg(seen, "Right", label).fill(right)
        leg(seen, "Left", label).fill(left)
    how(seen, "Knee strength mode", "Isometric")
    how(seen, "Task of the valgus video", "Single-leg squat")
    seen.settled()


def how(seen: Seen, test: str, protocol: str) -> None:
    """Say how a test was done."""
    seen.page.get_by_role("group", name=test).get_by_text(protocol, exact=True).click()


def filled(**athlete: str) -> dict[str, str]:
    """The same form, as a browser keeps it: quicker than typing it again.

    What is given of the athlete takes the place of what stands there.
    """
    values = {f"athlete.{name}": str(value) for name, value in BODY["athlete"].items()}
    values |= {f"athlete.{name}": value for name, value in athlete.items()}
    values |= {f"protocol.{name}": value for name, value in BODY["protocol"].items()}
    values |= {
        f"{side}.{name}": str(value)
        for side in ("right", "left")
        for name, value in BODY[side].items()
    }
    return draft(values)


def values_of(body: dict[str, Any]) -> dict[str, str]:
    """What of a body stands in fields of the form, by the path of the field."""
    values = {
        f"{section}.{name}": str(value)
        for section in ("athlete", "right", "left", "protocol")
        for name, value in body.get(section, {}).items()
    }
    pains = body.get("pain", {}).items()
    return values | {
        f"pain.{side}.{name}": str(value) for side, pain in pains for name, value in pain.items()
    }


def draft(values: dict[str, str]) -> dict[str, str]:
    """What a browser keeps of a form with a value for each path."""
    form = {"name": "", "date": "2026-03-01", "values": values, "flags": [], "cleared": True}
    return {"kneerisk.draft": json.dumps(form)}


def reopened(seen: Seen, kept: dict[str, str]) -> None:
    """The page again, over another form that this browser kept."""
    seen.keep(kept)
    seen.open()
    seen.settled()


def opened_fold(seen: Seen, name: str) -> Locator:
    """A part of the answer, opened as a person opens it."""
    fold = seen.page.locator("details.fold").filter(
        has=seen.page.get_by_role("heading", name=name, exact=True)
    )
    if fold.get_attribute("open") is None:
        fold.locator("> summary").click()
    expect(fold).to_have_attribute("open", "")
    return fold


def live(seen: Seen) -> Locator:
    """The running answer beside the form."""
    return seen.page.get_by_role("complementary", name="Answer so far")


def in_100(risk: dict[str, Any]) -> str:
    return f"{round(100 * risk['probability'])} in 100"


class TestTheFormAndTheAnswer:
    def test_what_a_coach_fills_in_is_what_is_sent(self, opened: Opener) -> None:
        seen = opened()
        fill(seen)
        assert seen.asked("/v1/predict")[-1] == BODY

    def test_the_answer_grows_beside_the_form(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        expect(live(seen)).to_contain_text("Age and sex are enough")
        start(seen)
        expect(live(seen)).to_contain_text("Too little was measured")
        fill(seen)
        told = page_service.post("/v1/predict", BODY).json()
        for side in ("right", "left"):
            expect(live(seen)).to_contain_text(in_100(told["risk"][side]))
        for sentence in told["summary"]:
            expect(live(seen)).to_contain_text(sentence)
        expect(live(seen)).to_contain_text(told["next_tests"][0]["label"])
        seen.shot("screen")

    def test_the_answer_says_all_that_the_service_said(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        seen.page.get_by_role("link", name="Open the full answer").first.click()
        told = page_service.post("/v1/predict", BODY).json()
        main = seen.page.get_by_role("main")
        for side in ("right", "left"):
            card = seen.page.get_by_role("article", name=f"{side.capitalize()} knee")
            expect(card).to_contain_text(re.compile(rf"\b{told['risk'][side]['per_100']}\s*in 100"))
        texts = [one["message"] for one in told["likely"]]
        texts += [one["label"] for one in told["imbalances"]]
        texts += told["summary"]
        texts += [one["text"] for one in told["advice"]]
        texts += [one["label"] for one in told["side_differences"]]
        texts += [one["label"] for one in told["next_tests"][:4]]
        texts += [told["notice"], told["model"]["version"], told["model"]["run_id"]]
        assert len(texts) > 20
        for text in texts:
            expect(main).to_contain_text(text)
        seen.shot("answer")

    def test_drivers_add_up_in_the_open(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        fold = opened_fold(seen, "What moves the risk")
        rows = fold.locator("table tr:has(td)")
        for column in (0, 1):
            points = [
                float(row.replace(MINUS, "-"))
                for row in rows.locator("td.r").all_inner_texts()[column::2]
            ]
            start, *drivers, end = points
            kinds = rows.evaluate_all("rows => rows.map(row => row.className)")[1:-1]
            own = [x for x, kind in zip(drivers, kinds, strict=True) if kind != "group"]
            sums = [x for x, kind in zip(drivers, kinds, strict=True) if kind == "group"]
            assert start + sum(sums) == pytest.approx(end, abs=0.2)
            assert start + sum(own) == pytest.approx(end, abs=0.05 * len(own) + 0.1)
            side = ("Right", "Left")[column]
            expect(fold.locator("> summary")).to_contain_text(
                re.compile(rf"{side} {start} [+{MINUS}] [\d.]+ = {end}")
            )

    def test_numbers_say_whose_they_are_and_why_they_are_wide(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        expect(live(seen)).to_contain_text("Put together, studies suggest about")
        seen.view("Answer")
        expect(seen.page.get_by_role("region", name="In short")).to_contain_text(
            "Put together, studies suggest about"
        )
        told = page_service.post("/v1/predict", BODY).json()["risk"]
        low, high = (round(100 * end) for end in told["left"]["interval"])
        fold = opened_fold(seen, f"Why {low} to {high}")
        for side in ("right", "left"):
            part = fold.get_by_role("region", name=f"{side.capitalize()} knee")
            shares = {name: f"{100 * x:.0f}" for name, x in told[side]["interval_from"].items()}
            bar = part.locator("svg.width")
            expect(bar).to_have_attribute("aria-label", (
                f"what counts as pain {shares['definition']} %, "
                f"studies disagree {shares['studies']} %, "
                f"tests not done {shares['tests_not_done']} %, test error {shares['test_error']} %"
            ))  # fmt: skip
            widths = bar.evaluate(
                "e => [...e.children].map(part => parseFloat(part.getAttribute('width')))"
            )
            assert sum(widths) == pytest.approx(100, abs=0.1)
            settled = f"Tests have settled {100 * told[side]['information']:.0f} % of what they can"
            expect(part).to_contain_text(settled)
        expect(fold).to_contain_text("This counts pain of 3 out of 10 or more for two weeks")
        expect(fold).to_contain_text(
            re.compile(r"1 of 20 simulated clubs, the interval held [\d.]+ %")
        )

    def test_drivers_and_model_say_where_sizes_come_from(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        fold = opened_fold(seen, "What moves the risk")
        told = page_service.post("/v1/predict", BODY).json()["drivers"]
        words = {"judged": "size judged from studies", "null": "no effect of its own"}
        for driver in [one for one in told if abs(one["points"]) >= 0.2]:
            row = fold.get_by_role("row").filter(has_text=driver["label"]).first
            expect(row).to_contain_text(words[driver.get("size_from", "null")])
        sizes = page_service.get("/v1/texts").json()["effect_sizes"]
        said = (
            f"{sizes['published']} published, {sizes['judged']} judged from studies, "
            f"{sizes['null']} null"
        )
        expect(seen.page.locator(".notice")).to_contain_text(said)

    def test_a_pattern_says_how_often_a_repeat_would_point_to_it(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        told = page_service.post("/v1/predict", BODY).json()["imbalances"]
        card = seen.page.get_by_role("region", name="Pattern", exact=True)
        opened_fold(seen, "All five patterns")
        pointed = [one for one in told if "named_again" in one]
        assert pointed
        expect(seen.page.locator(".imb__again")).to_have_count(len(pointed))
        for one in pointed:
            item = seen.page.locator(f"section[aria-labelledby=h-imb-{one['side']}] details")
            tenths = round(10 * one["named_again"])
            count = {0: "fewer than 1", 10: "more than 9"}.get(tenths, str(tenths))
            own = item.filter(has_text=one["label"])
            expect(own).to_contain_text(f"A repeat would name it again in {count} of 10")
            assert own.locator(".t-on").count() == tenths
            if one["status"] in {"clear", "possible"}:
                expect(card).to_contain_text(f"A repeat would name it again in {count} of 10")

    def test_a_runner_s_coming_week_is_apart_from_the_risk(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        week = page_service.post("/v1/predict", BODY).json()["coming_week"]
        fold = opened_fold(seen, "Advice and sources")
        card = seen.page.get_by_role("article", name="The coming week")
        expect(card).to_contain_text(week["message"])
        expect(card).to_contain_text(f"{TIMES} {week['hazard_ratio']:.1f}")
        study = card.get_by_role("link", name=week["sources"][0]["short"])
        expect(study).to_have_attribute("href", week["sources"][0]["url"])
        seen.view("Screen")
        seen.page.get_by_label("Main sport").select_option("volleyball")
        seen.settled()
        seen.view("Answer")
        expect(seen.page.get_by_role("article", name="Right knee")).to_contain_text("in 100")
        expect(fold).to_have_attribute("open", "")
        expect(card).to_have_count(0)

    def test_a_pattern_opens_to_the_values_for_and_against_it(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        opened_fold(seen, "All five patterns")
        item = seen.page.locator("section[aria-labelledby=h-imb-left] details").filter(
            has_text="glutes"
        )
        if item.get_attribute("open") is None:
            item.locator("summary").click()
        row = item.get_by_role("row").filter(has_text="Hip abduction strength")
        expect(row).to_contain_text("For")
        expect(row).to_contain_text("22 % BW")
        strip = row.get_by_role("img")
        expect(strip).to_have_attribute("aria-label", re.compile("standard deviations"))

    def test_the_legs_are_coloured_where_the_pattern_points(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        told = page_service.post("/v1/predict", BODY).json()
        kinds = {"clear": "hip-2", "possible": "hip-1", "cannot_tell": "hip-u"}
        for at, side in enumerate(("right", "left")):
            status = next(
                one["status"] for one in told["imbalances"]
                if (one["side"], one["name"]) == (side, "glute_underactivity")
            )  # fmt: skip
            drawn = seen.page.locator(".legs use").nth(at).get_attribute("class") or ""
            assert {one for one in drawn.split() if one.startswith("hip-")} == (
                {kinds[status]} if status in kinds else set()
            )
        picture = seen.page.get_by_role("img", name=re.compile("Both legs from the front"))
        expect(picture).to_have_attribute("aria-label", re.compile("Right leg: .*Left leg: "))

    def test_listeners_hear_one_sentence(self, opened: Opener, page_service: Served) -> None:
        seen = opened(kept=filled())
        told = page_service.post("/v1/predict", BODY).json()["risk"]
        said = seen.page.get_by_role("status").first
        right = round(100 * told["right"]["probability"])
        expect(said).to_have_text(
            re.compile(rf"^Right knee {right} in 100, .* Left knee \d+ in 100, [^.]*\.$")
        )

    def test_a_knee_that_hurts_has_no_risk_of_new_pain(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.page.get_by_label("Right leg: Knee pain now").fill("4")
        expect(live(seen)).to_contain_text("Hurts now")
        seen.page.get_by_label("Right knee: Where it hurts").select_option("lateral")
        seen.settled()
        assert seen.asked("/v1/predict")[-1]["pain"]["right"] == {
            "pain_nrs": 4, "pain_site": "lateral",
        }  # fmt: skip
        seen.view("Answer")
        card = seen.page.get_by_role("article", name="Right knee")
        expect(card).to_contain_text("Not scored, since it already hurts")
        expect(card.get_by_role("img")).to_have_count(0)
        expect(seen.page.get_by_role("article", name="Left knee")).to_contain_text("in 100")
        seen.shot("answer-pain")

    @pytest.mark.parametrize(
        ("case", "athlete", "headline", "shot"),
        [
            ("too little", {"sport": "", "session_spike_ratio": ""}, "No number yet", "little"),
            ("an age not seen", {"age_years": "14"}, "No number that holds", "age-14"),
        ],
    )
    def test_no_number_looks_like_one_that_holds(
        self, opened: Opener, case: str, athlete: dict[str, str], headline: str, shot: str
    ) -> None:
        seen = opened()
        if case == "too little":
            start(seen)
            seen.settled()
        else:
            reopened(seen, filled(**athlete))
        live_panel = live(seen)
        expect(live_panel).to_contain_text("No number")
        expect(live_panel).not_to_contain_text("in 100")
        seen.view("Answer")
        for side in ("Right", "Left"):
            card = seen.page.get_by_role("article", name=f"{side} knee")
            expect(card).to_contain_text(headline)
            expect(card).not_to_contain_text("in 100")
            expect(card.locator("svg, .band")).to_have_count(0)
        shown = seen.page.get_by_role("main").inner_text()
        assert "in 100" not in shown
        assert not re.search(r"[Hh]igher than usual|[Ll]ower than usual|[Tt]wice", shown)
        expect(seen.page.locator(".knee-1, .knee-2")).to_have_count(0)
        for gone in ("What moves the risk", "What if"):
            expect(seen.page.get_by_role("heading", name=gone)).to_have_count(0)
        opened_fold(seen, "Why there is no number")
        seen.shot(f"answer-{shot}")

    def test_a_value_outside_the_model_is_read_with_care(self, opened: Opener) -> None:
        seen = opened(kept=filled(session_spike_ratio="1.1", height_cm="221"))
        seen.view("Answer")
        card = seen.page.get_by_role("article", name="Right knee")
        expect(card).to_contain_text("Read with care")
        expect(card.locator(".band--up, .band--down")).to_have_count(0)
        expect(card.locator(".c-int--open")).to_have_count(1)
        expect(seen.page.locator(".knee-1, .knee-2")).to_have_count(0)

    def test_an_interval_beyond_the_scale_says_so(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        told = page_service.post("/v1/predict", BODY).json()["risk"]
        for side in ("right", "left"):
            card = seen.page.get_by_role("article", name=f"{side.capitalize()} knee")
            high = round(100 * told[side]["interval"][1])
            arrow = card.locator(".c-int svg")
            expect(arrow).to_have_count(int(high > 40))
            if high > 40:
                expect(card).to_contain_text(
                    f"The scale stops at 40; the interval goes on to {high}."
                )

    def test_ticks_stand_on_their_true_place(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        card = seen.page.get_by_role("article", name="Right knee")
        track = card.locator(".c-track").bounding_box()
        assert track is not None
        for number, tick in ((10, 1), (20, 2), (30, 3)):
            box = card.locator(".ticks span").nth(tick).bounding_box()
            assert box is not None
            middle = box["x"] + box["width"] / 2
            assert middle == pytest.approx(track["x"] + number / 40 * track["width"], abs=1)

    def test_how_much_was_learnt_is_one_number(self, opened: Opener, page_service: Served) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        told = page_service.post("/v1/predict", BODY).json()["risk"]["either"]["information"]
        meter = seen.page.get_by_role("region", name="How much was learnt")
        expect(meter).to_contain_text(f"{100 * told:.0f} % of what tests could settle")
        drawn = meter.locator(".c-meter").get_attribute("width")
        assert drawn == f"{100 * told:.2f}%"
        expect(seen.page.locator("#a-next")).to_contain_text(f"{100 * told:.0f} % now")

    def test_one_test_is_proposed_for_what_is_at_hand(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        seen.settled()
        seen.view("Answer")
        card = seen.page.locator("#a-next")
        expect(card.get_by_role("link", name="Enter the result")).to_have_count(1)
        seen.page.get_by_label("I only have a tape measure and a phone").check()
        seen.settled()
        assert seen.asked("/v1/predict")[-1]["equipment"] == ["tape_or_phone"]
        expect(card).to_contain_text(re.compile("min, (no equipment|tape measure or phone)"))
        card.get_by_role("link", name="Enter the result").click()
        expect(seen.page.locator(".views a[aria-current]")).to_have_text("Screen")

    def test_where_no_test_is_worth_the_time_it_says_so_and_asks_for_none(
        self, opened: Opener
    ) -> None:
        seen = opened()
        seen.answered_as({"next_tests": []})
        reopened(seen, filled())
        expect(live(seen)).not_to_contain_text("min")
        seen.view("Answer")
        card = seen.page.locator("#a-next")
        expect(card.get_by_role("heading")).to_have_text("Nothing is worth the time today")
        expect(card.get_by_role("link")).to_have_count(0)

    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_every_example_fits_two_screens_and_four_of_a_phone(
        self, opened: Opener, size: tuple[int, int]
    ) -> None:
        seen = opened(size=size, has_touch=size == PHONE, is_mobile=size == PHONE)
        end = "document.querySelector('.folds').getBoundingClientRect().bottom + scrollY"
        whole = "document.documentElement.scrollHeight"
        measured, most = (end, 4 * PHONE[1]) if size == PHONE else (whole, TALLEST)
        for case in examples.cases():
            if case.body.get("red_flags"):
                continue
            reopened(seen, draft(values_of(case.body)))
            seen.view("Answer")
            expect(seen.page.locator("details[open]")).to_have_count(0)
            assert seen.page.evaluate(measured) <= most, case.name
            seen.view("Screen")

    def test_every_fold_says_what_is_in_it_and_stays_as_it_was_left(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        lines = seen.page.locator(".fold > summary span").all_inner_texts()
        assert len(lines) == 8
        assert all(re.search(r"\d|named|diagnosis", line) for line in lines)
        fold = opened_fold(seen, "Legs side by side")
        seen.page.get_by_label("I only have a tape measure and a phone").check()
        seen.settled()
        expect(fold).to_have_attribute("open", "")
        seen.view("Visits")
        seen.view("Answer")
        expect(fold).to_have_attribute("open", "")
        seen.page.evaluate("location.hash = '#a-drivers'")
        expect(seen.page.locator("#a-drivers")).to_have_attribute("open", "")


class TestFaults:
    def test_a_faulty_value_stays_by_its_reason_and_out_of_the_answer(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        field = leg(seen, "Right", "Ankle bend, lunge test")
        field.fill("138")
        leg(seen, "Left", "Ankle bend, lunge test").fill("41")
        seen.settled()
        expect(field).to_have_value("138")
        expect(field).to_have_attribute("aria-invalid", "true")
        reason = seen.page.locator(f"#{(field.get_attribute('aria-describedby') or '').split()[0]}")
        expect(reason).to_contain_text("Must be a number from 5 to 65 deg")
        last = seen.asked("/v1/predict")[-1]
        assert last["left"] == {"wblt_dorsiflexion_deg": 41}
        assert "right" not in last
        waiting = live(seen).get_by_role("group", name="On hold")
        expect(waiting).to_contain_text("Ankle bend, lunge test, right")
        seen.shot("screen-fault")
        seen.page.get_by_role("button", name="Did you mean 38?").click()
        expect(waiting).to_have_count(0)
        seen.settled()
        assert seen.asked("/v1/predict")[-1]["right"] == {"wblt_dorsiflexion_deg": 38}

    def test_a_common_slip_gets_a_proposal_that_a_press_takes(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        height = seen.page.get_by_label("Height", exact=False).first
        height.fill("1,78")
        expect(seen.page.locator(".fault")).to_contain_text("1.78 m is 178 cm.")
        expect(height).to_have_value("1,78")
        seen.page.get_by_role("button", name="Use 178").click()
        expect(height).to_have_value("178")
        expect(seen.page.locator(".fault")).to_have_count(0)

    @pytest.mark.parametrize(
        ("typed", "reason"),
        [
            ("weak", "ust be a number"),
            ("3 8", "ust be a number"),
            ("-1", "from 0.3 to 6"),
            ("1e3", "number"),
        ],
    )
    def test_what_is_no_measure_is_said(self, opened: Opener, typed: str, reason: str) -> None:
        seen = opened()
        leg(seen, "Left", "Quadriceps strength").fill(typed)
        expect(seen.page.locator("#f-left-quad_torque_nm_kg-e")).to_contain_text(reason)

    def test_what_only_the_service_knows_stands_by_the_field_too(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        leg(seen, "Right", "This leg shorter by").fill("1")
        leg(seen, "Left", "This leg shorter by").fill("1")
        expect(seen.page.locator(".fault")).to_contain_text("nly one leg can be the shorter one")
        expect(live(seen)).to_contain_text("Too little was measured")
        expect(live(seen)).to_contain_text("This leg shorter by")

    def test_a_value_waits_for_its_protocol(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        leg(seen, "Right", "Quadriceps strength").fill("2.4")
        seen.settled()
        assert "right" not in seen.asked("/v1/predict")[-1]
        expect(live(seen)).to_contain_text("Knee strength mode")
        how(seen, "Knee strength mode", "Isometric")
        seen.settled()
        assert seen.asked("/v1/predict")[-1]["right"] == {"quad_torque_nm_kg": 2.4}

    def test_without_age_or_sex_nothing_is_asked(self, opened: Opener) -> None:
        seen = opened()
        leg(seen, "Right", "Hip drop").fill("5")
        seen.settled()
        assert seen.asked("/v1/predict") == []
        expect(live(seen)).to_contain_text("Age and sex are enough")


class TestRedFlags:
    def test_a_red_flag_replaces_everything(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.page.get_by_role("button", name="Show the questions again").click()
        seen.page.get_by_label("Does the knee get stuck").check()
        expect(live(seen)).to_contain_text("See a clinician today")
        expect(live(seen)).not_to_contain_text("in 100")
        seen.view("Answer")
        main = seen.page.get_by_role("main")
        expect(seen.page.get_by_role("alert")).to_contain_text("See a clinician today")
        expect(seen.page.get_by_role("alert")).to_contain_text("Does the knee get stuck")
        for gone in ("in 100", "pattern is named", "What moves", "Sources:", "What if", "Plan"):
            expect(main).not_to_contain_text(gone)
        expect(seen.page.locator("main details")).to_have_count(0)
        seen.shot("answer-refer")

    def test_unasked_never_looks_like_cleared(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        seen.settled()
        assert "red_flags" not in seen.asked("/v1/predict")[-1]
        seen.view("Answer")
        expect(seen.page.get_by_role("main")).to_contain_text("Red flags were not asked")
        seen.page.get_by_role("link", name="Ask them now").click()
        seen.page.get_by_label("All 21 asked, none apply").check()
        seen.settled()
        assert seen.asked("/v1/predict")[-1]["red_flags"] == []
        seen.view("Answer")
        expect(seen.page.get_by_role("main")).to_contain_text("All red flags asked, none applies")

    def test_questions_after_an_injury_are_asked_after_an_injury(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        kneecap = seen.page.get_by_label("is the kneecap the only bone")
        expect(kneecap).to_have_count(0)
        injury = seen.page.get_by_label("Has this knee been injured by a fall")
        injury.check()
        kneecap.check()
        seen.settled()
        sent = set(seen.asked("/v1/predict")[-1]["red_flags"])
        assert sent == {"acute_injury_within_7_days", "isolated_patella_tenderness"}
        injury.uncheck()
        seen.settled()
        assert "red_flags" not in seen.asked("/v1/predict")[-1]


class TestWhatIf:
    def answer(self, opened: Opener) -> Seen:
        seen = opened(kept=filled())
        seen.view("Answer")
        opened_fold(seen, "What if")
        return seen

    def test_a_move_within_error_is_told_and_not_counted(self, opened: Opener) -> None:
        seen = self.answer(opened)
        slider = seen.page.locator("#w-left_hip_drop_deg")
        slider.focus()
        seen.page.keyboard.press("ArrowLeft")
        part = seen.page.locator(".wi__one").filter(has=slider)
        expect(part).to_contain_text("within error, ignored")
        expect(seen.page.locator(".wi__out em")).to_have_count(0)

    def test_a_move_beyond_it_shows_the_risk_of_those_who_measure_so(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = self.answer(opened)
        slider = seen.page.locator("#w-left_hip_drop_deg")
        slider.focus()
        seen.page.keyboard.press("Home")
        least = float(slider.input_value())
        asked = {"screening": BODY, "changes": {"left_hip_drop_deg": least}}
        told = page_service.post("/v1/what_if", asked).json()
        out = seen.page.locator(".wi__out")
        expect(out).to_contain_text(told["wording"])
        expect(out).to_contain_text(in_100(told["left"]["then"]))
        seen.shot("what-if")
        seen.page.get_by_role("button", name="Back to measured values").click()
        expect(out).to_contain_text("Move a slider")

    def test_only_what_can_change_has_a_slider(self, opened: Opener) -> None:
        seen = self.answer(opened)
        offered = seen.page.locator("#wi-add option").all_inner_texts()
        offered += seen.page.locator(".wi__one label").all_inner_texts()
        assert any("Hip drop, left" in one for one in offered)
        assert not [one for one in offered if "Age" in one or "Sex" in one]


class TestVisits:
    def save(self, seen: Seen, day: str, **typed: str) -> None:
        seen.view("Screen")
        seen.page.get_by_label("Date of the visit").fill(day)
        for label, value in typed.items():
            leg(seen, "Left", label.replace("_", " ")).fill(value)
        seen.settled()
        seen.view("Visits")
        seen.page.get_by_role("button", name="Save this visit").click()
        expect(seen.page.get_by_text("Saved in this browser.")).to_be_visible()

    def three(self, seen: Seen) -> None:
        """Three visits of one athlete, the first as the form was kept."""
        seen.page.get_by_label("Name or initials").fill(NAME)
        self.save(seen, "2026-03-02")
        self.save(seen, "2026-06-01", Hip_drop="7.5", Hip_abduction_strength="30")
        self.save(seen, "2026-08-24", Hip_drop="4", Hip_abduction_strength="37")

    def test_visits_show_what_changed_beyond_error(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        self.three(seen)
        changes = seen.page.locator("#v-changes")
        expect(changes).to_contain_text("Since 2 March 2026")
        chart = changes.get_by_role("img", name=re.compile("Left: Hip abduction strength"))
        expect(chart).to_have_attribute("aria-label", re.compile(r"22 % BW on 2 Mar.*37 % BW"))
        [*_, sent] = seen.asked("/v1/follow_up")
        told = page_service.post("/v1/follow_up", sent).json()
        expect(changes).to_contain_text(told["summary"])
        assert [visit["date"] for visit in sent["visits"]] == [
            "2026-03-02", "2026-06-01", "2026-08-24",
        ]  # fmt: skip
        for row in told["risk_changes"]:
            if row["knee"] == "either":
                continue
            low, high = row["error_band"]
            figure = changes.get_by_role("figure").filter(has_text=f"{row['knee'].title()} knee")
            is_inside = figure.evaluate(
                """figure => {
                  const [dot, band] = ['.c-dot circle:last-child', '.c-mdc'].map(
                    (part) => figure.querySelector(part).getBoundingClientRect());
                  const y = (dot.top + dot.bottom) / 2;
                  return band.top <= y && y <= band.bottom;
                }"""
            )
            assert is_inside == (low <= row["last"] <= high)
        expect(seen.page.get_by_role("heading", name="Patterns that changed")).to_be_visible()
        expect(seen.page.get_by_role("main")).to_contain_text("clear before")
        seen.shot("visits")

    def test_they_are_there_after_a_reload_and_can_be_opened(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        self.three(seen)
        seen.open("#visits")
        seen.page.get_by_role("button", name=f"Open {NAME}, 2 March 2026").click()
        seen.view("Screen")
        expect(leg(seen, "Left", "Hip drop")).to_have_value("9.5")

    def test_a_visit_is_deleted_after_a_second_press(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        self.three(seen)
        seen.page.get_by_role("button", name=f"Delete {NAME}, 1 June 2026").click()
        seen.page.get_by_role("button", name="Yes, delete").click()
        expect(seen.page.locator(".kept").first.get_by_role("listitem")).to_have_count(2)

    def test_the_next_visit_starts_with_who_and_how_not_with_values(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        self.three(seen)
        seen.page.get_by_role("button", name=f"Next visit of {NAME}").last.click()
        expect(seen.page.get_by_label("Name or initials")).to_have_value(NAME)
        expect(seen.page.get_by_label("Age required")).to_have_value("27")
        expect(leg(seen, "Left", "Hip drop")).to_have_value("")
        today = seen.page.get_by_label("Date of the visit").input_value()
        assert today >= "2026-08-24"
        expect(seen.page.get_by_label("All 21 asked, none apply")).not_to_be_checked()

    def test_visits_that_cannot_be_compared_say_why(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.page.get_by_label("Name or initials").fill(NAME)
        self.save(seen, "2026-03-02")
        seen.view("Screen")
        seen.page.get_by_label("Sex required").select_option("male")
        self.save(seen, "2026-06-01")
        expect(seen.page.get_by_role("main")).to_contain_text("be compared as they are")
        expect(seen.page.get_by_role("main")).to_contain_text("must be the same at every visit")


class TestWhatIsKept:
    def test_an_unfinished_form_survives_a_reload(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        leg(seen, "Right", "Navicular drop").fill("7")
        seen.open()
        expect(leg(seen, "Right", "Navicular drop")).to_have_value("7")
        expect(leg(seen, "Left", "Quadriceps strength")).to_have_value("2.1")
        expect(live(seen)).to_contain_text("in 100")

    def test_forget_leaves_nothing(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.page.get_by_label("Name or initials").fill(NAME)
        TestVisits().save(seen, "2026-03-02")
        seen.page.get_by_role("button", name="Switch between light and dark").click()
        seen.view("Screen")
        assert seen.page.evaluate("localStorage.length") > 0
        seen.page.get_by_role("button", name="Delete everything stored here").click()
        expect(seen.page.get_by_text("Nothing of yours is left")).to_be_visible()
        assert seen.page.evaluate("localStorage.length") == 0
        assert seen.page.evaluate("document.cookie + sessionStorage.length") == "0"
        seen.open()
        expect(leg(seen, "Left", "Hip drop")).to_have_value("")
        expect(seen.page.get_by_label("Name or initials")).to_have_value("")
        seen.view("Visits")
        expect(seen.page.get_by_role("main")).not_to_contain_text(NAME)

    def test_the_service_never_gets_the_name(self, opened: Opener, page_service: Served) -> None:
        seen = opened()
        seen.page.get_by_label("Name or initials").fill(NAME)
        reopened(seen, filled())
        TestVisits().three(seen)
        seen.view("Answer")
        seen.view("Report")
        expect(seen.page.frame_locator("#sheet").locator("h1")).to_contain_text(NAME)
        sent = [f"{r.url} {r.headers} {r.post_data}" for r in seen.requests]
        assert len(seen.asked("/v1/report")) > 0
        assert not [one for one in sent if "Mara" in one or "Lindqvist" in one]
        assert "Lindqvist" not in page_service.log()


def printable(seen: Seen, kind: str, heading: str) -> FrameLocator:
    """The frame with the page of that kind, once it stands there to be looked at and printed."""
    seen.view("Report")
    seen.page.get_by_role("button", name=kind).click()
    sheet = seen.page.frame_locator("#sheet")
    expect(sheet.locator("h1")).to_contain_text(heading)
    expect(sheet.locator("h1")).to_be_visible()
    expect(seen.page.get_by_role("button", name="Print or save as PDF")).to_be_enabled()
    return sheet


class TestPaper:
    @pytest.mark.parametrize(
        ("kind", "heading", "words", "shot"),
        [
            ("For the athlete", "knee plan", "knee", "hand-out"),
            ("For the physio", "Knee screening", "in 100", "report"),
        ],
    )
    def test_printing_gives_the_one_page_that_is_shown(
        self, opened: Opener, kind: str, heading: str, words: str, shot: str
    ) -> None:
        seen = opened(kept=filled())
        sheet = printable(seen, kind, heading)
        expect(sheet.locator("body")).to_contain_text(words)
        seen.shot(shot)
        printed = seen.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        (seen_width,) = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) [\d.]+\]", printed))
        assert float(seen_width) == pytest.approx(595, abs=2)  # A4, in points

    def test_the_button_prints_the_report_not_the_page(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.view("Report")
        button = seen.page.get_by_role("button", name="Print or save as PDF")
        expect(button).to_be_enabled()
        seen.page.evaluate(
            """() => {
              const root = document.documentElement, sheet = document.getElementById('sheet');
              window.print = () => { root.dataset.printed = 'page' };
              sheet.contentWindow.print = () => { root.dataset.printed = 'report' };
            }"""
        )
        button.click()
        expect(seen.page.locator("html")).to_have_attribute("data-printed", "report")

    def test_the_page_for_the_file_holds_a_full_screening_on_one_sheet(
        self, opened: Opener, page_service: Served
    ) -> None:
        schema = page_service.get("/v1/schema").json()["$defs"]
        values = {
            f"{section}.{name}": _some_value(about)
            for section, part in (("athlete", "Athlete"), ("protocol", "Protocol"),
                                  ("right", "Leg"), ("left", "Leg"))
            for name, about in schema[part]["properties"].items()
        }  # fmt: skip
        # Only one leg can be the shorter one.
        values["right.leg_length_deficit_cm"] = "0"
        seen = opened(kept=draft(values))
        seen.view("Report")
        seen.page.get_by_role("button", name="For the file").click()
        sheet = seen.page.get_by_role("article", name="Screening record")
        told = page_service.post("/v1/predict", seen.asked("/v1/predict")[-1]).json()
        for text in (told["notice"], told["model"]["run_id"], "Ober test", "Age", "Step rate"):
            expect(sheet).to_contain_text(text)
        assert sheet.get_by_role("table", name="Measurements").get_by_role("row").count() > 30
        seen.shot("record")
        printed = seen.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        seen.page.emulate_media(media="print")
        expect(sheet).to_be_visible()
        expect(seen.page.locator("#sheet")).to_be_hidden()

    def test_the_file_has_what_was_asked_and_answered(
        self, opened: Opener, page_service: Served
    ) -> None:
        seen = opened(kept=filled())
        seen.view("Report")
        with seen.page.expect_download() as download:
            seen.page.get_by_role("button", name="Save the file (JSON)").click()
        kept = json.loads(download.value.path().read_text(encoding="utf-8"))
        assert kept["screening"] == BODY
        assert kept["answer"] == page_service.post("/v1/predict", BODY).json()
        assert date.fromisoformat(kept["date"])


class TestEveryScreen:
    @pytest.mark.parametrize("size", [PHONE, SMALL_PHONE, DESKTOP], ids=["390", "320", "1280"])
    def test_nothing_reaches_over_the_side(self, opened: Opener, size: tuple[int, int]) -> None:
        touch = size != DESKTOP
        seen = opened(size=size, has_touch=touch, is_mobile=touch)
        assert seen.overflow() <= 0
        reopened(seen, filled())
        for view in VIEWS:
            seen.view(view)
            seen.settled()
            assert seen.overflow() <= 0
            if size == PHONE:
                seen.shot(f"phone-{view.lower()}")

    def test_the_report_s_header_holds_on_a_phone(self, opened: Opener) -> None:
        seen = opened(size=PHONE, has_touch=True, is_mobile=True, kept=filled())
        sheet = printable(seen, "For the physio", "Knee screening")
        title, brand = sheet.locator("h1").bounding_box(), sheet.locator(".brand").bounding_box()
        assert title is not None
        assert brand is not None
        assert title["y"] + title["height"] <= brand["y"] + 1
        inside = "document.getElementById('sheet').contentDocument.documentElement"
        assert seen.page.evaluate(f"{inside}.scrollWidth - {inside}.clientWidth") <= 0
        seen.shot("phone-report")

    def test_on_a_phone_the_answer_follows_the_thumb(self, opened: Opener) -> None:
        seen = opened(size=PHONE, has_touch=True, is_mobile=True, kept=filled())
        strip = seen.page.get_by_role("link", name=re.compile("Right knee.*Left knee"))
        expect(strip).to_have_count(1)
        box = strip.bounding_box()
        assert box is not None
        assert 500 < box["y"] < PHONE[1]
        strip.tap()
        expect(seen.page.get_by_role("article", name="Right knee")).to_be_visible()

    def test_dark_follows_the_system_and_the_button(self, opened: Opener) -> None:
        seen = opened(color_scheme="dark")
        paper = "getComputedStyle(document.documentElement).backgroundColor"
        dark = seen.page.evaluate(paper)
        seen.shot("dark-screen")
        seen.page.get_by_role("button", name="Switch between light and dark").click()
        light = seen.page.evaluate(paper)
        assert sum(_rgb(dark)) < 150 < 600 < sum(_rgb(light))
        seen.open()
        assert seen.page.evaluate(paper) == light

    def test_motion_is_left_out_where_it_is_unwelcome(self, opened: Opener) -> None:
        smooth = "getComputedStyle(document.documentElement).scrollBehavior"
        assert opened(reduced_motion="reduce").page.evaluate(smooth) == "auto"
        assert opened(reduced_motion="no-preference").page.evaluate(smooth) == "smooth"

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_axe_finds_nothing(self, opened: Opener, scheme: str, size: tuple[int, int]) -> None:
        seen = opened(color_scheme=scheme, size=size)
        found: dict[str, list[str]] = {"Screen, empty": seen.axe()}
        reopened(seen, filled())
        leg(seen, "Right", "Navicular drop").fill("999")
        seen.page.locator("#st-lab > summary").click()
        seen.page.get_by_role("button", name="Show the questions again").click()
        found["Screen"] = seen.axe()
        reopened(seen, filled())
        TestVisits().three(seen)
        found["Visits"] = seen.axe()
        seen.view("Answer")
        seen.page.evaluate("document.querySelectorAll('main details').forEach(d => d.open = true)")
        seen.shot(f"answer-open-{scheme}-{size[0]}")
        found["Answer"] = seen.axe()
        seen.view("Report")
        expect(seen.page.get_by_role("button", name="Print or save as PDF")).to_be_enabled()
        found["Report"] = seen.axe()
        seen.page.get_by_role("button", name="For the file").click()
        found["Report, file"] = seen.axe()
        seen.view("Screen")
        seen.page.get_by_role("button", name="Show the questions again").click()
        seen.page.get_by_label("Is the knee hot, red and swollen?").check()
        seen.settled()
        found["Screen, flag"] = seen.axe()
        seen.view("Answer")
        found["Answer, refer"] = seen.axe()
        assert {view: faults for view, faults in found.items() if faults} == {}

    def test_axe_would_find_something(self, opened: Opener) -> None:
        seen = opened()
        seen.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert any("image-alt" in told for told in seen.axe())


class TestKeyboard:
    def until(self, seen: Seen, where: Callable[[], bool], key: str = "Tab") -> None:
        """Press a key until the focus is where it should be; a trap ends it."""
        for _ in range(200):
            if where():
                return
            seen.page.keyboard.press(key)
        raise AssertionError("the focus never came there")

    def on(self, seen: Seen, selector: str) -> Callable[[], bool]:
        return lambda: bool(
            seen.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector)
        )

    def test_the_whole_walk_needs_no_mouse(self, opened: Opener) -> None:
        seen = opened()
        keys = seen.page.keyboard
        keys.press("Tab")
        assert self.on(seen, ".skip")()
        keys.press("Enter")
        self.until(seen, self.on(seen, "#cleared"))
        keys.press("Space")
        self.until(seen, self.on(seen, "#f-athlete-age_years"))
        keys.type("27")
        keys.press("Tab")
        keys.type("Fem")
        self.until(seen, self.on(seen, "#f-right-wblt_dorsiflexion_deg"))
        keys.type("41")
        keys.press("Enter")
        assert self.on(seen, "#f-left-wblt_dorsiflexion_deg")()
        keys.type("33")
        self.until(seen, self.on(seen, "input[name=f-protocol-torque_mode]"))
        keys.press("ArrowRight")
        seen.settled()
        sent = seen.asked("/v1/predict")[-1]
        assert sent == {
            "athlete": {"age_years": 27, "sex": "female"},
            "right": {"wblt_dorsiflexion_deg": 41}, "left": {"wblt_dorsiflexion_deg": 33},
            "protocol": {"torque_mode": sent["protocol"]["torque_mode"]}, "red_flags": [],
        }  # fmt: skip
        self.until(seen, self.on(seen, ".live a.btn--main"))
        keys.press("Enter")
        expect(seen.page.get_by_role("heading", level=1)).to_be_focused()
        self.until(seen, self.on(seen, "#a-patterns > summary"))
        keys.press("Enter")
        assert self.on(seen, "#a-patterns[open] > summary")()
        self.until(seen, self.on(seen, "details.imb:not([open]) > summary"))
        keys.press("Enter")
        assert self.on(seen, "details.imb[open] > summary")()

    def test_a_slider_moves_by_the_arrow_keys(self, opened: Opener) -> None:
        seen = opened(kept=filled())
        seen.view("Answer")
        self.until(seen, self.on(seen, "#a-whatif > summary"))
        seen.page.keyboard.press("Enter")
        self.until(seen, self.on(seen, "input[type=range]"))
        before = seen.page.evaluate("document.activeElement.value")
        seen.page.keyboard.press("ArrowLeft")
        assert seen.page.evaluate("document.activeElement.value") != before

    def test_focus_is_seen(self, opened: Opener) -> None:
        seen = opened()
        self.until(seen, self.on(seen, "#f-athlete-age_years"))
        ring = seen.page.locator(".cell").filter(has=seen.page.locator("#f-athlete-age_years"))
        assert ring.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"

    def test_a_keystroke_does_not_move_the_focus(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        field = leg(seen, "Left", "Hip drop")
        field.press_sequentially("9.5")
        seen.settled()
        expect(field).to_be_focused()
        expect(field).to_have_value("9.5")


class TestWhatItLoads:
    def test_it_weighs_little(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        seen.settled()
        served = [request for request in seen.requests if request.url.startswith("http")]
        sizes = {request.url: request.sizes()["responseBodySize"] for request in served}
        assert len(sizes) > 15
        assert sum(sizes.values()) < HEAVIEST

    def test_the_policy_stops_what_is_not_the_pages_own(
        self, opened: Opener, page_service: Served
    ) -> None:
        policy = page_service.get("/").headers["content-security-policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["connect-src"] == "'self'"
        assert re.fullmatch(r"'self'( 'sha256-[\w+/=]+'){2}", rules["style-src"])
        assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
        seen = opened()
        stopped = seen.page.evaluate(
            """async () => {
              const script = document.createElement('script');
              script.textContent = 'window.ran = true';
              document.body.append(script);
              let ran = window.ran === true, fetched = true;
              await fetch('http://elsewhere.invalid/').catch(() => { fetched = false });
              return { ran, fetched };
            }"""
        )
        assert stopped == {"ran": False, "fetched": False}
        assert len(seen.complaints) >= 2
        # They are what this test is about; any other would have been a fault.
        seen.complaints.clear()
        seen.requests[:] = [r for r in seen.requests if "elsewhere.invalid" not in r.url]


def _some_value(about: dict[str, Any]) -> str:
    """A usual value of a measure as it is typed; of words the last."""
    if "enum" in about:
        return str([word for word in about["enum"] if word][-1])
    norm = next(iter(about.get("typical") or []), None)
    usual = (norm.get("female") or norm.get("male"))["mean"] if norm else about["minimum"]
    return str(round(usual) if "integer" in str(about["type"]) else round(usual, 2))


def _rgb(color: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", color)[:3]]


class TestApiReader:
    """`/docs`: the API to read and to try; its policy and requests are checked as the page's."""

    def test_an_example_is_tried_and_axe_finds_nothing(self, opened: Opener) -> None:
        seen = opened()
        seen.page.get_by_role("link", name="API for developers").click()
        seen.page.wait_for_url(f"{seen.url}/docs")
        predict = seen.page.locator("#operations-answers-predict")
        predict.get_by_role("button", name="/v1/predict").first.click()
        expect(predict.get_by_role("textbox", name="Body of the request")).to_be_visible()
        assert seen.axe() == []
        predict.get_by_role("button", name="Execute").click()
        answered = predict.locator(".live-responses-table .response")
        expect(answered.locator(".response-col_status")).to_contain_text("200")
        expect(answered.locator("pre").first).to_contain_text('"probability"')
        assert seen.asked("/v1/predict") == [EXAMPLE]
        seen.shot("api-reader")
        assert seen.axe() == []

    def test_schemas_and_keys_can_be_looked_at(self, opened: Opener) -> None:
        seen = opened(size=PHONE)
        seen.page.goto(f"{seen.url}/docs")
        seen.page.get_by_role("button", name="Schemas").click()
        expect(seen.page.locator("section.models")).to_contain_text("AthleteLoad")
        assert seen.axe() == []
        seen.page.get_by_role("button", name="Authorize").first.click()
        expect(seen.page.locator(".modal-ux")).to_contain_text("club_key")
        assert seen.axe() == []
        assert seen.overflow() == 0
