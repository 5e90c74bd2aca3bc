"""The service's own keys: made, listed, ended, for metrics alone, and with limits of requests."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from club_keys import bearer
from served import Served, served
from typer.testing import CliRunner

from kneerisk.errors import KneeriskError
from kneerisk.records.bearer_keys import has_secret, id_of, new_key
from pipelines.__main__ import app
from serving.access import Access, AccessRefused, _key, refuse_open_start
from serving.problem import SECURITY_HEADERS, Refusal
from serving.rate_limits import Limits, RateLimits, RequestCounts
from serving.request_examples import EXAMPLE
from serving.service_keys import KeyFile, KeyFileRefused, KeyUse

NOW = datetime.now(UTC)
#: User and group of the pod in `deploy/kubernetes`.
POD_GROUP = 10001
LONG_AGO = NOW - timedelta(days=9)
#: Noon, UTC, of a day in 2026.
NOON = 1_772_452_800


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


class TestKeyText:
    def test_only_the_key_itself_has_the_secret(self) -> None:
        made = new_key("ks_")
        assert id_of("ks_", made.key) == made.key_id
        assert has_secret("ks_", made.key, made.secret_sha256)
        for other in (made.key[:-1], made.key + "x", "kr_" + made.key[3:], "", new_key("ks_").key):
            assert not has_secret("ks_", other, made.secret_sha256)
        assert not has_secret("ks_", made.key, None)
        assert not has_secret("ks_", "", None)


class TestKeyFile:
    def test_a_key_is_found_by_itself_alone_and_its_secret_is_not_kept(self, keys: KeyFile) -> None:
        key = keys.add("app", KeyUse.CALL, NOW, per_minute=5)
        other = keys.add("prometheus", KeyUse.METRICS, NOW)
        found = KeyFile(keys.path).find(key)
        assert found is not None
        assert (found.name, found.use, found.per_minute, found.per_day) == ("app", "call", 5, None)
        assert keys.find(key[:-1] + ("A" if key[-1] != "A" else "B")) is None
        assert keys.find(f"{key[:16]}{other[16:]}") is None
        assert key[16:] not in keys.path.read_text() + repr(found)
        assert keys.path.stat().st_mode & 0o777 == 0o600

    def test_one_that_was_revoked_elsewhere_has_ended_at_once(self, keys: KeyFile) -> None:
        key = keys.add("app", KeyUse.CALL, NOW)
        assert not keys.find(key).has_ended(NOW)  # type: ignore[union-attr]
        assert KeyFile(keys.path).revoke(key[3:15], NOW)
        assert keys.find(key).has_ended(NOW)  # type: ignore[union-attr]
        assert not keys.revoke("0" * 12, NOW)

    def test_one_ends_on_its_day(self, keys: KeyFile) -> None:
        key = keys.add("app", KeyUse.CALL, LONG_AGO, NOW - timedelta(days=1))
        assert keys.find(key).has_ended(NOW)  # type: ignore[union-attr]
        with pytest.raises(KeyFileRefused):
            keys.add("app", KeyUse.CALL, NOW, NOW)

    def test_keys_that_are_made_at_once_are_all_kept(self, keys: KeyFile) -> None:
        def add(number: int) -> str:
            return KeyFile(keys.path).add(f"app {number}", KeyUse.CALL, NOW)

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(add, range(24)))
        assert all(keys.find(key) for key in made)

    @pytest.mark.parametrize(
        ("content", "mode", "message"),
        [("{", 0o600, "damaged"), ('{"keys": [{}]}', 0o600, "damaged"), ("{}", 0o644, "chmod 600"),
         (None, 0o600, "can't be read")],
    )  # fmt: skip
    def test_a_file_that_can_t_be_used_does_not_start(
        self, keys: KeyFile, content: str | None, mode: int, message: str, monkeypatch: Any
    ) -> None:
        if content is not None:
            keys.path.write_text(content)
            keys.path.chmod(mode)
        monkeypatch.setenv("KNEERISK_KEYS", str(keys.path))
        with pytest.raises(KeyFileRefused, match=message):
            Access.from_environment()


@pytest.fixture
def secret_volume() -> Iterator[Path]:
    """A folder as a cluster mounts a secret: root's files for a group, behind two links."""
    if os.geteuid() != 0:
        pytest.skip("files of root's, read by another user, take root")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        content = folder / "..2027_01_01"
        content.mkdir()
        (folder / "..data").symlink_to(content.name)
        KeyFile(content / "keys.json").add("team app", KeyUse.CALL, NOW)
        (content / "service_key").write_text("k" * 32)
        for name in ("keys.json", "service_key"):
            (folder / name).symlink_to(f"..data/{name}")
            os.chown(content / name, 0, POD_GROUP)
        folder.chmod(0o755)
        content.chmod(0o755)
        yield folder


