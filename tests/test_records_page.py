"""The page where records are kept: an answer goes there, athletes are asked, a club is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from browser import Opener, Seen
from club_keys import HARBOUR, ClubKeys, new_records
from playwright.sync_api import Locator, Route, expect
from served import ONE_WORKER, Served, served

from kneerisk.answer import answers
from kneerisk.answer.told_numbers import told_numbers
from kneerisk.cohort.file_screenings import screenings_of
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.model import Bundle
from kneerisk.records.clubs import club_id_of
from kneerisk.records.database import Database
from kneerisk.records.followed_legs import FollowedLeg, followed_legs
from kneerisk.records.personal_data import everything_about
from kneerisk.records.visit_records import (
    Reported,
    Screened,
    Told,
    record_answer,
    record_outcomes,
)
from kneerisk.schema import Screening, fingerprint
from serving.page_files import _PAGE, _html
from serving.request_examples import EXAMPLE

pytestmark = pytest.mark.slow

TODAY = datetime.now(UTC).date()
PHONE, DESKTOP = (390, 844), (1280, 900)
#: Athletes of the club, all screened 26 weeks ago, and by whom their first 20 were answered.
ATHLETES, WEEKS, EARLIER = 60, 26, "kneerisk-new_pain-12m-v0"
#: Whose last check-in is so many days ago; the others' is today's.
SILENT = {"A58": 12, "A57": 17, "A56": 8, "A55": 40, "A54": 7, "A53": 7}
#: In whose left knee pain began so many weeks ago.
PAIN = {f"A{number:02}": 24 - number for number in range(1, 15)} | {"A53": 1, "A54": 1}


def ago(days: int) -> date:
    return TODAY - timedelta(days)


def fill(address: str, bundle: Bundle, screenings: list[Screening]) -> None:
    """Half a year of a club, whose last reports are of today."""
    database, now = Database(address), datetime.now(UTC)
    with database.writing() as session:
        club = club_id_of(session, HARBOUR)
        told = answers(bundle, screenings)
        for number, (screening, answer) in enumerate(zip(screenings, told, strict=True)):
            athlete = f"A{number:02}"
            body = screening.model_dump(mode="json", exclude_none=True, exclude_unset=True)
            sent = Screened(
                athlete=athlete, day=ago(7 * WEEKS), screening=body,
                schema_fingerprint=fingerprint(),
            )  # fmt: skip
            version = EARLIER if number % 3 == 0 else bundle.metadata.version
            numbers = Told(
                version=version, bundle_sha256=bundle.sha256, numbers=told_numbers(answer)
            )
            record_answer(session, club, "key", sent, numbers, now)
            record_outcomes(session, club, "key", reports(athlete), now)
    database.close()


def reports(athlete: str) -> list[Reported]:
    """Weekly check-ins up to the last one, clean but for the week in which pain began."""
    last, began = SILENT.get(athlete, 0), PAIN.get(athlete)
    weeks = [week for week in range(WEEKS) if 7 * week >= last - 6 and week != began]
    clean = [
        Reported(athlete=athlete, kind="check_in", side="both", first_day=ago(7 * week + 6),
                 last_day=ago(max(7 * week, last)), details={"knee_problem": False})
        for week in weeks
    ]  # fmt: skip
    if began is None:
        return clean
    pain = Reported(
        athlete=athlete, kind="knee_pain", side="left", first_day=ago(7 * began + 6),
        last_day=ago(7 * began), details={"course": "new"},
    )  # fmt: skip
    return [*clean, pain]


@dataclass(frozen=True)
class Club:
    """Its keys, and what its records hold."""

    keys: ClubKeys

    def kept(self, athlete: str) -> dict[str, Any]:
        database = Database(self.keys.address)
        with database.reading() as session:
            found = everything_about(session, club_id_of(session, HARBOUR), athlete)
        database.close()
        assert found is not None, athlete
        return found

    def legs(self, athlete: str) -> dict[str, FollowedLeg]:
        """What became of the knees of an athlete, by the rules of the records."""
        database = Database(self.keys.address)
        with database.reading() as session:
            club = club_id_of(session, HARBOUR)
            answer = everything_about(session, club, athlete)["visits"][-1]["answers"][-1]["id"]  # type: ignore[index]
            found = {
                leg.side: leg
                for leg in followed_legs(session, club, TODAY)
                if leg.answer_id == answer
            }
        database.close()
        return found


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory, released: Bundle, simulated: Simulated) -> Club:
    keys = new_records(str(tmp_path_factory.mktemp("records") / "club.sqlite"))
    fill(keys.address, released, screenings_of(simulated.cohort.frame.head(ATHLETES)))
    return Club(keys)


@pytest.fixture(scope="module")
def page_service(
    champion_models: Path, club: Club, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One service for all of these tests; `opened` opens its page."""
    folder = tmp_path_factory.mktemp("page")
    environment = {"KNEERISK_MODELS": str(champion_models), "KNEERISK_RECORDS": club.keys.address}
    with served(folder, *ONE_WORKER, **environment) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


