"""The athlete's sheet: easy to read, one A4 page, nothing technical, no more than the plan says."""

from __future__ import annotations

import re
from typing import Any

import pytest
import textstat
from bodies import body, textbook
from browser import Opener
from hypothesis import given
from playwright.sync_api import Browser, expect
from strategies import screenings
from test_report import Page

from kneerisk import evidence
from kneerisk.answer import Answer, answer
from kneerisk.answer.hand_out import hand_out_html
from kneerisk.answer.poses import drawing, poses
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from pipelines import examples
from serving.request_examples import EXAMPLE

#: Flesch's "easy": read by those of 11 to 12 years (Flesch 1948, doi 10.1037/h0057532).
EASY = 80.0
#: What an athlete is never handed.
TECHNICAL = re.compile(
    r"Nm|N/kg|% BW|\bSD\b|\bz\b|EMG|\brun\b [0-9a-f]{6}|kneerisk-|dominance|valgus|deficit|"
    r"dysfunction|high-risk|\bsafe\b|normal|proven|diagnos|prevents?\b|predict|None|Undefined",
)
A4_HEIGHT_PX = 1123


def words_of(html: str) -> str:
    return " ".join(" ".join(Page(html).text).split())


def sentences_of(told: Answer, screening: Screening) -> str:
    """What is read as prose: without the table, and a full stop where a line ends."""
    page = hand_out_html(told, screening)
    prose = re.sub(
        r"<table>.*?</table>|<style>.*?</style>|<dl>.*?</dl>|<svg.*?</svg>",
        "",
        page,
        flags=re.DOTALL,
    )
    lines = re.findall(r"<(?:p|li|h1|h2)\b[^>]*>(.*?)</(?:p|li|h1|h2)>", prose, flags=re.DOTALL)
    plain = (re.sub(r"<[^>]+>", " ", line).strip() for line in lines)
    return " ".join(line if line.endswith(".") else f"{line}." for line in plain if line)


SORE = {"right": {"pain_nrs": 3}, "left": {"pain_nrs": 2}}
LONG_RUN = {"sport": "running", "session_spike_ratio": 1.5, "longest_run_30d_km": 20}
CASES: dict[str, Any] = {
    **{case.name: case.body for case in examples.cases()},
    **{f"textbook {name}": textbook(name) for name in evidence.imbalances()},
    "both hurt": textbook("calf_tightness", pain=SORE),
    "fourteen": body(athlete={"age_years": 14}),
    "long run": body(athlete=LONG_RUN),
    "the usual example": EXAMPLE,
}


@pytest.mark.parametrize("name", CASES)
def test_a_reader_of_twelve_can_read_it(released: Bundle, name: str) -> None:
    screening = Screening.model_validate(CASES[name])
    read = sentences_of(answer(released, screening), screening)
    assert textstat.flesch_reading_ease(read) >= EASY, read
    assert textstat.flesch_kincaid_grade(read) <= 6.0, read


def test_the_measure_of_reading_tells_hard_from_easy() -> None:
    hard = evidence.imbalances()["vmo_inhibition"].wording + " Electromyographic onset is delayed."
    assert textstat.flesch_reading_ease(hard) < EASY


@given(screening=screenings())
def test_nothing_technical_and_no_number_that_does_not_hold(
    released: Bundle, screening: Screening
) -> None:
    told = answer(released, screening)
    read = words_of(hand_out_html(told, screening))
    assert not TECHNICAL.search(read), TECHNICAL.search(read)
    codes = {reason.code for reason in told.risk.reasons}
    if codes & {"refer", "low_information", "out_of_population"}:
        assert "Of 100 people" not in read
    if "refer" in codes:
        assert "box when it is done" not in read
    for knee in ("left", "right"):
        if f"in the {knee} knee within a year" in read:
            risk = getattr(told.risk, knee)
            assert f"about {risk.per_100} would" in read


def test_it_says_what_the_plan_says(released: Bundle) -> None:
    screening = Screening.model_validate(textbook("glute_underactivity"))
    told = answer(released, screening)
    assert told.plan is not None
    page = Page(hand_out_html(told, screening, "Lea: your knee plan", "1 March 2026"))
    read = " ".join(" ".join(page.text).split())
    assert read.index("Lea: your knee plan") < read.index("1 March 2026, for 6 weeks")
    for item in told.plan.items:
        assert evidence.exercises()[item.exercise or ""].name in read
    drawn = [image["aria-label"] for image in page.all("svg")]
    assert drawn == [evidence.exercises()[item.exercise or ""].name for item in told.plan.items]


def test_it_stops_at_the_pain_at_which_the_answer_stops(released: Bundle) -> None:
    screening = Screening.model_validate(EXAMPLE)
    told = answer(released, screening)
    assert told.plan is not None
    (limit,) = re.findall(r"above (\d+) out of 10", told.plan.stop)
    assert f"more than {limit} out of 10" in words_of(hand_out_html(told, screening))


def test_every_exercise_has_its_drawing_and_every_drawing_its_use() -> None:
    tests = set(evidence.screening_tests())
    exercises = set(evidence.exercises())
    assert exercises <= set(poses())
    assert set(poses()) <= exercises | tests


@pytest.mark.parametrize("name", poses())
def test_a_drawing_stays_on_its_paper(name: str) -> None:
    found = drawing(name, "A drawing")
    numbers = [float(part) for part in re.findall(r"(?<=[ML ])(-?\d+\.\d)(?= )", found)]
    assert numbers
    assert min(numbers) >= 0.0
    assert max(numbers) <= 200.0


@pytest.mark.slow
def test_every_sheet_is_one_page(released: Bundle, browser: Browser) -> None:
    page = browser.new_page()
    for name, screening_body in CASES.items():
        screening = Screening.model_validate(screening_body)
        page.set_content(
            hand_out_html(answer(released, screening), screening, "A. Athlete", "1 March 2026")
        )
        page.emulate_media(media="print")
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, name
        height = page.evaluate("document.querySelector('.sheet').scrollHeight")
        assert height <= A4_HEIGHT_PX, name
    page.close()


@pytest.mark.slow
class TestOnThePage:
    def test_the_physio_fills_it_in_and_the_service_never_gets_it(self, opened: Opener) -> None:
        seen = opened()
        seen.page.get_by_role("button", name="Fill in an example").first.click()
        seen.page.get_by_label("Name or initials").fill("Lea")
        seen.settled()
        seen.view("Report")
        sheet = seen.page.frame_locator("#sheet")
        expect(sheet.locator("#title")).to_have_text("Lea: your knee plan")
        seen.page.get_by_label("Clinic").fill("Harbour Physio")
        seen.page.get_by_label("Next test").fill("2027-01-07")
        expect(sheet.locator("#clinic")).to_have_text("Harbour Physio")
        expect(sheet.locator("#next")).to_have_text("7 January 2027")
        assert seen.axe() == []
        seen.shot("hand-out")
        sent: list[Any] = [f"{r.url} {r.post_data}" for r in seen.requests]
        assert not [one for one in sent if "Lea" in one or "Harbour" in one]
        seen.open("#report")
        expect(seen.page.get_by_label("Clinic")).to_have_value("Harbour Physio")

    def test_on_a_phone_it_fits(self, opened: Opener) -> None:
        seen = opened(size=(390, 844))
        seen.page.get_by_role("button", name="Fill in an example").first.click()
        seen.settled()
        seen.view("Report")
        expect(seen.page.frame_locator("#sheet").locator("#title")).to_be_visible()
        assert seen.overflow() <= 0
        seen.shot("hand-out-phone")
