"""Pictures of the page's views of a club: its weekly check, and what it says of the season."""

from __future__ import annotations

import os
import shutil
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_WINDOW = ViewportSize(width=1180, height=800)
#: Pictures are drawings in few colours: so many are enough, and a third of the bytes.
_COLOURS = 96


def take_pictures(address: str, key: str, athlete: str, folder: Path) -> None:
    """Open the club's records on the page, and keep how they look.

    Parameters
    ----------
    address
        Of the service.
    key
        Of the club.
    athlete
        Whose weekly check is shown.
    folder
        Where `season-check.png` and `season-monitoring.png` go.
    """
    found = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else _NAMES
    path = next((path for name in found if (path := shutil.which(name))), None)
    # As root, as in most containers, Chromium can't make its sandbox.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        page = browser.new_page(viewport=_WINDOW)
        page.goto(f"{address.rstrip('/')}/#club")
        page.get_by_label("The club's key").fill(key)
        page.get_by_role("button", name="Open").click()
        page.get_by_label("The club's id of the athlete").fill(athlete)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=f"{athlete}: how were the knees").wait_for()
        _keep(page, folder / "season-check.png")
        page.get_by_role("link", name="Monitoring").click()
        page.locator('[aria-current="step"]').wait_for()
        _keep(page, folder / "season-monitoring.png")
        browser.close()


def _keep(page: Page, file: Path) -> None:
    page.locator("html[data-state=settled]").wait_for(state="attached")
    taken = Image.open(BytesIO(page.screenshot(animations="disabled")))
    taken.convert("RGB").quantize(_COLOURS).save(file, optimize=True)
