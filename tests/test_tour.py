"""The pictures of the tutorial for coaches, taken while a browser does what it tells.

Each step leaves a picture in `build/tour` and the text that could be read on it. The pictures in
`docs/tour` are copies of such pictures; `docs/tour/text.json` is what they showed, and a page that
no longer shows it makes them stale:

    make figures ONLY=tour
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from io import BytesIO

import pytest
from browser import ROOT, Opener, Seen
from conftest import VERSION
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from served import ONE_WORKER, Served, served
from test_page import filled, leg, live, opened_fold, reopened, start

from kneerisk.model import Bundle, bundle, champion
from pipelines.examples import same

pytestmark = pytest.mark.slow

DOCS, BUILT = ROOT / "docs" / "tour", ROOT / "build" / "tour"
TUTORIAL = ROOT / "docs" / "first-screening.md"
TEXT = "text.json"
#: Pictures are drawings in few colours: so many are enough, and a third of the bytes.
COLOURS = 96
#: A window, and one so high that nothing which stays at its edges covers a part of the page.
WINDOW, HIGH = {"width": 1180, "height": 800}, {"width": 1180, "height": 2600}
PHONE = (390, 760)


@pytest.fixture(scope="module")
def page_service(
    default_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The service as `make up` starts it: over the default model."""
    models, folder = tmp_path_factory.mktemp("default"), tmp_path_factory.mktemp("tour")
    sha256 = bundle.save(default_bundle.model, default_bundle.metadata, models / VERSION)
    champion.write(models, VERSION, sha256, None)
    with served(folder, *ONE_WORKER, KNEERISK_MODELS=str(models)) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


class Tour:
    """Takes the pictures, and keeps what could be read on each."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        BUILT.mkdir(parents=True, exist_ok=True)

    def window(self, seen: Seen, name: str, top: str = "main") -> None:
        """The window, with an element at its top."""
        seen.page.locator(top).first.evaluate("e => e.scrollIntoView({behavior: 'instant'})")
        self._keep(name, seen.page, seen.page.locator("main"))

    def part(self, seen: Seen, name: str, part: Locator) -> None:
        """One part of the page."""
        seen.page.set_viewport_size(HIGH)
        self._keep(name, part, part)
        seen.page.set_viewport_size(WINDOW)

    def _keep(self, name: str, shown: Page | Locator, read: Locator) -> None:
        taken = Image.open(BytesIO(shown.screenshot(animations="disabled")))
        taken.convert("RGB").quantize(COLOURS).save(BUILT / f"{name}.png", optimize=True)
        self.texts[name] = re.sub(r"\s+", " ", read.inner_text()).strip()


def test_the_pictures_show_what_the_page_shows(opened: Opener) -> None:
    tour = Tour()
    seen = opened(size=(WINDOW["width"], WINDOW["height"]))
    form(seen, tour)
    answer(seen, tour)
    visits(seen, tour)
    phone(opened, tour)
    (BUILT / TEXT).write_text(json.dumps(tour.texts, indent=1) + "\n", encoding="utf-8")
    if "UPDATE_TOUR" in os.environ:
        shutil.copytree(BUILT, DOCS, dirs_exist_ok=True)

    kept = json.loads((DOCS / TEXT).read_text(encoding="utf-8"))
    stale = [name for name, text in tour.texts.items() if not same(kept.get(name, ""), text)]
    assert stale == [], "look at build/tour, then: make figures ONLY=tour"
    assert {path.stem for path in DOCS.glob("*.png")} == set(tour.texts)


def test_the_tutorial_shows_every_picture() -> None:
    told = TUTORIAL.read_text(encoding="utf-8")
    assert set(re.findall(r"\(tour/([\w-]+)\.png\)", told)) == {p.stem for p in DOCS.glob("*.png")}


def form(seen: Seen, tour: Tour) -> None:
    tour.part(seen, "red-flags", seen.page.locator("#st-flags"))
    seen.page.get_by_label("All 21 asked, none apply").check()
    start(seen)
    seen.page.get_by_label("Main sport").select_option("running")
    seen.settled()
    tour.part(seen, "first-answer", live(seen))
    leg(seen, "Right", "Ankle bend, lunge test").fill("41")
    leg(seen, "Left", "Ankle bend, lunge test").fill("330")
    tour.part(seen, "fault", seen.page.locator("#st-wall"))
    reopened(seen, filled())
    tour.window(seen, "form", "#st-table")


def answer(seen: Seen, tour: Tour) -> None:
    seen.view("Answer")
    seen.settled()
    tour.window(seen, "answer")
    tour.part(seen, "plan", seen.page.locator("#a-plan"))
    tour.part(seen, "next-test", seen.page.locator("#a-next"))
    for name, heading in (("pattern", "All five patterns"), ("drivers", "What moves the risk")):
        tour.part(seen, name, opened_fold(seen, heading))
    what_if = opened_fold(seen, "What if")
    what_if.get_by_label("Hip drop, left").fill("5")
    expect(what_if).to_contain_text("Measured:")
    seen.settled()
    tour.part(seen, "what-if", what_if)
    seen.view("Report")
    seen.page.get_by_label("Clinic").fill("Harbour Physio")
    sheet = seen.page.frame_locator("#sheet").locator("main")
    expect(sheet).to_contain_text("Harbour Physio")
    tour.part(seen, "hand-out", sheet)


def visits(seen: Seen, tour: Tour) -> None:
    seen.view("Screen")
    seen.page.get_by_label("Name or initials").fill("A. K.")
    for date, values in {
        "2026-03-02": {},
        "2026-06-01": {"Hip drop": "7.5", "Hip abduction strength": "30"},
        "2026-08-24": {"Hip drop": "4", "Hip abduction strength": "37"},
    }.items():
        seen.view("Screen")
        seen.page.get_by_label("Date of the visit").fill(date)
        for label, value in values.items():
            leg(seen, "Left", label).fill(value)
        seen.settled()
        seen.view("Visits")
        seen.page.get_by_role("button", name="Save this visit").click()
        expect(seen.page.get_by_text("Saved in this browser.")).to_be_visible()
    changes = seen.page.locator("#v-changes")
    # The answer about all three comes after the visit is saved.
    expect(changes).to_contain_text("from 9.5 to 4;")
    tour.part(seen, "visits", changes)


def phone(opened: Opener, tour: Tour) -> None:
    seen = opened(size=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    reopened(seen, filled())
    tour.window(seen, "phone", "#st-camera")