@pytest.fixture
def as_the_pod() -> Iterator[Callable[[], None]]:
    """Become the user of the pod until the test is over."""
    groups = os.getgroups()

    def become() -> None:
        os.setgroups([POD_GROUP])
        os.setegid(POD_GROUP)
        os.seteuid(POD_GROUP)

    yield become
    os.seteuid(0)
    os.setegid(0)
    os.setgroups(groups)


@pytest.mark.parametrize(
    ("mode", "is_taken"), [(0o440, True), (0o400, None), (0o444, False), (0o460, False)]
)
def test_keys_in_a_mounted_secret(
    secret_volume: Path, as_the_pod: Callable[[], None], mode: int, is_taken: bool | None
) -> None:
    files = [secret_volume / name for name in ("keys.json", "service_key")]
    for file in files:
        file.chmod(mode)
    as_the_pod()
    if is_taken:
        assert [key.name for key in KeyFile(files[0]).every_key()] == ["team app"]
        assert _key(files[1]) == b"k" * 32
        return
    reason = "can't be read" if is_taken is None else "other users can read"
    with pytest.raises(KeyFileRefused, match=reason):
        KeyFile(files[0]).every_key()
    with pytest.raises(AccessRefused, match=reason):
        _key(files[1])


def test_a_mounted_secret_that_is_replaced_is_read_again(
    secret_volume: Path, as_the_pod: Callable[[], None]
) -> None:
    """A cluster writes the new content beside the old one, and turns one link."""
    keys, new = secret_volume / "keys.json", secret_volume / "..2027_02_02"
    keys.chmod(0o440)
    new.mkdir(mode=0o755)
    (new / "keys.json").write_text('{"keys": []}')
    (new / "keys.json").chmod(0o440)
    os.chown(new / "keys.json", 0, POD_GROUP)
    (secret_volume / "..data_new").symlink_to(new.name)
    reader = KeyFile(keys)
    as_the_pod()
    assert len(reader.every_key()) == 1
    os.seteuid(0)
    (secret_volume / "..data_new").replace(secret_volume / "..data")
    os.seteuid(POD_GROUP)
    assert reader.every_key() == ()


def admitted(access: Access, key: str, *, for_metrics: bool = False, server: str = "10.0.0.3"):
    """Who has come in with a key, or the code of the refusal."""
    headers = [(b"host", b"localhost")]
    headers += [(b"authorization", f"Bearer {key}".encode())] if key else []
    scope = {"type": "http", "server": (server, 3000), "headers": headers}
    try:
        return access.admit(scope, needs_key=True, for_metrics=for_metrics)
    except Refusal as refusal:
        return refusal.code


class TestAccess:
    def test_a_key_opens_what_its_use_says(self, keys: KeyFile) -> None:
        call = keys.add("app", KeyUse.CALL, NOW, per_day=7)
        metrics = keys.add("prometheus", KeyUse.METRICS, NOW)
        ended = keys.add("old", KeyUse.CALL, LONG_AGO, NOW - timedelta(days=1))
        access = Access(key_file=keys)
        assert admitted(access, call) == (call[:15], Limits(None, 7), False)
        assert admitted(access, call, for_metrics=True).caller == call[:15]
        assert admitted(access, metrics, for_metrics=True).caller == metrics[:15]
        assert admitted(access, metrics) == "role_needed"
        assert admitted(access, ended) == "key_ended"
        assert admitted(access, new_key("ks_").key) == "key_refused"
        assert admitted(access, "") == "key_required"
        assert admitted(access, "kr_x") == "key_required"
        # On the machine itself too, once there are keys.
        assert admitted(access, "", server="127.0.0.1") == "key_required"
        refuse_open_start("0.0.0.0", access)

    def test_a_file_that_goes_away_opens_nothing(self, keys: KeyFile) -> None:
        key = keys.add("app", KeyUse.CALL, NOW)
        access = Access(key_file=keys)
        keys.path.unlink()
        assert admitted(access, key) == "busy"


def told(headers: dict[str, str], span: str) -> tuple[int, int]:
    """How many requests are left in a span, and for how many seconds."""
    [(left, seconds)] = re.findall(rf'"{span}";r=(\d+);t=(\d+)', headers["ratelimit"])
    return int(left), int(seconds)


