"""The client against the real service: each call, plain and awaited, and what it refuses."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from club_keys import WRITE_KEY, bearer, recording
from scored_frames import SCREENINGS, frame_of, told
from served import ONE_WORKER, ROOT, Served, served

from kneerisk.answer import Answer
from kneerisk.answer.follow_up.follow_up_request import FollowUp
from kneerisk.answer.what_if import WhatIf
from kneerisk.batch.pyfunc_loader import SHA256, _load_pyfunc
from kneerisk.client import AsyncClient, Client, NoAnswer, Recording, Refused, RetryPolicy
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked, SheetAsked
from kneerisk.model import Bundle, champion
from kneerisk.schema import Screening
from serving.request_examples import (
    EXAMPLE,
    FOLLOW_UP,
    LOG,
    LOG_MAPPING,
    OUTCOMES,
    SHEET,
    TABLE,
    WHAT_IF,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = recording(tmp_path_factory.mktemp("records"))
    folder = tmp_path_factory.mktemp("service")
    with served(
        folder, *ONE_WORKER, KNEERISK_MODELS=str(champion_models), **environment
    ) as running:
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

    def test_the_words_of_a_form(self, client: Calls, service: Served) -> None:
        answer = client.texts().model_dump(mode="json", exclude_unset=True)
        assert answer == service.get("/v1/texts").json()


class TestFiles:
    def test_a_sheet(self, client: Calls, service: Served, tmp_path: Path) -> None:
        (tmp_path / "club.csv").write_text(SHEET, encoding="utf-8")
        said = {"constants": {"sport": "volleyball"}, "columns": {"C": {"unit": "years"}}}
        raw = service.post_sheet(SHEET, said).json()
        for mapping in (said, SheetAsked.model_validate(said)):
            answer = client.import_sheet(tmp_path / "club.csv", mapping=mapping)
            assert sent(answer) == raw
        [row] = [row for row in answer.rows if row.status == "ready"]
        assert client.predict(row.screening).risk.either

    def test_what_is_answered_opens_the_rest(self, client: Calls) -> None:
        sheet = ("club.csv", SHEET.encode())
        asked = client.import_sheet(sheet)
        [weight] = [one for one in asked.columns if one.place == "D"]
        said = {weight.place: weight.proposal or ColumnAsked(unit="lb")}
        assert client.import_sheet(sheet, mapping=SheetAsked(columns=said)).columns[3].applied
        left_out = SheetAsked(columns={"D": ColumnAsked(means=None)})
        assert client.import_sheet(sheet, mapping=left_out).columns[3].means is None

    def test_several_files_of_a_squad(self, client: Calls) -> None:
        hips = b"Name,Age,Sex,Hip drop left\nA,22,w,9\n"
        ankles = b"Name,KTW L (cm)\nA,9.5\n"
        answer = client.import_sheet(("hips.csv", hips), ("ankles.csv", ankles))
        assert [part.file for part in answer.parts] == ["hips.csv", "ankles.csv"]

    def test_a_training_log(self, client: Calls, service: Served) -> None:
        raw = service.post_sheet(LOG, LOG_MAPPING, "/v1/training_log").json()
        answer = client.import_training_log(("log.csv", LOG.encode()), mapping=LOG_MAPPING)
        assert sent(answer) == raw
        [load] = answer.athletes
        assert load.screening["athlete"]["weekly_run_km"] > 0

    def test_a_bad_mapping_is_told_by_its_place(self, client: Calls) -> None:
        with pytest.raises(Refused) as refused:
            client.import_sheet(("a.csv", b"Age\n20\n"), mapping={"columns": {"A": {"mean": "x"}}})
        assert [fault.pointer for fault in refused.value.faults] == ["/columns/A/mean"]

    def test_no_file_is_a_mistake_of_the_caller(self, client: Calls) -> None:
        with pytest.raises(ValueError, match="No file"):
            client.import_training_log(mapping=LOG_MAPPING)

    def test_a_table(self, client: Calls) -> None:
        content = client.export_table(TABLE["columns"], TABLE["rows"])
        frame = pd.read_excel(io.BytesIO(content))
        assert list(frame) == TABLE["columns"]
        assert frame["left_hip_drop_deg"].tolist()[0] == 9.5


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

    def test_monitoring(self, client: Calls, service: Served) -> None:
        client.predict(EXAMPLE, Recording(f"M-{client._kind.__name__}", date(2026, 3, 1)))
        answer = client.monitoring()
        raw = httpx.get(f"{service.url}/v1/monitoring", headers=bearer(WRITE_KEY)).json()
        assert answer.model_dump(mode="json") == raw
        assert answer.next_step.step == "collect"

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
    service: Served,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = (ROOT / "docs/client.md").read_text("utf-8")
    shown = re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    (tmp_path / "squad.csv").write_text(SHEET.replace("270", "27"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in shown:
        exec(code.replace("http://127.0.0.1:3000", service.url).replace("kr_...", WRITE_KEY), names)
    printed = capsys.readouterr().out
    assert "/athlete/age_years" in printed
    assert [line[:2] for line in printed.splitlines() if line[1:2] == " "] == ["A ", "B "]
    assert "To do: collect" in printed


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
