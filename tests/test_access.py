"""Who may call the service: under which name, from which site's pages, and with which key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser import Seen
from playwright.sync_api import Browser, expect
from served import ONE_WORKER, Served, served

from serving.access import Access, AccessRefused, refuse_open_start
from serving.problem import Refusal
from serving.request_examples import EXAMPLE

KEY = "0123456789abcdef0123456789abcdef-kneerisk"
NAME, SITE = "knees.club.example", "https://app.club.example"


def admit(
    access: Access, host: str = "localhost", server: str = "127.0.0.1", **headers: str
) -> str | None:
    """The code of the refusal of a request, None where it may come in."""
    sent = {"host": host, **headers}
    scope = {
        "type": "http",
        "server": (server, 3000),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
    }
    try:
        access.admit(scope, needs_key=True)
    except Refusal as refusal:
        return refusal.code
    return None


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    return file


class TestNames:
    @pytest.mark.parametrize(
        "host",
        ["localhost", "LOCALHOST:3000", "127.0.0.1", "127.0.0.1:3000", "[::1]:3000", "[::1]",
         "192.168.1.7:3000", "10.0.0.3"],
    )  # fmt: skip
    def test_its_own_names_and_any_address_are_answered(self, host: str) -> None:
        assert admit(Access(), host) is None

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhost@evil",
         "localhost:3000:3000", "localhost/", "[::1", "[", "user@127.0.0.1", "a" * 5_000,
         "2130706433", "0x7f000001", "\xe9.example", "localhost,evil.example"],
    )  # fmt: skip
    def test_any_other_name_is_refused(self, host: str) -> None:
        assert admit(Access(), host) == "unknown_host"

    def test_a_stated_name_is_answered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KNEERISK_HOSTS", f"Other.example, {NAME}")
        access = Access.from_environment()
        assert admit(access, f"{NAME}:8443") is None
        assert admit(access, "other.example") is None
        assert admit(access, "knees.example") == "unknown_host"


class TestOrigins:
    def test_only_its_own_page_and_stated_sites_may_call(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KNEERISK_ORIGINS", f"{SITE}/")
        access = Access.from_environment()
        assert admit(access, "localhost:3000", origin="http://localhost:3000") is None
        assert admit(access, origin=SITE) is None
        for origin in ("https://evil.example", "null", "", f"{SITE}.evil.example", "http://[::1",
                       "http://localhost:3001", f"http://{SITE[8:]}"):  # fmt: skip
            assert admit(access, "localhost:3000", origin=origin) == "foreign_origin", origin

    @pytest.mark.parametrize("origin", ["*", "club.example", "https://a.example/path", "null"])
    def test_what_is_no_origin_does_not_start(
        self, origin: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KNEERISK_ORIGINS", origin)
        with pytest.raises(AccessRefused, match="not an origin"):
            Access.from_environment()


class TestKey:
    def test_only_the_key_itself_opens(
        self, key_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KNEERISK_KEY_FILE", str(key_file))
        access = Access.from_environment()
        assert admit(access, server="192.168.1.7", authorization=f"Bearer {KEY}") is None
        assert admit(access, authorization=f"bearer  {KEY} ") is None
        for sent in ("", KEY, f"Bearer {KEY[:-1]}", f"Bearer {KEY}x", f"Basic {KEY}", "Bearer",
                     f"Bearer {KEY.upper()}", "Bearer \xe9"):  # fmt: skip
            assert admit(access, authorization=sent) == "key_required", sent
        assert admit(access) == "key_required"
        assert KEY not in repr(access)

    @pytest.mark.parametrize("server", ["192.168.1.7", "::", "2001:db8::1", "0.0.0.0", "club"])
    def test_without_a_key_only_this_machine_is_answered(self, server: str) -> None:
        assert admit(Access(), server=server) == "key_required"
        assert admit(Access(), server="::1") is None
        with pytest.raises(AccessRefused, match=r"needs a key[\s\S]*chmod 600"):
            refuse_open_start(server, Access())
        refuse_open_start(server, Access(key_sha256=b"digest"))

    @pytest.mark.parametrize(
        ("text", "mode", "message"),
        [(KEY, 0o644, "users can read"), ("short", 0o600, "at least 32"), ("", 0o600, "one word"),
         (f"{KEY} {KEY}", 0o600, "one word"), ("\N{KEY}" * 40, 0o600, "one word")],
    )  # fmt: skip
    def test_a_bad_key_file_is_refused_without_showing_it(
        self, key_file: Path, text: str, mode: int, message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key_file.write_text(text)
        key_file.chmod(mode)
        monkeypatch.setenv("KNEERISK_KEY_FILE", str(key_file))
        with pytest.raises(AccessRefused, match=message) as refused:
            Access.from_environment()
        assert not text or text not in str(refused.value)

    def test_a_missing_key_file_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KNEERISK_KEY_FILE", str(tmp_path / "none"))
        with pytest.raises(AccessRefused, match="can't be read"):
            Access.from_environment()


def test_a_start_that_others_reach_is_refused_without_a_key(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "serving", "--host", "0.0.0.0", "--models", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "needs a key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def keyed(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a key, a name and a site that may call it."""
    folder = tmp_path_factory.mktemp("keyed")
    (folder / "key").write_text(KEY)
    (folder / "key").chmod(0o600)
    command = (*ONE_WORKER, "--key-file", str(folder / "key"), "--allow-origin", SITE)
    command += ("--allow-host", NAME, "--models", str(champion_models))
    with served(folder, *command) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


