"""No byte of any output changes unless somebody means it to: every output has a digest.

`digests.json` is the record. Where outputs are meant to change, look at what it prints and keep it:
`python -m pytest tests/test_digests.py --renew-digests`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version as version_of
from itertools import islice
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import httpx
import numpy as np
import pandas as pd
import pytest
from numpy._core._multiarray_umath import __cpu_features__
from published_bodies import Generator
from pydantic import BaseModel, ValidationError
from real_data import real_file
from threadpoolctl import threadpool_info
from typer.testing import CliRunner

from benchmarks.what_if_directions import CHANGEABLE, draw_changes
from kneerisk import __version__
from kneerisk.answer import PARTS, answer, answers
from kneerisk.answer.follow_up.compare_visits import follow_up
from kneerisk.answer.follow_up.follow_up_request import FollowUp
from kneerisk.answer.report import report_html, report_markdown
from kneerisk.answer.what_if import WhatIf, what_if
from kneerisk.cohort import screenings_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.errors import Fault, ScreeningRefused
from kneerisk.model import Bundle, bundle
from kneerisk.schema import Screening, data_dictionary, faults_of
from kneerisk.schema.sections import RED_FLAGS
from kneerisk.training.registry import run_record
from kneerisk.training.tracking import Tracking
from pipelines.__main__ import app
from serving.monitoring import Metrics
from serving.registration import web_application
from serving.routes import ROUTES
from serving.team_endpoint import Team, answer_team

pytestmark = pytest.mark.slow

RECORD = Path(__file__).with_name("digests.json")
#: Another cohort than the one that the champion was fitted to.
ATHLETES, SEED = 2_000, 407
#: Sums of numbers agree to this share of the sum of their sizes where the last bits may differ.
CLOSE = 1e-6

Json = dict[str, Any]
Parts = Mapping[str, str | bytes]
Check = Callable[..., None]
Run = Callable[..., str]


# What is kept of a part, and how two are compared.


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Of a part: all its bytes, its text without numbers, and its numbers in a few sums."""

    sha256: str
    words: str | None = None
    numbers: int = 0
    sum: float = 0.0
    by_place: float = 0.0
    """Each number times 1 to 7, by its place, so that two which change places are seen."""
    size: float = 0.0
    """Sum of the absolute values."""

    def differs(self, then: Digest, *, exactly: bool) -> list[str]:
        """What is another one than it was then, in words; nothing where the two agree.

        The same program on the same kind of machine gives the same bytes. Another processor or
        other versions of the libraries add up in another order: fits are then equal to some 1e-9,
        so that the last digits of a number differ, but no word and no sum by more than `CLOSE`.
        """
        if self.sha256 == then.sha256 or (not exactly and self._is_near(then)):
            return []
        told = [f"{name} {was:.17g}, now {now:.17g}" for name, was, now in (
            ("numbers", then.numbers, self.numbers), ("sum", then.sum, self.sum),
            ("sum by place", then.by_place, self.by_place), ("sum of sizes", then.size, self.size),
        ) if was != now]  # fmt: skip
        return [*([] if self.words == then.words else ["other words"]), *told] or ["other bytes"]

    def _is_near(self, then: Digest) -> bool:
        if self.words is None:  # a binary file has no words to compare
            return then.words is None
        within = CLOSE * then.size
        return (
            (self.words, self.numbers) == (then.words, then.numbers)
            and abs(self.sum - then.sum) <= within
            and abs(self.by_place - then.by_place) <= 7 * within
            and abs(self.size - then.size) <= within
        )


#: A hash or an id, which says nothing of how near two contents are; or a number. Longer whole
#: numbers (of an article, say) are words: they would outweigh all that is measured.
TOKEN = re.compile(
    r"((?<![.\w])[0-9a-f]{16,}\b"
    r"|(?<![.\w])-?(?:\d+\.\d+|\d{1,4}(?!\d))(?:[eE][+-]?\d+)?)"
)


