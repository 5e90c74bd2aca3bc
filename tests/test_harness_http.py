"""The service under attack: whatever is sent, each answer is one that the document promises.

`make test` runs the short forms, `make harness` the long ones.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psutil
import pytest
import requests
import schemathesis
from club_keys import WRITE_KEY, key_of, recording, to_record
from http_client import Client, Request, ask_once
from http_mutations import (
    JSON_ROUTES,
    OWN_ROUTES,
    header_request,
    json_request,
    sound,
    upload_request,
)
from http_promises import CANARY, Promises, log_faults
from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import ValidationError
from raw_http import raw_case
from schemathesis import GenerationMode
from served import ROOT, Served, served

from kneerisk.cohort import write
from kneerisk.cohort.simulation.simulated_cohort import simulate
from pipelines.__main__ import main
from serving.request_examples import EXAMPLE, FOLLOW_UP, OUTCOMES, WHAT_IF
from serving.route import find_route
from serving.routes import ROUTES

pytestmark = pytest.mark.slow

#: Cases of each kind: in `make test`, and in `make harness`.
SHORT = {"json": 80, "upload": 20, "headers": 80, "raw": 50, "schema": 1}
LONG = {"json": 9_000, "upload": 1_500, "headers": 6_000, "raw": 3_500, "schema": 100}


CLIENTS = 6
POSTS = tuple(path for path, route in ROUTES.items() if route.method == "POST")
#: In every value of the canary's requests and files.
CANARY_DIGITS, CANARIES = "190437", 125
#: By which the service, and each of its processes, may grow: a worker holds some 200 MB, and what
#: the allocator keeps of it differs by a few from one run to the next.
MOST_GROWTH_MB = 30.0


@pytest.fixture(scope="module")
def service(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "tmp").mkdir()
    environment = {"KNEERISK_MODELS": str(champion_models), "TMPDIR": str(folder / "tmp")}
    # Apart from the service's own folder: they hold what was sent.
    environment |= recording(tmp_path_factory.mktemp("records"))
    with served(folder, **environment) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


@pytest.fixture(scope="module")
def docs(service: Served) -> dict[str, Any]:
    document: dict[str, Any] = service.get("/docs.json").json()
    return document


class Fuzz:
    """Sends cases to a service with several clients, and keeps the faults of its answers."""

    def __init__(self, service: Served, docs: dict[str, Any]) -> None:
        self.tried = 0
        self.statuses: Counter[str] = Counter()
        self.faults: list[str] = []
        self._service = service
        self._docs = docs
        self._promises = Promises(docs)

    def requests(self, kind: str, make: Callable[[int], Request], count: int) -> None:
        """Send the requests of so many numbers."""

        def send(client: Client, number: int) -> None:
            self.send(client, f"{kind} {number}", make(number))

        self._each(send, count)

    def send(self, client: Client, name: str, request: Request) -> None:
        """Send one request and check its answer."""
        try:
            reply = client.ask(request)
            broken = self._promises.broken(request.method, request.path, reply, request.asked)
            self.statuses[f"{name.partition(' ')[0]} {reply.status}"] += 1
        except Exception as error:  # noqa: BLE001 - no answer at all is a fault as well
            broken = [f"{type(error).__name__}: {error}"]
        self._note(f"{name} {request.method} {request.path} {request.label}", broken)

    def raw(self, count: int) -> None:
        """Send what is almost HTTP."""

        def send(client: Client, number: int) -> None:
            content, answers = raw_case(number)
            try:
                replies = client.send_raw(content, answers)
                broken = [
                    fault
                    for reply in replies
                    for fault in self._promises.broken_on_connection(reply)
                ]
                self.statuses.update(f"raw {reply.status}" for reply in replies)
                if len(replies) < answers:
                    broken.append(f"{len(replies)} of {answers} answers")
            except Exception as error:  # noqa: BLE001 - a connection that hangs is a fault
                broken = [f"{type(error).__name__}: {error}"]
            self._note(f"raw {number} {content[:60]!r}", broken)

        self._each(send, count)

    def schema(self, count: int) -> None:
        """Send what Schemathesis makes of the document: what fits it, and what does not."""
        made: list[Request] = []
        for operation in schemathesis.openapi.from_dict(fuzzable(self._docs)).get_all_operations():
            described = operation.ok()
            if described.method == "get":
                # It takes nothing, so there is but one request.
                made.append(Request("GET", described.path))
                continue
            for mode in GenerationMode:
                made += examples(described, mode, count)
        self.requests("schema", made.__getitem__, len(made))

    def _each(self, send: Callable[[Client, int], None], count: int) -> None:
        def run(first: int) -> None:
            client = Client(self._service.url)
            for number in range(first, count, CLIENTS):
                send(client, number)
            client.close()

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(run, range(CLIENTS)))
        self.tried += count

    def _note(self, name: str, broken: list[str]) -> None:
        self.faults += [f"{name}: {fault}" for fault in broken]

    def end(self) -> None:
        """Look at the log, once all of it is written."""
        last = self._service.get("/v1/nowhere").headers["x-request-id"]
        self._service.until(lambda: last in self._service.log())
        self.faults += log_faults(self._service.log())


def examples(operation: Any, mode: GenerationMode, count: int) -> list[Request]:
    """Requests for an operation, as Schemathesis makes them."""
    made: list[Request] = []

    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @seed(0)
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Any) -> None:
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
        body = sent.body or b""
        headers = tuple(
            (name, value if isinstance(value, str) else value.decode("latin-1"))
            for name, value in sent.headers.items()
            if name.lower() in {"content-type", "content-encoding"}
        )
        headers += tuple(key_of(sent.path_url).items())
        content = body.encode() if isinstance(body, str) else bytes(body)
        made.append(Request(case.method.upper(), sent.path_url, headers, content, mode.value))

    keep()
    return made


def fuzzable(docs: dict[str, Any]) -> dict[str, Any]:
    """The document without rules between fields: a body that breaks one gets 422, as it says."""
    document: dict[str, Any] = json.loads(json.dumps(docs))
    del document["components"]["schemas"]["Screening"]["allOf"]
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content.pop("examples", None)
    return document


def attacked(service: Served, docs: dict[str, Any], counts: dict[str, int]) -> Fuzz:
    fuzz = Fuzz(service, docs)
    fuzz.requests("json", json_request, counts["json"])
    fuzz.requests("upload", upload_request, counts["upload"])
    fuzz.requests("headers", header_request, counts["headers"])
    fuzz.raw(counts["raw"])
    fuzz.schema(counts["schema"])
    fuzz.end()
    return fuzz


def test_every_route_is_attacked() -> None:
    """One that is added to the table is attacked too, behind the check of its body as well."""
    made = [json_request, upload_request, header_request, canary_request]
    paths = {request.path.partition("?")[0] for make in made for request in map(make, range(400))}
    tried = {route.path for path in paths if (route := find_route(ROUTES, path))}
    assert set(OWN_ROUTES) <= tried
    assert {canary_request(number).path.partition("?")[0] for number in range(CANARIES)} == {*POSTS}
    for path in JSON_ROUTES:
        passed = Counter(_fits(path, number) for number in range(40))
        assert passed[True] > 3, path


def _fits(path: str, number: int) -> bool:
    model, body = ROUTES[path].body, json.dumps(sound(path, random.Random(number)))
    assert model is not None
    try:
        model.model_validate_json(body)
    except ValidationError:
        return False
    return True


def test_any_request_gets_an_answer_of_the_document(service: Served, docs: dict[str, Any]) -> None:
    fuzz = attacked(service, docs, SHORT)
    assert not fuzz.faults, "\n".join(fuzz.faults[:20])


@pytest.mark.harness
def test_thousands_of_requests(
    service: Served, docs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    fuzz = attacked(service, docs, LONG)
    with capsys.disabled():
        print(f"\nhttp: tried {fuzz.tried}, faults {len(fuzz.faults)}")  # noqa: T201
    assert not fuzz.faults, "\n".join(fuzz.faults[:20])


@pytest.mark.parametrize(
    "lengths",
    ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 99",
     "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding : chunked",
     "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"],
)  # fmt: skip
def test_a_request_in_a_body_is_not_taken_for_one(service: Served, lengths: str) -> None:
    hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n{lengths}\r\n\r\n0\r\n\r\n"
    [reply] = Client(service.url).send_raw((head + hidden).encode(), 2)
    assert (reply.status, json.loads(reply.body)["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("asked", ["bytes=0-3", "bytes=999999999-", "bytes=5-1", "x=1"])
def test_a_file_of_the_page_comes_whole(service: Served, asked: str) -> None:
    whole = service.get("/page/app.js")
    part = ask_once(service.url, Request("GET", "/page/app.js", (("Range", asked),)))
    assert (part.status, part.body) == (200, whole.content)


def test_what_a_library_says_of_an_upload_stays_out_of_the_log(service: Served) -> None:
    headers = (("Content-Type", "multipart/form-data; boundary=x"),)
    ask_once(service.url, Request("POST", "/v1/import", headers, b"--[\r\nzqcanary"))
    service.until(lambda: "a message of python_multipart is left out" in service.log())
    assert "boundary" not in service.log()


def with_canaries(body: Any, value: float, name: str, source: random.Random) -> Any:
    """A body some of whose numbers and texts are canaries."""
    if isinstance(body, dict):
        return {key: with_canaries(of, value, name, source) for key, of in body.items()}
    if isinstance(body, list):
        return [with_canaries(of, value, name, source) for of in body]
    if source.random() < 0.8 or body is None:
        return body
    return name if isinstance(body, str) else value


def canary_request(number: int) -> Request:
    """A request, sound or not, with canaries of its own; over all routes that take a body."""
    source = random.Random(f"canary {number}")
    value, name = f"7{source.randrange(10)}.{CANARY_DIGITS}{number:03d}", f"{CANARY}{number:x}"
    path = POSTS[number % len(POSTS)]
    example = source.choice(list(ROUTES[path].examples.values()))
    text = source.choice(
        [f'{{"athlete": {{"age_years": {value}, "sex": "male"}}, "right": {{}}}}',
         f'{{"athlete": {{"age_years": 9{value}, "sex": "{name}", "{name}": {value}}}}}',
         f'{{"{name}": {value}, "{name}": {value}', f'{{"screenings": [{{"{name}": {value}}}]}}',
         f'{{"visits": [{{"date": "{value}", "athlete_id": "{name}", "screening": {{}}}}]}}',
         json.dumps(WHAT_IF | {"changes": {"left_hip_drop_deg": float(value), name: 1}}),
         f'{{"screenings": [{{"athlete": {{"age_years": {value}, "sex": "male"}}}}]}}',
         json.dumps(with_canaries(example, float(value), name, source))]
    )  # fmt: skip
    headers = [("X-Who", name), ("Cookie", f"{name}={value}"), ("User-Agent", name)]
    headers += key_of(path).items()
    if ROUTES[path].records and source.random() < 0.5:
        headers += to_record(WRITE_KEY, name, idempotency_key=name).items()
    if ROUTES[path].upload:
        mark = ";" if ";" in example["file"] else ","
        lines = [f"{line}{mark}{value}" for line in example["file"].splitlines()]
        sheet = "\n".join([f"{lines[0]}{name}", *lines[1:], f"{name}{mark}{value}"])
        bad = f"Name,Age,Sex,{name}\n{name},{value},m,{value}\n{name},9{value},{name},\n"
        content = source.choice([sheet, bad, f"{name} {value}", f'{sheet}"', f"\0{bad}"])
        stated = with_canaries(example["mapping"], float(value), name, source)
        text = "".join(
            f"--x\r\nContent-Disposition: form-data; {part}\r\n\r\n{of}\r\n"
            for part, of in ((f'name="file"; filename="{name}.csv"', content),
                             ('name="mapping"', json.dumps(stated)))
        ) + "--x--\r\n"  # fmt: skip
        headers.append(("Content-Type", "multipart/form-data; boundary=x"))
    return Request("POST", f"{path}?who={name}", tuple(headers), text.encode())


def holding_canaries(folder: Path) -> list[str]:
    """Files below a folder with a canary in their content or their name."""
    marks = (CANARY.encode(), CANARY_DIGITS.encode())
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if CANARY in path.name
        or (path.is_file() and any(mark in path.read_bytes().lower() for mark in marks))
    ]


def test_no_canary_is_left_anywhere(
    service: Served, docs: dict[str, Any], champion_models: Path
) -> None:
    fuzz, statuses = Fuzz(service, docs), set()
    client = Client(service.url)
    for number in range(CANARIES):
        request = canary_request(number)
        reply = client.ask(request)
        statuses.add(reply.status)
        fuzz.faults += Promises(docs).broken("POST", request.path, reply)
    client.close()
    fuzz.end()
    assert not fuzz.faults
    assert {200, 400, 422} <= statuses
    assert CANARY_DIGITS not in service.get("/metrics").text
    # The log, BentoML's home, temporary files; then what is served.
    assert not holding_canaries(service.log_file.parent)
    assert not holding_canaries(champion_models)


@pytest.fixture
def canary_files(tmp_path: Path) -> Path:
    """A cohort, a sheet and a file with bad cells, each with a canary in every row."""
    cohort = simulate(120, 5).cohort
    folder = tmp_path / "given"
    folder.mkdir()
    write(replace(cohort, kind="observed", source="a club"), folder / "cohort.csv")
    frame = pd.read_csv(folder / "cohort.csv", dtype=str)
    frame["athlete_id"] = [f"{CANARY}{row}" for row in range(len(frame))]
    frame["age_years"] = [f"2{row % 10}.{CANARY_DIGITS}{row:03d}" for row in range(len(frame))]
    frame.to_csv(folder / "cohort.csv", index=False)
    bad = frame.head(3).assign(age_years=f"9{CANARY_DIGITS}", sex=CANARY)
    bad.to_csv(folder / "bad.csv", index=False)
    rows = "".join(f"{CANARY}{row},2{row}.{CANARY_DIGITS},m,9\n" for row in range(9))
    (folder / "sheet.csv").write_text(f"Name,Age,Sex,KTW L (cm)\n{rows}")
    return folder


def test_no_canary_of_a_command_is_left_but_in_what_it_was_asked_to_write(
    canary_files: Path,
    tmp_path: Path,
    champion_models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    project, temporary, asked = (tmp_path / name for name in ("project", "tmp", "asked"))
    for folder in (project, temporary, asked):
        folder.mkdir()
    models = project / "models"
    shutil.copytree(champion_models, models)
    [version] = [path.name for path in models.iterdir() if path.is_dir()]
    given, out = canary_files, asked / "out"
    commands = [
        ("score", f"{given}/cohort.csv", "--out", f"{out}.csv"),
        ("score", f"{given}/bad.csv", "--out", f"{out}.csv"),
        ("report", f"{given}/cohort.csv", "--athlete", f"{CANARY}1", "--out", f"{out}.html"),
        ("report", f"{given}/cohort.csv", "--athlete", f"{CANARY}none", "--out", f"{out}.html"),
        ("ingest", "sheet", f"{given}/sheet.csv", "--propose", f"{out}.toml"),
        ("ingest", "sheet", f"{given}/bad.csv", "--propose", f"{out}2.toml"),
        ("evaluate", "--model", version, "--data", f"{given}/cohort.csv"),
        ("evaluate", "--model", version, "--data", f"{given}/bad.csv"),
    ]
    monkeypatch.chdir(project)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    ended = {}
    for command in commands:
        monkeypatch.setattr(sys, "argv", ["kneerisk", *command])
        with pytest.raises(SystemExit) as exit_:
            main()
        ended[command] = exit_.value.code or 0
        out_text, error_text = capfd.readouterr()
        # A path is the person's own, who has just typed it.
        streams = (out_text + error_text).replace(str(given), "").lower()
        assert "traceback" not in streams
        assert CANARY not in streams, (command, streams)
        assert CANARY_DIGITS not in streams, (command, streams)
    assert {ended[command] for command in commands[::2]} == {0}
    assert not holding_canaries(project)
    assert not holding_canaries(temporary)


def memory(service: Served) -> dict[int, float]:
    """Megabytes that each process of the service holds, by its id."""
    supervisor = psutil.Process(service.process.pid)
    # Those that the forkserver of a worker starts come and go with each sheet.
    workers = supervisor.children()
    lasting = [supervisor, *workers, *(child for worker in workers for child in worker.children())]
    return {process.pid: process.memory_info().rss / 1e6 for process in lasting}


def distinct_request(number: int) -> Request:
    """A request like no other: its values, the names in it and its address."""
    name, age = f"name{number}", 16 + number % 50_000 / 1_000
    path = JSON_ROUTES[number % len(JSON_ROUTES)]
    body: Any = {"athlete": {"age_years": age, "sex": "male"}}
    if number % 3 == 1:
        body = {"athlete": {"age_years": age, "sex": "male", name: age}, name: {}}
    elif path.endswith("team"):
        body = {"screenings": [body]}
    elif path.endswith("what_if"):
        body = WHAT_IF | {
            "screening": EXAMPLE | {"athlete": EXAMPLE["athlete"] | {"age_years": age}}
        }
    elif path.endswith("follow_up"):
        body = json.loads(json.dumps(FOLLOW_UP))
        body["visits"][0]["screening"]["athlete"]["age_years"] = age
    elif path.endswith("outcomes"):
        body = {"outcomes": [OUTCOMES["outcomes"][0] | {"athlete": name}]}
    headers = (("Content-Type", f"text/{name}"), (f"X-{name}", name), ("User-Agent", name))
    headers += tuple((key_of(path) | _recorded(path, number)).items())
    return Request("POST", f"{path}?{name}={number}", headers, json.dumps(body).encode())


def _recorded(path: str, number: int) -> dict[str, str]:
    """Every other screening is recorded, each of another athlete."""
    if number % 2 or not ROUTES[path].records:
        return {}
    return to_record(WRITE_KEY, f"name{number}", idempotency_key=f"key{number}")


def distinct_upload(number: int) -> Request:
    """A sheet like no other: its headings, its words and its units."""
    names = ",".join(f"heading {number} {at} (u{number})" for at in range(40))
    cells = ",".join(f"word {number}-{at}" for at in range(40))
    body = (
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        f"Name,Age,Sex,{names}\nA{number},30,m,{cells}\n\r\n--x--\r\n"
    )
    headers = (("Content-Type", "multipart/form-data; boundary=x"),)
    return Request("POST", "/v1/import", headers, body.encode())


def grown(service: Served, requests: int, uploads: int) -> tuple[dict[int, float], float]:
    """Megabytes by which each process grows, and all do, by so many distinct requests and uploads.

    Half as many come first, to warm up: memory is fragmented in steps over the first 12,000, and
    then stays where it is, as far as it was watched (45,000).
    """

    def send(first: int, count: int, make: Callable[[int], Request]) -> None:
        # A connection stays with one worker; the clients spread over all.
        def run(client_number: int) -> set[int]:
            client, numbers = (
                Client(service.url),
                range(first + client_number, first + count, CLIENTS),
            )
            statuses = {client.ask(make(number)).status for number in numbers}
            client.close()
            return statuses

        with ThreadPoolExecutor(CLIENTS) as pool:
            assert set().union(*pool.map(run, range(CLIENTS))) <= {200, 422}

    def send_all(first: int, share: float) -> None:
        send(first, round(requests * share), distinct_request)
        send(first, round(uploads * share), distinct_upload)

    send_all(0, 0.25)
    send_all(10**6, 0.25)
    before = memory(service)
    send_all(2 * 10**6, 1.0)
    after = memory(service)
    assert set(before) == set(after), "a process ended, or was added"
    growth = {pid: after[pid] - before[pid] for pid in before}
    return growth, sum(growth.values())


def test_nothing_is_remembered(service: Served) -> None:
    growth, total = grown(service, 200, 12)
    assert max(growth.values()) < MOST_GROWTH_MB
    assert total < MOST_GROWTH_MB


@pytest.mark.harness
def test_nothing_of_thousands_is_remembered(
    service: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    count, uploads = 20_000, 500
    growth, total = grown(service, count, uploads)
    faults = sum(size >= MOST_GROWTH_MB for size in (*growth.values(), total))
    most, held = max(growth.values()), max(memory(service).values())
    with capsys.disabled():
        print(  # noqa: T201
            f"\nmemory: tried {count + uploads}, faults {faults} (all processes grew by "
            f"{total:.1f} MB, one by at most {most:.1f} MB; the largest holds {held:.0f} MB)"
        )
    assert not faults


@contextmanager
def half_sent(service: Served, numbers: range) -> Iterator[None]:
    """Requests with canaries of which the service has all, or all but the end."""
    with ExitStack() as open_connections:
        for number in numbers:
            client = Client(service.url)
            sent = canary_request(number).wire(client.host)
            connection = open_connections.enter_context(client.connect())
            connection.sendall(sent if number % 2 else sent[:-9])
        yield


def reader_of(supervisor: psutil.Process) -> psutil.Process | None:
    """The process that reads a sheet now: the one that lets all others go first."""
    with suppress(psutil.NoSuchProcess):
        for child in supervisor.children(recursive=True):
            if child.nice() > supervisor.nice():
                return child
    return None


@contextmanager
def halted_upload(service: Served, pool: ThreadPoolExecutor) -> Iterator[Future[httpx.Response]]:
    """An upload with canaries whose reader, and no other, has begun and now stands still.

    A sheet that was read before its reader could be halted is sent once more.
    """
    supervisor = psutil.Process(service.process.pid)
    # Two seconds of reading: no cell is like another.
    names = ",".join(f"{CANARY} {column}" for column in range(50))
    cells = (f"{CANARY_DIGITS}.{number}" for number in count())
    lines = (f"{CANARY},25.{CANARY_DIGITS},m,{','.join(islice(cells, 50))}" for _ in range(4_900))
    sheet = "\n".join((f"Name,Age,Sex,{names}", *lines))
    for _ in range(20):
        upload = pool.submit(service.post_sheet, sheet)
        while not wait([upload], 0.01).done:
            reader = reader_of(supervisor)
            with suppress(psutil.NoSuchProcess):
                if reader and has_just_begun(reader):
                    reader.suspend()
                    with resumed(reader):
                        if has_just_begun(reader):
                            yield upload
                            return
    raise AssertionError("no sheet was ever seen while it was read")


@contextmanager
def resumed(process: psutil.Process) -> Iterator[None]:
    """A halted process goes on in the end, whatever comes."""
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def has_just_begun(reader: psutil.Process) -> bool:
    """Whether it is far from its end: such a sheet takes ten times as long."""
    return reader.cpu_times().user < 0.2


def left_by_deaths(service: Served, fatal: signal.Signals) -> list[str]:
    """Where canaries are left after all workers have died over requests that hold some."""
    with (
        ThreadPoolExecutor(1) as pool,
        halted_upload(service, pool) as upload,
        half_sent(service, range(CANARIES)),
    ):
        workers = psutil.Process(service.process.pid).children()
        for process in workers:
            process.send_signal(fatal)
        assert isinstance(upload.exception(), httpx.HTTPError)
    psutil.wait_procs(workers, 20)
    service.until(lambda: service.alive("/readyz"), 60)
    metrics = ["metrics"] if CANARY_DIGITS in service.get("/metrics").text else []
    # A core file would lie in the folder that the workers run in.
    cores = [path.name for path in ROOT.iterdir() if path.name.startswith("core")]
    return metrics + cores + holding_canaries(service.log_file.parent)


# The last of this file: they end the workers that the others have asked.
def test_no_canary_is_left_of_a_worker_that_dies_over_requests(service: Served) -> None:
    assert left_by_deaths(service, signal.SIGSEGV) == []


@pytest.mark.harness
@pytest.mark.parametrize("fatal", [signal.SIGABRT, signal.SIGKILL])
def test_no_canary_is_left_whatever_it_dies_of(
    service: Served, fatal: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = left_by_deaths(service, fatal)
    with capsys.disabled():
        print(  # noqa: T201
            f"\ncanaries, all workers ended by {fatal.name}: tried {CANARIES + 1}, "
            f"faults {len(faults)}"
        )
    assert faults == []