@pytest.mark.slow
class TestKeyedService:
    def test_everything_but_the_page_and_its_health_needs_the_key(self, keyed: Served) -> None:
        for path in ("/", "/docs", "/page/app.js", "/livez", "/readyz"):
            assert keyed.get(path).status_code == 200, path
        for path in (
            "/v1/schema",
            "/v1/texts",
            "/v1/model",
            "/openapi.json",
            "/docs.json",
            "/metrics",
        ):
            assert keyed.get(path).status_code == 401, path
            with_key = httpx.get(keyed.url + path, headers={"authorization": f"Bearer {KEY}"})
            assert with_key.status_code == 200, path
        refused = keyed.post("/v1/predict", EXAMPLE)
        assert (refused.status_code, refused.json()["code"]) == (401, "key_required")
        assert refused.headers["www-authenticate"] == "Bearer"
        answer = keyed.post("/v1/predict", EXAMPLE, headers={"authorization": f"Bearer {KEY}"})
        assert answer.status_code == 200
        assert KEY not in keyed.log()

    def test_a_page_of_a_stated_site_may_read_answers_and_problems(self, keyed: Served) -> None:
        headers = {"origin": SITE, "authorization": f"Bearer {KEY}"}
        for body in (EXAMPLE, {}):
            answer = keyed.post("/v1/predict", body, headers=headers)
            assert answer.headers["access-control-allow-origin"] == SITE
        asked = {"access-control-request-method": "POST", "origin": SITE}
        asked["access-control-request-headers"] = "authorization,content-type"
        preflight = httpx.options(f"{keyed.url}/v1/predict", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == SITE

    def test_a_page_of_any_other_site_may_not(self, keyed: Served) -> None:
        headers = {"origin": "https://evil.example", "authorization": f"Bearer {KEY}"}
        answer = keyed.post("/v1/predict", EXAMPLE, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
        assert "access-control-allow-origin" not in answer.headers

    def test_the_page_asks_for_the_key_until_it_is_right(
        self, keyed: Served, browser: Browser
    ) -> None:
        seen = Seen(browser.new_context(viewport={"width": 390, "height": 844}).new_page(), "")
        seen.page.goto(keyed.url)
        dialog = seen.page.get_by_role("dialog", name="This service needs a key")
        expect(dialog).to_be_visible()
        seen.page.keyboard.press("Escape")
        expect(dialog).to_be_visible()
        dialog.get_by_label("Key").fill(KEY[::-1])
        dialog.get_by_role("button", name="Open").click()
        expect(dialog.get_by_text("That key is not right.")).to_be_visible()
        assert seen.axe() == []
        seen.shot("key")
        dialog.get_by_label("Key").fill(KEY)
        dialog.get_by_role("button", name="Open").click()
        expect(seen.page.locator("main h1")).to_be_visible()
        seen.page.reload()
        expect(seen.page.locator("main h1")).to_be_visible()
        expect(dialog).to_be_hidden()
        seen.page.context.close()