def taken(counts: RequestCounts, limits: Limits, now: float, caller: str = "a") -> dict[str, str]:
    """The headers of one request, of a refusal too."""
    try:
        return counts.take(caller, limits, now)
    except Refusal as refusal:
        return refusal.headers | {"code": refusal.code}


def take_many(file: Path, caller: str, times: int) -> int:
    """How many requests of one that counts by itself, as a worker does, are let in."""
    counts = RequestCounts(file)
    headers = [taken(counts, Limits(day=100), NOON, caller) for _ in range(times)]
    return sum("retry-after" not in one for one in headers)


class TestCounts:
    @pytest.fixture
    def counts(self, tmp_path: Path) -> RequestCounts:
        return RequestCounts(tmp_path / "counts.sqlite")

    def test_a_minute_lets_so_many_in_and_then_the_next(self, counts: RequestCounts) -> None:
        limits = Limits(minute=3)
        for left in (2, 1, 0):
            assert told(taken(counts, limits, NOON + 40), "minute") == (left, 20)
        refused = taken(counts, limits, NOON + 41)
        assert (refused["code"], refused["retry-after"]) == ("too_many_requests", "19")
        assert told(refused, "minute") == (0, 19)
        assert refused["ratelimit-policy"] == '"minute";q=3;w=60'
        assert told(taken(counts, limits, NOON + 60), "minute") == (2, 60)
        assert "retry-after" not in taken(counts, limits, NOON + 41, "another caller")

    def test_what_a_minute_refuses_does_not_count_in_the_day(self, counts: RequestCounts) -> None:
        limits = Limits(minute=2, day=3)
        for _ in range(5):
            taken(counts, limits, NOON)
        assert told(taken(counts, limits, NOON + 60), "day") == (0, 43_140)
        spent = taken(counts, limits, NOON + 61)
        assert spent["retry-after"] == "43139"
        assert told(spent, "minute")[0] == 1

    def test_a_clock_that_is_set_back_gives_nothing_away(self, counts: RequestCounts) -> None:
        assert "retry-after" not in taken(counts, Limits(minute=1), NOON + 60)
        assert int(taken(counts, Limits(minute=1), NOON)["retry-after"]) == 120

    def test_without_a_limit_nothing_is_counted(
        self, counts: RequestCounts, tmp_path: Path
    ) -> None:
        assert counts.take("a", Limits(), NOON) == {}
        assert not (tmp_path / "counts.sqlite").exists()

    def test_several_that_count_at_once_let_in_exactly_as_many_as_one(self, tmp_path: Path) -> None:
        file = tmp_path / "counts.sqlite"
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(take_many, [file] * 4, ["a"] * 4, [40] * 4)) == 100

    def test_counts_that_can_t_be_written_let_nobody_in(self, tmp_path: Path) -> None:
        counts = RequestCounts(tmp_path / "counts.sqlite")
        taken(counts, Limits(day=5), NOON)
        other = sqlite3.connect(tmp_path / "counts.sqlite", isolation_level=None)
        other.execute("drop table counts")
        with pytest.raises(Refusal) as refused:
            counts.take("a", Limits(day=5), NOON)
        assert refused.value.code == "busy"
        other.close()

    def test_settings_are_checked_at_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KNEERISK_COUNTS", raising=False)
        monkeypatch.setenv("KNEERISK_PER_DAY", "5")
        with pytest.raises(KneeriskError, match="KNEERISK_COUNTS"):
            RateLimits.from_environment()
        for wrong in ("0", "-1", "many", "1.5"):
            monkeypatch.setenv("KNEERISK_PER_DAY", wrong)
            with pytest.raises(KneeriskError, match="KNEERISK_PER_DAY must be"):
                RateLimits.from_environment()


