"""The client against the real service: each call, plain and awaited, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from club_keys import WRITE_KEY, recording
from scored_frames import SCREENINGS, frame_of, told
from served import ROOT, Served, served

from kneerisk.answer import Answer
from kneerisk.answer.follow_up_request import FollowUp
from kneerisk.answer.what_if import WhatIf
from kneerisk.batch.pyfunc_loader import SHA256, _load_pyfunc
from kneerisk.client import AsyncClient, Client, NoAnswer, Recording, Refused, RetryPolicy
from kneerisk.model import Bundle, champion
from kneerisk.schema import Screening
from serving.request_examples import EXAMPLE, FOLLOW_UP, OUTCOMES, WHAT_IF

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = recording(tmp_path_factory.mktemp("records"))
    folder = tmp_path_factory.mktemp("service")
    with served(folder, KNEERISK_MODELS=str(champion_models), **environment) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


class Calls:
    """A client whose calls are made one by one, whichever of the two it is."""

    def __init__(self, kind: type[Client | AsyncClient], url: str, **options: Any) -> None:
        self._kind, self._url, self._options = kind, url, options

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *given, **named: self._call(name, given, named)

    def _call(self, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self._kind is Client:
            with Client(self._url, **self._options) as client:
                return getattr(client, name)(*given, **named)
        return asyncio.run(self._awaited(name, given, named))

    async def _awaited(self, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        async with AsyncClient(self._url, **self._options) as client:
            return await getattr(client, name)(*given, **named)


@pytest.fixture(scope="module", params=[Client, AsyncClient])
def client(request: pytest.FixtureRequest, service: Served) -> Calls:
    return Calls(request.param, service.url, key=WRITE_KEY)


def sent(answer: Any) -> Any:
    return json.loads(answer.model_dump_json(exclude_none=True, by_alias=True))


class TestAnswers:
    def test_an_answer_has_all_that_was_sent(self, client: Calls, service: Served) -> None:
        answer = client.predict(Screening.model_validate(EXAMPLE))
        assert isinstance(answer, Answer)
        assert sent(answer) == service.post("/v1/predict", EXAMPLE).json()
        assert client.predict(EXAMPLE) == answer

    def test_a_team_has_answers_and_problems(self, client: Calls) -> None:
        bad = {"athlete": {"age_years": 7, "sex": "male"}, "left": {"hip_dorp_deg": 3}}
        good, refused = client.predict_team([Screening.model_validate(EXAMPLE), bad])
        assert good.answer == client.predict(EXAMPLE)
        pointers = {fault.pointer for fault in refused.problem.faults}
        assert pointers == {"/athlete/age_years", "/left/hip_dorp_deg"}

    def test_a_what_if(self, client: Calls, service: Served) -> None:
        raw = service.post("/v1/what_if", WHAT_IF).json()
        for question in (WHAT_IF, WhatIf.model_validate(WHAT_IF)):
            assert sent(client.what_if(question)) == raw

    def test_a_follow_up(self, client: Calls, service: Served) -> None:
        raw = service.post("/v1/follow_up", FOLLOW_UP).json()
        typed = FollowUp.model_validate_json(json.dumps(FOLLOW_UP))
        for visits in (typed, typed.visits, FOLLOW_UP["visits"]):
            assert sent(client.follow_up(visits)) == raw

    def test_pages(self, client: Calls) -> None:
        for page in (client.report(EXAMPLE), client.hand_out(EXAMPLE)):
            assert page.lstrip().lower().startswith("<!doctype html>")

    def test_about_the_model(self, client: Calls, service: Served, released: Bundle) -> None:
        assert client.model().version == released.metadata.version
        schema = client.schema()
        assert schema.title == service.get("/v1/schema").json()["title"]
        assert "athlete" in schema.properties


class TestRecords:
    def test_a_recording_that_is_sent_again_is_kept_once(self, client: Calls) -> None:
        name = f"A-{client._kind.__name__}"
        kept = Recording(name, date(2026, 3, 1))
        first, again = (client.predict(EXAMPLE, kept) for _ in range(2))
        assert first.answer_id == again.answer_id
        assert first.answer_id
        other = client.predict(EXAMPLE, Recording(name, date(2026, 3, 8)))
        assert other.answer_id != first.answer_id
        found = client.athlete(name)
        assert [visit.day for visit in found.visits] == [date(2026, 3, 1), date(2026, 3, 8)]
        listed = client.athletes(limit=1000)
        assert name in {one.athlete for one in listed.athletes}
        others = client.athletes(["not_screened"], limit=1000)
        assert name not in {one.athlete for one in others.athletes}

    def test_outcomes_are_kept_once(self, client: Calls) -> None:
        first, again = (client.report_outcomes(OUTCOMES["outcomes"]) for _ in range(2))
        assert [one.id for one in first.outcomes] == [one.id for one in again.outcomes]
        assert {one.status for one in again.outcomes} == {"known"}


class TestRefusals:
    def test_every_fault_has_its_place(self, client: Calls) -> None:
        bad = {
            "athlete": {"age_years": 777.125, "sex": "male"},
            "left": {"hip_drop_deg": float("nan"), "hip_dorp_deg": 3},
        }
        with pytest.raises(Refused) as refused:
            client.predict(bad)
        assert (refused.value.status, refused.value.code) == (422, "invalid_body")
        places = {"/athlete/age_years", "/left/hip_drop_deg", "/left/hip_dorp_deg"}
        assert {fault.pointer for fault in refused.value.faults} == places
        told = str(refused.value)
        assert all(place in told for place in places)
        assert "777" not in told
        assert refused.value.problem.request_id in told

    def test_a_key_that_opens_nothing(self, service: Served) -> None:
        with (
            Client(service.url, key=f"kr_{'cd' * 6}_{'B' * 43}") as client,
            pytest.raises(Refused, match="key_refused"),
        ):
            client.athlete("A7")

    def test_an_id_leads_nowhere_else(self, client: Calls) -> None:
        for code in ("nobody", "../../livez", "a?b", "a/b"):
            with pytest.raises(Refused, match=r"no_such_athlete|not_found"):
                client.athlete(code)

    def test_nobody_there(self, client: Calls) -> None:
        away = Calls(client._kind, "http://127.0.0.1:9", retries=RetryPolicy(attempts=1))
        with pytest.raises(NoAnswer, match="/v1/model"):
            away.model()


def test_the_document_shows_what_happens(
    service: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    document = (ROOT / "docs/client.md").read_text("utf-8")
    (shown,) = re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    exec(shown.replace("http://127.0.0.1:3000", service.url), {})
    assert "/athlete/age_years" in capsys.readouterr().out


class TestMlflow:
    """What MLflow loads gives the service's numbers."""

    def test_bit_for_bit(self, service: Served, champion_models: Path) -> None:
        with Client(service.url) as client:
            results = client.predict_team(SCREENINGS)
        expected = pd.DataFrame([told(sent(result.answer)) for result in results])
        found = champion.read(champion_models)
        assert found is not None
        loaded = _load_pyfunc(str(found.folder), {SHA256: found.sha256})
        predicted = loaded.predict(frame_of(SCREENINGS))
        pd.testing.assert_frame_equal(predicted[list(expected)], expected, check_exact=True)
