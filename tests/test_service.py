"""The parts of the service by themselves: routes, request validation, log, champion's holder."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.errors import BundleRefused
from kneerisk.schema import Screening
from kneerisk.schema.own_measures import NO_OWN_MEASURES
from serving import answers_together, monitoring, safe_response
from serving import champion_holder as champion_module
from serving import request_validation as validation_module
from serving.body_validation import check_body
from serving.champion_holder import Champion, ChampionHolder
from serving.monitoring import Metrics
from serving.problem import (
    MAX_FAULTS,
    REQUEST_ID,
    STATUS_BY_CODE,
    Refusal,
    invalid_body,
    problem,
    refused_with,
)
from serving.request_examples import EXAMPLE
from serving.request_validation import RequestValidation
from serving.routes import ROUTES

CANARY = "77.12345"
#: A bundle of which nothing but its version is asked.
NAMED = SimpleNamespace(metadata=SimpleNamespace(version="v1"))


class Named:
    """What champion.json says, for a holder under test."""

    def __init__(self, version: str, sha256: str = "s") -> None:
        self.version, self.sha256, self.folder = version, sha256, Path(version)


class Loaded(NamedTuple):
    """A bundle, as far as the holder looks at it."""

    folder: Path

    @property
    def model(self) -> SimpleNamespace:
        return SimpleNamespace(own=NO_OWN_MEASURES)


@pytest.fixture
def holder(monkeypatch: pytest.MonkeyPatch) -> ChampionHolder:
    monkeypatch.setattr(champion_module, "load", lambda folder, _: Loaded(folder))
    return ChampionHolder(Metrics())


def name(monkeypatch: pytest.MonkeyPatch, named: Any) -> None:
    def read(_: Path) -> Any:
        if isinstance(named, Exception):
            raise named
        return named

    monkeypatch.setattr(champion_module.champion, "read", read)


class TestHolder:
    def test_it_has_no_bundle_before_there_is_a_champion(
        self, holder: ChampionHolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name(monkeypatch, None)
        holder.refresh(Path())
        assert holder.bundle is None
        with pytest.raises(RuntimeError, match="no champion"):
            holder.current()

    def test_it_loads_a_champion_once(
        self, holder: ChampionHolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loaded: list[Path] = []
        monkeypatch.setattr(
            champion_module, "load", lambda folder, _: loaded.append(folder) or Loaded(folder)
        )
        name(monkeypatch, Named("a"))
        holder.refresh(Path())
        holder.refresh(Path())
        assert loaded == [Path("a")]

    def test_it_swaps_for_another_version_and_for_other_bytes(
        self, holder: ChampionHolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loaded: list[Path] = []
        monkeypatch.setattr(
            champion_module, "load", lambda folder, _: loaded.append(folder) or Loaded(folder)
        )
        for named in (Named("a"), Named("b"), Named("b", "other"), Named("a")):
            name(monkeypatch, named)
            holder.refresh(Path())
        assert loaded == [Path("a"), Path("b"), Path("b"), Path("a")]

    @pytest.mark.parametrize(
        "trouble", [BundleRefused("golden case 3 differs"), OSError("gone"), KeyError("version")]
    )
    def test_it_keeps_the_last_good_one_and_says_why_once(
        self,
        holder: ChampionHolder,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        trouble: Exception,
    ) -> None:
        monkeypatch.setattr(logging.getLogger("bentoml"), "propagate", True)
        name(monkeypatch, Named("a"))
        holder.refresh(Path())
        name(monkeypatch, trouble)
        for _ in range(3):
            holder.refresh(Path())
        assert holder.current() == Loaded(Path("a"))
        warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
        reason = "unexpected KeyError" if isinstance(trouble, KeyError) else str(trouble)
        assert warnings == [f"no new champion, keeping a: {reason}"]

    def test_a_refused_bundle_is_not_loaded_at_every_look(
        self, holder: ChampionHolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[Path] = []

        def refuse(folder: Path, sha256: str) -> None:
            tried.append(folder)
            raise BundleRefused("changed")

        monkeypatch.setattr(champion_module, "load", refuse)
        name(monkeypatch, Named("a"))
        for _ in range(3):
            holder.refresh(Path())
        assert len(tried) == 1
        monkeypatch.setattr(champion_module, "RETRY_SECONDS", 0.0)
        name(monkeypatch, Named("b"))
        holder.refresh(Path())
        holder.refresh(Path())
        assert len(tried) == 3

    def test_it_stops_looking_when_told(
        self, holder: ChampionHolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name(monkeypatch, Named("a"))
        before = threads()
        holder.start(Path())
        started = threads() - before
        assert [thread.name for thread in started] == ["champion"]
        holder.stop()
        for thread in started:
            thread.join(5)
            assert not thread.is_alive()


def threads() -> set[Any]:
    import threading

    return set(threading.enumerate())


def refusal(text: str | bytes, model: type[BaseModel] = Screening) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_body(text if isinstance(text, bytes) else text.encode(), model)
    return caught.value


class TestBody:
    def test_a_sound_body_passes(self) -> None:
        check_body(json.dumps(EXAMPLE).encode(), Screening)

    def test_doubled_keys_are_pointed_at_wherever_they_are(self) -> None:
        told = refusal('{"a": [{"b": 1, "b": {"c/d": 1, "c/d": 2}}], "e": 1, "e": 2, "e": 3}')
        assert told.code == "duplicate_key"
        assert [f.pointer for f in told.faults] == ["/e", "/a/0/b", "/a/0/b/c~1d"]
        # A name that UTF-8 can't write is told as near as can be.
        told = refusal('{"\\ud800": {"b": 1, "b": 2}}')
        assert json.loads(problem(told).as_json())["faults"][0]["pointer"] == "/?/b"

    def test_where_the_two_parsers_differ_the_stricter_one_counts(self) -> None:
        class Anything(BaseModel):
            model_config = ConfigDict(extra="allow")

        assert refusal('{"x": "\\ud800"}', Anything).code == "malformed_json"
        assert refusal('{"x": ' + "[" * 500 + "]" * 500 + "}", Anything).code == "malformed_json"

    def test_an_answer_to_a_hostile_body_stays_small(self) -> None:
        text = json.dumps(EXAMPLE | {f"x{n}": 1 for n in range(5_000)})
        told = refusal(text)
        assert told.detail == "The body has 5000 faults."
        listed = problem(told).faults
        assert listed is not None
        assert len(listed) == MAX_FAULTS

    def test_every_measure_can_be_at_fault_in_one_answer(self) -> None:
        legs = dict.fromkeys(Screening.model_json_schema()["$defs"]["Leg"]["properties"], "x")
        told = problem(refusal(json.dumps(EXAMPLE | {"left": legs, "right": legs})))
        assert told.faults is not None
        assert len(told.faults) >= 2 * len(legs)


async def exchange(app: Any, request: httpx.Request) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.send(request)


def asked(app: Any, path: str = "/v1/predict", content: bytes | None = None) -> httpx.Response:
    """Ask an application behind the request validation, with a champion there."""
    holder = ChampionHolder(Metrics())
    holder.served = Champion(NAMED, NO_OWN_MEASURES)  # type: ignore[arg-type]
    sent = json.dumps(EXAMPLE).encode() if content is None else content
    request = httpx.Request("POST", f"http://localhost{path}", content=sent)
    return asyncio.run(exchange(RequestValidation(app, ROUTES, holder, Metrics()), request))


def answering(status: int, kind: str, text: bytes) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(text))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    return app


class TestRequestValidation:
    SCOPE: ClassVar[dict[str, Any]] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/predict",
        "headers": [(b"host", b"localhost")],
    }

    @pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
    def test_a_foreign_error_becomes_a_mistake_of_ours(self, status: int) -> None:
        # The body was sound, so that the client is not to blame whatever BentoML says.
        app = answering(status, "application/json", f'[{{"error": "{CANARY}"}}]'.encode())
        response = asked(app)
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == "internal_error"
        assert CANARY not in response.text

    def test_an_app_that_fails_or_says_nothing_is_a_plain_500(self) -> None:
        async def fail(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError(CANARY)

        async def mute(scope: Any, receive: Any, send: Any) -> None:
            return None

        for app in (fail, mute):
            response = asked(app)
            assert (response.status_code, response.json()["code"]) == (500, "internal_error")
            assert CANARY not in response.text

    def test_an_answer_that_takes_too_long_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def wait(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(validation_module, "ANSWER_SECONDS", 0.01)
        assert asked(wait).json()["code"] == "timeout"

    @pytest.mark.parametrize("path", ["/v1/predict", "/v1/export"])
    def test_an_answer_that_comes_as_its_time_ends_is_a_problem_all_the_same(
        self, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def late(scope: Any, receive: Any, send: Any) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await answering(200, "text/plain", b"late")(scope, receive, send)

        for limit in ("ANSWER_SECONDS", "LARGE_ANSWER_SECONDS"):
            monkeypatch.setattr(validation_module, limit, 0.01)
        sent = json.dumps(next(iter(ROUTES[path].examples.values()))).encode()
        answer = asked(late, path, sent)
        assert (answer.status_code, answer.json()["code"]) == (504, "timeout")

    def test_an_answer_that_has_begun_may_be_read_for_longer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = asyncio.Event()

        async def slowly(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            asyncio.get_running_loop().call_later(0.05, read.set)
            await read.wait()
            await send({"type": "http.response.body", "body": b"all of it"})

        monkeypatch.setattr(validation_module, "ANSWER_SECONDS", 0.01)
        assert asked(slowly).text == "all of it"

    @pytest.mark.parametrize("body", [EXAMPLE, {}], ids=["an answer", "a problem"])
    def test_but_not_for_ever(self, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]) -> None:
        async def unread(message: Any) -> None:
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        async def sent_whole() -> Any:
            return {"type": "http.request", "body": json.dumps(body).encode()}

        monkeypatch.setattr(safe_response, "READ_SECONDS", 0.01)
        asyncio.run(
            self.validation(answering(200, "text/plain", b"x"))(self.SCOPE | {}, sent_whole, unread)
        )

    def test_a_body_that_never_ends_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def never() -> Any:
            await asyncio.Event().wait()

        monkeypatch.setattr(validation_module, "BODY_SECONDS", 0.01)
        assert self.told_to(never)["code"] == "incomplete_body"

    def test_a_client_that_hangs_up_is_not_an_error_of_ours(self) -> None:
        async def gone() -> Any:
            return {"type": "http.disconnect"}

        assert self.told_to(gone)["code"] == "incomplete_body"

    @staticmethod
    def validation(app: Any) -> Any:
        holder = ChampionHolder(Metrics())
        holder.served = Champion(NAMED, NO_OWN_MEASURES)  # type: ignore[arg-type]
        return RequestValidation(app, ROUTES, holder, Metrics())

    def told_to(self, receive: Any) -> dict[str, Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        validation = self.validation(answering(200, "text/plain", b""))
        asyncio.run(validation(self.SCOPE | {}, receive, send))
        told: dict[str, Any] = json.loads(sent[-1]["body"])
        return told

    def test_the_app_is_given_the_body_that_was_checked(self) -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            body, *_ = scope["state"]["arguments"]
            seen.append((dict(scope["headers"])[b"content-type"], body))
            await answering(200, "text/plain", b"")(scope, receive, send)

        assert asked(app, content=json.dumps(EXAMPLE).encode()).status_code == 200
        assert seen == [(b"application/json", Screening.model_validate(EXAMPLE))]

    def test_it_lets_anything_but_http_pass(self) -> None:
        seen: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["type"])

        validation: Any = RequestValidation(app, ROUTES, ChampionHolder(Metrics()), Metrics())
        asyncio.run(validation({"type": "lifespan"}, None, None))
        assert seen == ["lifespan"]


class TestProblem:
    @pytest.mark.parametrize("code", STATUS_BY_CODE)
    def test_every_kind_has_status_title_and_type(self, code: str) -> None:
        told = problem(Refusal(code, "Because."), "1-2")
        assert 400 <= told.status < 600
        assert told.title[-1] != "."
        assert told.type == f"urn:kneerisk:problem:{code.replace('_', '-')}"
        assert (told.instance, told.request_id) == ("urn:uuid:1-2", "1-2")
        assert b"null" not in told.as_json()

    def test_a_handler_s_refusal_carries_the_id_of_its_request(self) -> None:
        REQUEST_ID.set("3-4")
        response = refused_with(invalid_body([]))
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert json.loads(bytes(response.body))["request_id"] == "3-4"

    @pytest.mark.parametrize(
        ("body", "pointer", "code"),
        [
            ({"columns": []}, "/columns", "not_an_object"),
            ({"columns": {"A": {"words": 1}}}, "/columns/A/words", "not_an_object"),
            ({"columns": {"A": {"opposite": "yes"}}}, "/columns/A/opposite", "not_a_boolean"),
            ({"columns": {"A": {"day_first": 1}}}, "/columns/A/day_first", "not_a_boolean"),
            ({"constants": {"sex": []}}, "/constants/sex", "not_text_or_number"),
            ({"decimal": "dot"}, "/decimal", "literal_error"),
            ({"header_line": 0}, "/header_line", "greater_than_equal"),
            ({"header_line": 2_000_000}, "/header_line", "less_than_equal"),
        ],
    )
    def test_a_value_of_another_type_has_our_code_and_words(
        self, body: Any, pointer: str, code: str
    ) -> None:
        with pytest.raises(Refusal) as refused:
            check_body(json.dumps(body).encode(), SheetAsked)
        faults = refused.value.faults
        assert (faults[0].pointer, faults[0].code) == (pointer, code)
        assert all(fault.message.startswith("must be") for fault in faults)

    def test_one_fault_is_not_many(self) -> None:
        assert invalid_body([]).detail == "The body has 0 faults."


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a logger with the service's filter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(monitoring.RedactValues())
    for known in ("test.values", "asyncio"):
        logging.getLogger(known).addHandler(handler)
    yield stream
    for known in ("test.values", "asyncio"):
        logging.getLogger(known).removeHandler(handler)


def trip(value: str) -> None:
    try:
        float(value + "x")
    except ValueError as error:
        raise LookupError(f"no row for {value}") from error


class TestLog:
    def test_a_traceback_keeps_its_lines_and_loses_its_messages(self, written: io.StringIO) -> None:
        try:
            trip(CANARY)
        except LookupError:
            logging.getLogger("test.values").exception("request failed")
        told = written.getvalue()
        assert CANARY not in told
        assert "builtins.LookupError" in told
        assert "builtins.ValueError" in told
        assert "in trip" in told
        assert __file__ in told

    def test_a_lost_task_does_not_show_its_error(self, written: io.StringIO) -> None:
        failed = ValueError(CANARY)
        logging.getLogger("asyncio").error(
            "%s\nfuture: <Task exception=%r>", "never retrieved", failed, exc_info=failed
        )
        assert "never retrieved" in written.getvalue()
        assert CANARY not in written.getvalue()

    def test_the_filter_is_put_on_every_handler_once(self) -> None:
        handler = logging.StreamHandler(io.StringIO())
        logging.getLogger("bentoml").addHandler(handler)
        try:
            monitoring.redact_logs()
            monitoring.redact_logs()
            assert len([f for f in handler.filters if isinstance(f, monitoring.RedactValues)]) == 1
        finally:
            logging.getLogger("bentoml").removeHandler(handler)


# BentoML calls what its own dependencies call deprecated while it is imported.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_bug_in_an_answer_is_a_500_whose_traceback_has_no_values(
    champion_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import serving.service as service_module

    def broken(*_: Any) -> Any:
        return Screening.model_validate({"athlete": {"age_years": CANARY, "sex": CANARY}})

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger("bentoml").addHandler(handler)
    monkeypatch.setenv("KNEERISK_MODELS", str(champion_models))
    monkeypatch.setattr(answers_together, "answers", broken)

    async def ask() -> httpx.Response:
        app: Any = service_module.KneeRisk.to_asgi()  # type: ignore[attr-defined]
        sent = {"athlete": {"age_years": float(CANARY), "sex": "male"}}
        async with app.router.lifespan_context(app):
            request = httpx.Request("POST", "http://localhost/v1/predict", json=sent)
            return await exchange(app, request)

    try:
        response = asyncio.run(ask())
    finally:
        logging.getLogger("bentoml").removeHandler(handler)
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert CANARY not in response.text
    assert "in broken" in stream.getvalue()
    assert "ValidationError" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_serving_needs_no_training_code_no_mlflow_and_no_pandas() -> None:
    # Kept out, not looked for afterwards: XGBoost takes pandas along where it is installed.
    code = (
        "import sys\n"
        "kept_out = ['mlflow', 'pandas', 'pyarrow', 'sklearn', 'kneerisk.training',\n"
        "  'sqlalchemy', 'alembic', 'psycopg',\n"
        "  'kneerisk.cohort.files', 'kneerisk.cohort.simulation', 'kneerisk.cohort.published']\n"
        "sys.modules.update(dict.fromkeys(kept_out))\n"
        "import serving.service, serving.model_store\n"
        "from serving.openapi import openapi_document\n"
        "from serving.routes import ROUTES\n"
        "print(openapi_document(ROUTES)['openapi'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "3.1.0"


def test_a_worker_starts_without_what_only_some_requests_need() -> None:
    """Each takes a tenth of a second or more: it is loaded when the service is ready, or later."""
    code = (
        "import gc, sys\n"
        "import serving.worker_application\n"
        "gc.disable()\n"
        "import serving.service\n"
        "later = {'scipy.stats', 'scipy.optimize', 'scipy.interpolate', 'scipy.sparse', 'openpyxl',"
        " 'pandas', 'xgboost', 'sqlalchemy', 'kneerisk.fhir',"
        " 'kneerisk.cohort.sheets.undescribed_sheet',"
        " 'kneerisk.cohort.sheets.training_logs.read_log'}\n"
        "print(sorted(later & set(sys.modules)))\n"
        "serving.service.warm_up()\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 0, 'scipy.stats' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.splitlines() == ["[]", "True True True"], done.stderr
