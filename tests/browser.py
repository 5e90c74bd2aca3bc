"""A real browser for tests of the page: headless Chromium, found and never downloaded.

A plugin of pytest. Without a browser its tests are left out, the run says so at its end, and fails
on it where ``CI=true``, so that a machine that should test the page can't forget to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect, sync_playwright
from served import ONE_WORKER, Served, served

ROOT = Path(__file__).parents[1]
#: What the page looks like, for people to look at; build output, never compared.
SHOTS = ROOT / "build" / "screenshots"
AXE = Path(__file__).parent / "page_vendor" / "axe.min.js"
#: Without what only a window needs, Chromium takes half as much processor time for the page.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable",
         "google-chrome")  # fmt: skip
NO_BROWSER = (
    "no Chromium: install Debian's package chromium-headless-shell, or set CHROMIUM to its path"
)
#: Chromium says so in its console of every refused request, which is no fault of the page.
REFUSED = re.compile(r"Failed to load resource: .* status of (\d+)")

#: Widths of a window: those of devices, and those beside which the page changes its layout.
WIDTHS = (320, 360, 390, 480, 600, 700, 720, 721, 740, 760, 780, 820, 900, 901, 1_000, 1_080, 1_081,
          1_180, 1_280)  # fmt: skip

expect.set_options(timeout=30_000)


def chromium() -> str | None:
    """The browser's path: ``$CHROMIUM``, or the first of its names on the PATH."""
    given = os.environ.get("CHROMIUM")
    found = [given] if given else NAMES
    return next((path for name in found if (path := shutil.which(name))), None)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LeftOut())


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "browser" in getattr(item, "fixturenames", ()) and chromium() is None:
        pytest.skip(NO_BROWSER)


class LeftOut:
    """The tests that want a browser and have none, wherever they were run: told at the end."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and NO_BROWSER in str(report.longrepr):
            self.names.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.names and os.environ.get("CI") == "true" and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.names:
            terminalreporter.section("left out, for want of a browser")
            for name in self.names:
                terminalreporter.write_line(name)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a file of tests; each test gets a profile of its own in it.

    Not for the whole run: while it is open, Playwright keeps an event loop running in this
    thread, and no later test could start one of its own.
    """
    path = chromium()
    assert path is not None, "left out before it comes here"
    with sync_playwright() as playwright:
        # As root, as in most containers, Chromium can't make its sandbox.
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        found = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if root else []
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def page_service(
    champion_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One service over the small champion, for all tests of the page, or of its answers alone."""
    folder = tmp_path_factory.mktemp("page")
    with served(folder, *ONE_WORKER, KNEERISK_MODELS=str(champion_models)) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


@dataclass
class Seen:
    """The page in a fresh profile, and everything that it asked for and complained of."""

    page: Page
    url: str
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    refusals: set[str] = field(default_factory=lambda: {"422"})
    """Statuses that the test provokes."""

    def keep(self, kept: dict[str, str]) -> None:
        """What is in the browser's storage from now on, as if the page had kept it there."""
        write = "kept => Object.entries(kept).forEach(([name, text]) => localStorage[name] = text)"
        self.page.evaluate(write, kept)

    def open(self, view: str = "") -> None:
        """Load the page from nothing."""
        self.page.goto(f"{self.url}/{view}")
        expect(self.page.locator("main h1")).to_be_visible()

    def view(self, name: str) -> None:
        """Go to a view as a person does: by its name in the navigation."""
        self.page.get_by_role("navigation", name="Views").get_by_role("link", name=name).click()
        expect(self.page.locator(f'.views a[href="#{name.lower()}"]')).to_have_attribute(
            "aria-current", "page"
        )

    def settled(self) -> None:
        """Wait until the answer to what was typed last stands there."""
        expect(self.page.locator("html")).to_have_attribute("data-state", "settled")

    def answered_as(self, changes: dict[str, Any]) -> None:
        """From now on, parts of an answer are as given, whatever the service says."""

        def change(route: Route) -> None:
            told = route.fetch()
            if not told.ok:
                route.fulfill(response=told)
                return
            route.fulfill(response=told, json=told.json() | changes)

        self.page.route("**/v1/predict", change)

    def asked(self, path: str, field: str = "") -> list[Any]:
        """The bodies that were sent to an address, in order; only to be answered with a field."""
        return [
            json.loads(request.post_data or "null")
            for request in self.requests
            if urlsplit(request.url).path == path and field in urlsplit(request.url).query
        ]

    def shot(self, name: str) -> None:
        """Keep what it looks like now."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")

    def axe(self) -> list[str]:
        """What axe-core finds wrong with the page as it stands, one line each."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{fault['id']}: {node['html'][:160]}: {node.get('failureSummary', '')[:200]}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    def overflows(self) -> dict[int, int]:
        """By how many pixels the page is too wide, at each width of a window where it is."""
        over = {}
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if (pixels := self.overflow()) > 0:
                over[width] = pixels
        return over


Opener = Callable[..., Seen]


@pytest.fixture
def opened(browser: Browser, page_service: Served) -> Iterator[Opener]:
    """Opens the page; at the end nothing was asked of another host and nothing was refused."""
    all_seen: list[Seen] = []

    def opener(*, kept: dict[str, str] | None = None, **context: Any) -> Seen:
        """With what this browser kept, written on an address that has no page to load."""
        size = context.pop("size", (1280, 900))
        profile = browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
        seen = Seen(profile.new_page(), page_service.url)
        seen.page.set_default_timeout(30_000)
        seen.page.on("request", lambda request: seen.requests.append(request))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on(
            "console",
            lambda told: seen.complaints.append(told.text) if told.type == "error" else None,
        )
        all_seen.append(seen)
        if kept:
            seen.page.goto(f"{seen.url}/livez")
            seen.keep(kept)
        seen.open()
        if kept:
            seen.settled()
        return seen

    yield opener
    for seen in all_seen:
        hosts = {urlsplit(r.url).netloc for r in seen.requests if r.url.startswith("http")}
        complaints = [
            told
            for told in seen.complaints
            if not ((refused := REFUSED.match(told)) and refused[1] in seen.refusals)
        ]
        seen.page.context.close()
        assert hosts == {urlsplit(page_service.url).netloc}
        assert complaints == []
