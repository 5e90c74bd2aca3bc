"""What others make of the API's description: linted, and clients that run every example.

The quick starts of `docs/api.md` run against the same service. Without Node the Python client and
the other quick starts are tried all the same.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import shutil
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from club_keys import WRITE_KEY, recording
from node_tools import NodeTools, installed
from served import ONE_WORKER, ROOT, Served, served

from serving.fhir_routes import FHIR_ROUTES
from serving.openapi import openapi_document
from serving.route import Route
from serving.routes import ROUTES

pytestmark = pytest.mark.slow

MINIMAL = {"athlete": {"age_years": 30, "sex": "female"}}
ALL = {**ROUTES, **FHIR_ROUTES}
POSTS = [route for route in ALL.values() if route.tag and route.examples]
GETS = [route for route in ALL.values() if route.tag and route.method == "GET"]
API = (ROOT / "docs" / "api.md").read_text("utf-8")
WRITTEN_FOR = "http://127.0.0.1:3000"
#: Redocly's strictest rules; but rules between fields are no list of all the fields there are.
REDOCLY = """
extends: [recommended-strict]
rules:
  no-invalid-media-type-examples: {severity: error, allowAdditionalProperties: true}
"""
#: The generator does not know Excel's media type; the hooks would look for a formatter.
GENERATOR = """
content_type_overrides:
  application/vnd.openxmlformats-officedocument.spreadsheetml.sheet: application/octet-stream
post_hooks: []
"""


@pytest.fixture(scope="module")
def service(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = recording(tmp_path_factory.mktemp("records")) | {"KNEERISK_FHIR": "yes"}
    folder = tmp_path_factory.mktemp("service")
    with served(
        folder, *ONE_WORKER, KNEERISK_MODELS=str(champion_models), **environment
    ) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document in a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(openapi_document(ALL)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, document: Path) -> NodeTools:
    """Redocly, TypeScript and the generator, with the types made from the document."""
    tools = installed(tmp_path_factory.mktemp("node"))
    shutil.copy(document, tools.folder / "openapi.json")
    tools.done("openapi-typescript", "openapi.json", "-o", "kneerisk.d.ts")
    return tools


def quick_start(language: str, service: Served) -> str:
    """A quick start of the document, for the service of this test."""
    code = API.partition(f"```{language}\n")[2].partition("```")[0]
    assert WRITTEN_FOR in code
    assert len(code.splitlines()) <= 12
    return code.replace(WRITTEN_FOR, service.url)


def program(service: Served) -> str:
    """A TypeScript program that sends a minimal body and every example that is JSON."""
    calls = [("/v1/predict", MINIMAL, "json")]
    calls += [
        (route.path, example, "json" if route.answer else "text")
        for route in POSTS
        if route.body
        for example in route.examples.values()
    ]
    sent = "\n".join(
        f"told(await api.POST({json.dumps(path)}, "
        f"{{ body: {json.dumps(body)}, parseAs: {json.dumps(kind)} }}));"
        for path, body, kind in calls
    )
    return f"""
import createClient from "openapi-fetch";
import type {{ paths }} from "./kneerisk.js";
const headers = {{ authorization: "Bearer {WRITE_KEY}" }};
const api = createClient<paths>({{ baseUrl: {json.dumps(service.url)}, headers }});
function told(answer: {{ error?: unknown; data?: unknown }}): void {{
  if (answer.error) throw new Error(JSON.stringify(answer.error));
  if (!answer.data) throw new Error("nothing was answered");
}}
{sent}
const wrong = {{ athlete: {{ age_years: 300, sex: "female" }} }} as const;
const {{ error }} = await api.POST("/v1/predict", {{ body: wrong }});
const code: "outside_limits" | undefined = error?.faults?.[0]?.code === "outside_limits"
  ? error.faults[0].code : undefined;
