"""Weight of the page, and time from a keystroke to the answer.

Measured in headless Chromium against a running service, such as that of `make up`:

    python -m benchmarks.page_speed [http://127.0.0.1:3000]

The weight counts the bytes of every body as sent (compressed if it was), from an empty cache to the
first answer. The time is measured inside the page, from the last input event to the answer on
screen; it includes the pause after which the page sends its request.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ADDRESS = "http://127.0.0.1:3000"
KEYSTROKES = 40
WEIGHT_LIMIT_BYTES, TIME_LIMIT_MS = 300_000, 1000.0
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

_SETTLED = "html[data-state=settled]"

# Recorded inside the page: waiting from outside would add a round trip.
_RECORD_TIMES = """() => {
  const root = document.documentElement;
  window.times = [];
  let typed = null;
  addEventListener('input', () => { typed = performance.now(); }, true);
  new MutationObserver(() => {
    if (root.dataset.state !== 'settled' || typed === null) return;
    window.times.push(performance.now() - typed);
    root.dataset.answers = window.times.length;
    typed = null;
  }).observe(root, {attributes: true, attributeFilter: ['data-state']});
}"""


def measure(page: Page, address: str) -> tuple[int, list[float]]:
    """Measure the bytes until the first answer, and the milliseconds of keystrokes after it."""
    requests = []
    page.on("request", lambda request: requests.append(request))
    page.goto(address)
    page.get_by_label("Age required").fill("27")
    page.get_by_label("Sex required").select_option("female")
    page.get_by_text("Open the full answer").first.wait_for()
    page.locator(_SETTLED).wait_for(state="attached")
    served = [request for request in requests if request.url.startswith("http")]
    weight = sum(request.sizes()["responseBodySize"] for request in served)
    page.get_by_role("button", name="Fill in an example").click()
    page.locator(_SETTLED).wait_for(state="attached")
    page.evaluate(_RECORD_TIMES)
    field = page.locator("#f-left-hip_drop_deg")
    for count in range(KEYSTROKES):
        field.fill(str(4 + count % 8))
        page.locator(f"html[data-answers='{count + 1}']").wait_for(state="attached")
    return weight, page.evaluate("window.times")


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, or the one that is named, without a window.

    Yields
    ------
    The browser, which is closed at the end.

    Raises
    ------
    SystemExit
        Where there is none.
    """
    chosen = os.environ.get("CHROMIUM")
    path = next((p for name in ([chosen] if chosen else _NAMES) if (p := shutil.which(name))), None)
    if path is None:
        sys.exit("no Chromium: install Debian's package, or set CHROMIUM to its path")
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=path, args=sandbox)
    try:
        yield browser
    finally:
        browser.close()


def main() -> int:
    """Measure and print; 1 if a target is missed."""
    address = sys.argv[1] if len(sys.argv) > 1 else ADDRESS
    with sync_playwright() as playwright, chromium(playwright) as browser:
        weight, times = measure(browser.new_page(), address)
    sys.stdout.write(
        f"weight to the first answer: {weight / 1000:.0f} kB\n"
        f"keystroke to answer, {len(times)} keystrokes: median {statistics.median(times):.0f} ms, "
        f"longest {max(times):.0f} ms\n"
    )
    return 0 if weight < WEIGHT_LIMIT_BYTES and max(times) < TIME_LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