def unlock(seen: Seen, key: str) -> None:
    """Go to the club's views and open its records."""
    seen.page.goto(f"{seen.url}/#club")
    seen.page.get_by_label("The club's key").fill(key)
    seen.page.get_by_role("button", name="Open").click()
    expect(seen.page.get_by_role("heading", level=1, name="Weekly check")).to_be_visible()
    seen.settled()


def ask(seen: Seen, athlete: str) -> Locator:
    """Begin the check of an athlete; gives its form."""
    seen.page.get_by_label("The club's id of the athlete").fill(athlete)
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("heading", name=f"{athlete}: how were the knees")).to_be_visible()
    return seen.page.locator(".ci")


def answer(form: Locator, question: str, option: str) -> None:
    group = form.get_by_role("group", name=question)
    group.get_by_label(option, exact=True).check()


def send(form: Locator) -> None:
    form.get_by_role("button", name="Send").click()
    expect(form.page.get_by_role("heading", name="Kept for")).to_be_visible()


def newest(outcomes: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Those of the last day that any of the kind tells of."""
    of_kind = [one for one in outcomes if one["kind"] == kind]
    last = max(one["last_day"] for one in of_kind)
    return [one for one in of_kind if one["last_day"] == last]


class TestTheKey:
    def test_it_opens_one_club_and_is_kept_in_this_tab_alone(
        self, opened: Opener, club: Club
    ) -> None:
        seen = opened()
        unlock(seen, club.keys.read)
        expect(seen.page.get_by_role("button", name="A57")).to_be_visible()
        stored = "JSON.stringify([{...localStorage}, {...sessionStorage}])"
        lasting, of_tab = json.loads(seen.page.evaluate(stored))
        assert club.keys.read not in json.dumps(lasting)
        assert club.keys.read in json.dumps(of_tab)
        assert all(club.keys.read not in request.url for request in seen.requests)
        seen.page.reload()
        expect(seen.page.get_by_role("button", name="A57")).to_be_visible()
        seen.page.get_by_role("button", name="Close the records").click()
        expect(seen.page.get_by_label("The club's key")).to_be_focused()
        assert club.keys.read not in seen.page.evaluate(stored)
        unlock(seen, club.keys.other_club)
        expect(seen.page.get_by_text("Nobody is overdue.")).to_be_visible()

    @pytest.mark.parametrize(("which", "why"), [("ended", "has expired"), ("wrong", "is no key")])
    def test_one_that_opens_nothing_says_why(
        self, opened: Opener, club: Club, which: str, why: str
    ) -> None:
        seen = opened()
        seen.refusals.add("401")
        seen.page.goto(f"{seen.url}/#club")
        key = club.keys.write[:-4] + "AAAB" if which == "wrong" else club.keys.ended
        seen.page.get_by_label("The club's key").fill(key)
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("alert")).to_contain_text(why)
        expect(seen.page.get_by_label("The club's key")).to_have_value("")
        assert seen.page.evaluate("JSON.parse(sessionStorage['kneerisk.club_key'])") is None

    def test_without_records_nothing_of_the_page_is_about_them(self) -> None:
        for part in (b'href="#club"', b"club.css", b"data-records"):
            assert part in _html(_PAGE, records=True)
            assert part not in _html(_PAGE, records=False)


def test_an_answer_is_kept_as_it_stands(opened: Opener, club: Club) -> None:
    seen = opened()
    unlock(seen, club.keys.write)
    seen.view("Screen")
    seen.page.get_by_role("button", name="Fill in an example").click()
    seen.settled()
    seen.view("Visits")
    card = seen.page.get_by_role("region", name="In the club's records")
    keep = card.get_by_role("button", name="Keep this answer")
    expect(keep).to_be_disabled()
    card.get_by_label("The club's id of the athlete").fill("Tom Reilly")
    expect(keep).to_be_disabled()
    card.get_by_label("The club's id of the athlete").fill("K1")
    keep.click()
    expect(card.get_by_role("status")).to_contain_text("Kept: K1")
    expect(keep).to_be_disabled()
    seen.shot("club-kept-1280")
    [visit] = club.kept("K1")["visits"]
    [asked] = [request for request in seen.requests if "?fields=summary" in request.url]
    assert visit["day"] == TODAY.isoformat()
    assert json.loads(asked.post_data or "") == visit["screening"] == EXAMPLE
    assert "K1" not in asked.url
    expect(card).to_contain_text(visit["answers"][0]["id"])
    seen.view("Answer")
    expect(seen.page.get_by_text("Kept in the club's records")).to_be_visible()
    seen.view("Screen")
    seen.page.get_by_label("Age").fill("31")
    seen.settled()
    seen.view("Visits")
    expect(card.get_by_role("status")).to_contain_text("Changed since it was kept")
    card.get_by_role("button", name="Keep it again").click()
    expect(card.get_by_role("status")).not_to_contain_text("Changed since")
    ages = [visit["screening"]["athlete"]["age_years"] for visit in club.kept("K1")["visits"]]
    assert ages == [27, 31]


class TestWeeklyCheck:
    def test_nothing_new_is_one_key_and_follow_up_reaches_to_that_day(
        self, opened: Opener, club: Club
    ) -> None:
        seen = opened(size=PHONE)
        unlock(seen, club.keys.write)
        assert club.legs("A57")["left"].followed_until == ago(17)
        seen.page.get_by_role("button", name="A57").press("Enter")
        expect(seen.page.get_by_role("button", name="Nothing new")).to_be_focused()
        seen.page.keyboard.press("Enter")
        done = seen.page.get_by_role("status", name="Kept for A57")
        expect(done).to_contain_text("Nothing new: follow-up reaches to")
        expect(done.get_by_role("button", name="Next: A58")).to_be_focused()
        seen.shot("club-done-390")
        [kept] = newest(club.kept("A57")["outcomes"], "check_in")
        assert (kept["first_day"], kept["last_day"]) == (
            ago(16).isoformat(), TODAY.isoformat(),
        )  # fmt: skip
        assert (kept["side"], kept["details"]["knee_problem"]) == ("both", False)
        legs = club.legs("A57")
        assert {leg.followed_until for leg in legs.values()} == {TODAY}
        assert {leg.ended for leg in legs.values()} == {"running"}
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("heading", name="A58: how were")).to_be_visible()
        expect(seen.page.get_by_role("button", name="A57")).to_have_count(0)
        # Asked again, it is about the same days.
        seen.page.get_by_role("button", name="Someone else").click()
        expect(ask(seen, "A57")).to_contain_text("17 days")

    def test_new_pain_has_its_knee_and_its_days(self, opened: Opener, club: Club) -> None:
        seen = opened()
        unlock(seen, club.keys.write)
        form = ask(seen, "A58")
        answer(form, "Which knee hurt?", "Left")
        answer(form, "How did it begin in the left knee?", "Little by little")
        answer(form, "Because of a knee, training was", "Much less, or none")
        answer(form, "Did a knee swell", "Neither")
        send(form)
        outcomes = club.kept("A58")["outcomes"]
        [pain] = newest(outcomes, "knee_pain")
        assert (pain["side"], pain["first_day"]) == ("left", ago(11).isoformat())
        assert pain["details"] == {"course": "new"}
        checks = {one["side"]: one["details"] for one in newest(outcomes, "check_in")}
        assert checks["right"]["knee_problem"] is False
        assert (checks["left"]["knee_problem"], checks["left"]["substantial"]) == (True, True)
        legs = club.legs("A58")
        assert (legs["left"].outcome, legs["left"].onset) == (1, (ago(11), TODAY))
        assert (legs["right"].ended, legs["right"].followed_until) == ("running", TODAY)

    def test_what_happened_in_one_moment_is_no_gradual_pain(
        self, opened: Opener, club: Club
    ) -> None:
        seen = opened()
        unlock(seen, club.keys.write)
        form = ask(seen, "A50")
        answer(form, "Which knee hurt?", "Right")
        answer(form, "How did it begin in the right knee?", "In one moment")
        answer(form, "Because of a knee, training was", "As usual")
        answer(form, "Did a knee swell", "Right")
        expect(form.get_by_role("alert")).to_contain_text("call a clinician today")
        send(form)
        assert [o["kind"] for o in club.kept("A50")["outcomes"] if o["kind"] != "check_in"] == [
            "knee_injury"
        ]
        legs = club.legs("A50")
        assert (legs["right"].ended, legs["right"].outcome) == ("knee_injury", None)
        assert legs["left"].ended == "running"

    def test_pain_of_unknown_beginning_is_no_new_pain(self, opened: Opener, club: Club) -> None:
        seen = opened()
        unlock(seen, club.keys.write)
        form = ask(seen, "A51")
        answer(form, "Which knee hurt?", "Left")
        answer(form, "How did it begin in the left knee?", "It was there before")
        answer(form, "Because of a knee, training was", "As usual")
        answer(form, "Did a knee swell", "Neither")
        send(form)
        assert {o["kind"] for o in club.kept("A51")["outcomes"]} == {"check_in"}
        left = club.legs("A51")["left"]
        assert (left.ended, left.outcome) == ("unexplained", None)

    def test_pain_that_goes_on_stays_the_same_event(self, opened: Opener, club: Club) -> None:
        seen = opened()
        unlock(seen, club.keys.write)
        form = ask(seen, "A54")
        expect(form.get_by_role("button", name="Nothing new")).to_contain_text(
            "The left knee still troubles, the right has no pain."
        )
        form.get_by_role("button", name="Nothing new").click()
        expect(seen.page.get_by_role("status", name="Kept for A54")).to_contain_text(
            "Left knee: still troubles."
        )
        outcomes = club.kept("A54")["outcomes"]
        [pain] = [one for one in outcomes if one["kind"] == "knee_pain"]
        assert pain["details"] == {"course": "new", "last_reported": TODAY.isoformat()}
        checks = {one["side"]: one["details"] for one in newest(outcomes, "check_in")}
        assert (checks["left"]["knee_problem"], checks["right"]["knee_problem"]) == (True, False)
        assert club.legs("A54")["left"].onset == (ago(13), ago(7))

    def test_pain_that_is_over_says_since_when(self, opened: Opener, club: Club) -> None:
        seen = opened()
        unlock(seen, club.keys.write)
        form = ask(seen, "A53")
        answer(form, "Which knee hurt?", "Neither")
        answer(form, "Did a knee swell", "Neither")
        send(form)
        expect(seen.page.get_by_text("Left knee: no pain any more.")).to_be_visible()
        outcomes = club.kept("A53")["outcomes"]
        [pain] = [one for one in outcomes if one["kind"] == "knee_pain"]
        assert pain["details"] == {"course": "new", "free_by": ago(6).isoformat()}
        assert newest(outcomes, "check_in")[0]["details"]["knee_problem"] is False

    def test_what_is_not_answered_is_asked_and_nothing_is_sent(
        self, opened: Opener, club: Club
    ) -> None:
        seen = opened()
        unlock(seen, club.keys.write)
        form = ask(seen, "A40")
        form.get_by_role("button", name="Send").click()
        group = form.get_by_role("group", name="Which knee hurt?")
        expect(group).to_be_focused()
        expect(group).to_contain_text("Please answer this one.")
        answer(form, "Which knee hurt?", "Left")
        answer(form, "Which knee hurt?", "Neither")
        expect(group.get_by_label("Left")).not_to_be_checked()
        assert seen.asked("/v1/outcomes") == []

    def test_a_key_that_may_not_write_keeps_nothing(self, opened: Opener, club: Club) -> None:
        seen = opened()
        seen.refusals |= {"403", "404"}
        unlock(seen, club.keys.read)
        seen.page.get_by_label("The club's id of the athlete").fill("Z9")
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("alert")).to_contain_text("no athlete with this id")
        before = club.kept("A41")
        form = ask(seen, "A41")
        form.get_by_role("button", name="Nothing new").click()
        expect(form.get_by_role("alert")).to_contain_text("Not kept: This takes a key")
        assert club.kept("A41") == before


def test_monitoring_says_what_the_service_says(opened: Opener, club: Club) -> None:
    seen = opened()
    unlock(seen, club.keys.read)
    with seen.page.expect_response("**/v1/monitoring") as response:
        seen.page.get_by_role("link", name="Monitoring").click()
    report = response.value.json()
    verdict = seen.page.get_by_role("region", name="Told and what happened")
    reason = report["to_do"].partition(": ")[2]
    expect(verdict.get_by_role("paragraph").first).to_have_text(reason[0].upper() + reason[1:])
    overall = report["overall"]
    for told in (f"{overall['told']:.1f}", str(overall["observed"]), f"{overall['chance'][1]}"):
        expect(verdict).to_contain_text(told)
    step = seen.page.locator('[aria-current="step"]')
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(step.inner_text())
    parts = seen.page.get_by_role("region", name="By part")
    rows = parts.locator("tbody tr:not(.group)")
    assert rows.count() == len(report["parts"])
    for part in report["parts"]:
        if part["by"] == "version":
            row = rows.filter(has_text=part["name"])
            expect(row).to_contain_text(f"{part['counts']['observed']}")
    weeks = report["alarm"]["weeks"]
    assert (weeks[-1]["observed"], len(weeks)) == (overall["observed"], WEEKS)
    line = seen.page.get_by_role("img", name=f"By week, observed from 0 to {overall['observed']}")
    expect(line).to_be_visible()
    lost = report["follow_up"]
    expect(seen.page.get_by_role("region", name="Who is followed")).to_contain_text(
        f"{lost['lost']} of {lost['athletes']}"
    )


def test_monitoring_of_a_large_club_has_a_curve_and_names_measures(
    opened: Opener, club: Club
) -> None:
    risks = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3]
    curve = {
        "slope": 0.62, "slope_low": 0.41, "slope_high": 0.83, "risk": risks,
        "observed": [0.05, 0.08, 0.13, 0.16, 0.18, 0.22],
        "low": [0.03, 0.06, 0.1, 0.12, 0.12, 0.13], "high": [0.08, 0.11, 0.17, 0.21, 0.26, 0.36],
    }  # fmt: skip
    drift = {"measure": "hip_drop_deg", "shifted": True, "spread_changed": True, "shift_sd": -0.41,
             "spread": 1.38, "drifted": True}  # fmt: skip

    def change(route: Route) -> None:
        told = route.fetch()
        changes = {
            "calibration": curve, "drift": [drift, drift | {"drifted": False}],
            "next_step": {"step": "retrain", "why": "spread_off"},
        }  # fmt: skip
        route.fulfill(response=told, json=told.json() | changes)

    seen = opened(size=PHONE)
    seen.page.route("**/v1/monitoring", change)
    unlock(seen, club.keys.read)
    seen.page.get_by_role("link", name="Monitoring").click()
    expect(seen.page.get_by_role("heading", level=1)).to_have_text("Retrain")
    expect(seen.page.get_by_role("region", name="By told risk")).to_contain_text("Slope 0.62")
    expect(seen.page.get_by_role("img", name="Told risk against what happened")).to_be_visible()
    measures = seen.page.get_by_role("region", name="Measures")
    expect(measures).to_contain_text("1 of 2 measures")
    told = "Hip drop: \N{MINUS SIGN}0.41 SD, and spread 1.38 times as wide"
    expect(measures.get_by_role("listitem")).to_have_text(told)
    seen.shot("club-monitoring-curve-390")
    assert seen.axe() == []


def test_metrics_count_outcomes_of_no_club_by_name(page_service: Served, club: Club) -> None:
    told: list[str] = []

    def has_outcomes() -> bool:
        told.append(httpx.get(f"{page_service.url}/metrics").text)
        return "kneerisk_outcomes_observed{" in told[-1]

    # They are counted beside the answers, and told from then on.
    page_service.until(has_outcomes)
    found = told[-1]
    assert f'kneerisk_outcomes_athletes{{version="{EARLIER}"}} 20.0' in found
    for name in ("observed", "told", "observed_over_told_low", "alarm", "lost_share", "overdue"):
        assert f"kneerisk_outcomes_{name}{{" in found
    assert HARBOUR not in found
    assert "A57" not in found


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_axe_finds_nothing_and_nothing_reaches_over_the_side(
    opened: Opener, club: Club, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    seen = opened(size=size, color_scheme=scheme)
    found: dict[str, list[str]] = {}

    def look(what: str) -> None:
        seen.settled()
        seen.shot(f"club-{what}-{size[0]}{'-dark' if scheme == 'dark' else ''}")
        found[what] = seen.axe()
        if scheme == "light" and size == DESKTOP:
            assert seen.overflows() == {}, what
            seen.page.set_viewport_size({"width": size[0], "height": size[1]})

    seen.page.goto(f"{seen.url}/#club")
    expect(seen.page.get_by_label("The club's key")).to_be_visible()
    look("key")
    unlock(seen, club.keys.read)
    look("overdue")
    form = ask(seen, "A05")
    look("check")
    answer(form, "Which knee hurt?", "Right")
    answer(form, "Did a knee swell", "Right")
    form.get_by_role("button", name="Send").click()
    look("check-hurts")
    seen.page.get_by_role("link", name="Monitoring").click()
    expect(seen.page.locator(".chart").first).to_be_visible()
    look("monitoring")
    seen.view("Visits")
    look("keep")
    assert {what: faults for what, faults in found.items() if faults} == {}