console.log(code, "{len(calls)} answered");
"""


@pytest.fixture(scope="module")
def compiled(service: Served, node: NodeTools) -> NodeTools:
    """The quick start in TypeScript and the program of all examples, strictly compiled."""
    programs = {"quick_start.mts": quick_start("ts", service), "examples.mts": program(service)}
    for name, code in programs.items():
        (node.folder / name).write_text(code, encoding="utf-8")
    node.done(
        "tsc", *programs, "--strict", "--target", "es2022", "--module", "nodenext",
        "--lib", "es2022,dom,dom.iterable",
    )  # fmt: skip
    return node


def told(service: Served) -> str:
    """What the quick starts in Python and TypeScript print of the left knee."""
    screening = {"athlete": {"age_years": 27, "sex": "female", "sport": "running"}}
    left = {"hip_drop_deg": 9, "ober_adduction_deg": 15}
    answer = service.post("/v1/predict", screening | {"left": left}).json()
    return f"{answer['risk']['left']['per_100']} in 100: {answer['summary'][0]}"


class TestQuickStarts:
    def test_curl(self, service: Served) -> None:
        if shutil.which("curl") is None:
            pytest.skip("no curl")
        command = ["sh", "-c", quick_start("sh", service)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["risk"]["left"]["per_100"] > 0

    def test_python(self, service: Served, tmp_path: Path) -> None:
        command = [sys.executable, "-I", "-c", quick_start("py", service)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == told(service)

    def test_typescript(self, compiled: NodeTools) -> None:
        assert re.match(r"[0-9]+ in 100: \w+", compiled.done("node", "quick_start.mjs"))


@pytest.fixture(scope="module")
def generated(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a package that openapi-python-client makes of the document."""
    folder, name = tmp_path_factory.mktemp("client"), "generated_kneerisk"
    (folder / "config.yaml").write_text(GENERATOR, encoding="utf-8")
    made = subprocess.run(
        [shutil.which("openapi-python-client", path=str(Path(sys.executable).parent)) or "",
         "generate", "--path", str(document), "--output-path", str(folder / name),
         "--meta", "none", "--fail-on-warning", "--config", str(folder / "config.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield name
    sys.path.remove(str(folder))


def asked(generated: str, service: Served, route: Route, **arguments: Any) -> Any:
    """A response of the generated client to one operation."""
    authenticated = importlib.import_module(generated).AuthenticatedClient
    made = importlib.import_module(f"{generated}.api.{route.tag}.{route.operation}")
    with authenticated(service.url, token=WRITE_KEY) as client:
        return made.sync_detailed(client=client, **arguments)


def body_of(generated: str, route: Route, example: dict[str, Any]) -> Any:
    """An example as the generated client's model of the body."""
    made = importlib.import_module(f"{generated}.api.{route.tag}.{route.operation}")
    [model] = [
        kind
        for kind in typing.get_args(typing.get_type_hints(made.sync_detailed)["body"])
        or [typing.get_type_hints(made.sync_detailed)["body"]]
        if hasattr(kind, "from_dict")
    ]
    if route.upload is None:
        return model.from_dict(example)
    file = importlib.import_module(f"{generated}.types").File
    asked = importlib.import_module(f"{generated}.models")
    said = getattr(asked, route.upload.__name__).from_dict(example["mapping"])
    content = io.BytesIO(example["file"].encode())
    return model(file=[file(payload=content, file_name="sheet.csv")], mapping=said)


class TestPythonClient:
    @pytest.mark.parametrize("route", POSTS, ids=lambda route: route.operation)
    def test_it_runs_every_example(self, generated: str, service: Served, route: Route) -> None:
        for example in route.examples.values():
            answer = asked(generated, service, route, body=body_of(generated, route, example))
            assert answer.status_code == 200, answer.content
            if route.answer:
                assert type(answer.parsed).__name__ == route.answer.__name__
                assert answer.parsed.to_dict() == json.loads(answer.content)
            else:
                assert answer.parsed is not None

    @pytest.mark.parametrize("route", GETS, ids=lambda route: route.operation)
    def test_it_reads_every_answer(self, generated: str, service: Served, route: Route) -> None:
        # The outcomes that are kept of this athlete are an example too.
        sent = service.post("/v1/outcomes", ROUTES["/v1/outcomes"].examples["week"])
        assert sent.status_code == 200
        more = {"athlete": "A7"} if "{athlete}" in route.path else {}
        answer = asked(generated, service, route, **more)
        # The club has no recorded answers, so there is nothing to monitor yet.
        wanted = 404 if route.operation == "get_monitoring" else 200
        assert answer.status_code == wanted, answer.content
        assert answer.parsed is not None
        assert (type(answer.parsed).__name__ == "Problem") == (wanted == 404)

    def test_a_minimal_body_is_enough(self, generated: str, service: Served) -> None:
        models = importlib.import_module(f"{generated}.models")
        body = models.Screening(models.Athlete(age_years=30, sex=models.AthleteSex.FEMALE))
        assert body.to_dict() == MINIMAL
        answer = asked(generated, service, ROUTES["/v1/predict"], body=body).parsed
        assert answer.risk.status == "low_information"

    def test_a_problem_has_its_codes(self, generated: str, service: Served) -> None:
        models = importlib.import_module(f"{generated}.models")
        body = models.Screening(models.Athlete(age_years=300, sex=models.AthleteSex.FEMALE))
        problem = asked(generated, service, ROUTES["/v1/predict"], body=body).parsed
        assert problem.code is models.ProblemCode.INVALID_BODY
        assert problem.faults[0].code is models.FaultCode.OUTSIDE_LIMITS
        assert problem.faults[0].pointer == "/athlete/age_years"


class TestNode:
    def test_the_document_is_linted_clean(self, node: NodeTools) -> None:
        (node.folder / "redocly.yaml").write_text(REDOCLY, encoding="utf-8")
        lint = ("redocly", "lint", "openapi.json", "--config", "redocly.yaml", "--format", "json")
        found = json.loads(re.sub(r"^[^{]*", "", node.done(*lint)))
        assert found["problems"] == []

    def test_a_fault_of_the_document_is_found(self, node: NodeTools) -> None:
        broken = json.loads((node.folder / "openapi.json").read_text("utf-8"))
        broken["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"][
            "examples"]["runner"]["value"] = {"athlete": {"age_years": "27"}}  # fmt: skip
        (node.folder / "broken.json").write_text(json.dumps(broken), encoding="utf-8")
        (node.folder / "redocly.yaml").write_text(REDOCLY, encoding="utf-8")
        assert node.run("redocly", "lint", "broken.json", "--config", "redocly.yaml").returncode

    def test_a_typescript_client_runs_the_examples(self, compiled: NodeTools) -> None:
        printed = compiled.done("node", "examples.mjs")
        assert re.fullmatch(r"outside_limits [0-9]+ answered\n", printed)