def digest(content: str | bytes) -> Digest:
    """The digest of a text, or of a binary file."""
    if isinstance(content, bytes):
        return Digest(sha256=sha256(content))
    parts = TOKEN.split(content)
    found = [float(part) for part in parts[1::2] if len(part) < 16 or not part.isalnum()]
    numbers = np.array(found, dtype=np.float64)
    return Digest(
        sha256=sha256(content.encode()),
        words=sha256("#".join(parts[::2]).encode()),
        numbers=len(numbers),
        sum=float(numbers.sum()),
        by_place=float(numbers @ (1 + np.arange(len(numbers)) % 7)),
        size=float(np.abs(numbers).sum()),
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def settled(text: str) -> str:
    """A text without what is another one at each run: ids, hashes of them, what it was made with.

    Commits and folders don't enter: the first is replaced where it is asked for, files are named
    by relative paths. Times are nowhere told.
    """
    text = re.sub(r"\b[0-9a-f]{32}\b", "RUN", text)
    text = re.sub(r'("base_sha256": ?"|bundle sha256 `)[0-9a-f]{64}', r"\1BUNDLE", text)
    text = re.sub(r"^\| Made with \|.*$", "| Made with |", text, flags=re.MULTILINE)
    return text.replace(f'"version": "{__version__}"', '"version": "VERSION"')


def environment() -> Json:
    """On what the last bits of a number hang."""
    pools = threadpool_info()
    return {
        "python": "{}.{}".format(*sys.version_info),
        **{name: version_of(name) for name in ("numpy", "scipy", "pandas", "scikit-learn")},
        "xgboost": version_of("xgboost-cpu" if sys.platform == "linux" else "xgboost"),
        "platform": sys.platform,
        "processor": sorted(name for name, has in __cpu_features__.items() if has),
        "openblas": sorted({f"{pool['version']} {pool['architecture']}"
                            for pool in pools if pool["user_api"] == "blas"}),
        "threads": max(pool["num_threads"] for pool in pools if pool["user_api"] == "openmp"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def check(request: pytest.FixtureRequest) -> Iterator[Check]:
    """Compare the parts of a group with the record; renew it instead where that is asked for."""
    renew = request.config.getoption("--renew-digests")
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    here, kept = environment(), record.get("parts", {})
    exactly = record.get("environment") == here
    made: dict[str, dict[str, Json]] = {}

    def checked(group: str, parts: Parts) -> None:
        now = {name: digest(content) for name, content in parts.items()}
        then = {name: Digest(**part) for name, part in kept.get(group, {}).items()}
        made[group] = {name: asdict(part) for name, part in now.items()}
        told = list(differences(then, now, exactly=exactly or renew))
        if not renew:
            assert not told, f"{group}: {len(told)} of {len(now)} parts\n" + "\n".join(told)
        elif told:
            tell(request.config, [group, *told])

    yield checked
    if renew:
        # What was left out, such as data that were not fetched, stays as it is on one machine.
        parts = {**(kept if exactly else {}), **made}
        RECORD.write_text(json.dumps({"environment": here, "parts": parts}, indent=1) + "\n")


def tell(config: pytest.Config, lines: Sequence[str]) -> None:
    """Print what changed, which pytest would keep to itself."""
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")


def differences(
    then: Mapping[str, Digest], now: Mapping[str, Digest], *, exactly: bool
) -> Iterator[str]:
    """A line for each part that is new, gone or another one."""
    for name in sorted({*then, *now}):
        if name not in now or name not in then:
            yield f"  {name}: {'new' if name in now else 'gone'}"
        elif told := now[name].differs(then[name], exactly=exactly):
            yield f"  {name}: {'; '.join(told)}"


# What is asked.


def lines(found: Sequence[BaseModel]) -> str:
    """What the service sends, a line an answer."""
    sent = [one.model_dump_json(exclude_none=True, warnings="error") for one in found]
    return "\n".join(sent) + "\n"


def team_answer(released: Bundle, bodies: Sequence[Json]) -> str:
    """What the service sends to a team."""
    pieces = asyncio.run(answer_team(released, Team(screenings=list(bodies)), frozenset(PARTS)))
    return b"".join(pieces).decode() + "\n"


def body_of(screening: Screening) -> Json:
    body: Json = screening.model_dump(mode="json", exclude_none=True)
    return body


def by_json(body: Json) -> Screening:
    """A body as it is read from a request."""
    return Screening.model_validate_json(json.dumps(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Simulated screenings, and the battery of each."""

    screenings: list[Screening]
    batteries: list[str]

    def of(self, battery: str) -> list[Screening]:
        pairs = zip(self.screenings, self.batteries, strict=True)
        return [screening for screening, its in pairs if its == battery]


@pytest.fixture(scope="module")
def asked() -> Asked:
    """Athletes whom the champion was not fitted to; what simulated ones lack, some of them have."""
    drawn = simulate(ATHLETES, SEED)
    bodies = [body_of(screening) for screening in screenings_of(drawn.cohort.frame)]
    for number, body in enumerate(bodies):
        if number % 10 == 3:
            body["equipment"] = ["tape_or_phone"]
        if number % 25 == 0:
            body["red_flags"] = RED_FLAGS[number // 25 % len(RED_FLAGS) :][: number // 25 % 3]
    return Asked(screenings=list(map(by_json, bodies)), batteries=list(drawn.truth["battery"]))


@pytest.fixture(scope="module")
def published() -> list[Screening]:
    """Random bodies that the JSON Schema allows: values that no athlete has."""
    generator = Generator(Screening.model_json_schema(), Random(SEED))
    bodies = (generator.body(number % 11 / 10) for number in range(400))
    return list(islice(filter(None, map(sound, bodies)), 200))


def sound(body: Json) -> Screening | None:
    """A screening, or none where the schema can't say what is wrong with it."""
    try:
        return by_json(body)
    except ValidationError:
        return None


# What is answered with the simulated champion.


def test_answers(check: Check, released: Bundle, asked: Asked) -> None:
    """A screening is answered in the same bytes, whatever tests were done."""
    found = {name: lines(answers(released, asked.of(name))) for name in sorted({*asked.batteries})}
    check("answers by battery", found)


def test_answers_to_any_body(check: Check, released: Bundle, published: list[Screening]) -> None:
    """So is what nobody measures but the schema allows; alone, in a team, and where it is bad."""
    bodies: list[Any] = [body_of(screening) for screening in published]
    bodies[::10] = [{**body, "sex": "male"} for body in bodies[::10]]
    check("answers to any body", {
        "alone": lines([answer(released, screening) for screening in published[:40]]),
        "together": lines(answers(released, published)),
        "team with bad ones": team_answer(released, bodies),
    })  # fmt: skip


def test_what_if(check: Check, released: Bundle, asked: Asked) -> None:
    """What follows from other values, and why others are refused, is told in the same bytes."""
    found, refused, draw = [], [], Random(SEED)
    for number, screening in enumerate(asked.screenings[:200]):
        changes = draw_changes(released, screening, draw, 1 + number % 4, one_way=number % 2 == 0)
        body = {"screening": body_of(screening), "changes": changes}
        if changes:
            found.append(what_if(released, WhatIf.model_validate_json(json.dumps(body))))
        wild = {column: draw.uniform(-5.0, 60.0) for column in draw.sample(CHANGEABLE, 3)}
        refused.append(faults_of_changes(released, body | {"changes": wild}))
    check("what-if", {"answers": lines(found), "refused": "\n".join(refused)})


def faults_of_changes(released: Bundle, body: Json) -> str:
    try:
        return lines([what_if(released, WhatIf.model_validate_json(json.dumps(body)))])
    except ScreeningRefused as error:
        return as_text(error.faults)
    except ValidationError as error:
        return as_text(faults_of(error))


def as_text(faults: Sequence[Fault]) -> str:
    return json.dumps([asdict(fault) for fault in faults])


def test_follow_up(check: Check, released: Bundle, asked: Asked) -> None:
    """Visits of one athlete are compared, or refused, in the same bytes."""
    found, refused = [], []
    for number in range(len(asked.screenings) // 2):
        try:
            visits = FollowUp.model_validate_json(json.dumps(visits_of(asked, number)))
        except ValidationError as error:
            refused.append(as_text(faults_of(error)))
            continue
        found.append(follow_up(released, visits))
        if len(found) == 200:
            break
    assert len(found) == 200
    check("follow-up", {"answers": lines(found), "refused": "\n".join(refused)})


def visits_of(asked: Asked, number: int) -> Json:
    """An athlete who comes again with the legs of another one of the same battery, and again."""
    first = body_of(asked.screenings[number])
    other = body_of(asked.screenings[asked.batteries.index(asked.batteries[number], number + 1)])
    second = {**other, "athlete": first["athlete"]}
    bodies = [first, second, first] if number % 5 == 0 else [first, second]
    return {"visits": [
        {"date": f"2026-{3 * month + 1:02}-05", "screening": body}
        for month, body in enumerate(bodies)
    ]}  # fmt: skip


def test_reports(check: Check, released: Bundle, asked: Asked, published: list[Screening]) -> None:
    """The page to print has the same bytes, as HTML and as Markdown."""
    some = [*asked.screenings[:80], *published[:20]]
    found = list(zip(answers(released, some), some, strict=True))
    named = ("O'Neil <7>", "2026-03-02")
    check("reports", {
        "html": "\n".join(report_html(*one) for one in found),
        "html with a name": "\n".join(report_html(*one, *named) for one in found[:20]),
        "markdown": "\n".join(report_markdown(*one, *named) for one in found),
    })  # fmt: skip


def test_documents(check: Check, released: Bundle) -> None:
    """What the service says of itself without being asked about anybody has the same bytes."""
    champion: Any = SimpleNamespace(current=lambda: released)
    served = web_application(ROUTES, champion, Metrics())

    async def texts() -> dict[str, str]:
        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            addresses = ("/v1/schema", "/v1/texts", "/v1/model", "/docs.json")
            return {address: settled((await client.get(address)).text) for address in addresses}

    schema, words = data_dictionary.json_schema(), data_dictionary.markdown()
    documents = {"screening.schema.json": schema, "dictionary.md": words}
    check("documents", {**documents, **asyncio.run(texts())})


# What commands write.


@pytest.fixture(scope="module")
def kneerisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run a command in a folder of its own; gives what it prints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("digests"))
        for name in ("MLFLOW_TRACKING_URI", "KNEERISK_MODELS"):
            patch.delenv(name, raising=False)
        patch.setattr(run_record, "git_sha", lambda: "c" * 40)
        patch.setattr(
            "kneerisk.training.new_versions.trained_version.CROSS_VALIDATION_SEEDS", range(1)
        )
        patch.setattr("kneerisk.training.new_versions.adapted_version.FOLD_SEEDS", range(1))

        def run(*arguments: object) -> str:
            ended = CliRunner().invoke(app, [*map(str, arguments)])
            assert ended.exit_code == 0, ended.output
            return settled(ended.stdout)

        yield run


def texts_of(*names: str) -> dict[str, str]:
    """Files that a command wrote."""
    return {name: settled(Path(name).read_text(encoding="utf-8")) for name in names}


def bundle_in(folder: Path) -> dict[str, str | bytes]:
    """The files of a bundle; the manifest hashes the others, run ids and all."""
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    return {
        name: path.read_bytes() if path.suffix == ".ubj" else settled(path.read_text())
        for name, path in found.items()
        if name != "manifest.json"
    }


def in_order(result: Json) -> str:
    """A command's result; in which order metrics are named is not promised."""
    return json.dumps(result, sort_keys=True)


def run_of(version: str) -> tuple[Bundle, dict[str, str | bytes]]:
    """The model of a version, and the files of its run."""
    tracking, fetched = Tracking(Path.cwd()), Path(f"fetched-{version}")
    registered = tracking.version(version)
    folder = tracking.download_bundle(registered, fetched)
    card, judged = (
        tracking.download(registered.run_id, artifact, fetched).read_text(encoding="utf-8")
        for artifact in ("card.md", "evaluation.json")
    )
    beside = {"card.md": settled(card), "evaluation.json": in_order(json.loads(judged))}
    return bundle.load(folder), {**bundle_in(folder), **beside}


def test_the_champion(check: Check, released: Bundle, champion_models: Path) -> None:
    """A fit to a simulated cohort is written in the same bytes."""
    check("bundle of the champion", bundle_in(champion_models / released.metadata.version))


def test_commands(check: Check, kneerisk: Run, champion_models: Path) -> None:
    """Cohorts are drawn, scored, reported and judged in the same bytes."""
    at = ("--models", champion_models)
    printed = [
        kneerisk("simulate", "--athletes", 300, "--seed", 5, "--out", "drawn.csv"),
        kneerisk("score", "drawn.csv", "--out", "answers.csv", *at),
        kneerisk("report", "drawn.csv", "--athlete", "sim-5-000007", "--out", "one.html", *at),
        kneerisk("report", "drawn.csv", "--athlete", "sim-5-000008", "--out", "one.md", *at),
        kneerisk("evaluate", "--data", "drawn.csv", *at),
    ]
    written = texts_of("drawn.csv", "drawn-truth.csv", "answers.csv", "one.html", "one.md")
    check("commands", {**written, "printed": "\n".join(printed)})


def test_adapting_to_a_club(check: Check, kneerisk: Run, champion_models: Path) -> None:
    """A champion is corrected by a club's outcomes in the same bytes."""
    kneerisk("simulate", "--athletes", 260, "--seed", 21, "--out", "club.csv")
    club = pd.read_csv("club.csv", dtype=str)
    club.assign(cohort_kind="observed", source="a made-up club").to_csv("club.csv", index=False)
    told = json.loads(
        kneerisk(
            "adapt", "--data", "club.csv", "--refits", "3", "--json", "--models", champion_models
        )
    )
    _, files = run_of(told["version"])
    check("adapted to a club", {**files, "told": in_order(told)})


# What published data give.


@pytest.fixture(scope="module")
def ingested(kneerisk: Run) -> str:
    """Canonical files of the published data; gives what was printed."""
    runners = (real_file(f"ric/run_{name}.csv") for name in ("data_meta", "kinematics"))
    metadata, kinematics = runners
    given = ("--metadata", metadata, "--kinematics", kinematics)
    return "\n".join([
        kneerisk("ingest", "ric", *given, "--out", "ric.csv", "--report", "blanked.csv"),
        kneerisk("ingest", "weightlifters", real_file("weightlifters/wlinj.csv"),
                 "--out", "lifters.csv"),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def people(ingested: str) -> dict[str, list[Screening]]:
    """150 screenings of each set, taken evenly from those that can be answered."""
    found = {}
    for name in ("ric", "lifters"):
        rows = pd.read_csv(f"{name}.csv").dropna(subset=["age_years", "sex"])
        found[name] = screenings_of(rows.iloc[:: len(rows) // 150].head(150))
    return found


@pytest.fixture(scope="module")
def trained(kneerisk: Run, ingested: str) -> Json:
    """A model of one half of the runners, who are not those of the other half."""
    runners = pd.read_csv("ric.csv", dtype=str)
    odd = runners["athlete_id"].map(lambda name: crc32(name.encode()) % 2 == 1)
    runners[~odd].to_csv("half.csv", index=False)
    runners[odd].to_csv("others.csv", index=False)
    told: Json = json.loads(kneerisk("train", "--data", "half.csv", "--refits", "3", "--json"))
    return told


def test_ingested(check: Check, ingested: str) -> None:
    """Published files become cohorts in the same bytes."""
    check("ingested", {**texts_of("ric.csv", "blanked.csv", "lifters.csv"), "printed": ingested})


def test_answers_to_people(
    check: Check, released: Bundle, people: dict[str, list[Screening]]
) -> None:
    """Athletes who were measured are answered in the same bytes."""
    check("answers to people", {n: lines(answers(released, some)) for n, some in people.items()})


def test_trained_on_people(check: Check, trained: Json, people: dict[str, list[Screening]]) -> None:
    """A model of people is fitted, judged and described, and answers, in the same bytes."""
    made, files = run_of(trained["version"])
    answered = {
        f"answers, {name}": settled(lines(answers(made, some))) for name, some in people.items()
    }
    check("trained on people", {**files, **answered, "metrics": in_order(trained["metrics"])})


def test_adapted_to_people(check: Check, kneerisk: Run, trained: Json) -> None:
    """That model is corrected by the other runners, compared and scored with in the same bytes."""
    base = trained["version"]
    adapted = json.loads(
        kneerisk("adapt", "--data", "others.csv", "--refits", "3", "--model", base, "--json")
    )
    _, files = run_of(adapted["version"])
    compared, _, _ = kneerisk("compare", base, adapted["version"], "--every-metric").partition(
        "made with"  # ids, hashes and whole paths: they are told of each model by itself
    )
    printed = [
        re.sub(r"\b[0-9a-f]{8}\b", "RUN", compared),
        kneerisk("evaluate", "--data", "others.csv", "--model", base),
    ]
    check("adapted to people", {
        **files, "told": in_order(adapted), "printed": "\n".join(printed),
    })  # fmt: skip
