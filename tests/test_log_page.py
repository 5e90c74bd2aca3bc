"""A training log on the form: it fills fields, says from which days, and can be taken back."""

from __future__ import annotations

import re

import pytest
from browser import Opener, Seen
from playwright.sync_api import Locator, expect
from test_training_logs import WANTED
from training_log_files import SCREENED, garmin, strava

pytestmark = pytest.mark.slow

PHONE = (390, 844)


def begin(seen: Seen) -> None:
    """A visit on the day of the screening."""
    seen.page.get_by_label("Age required").fill("27")
    seen.page.get_by_label("Sex required").select_option("female")
    seen.page.locator("#when").fill(SCREENED.isoformat())


def choose(seen: Seen, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": content}
    seen.page.locator("#log-files").set_input_files(files=[file])


def field(seen: Seen, label: str) -> Locator:
    return seen.page.locator(".fact").filter(has=seen.page.get_by_label(label, exact=True)).first


def value(seen: Seen, label: str) -> Locator:
    return field(seen, label).locator("input")


def test_a_log_fills_the_form_and_each_field_can_be_taken_back(opened: Opener) -> None:
    seen = opened()
    begin(seen)
    value(seen, "Running per week").fill("30")
    choose(seen, "activities.csv", strava())
    expect(value(seen, "Running per week")).to_have_value(f"{WANTED['weekly_run_km']:g}")
    seen.settled()
    sent = seen.asked("/v1/predict")[-1]["athlete"]
    assert sent["session_spike_ratio"] == pytest.approx(WANTED["session_spike_ratio"], abs=0.01)
    assert sent["resistance_sessions_per_week"] == WANTED["resistance_sessions_per_week"]
    log = seen.page.get_by_role("group", name="Fill from a training log")
    expect(log).to_contain_text("activities.csv: Strava, 25 sessions")
    expect(log.get_by_role("img")).to_have_count(2)
    weekly = field(seen, "Running per week")
    expect(weekly).to_contain_text(re.compile(r"From the log, 18\s+May to 14\s+Jun; was 30"))
    weekly.get_by_role("button", name="Undo: Running per week").press("Enter")
    expect(value(seen, "Running per week")).to_have_value("30")
    expect(weekly).not_to_contain_text("From the log")
    log.get_by_role("button", name="Take it all back").click()
    expect(value(seen, "Training hours")).to_have_value("")
    expect(log.get_by_role("img")).to_have_count(0)
    assert seen.axe() == []


def test_what_the_log_leaves_open_is_asked_and_no_name_is_sent(opened: Opener) -> None:
    seen = opened(size=PHONE, color_scheme="dark")
    begin(seen)
    seen.page.get_by_label("Name or initials").fill("Zqcanary")
    choose(seen, "Activities.csv", garmin())
    log = seen.page.get_by_role("group", name="Fill from a training log")
    expect(log).to_contain_text("Are the distances in 'Distance' kilometres or miles?")
    expect(value(seen, "Running per week")).to_have_value("")
    expect(log.get_by_role("img")).to_have_count(0)
    log.get_by_role("button", name="Kilometres").click()
    expect(value(seen, "Running per week")).to_have_value(f"{WANTED['weekly_run_km']:g}")
    expect(log.get_by_role("img")).to_have_count(2)
    assert seen.overflow() <= 0
    assert seen.axe() == []
    sent = [one for one in seen.requests if one.url.endswith("/v1/training_log")]
    assert all(b"Zqcanary" not in (one.post_data_buffer or b"") for one in sent)
    # Another date is another load; a file that is none says so.
    seen.page.locator("#when").fill("2025-01-01")
    expect(value(seen, "Running per week")).to_have_value("")
    choose(seen, "squad.csv", b"Name,Age,Sex\nA,25,f\n")
    expect(log.get_by_role("alert")).to_contain_text("is a training log")