class TestCommands:
    @pytest.fixture
    def typed(self, keys: KeyFile, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
        monkeypatch.setenv("KNEERISK_KEYS", str(keys.path))
        monkeypatch.delenv("KNEERISK_RECORDS", raising=False)

        def run(*arguments: str) -> str:
            ended = CliRunner().invoke(app, ["keys", *arguments])
            if isinstance(ended.exception, Exception):
                raise ended.exception
            return ended.stdout

        return run

    def test_a_key_is_made_listed_and_ended(self, typed: Callable[..., str], keys: KeyFile) -> None:
        key = typed("add", "--name", "app", "--role", "call", "--per-minute", "60").strip()
        typed("add", "--name", "prometheus", "--role", "metrics", "--expires", "2099-01-01")
        assert keys.find(key) is not None
        [app_row, metrics_row] = json.loads(typed("list", "--json"))["service_keys"]
        assert (app_row["name"], app_row["role"], app_row["per_minute"]) == ("app", "call", "60")
        assert (metrics_row["role"], metrics_row["ends"]) == ("metrics", "2099-01-01")
        assert key[16:] not in typed("list")
        typed("revoke", key[3:15])
        assert "ended" in typed("list")
        with pytest.raises(KneeriskError, match="no key with this id"):
            typed("revoke", "0" * 12)

    @pytest.mark.parametrize(
        "arguments",
        ["--role call", "--name a --club b --role call", "--name a --role write",
         "--club a --role metrics", "--club a --role read --per-day 5"],
    )  # fmt: skip
    def test_what_does_not_go_together_is_refused(
        self, typed: Callable[..., str], keys: KeyFile, arguments: str
    ) -> None:
        with pytest.raises(KneeriskError, match=r"--club|--name"):
            typed("add", *arguments.split())
        assert not keys.path.exists()

    def test_without_a_file_it_says_how_to_name_one(
        self, typed: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KNEERISK_KEYS")
        with pytest.raises(KneeriskError, match="KNEERISK_KEYS=FILE"):
            typed("add", "--name", "app", "--role", "call")


MOST = 12


@pytest.fixture(scope="module")
def service(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two workers with a file of keys, each with at most `MOST` requests a day."""
    folder = tmp_path_factory.mktemp("keyed")
    KeyFile(folder / "keys.json").add("first", KeyUse.CALL, NOW)
    command = ("serving", "--keys", str(folder / "keys.json"), "--per-day", str(MOST))
    with served(folder, *command, "--models", str(champion_models)) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


@pytest.mark.slow
class TestService:
    def new(self, service: Served, use: KeyUse = KeyUse.CALL, **more: Any) -> str:
        return KeyFile(service.log_file.parent / "keys.json").add("app", use, NOW, **more)

    def test_a_limit_holds_over_all_workers(self, service: Served) -> None:
        key = self.new(service)

        def ask(number: int) -> httpx.Response:
            # Each on a connection of its own, so that both workers answer.
            return service.post("/v1/predict", EXAMPLE, headers=bearer(key))

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(3 * MOST)))
        assert Counter(answer.status_code for answer in answers) == {200: MOST, 429: 2 * MOST}
        left = [told(dict(a.headers), "day")[0] for a in answers if a.status_code == 200]
        assert sorted(left) == list(range(MOST))
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "too_many_requests"
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
        assert SECURITY_HEADERS.items() <= dict(refused.headers).items()
        # Of another key nothing is used up, and its own limit goes before the service's.
        roomy = self.new(service, per_day=1_000)
        answer = service.post("/v1/predict", EXAMPLE, headers=bearer(roomy))
        assert told(dict(answer.headers), "day")[0] == 999

    def test_a_key_for_metrics_opens_them_alone_and_without_a_limit(self, service: Served) -> None:
        headers = bearer(self.new(service, KeyUse.METRICS))
        for _ in range(MOST + 2):
            seen = httpx.get(f"{service.url}/metrics", headers=headers)
            assert seen.status_code == 200
        assert "kneerisk_requests_total" in seen.text
        for path in ("/livez", "/readyz"):
            assert httpx.get(service.url + path, headers=headers).status_code == 200
        refused = service.post("/v1/predict", EXAMPLE, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "role_needed")
        assert httpx.get(f"{service.url}/v1/schema", headers=headers).status_code == 403

    def test_a_revoked_key_ends_in_every_worker(self, service: Served) -> None:
        key = self.new(service)
        assert httpx.get(f"{service.url}/v1/schema", headers=bearer(key)).status_code == 200
        KeyFile(service.log_file.parent / "keys.json").revoke(key[3:15], NOW)
        codes = {
            httpx.get(f"{service.url}/v1/schema", headers=bearer(key)).json()["code"]
            for _ in range(10)
        }
        assert codes == {"key_ended"}

    def test_without_a_key_nothing_is_answered_and_no_key_is_in_the_log(
        self, service: Served
    ) -> None:
        key = self.new(service)
        assert service.get("/v1/schema").json()["code"] == "key_required"
        wrong = bearer(new_key("ks_").key)
        refused = httpx.get(f"{service.url}/v1/schema", headers=wrong)
        assert refused.json()["code"] == "key_refused"
        assert key[3:15] not in service.log()
