"""A test pack: what is in it, and that it finds what a service answers otherwise."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import VERSION
from served import Served

from kneerisk.cohort.simulation.observation import batteries
from kneerisk.model import Bundle
from kneerisk.schema.sections import RED_FLAGS
from kneerisk.test_pack import expected_answers
from kneerisk.test_pack.expected_answers import TOLERANCE, differences
from kneerisk.test_pack.pack_files import CASES, MANIFEST, PackRefused, read, release, write
from kneerisk.test_pack.pack_requests import PACK_SIZE, pack_requests
from pipelines import __main__ as cli
from pipelines.released_pack import release_pack

pytestmark = pytest.mark.slow


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def testpack(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command as typed; gives its code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kneerisk", "testpack", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def pack(released: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    write(released, folder)
    return folder


@pytest.fixture(scope="module")
def cases(pack: Path) -> list[dict[str, Any]]:
    return read(pack).cases


class TestPackOfAVersion:
    def test_it_says_whose_answers_they_are(self, pack: Path, released: Bundle) -> None:
        manifest = read(pack).manifest
        assert manifest["version"] == released.metadata.version
        assert manifest["bundle_sha256"] == released.sha256
        assert manifest["schema"] == released.metadata.schema
        assert manifest["tolerance"] == TOLERANCE
        assert read(pack).is_as_made

    def test_it_has_500_of_every_kind(self, cases: list[dict[str, Any]]) -> None:
        assert len(cases) == PACK_SIZE == 500
        assert len({case["name"] for case in cases}) == PACK_SIZE
        assert all(("answer" in case) == (case["status"] == 200) for case in cases)
        of = Counter(case["name"].partition("-")[0] for case in cases)
        assert {of[battery.battery] for battery in batteries()} == {60}
        assert of["red_flag"] == len(RED_FLAGS)
        codes = Counter(case["problem"]["code"] for case in cases if "problem" in case)
        assert set(codes) == {"malformed_json", "duplicate_key", "invalid_body"}
        assert codes.total() >= 35
        statuses = {case["answer"]["risk"]["status"] for case in cases if "answer" in case}
        assert statuses == {"ok", "refer", "current_pain", "low_information", "out_of_population"}
        named = {case["answer"]["risk"].get("left", {}).get("band") for case in cases
                 if "answer" in case}  # fmt: skip
        assert {"below", "near", "above", "well_above"} <= named

    def test_its_bytes_are_the_same_again(self, pack: Path) -> None:
        lines = (pack / CASES).read_text("utf-8").splitlines()
        again = [request.body for request in pack_requests()]
        assert [json.loads(line).get("request") for line in lines] == again
        for line in (*lines, (pack / MANIFEST).read_text("utf-8").strip()):
            canonical = json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"))
            assert line == canonical

    def test_a_folder_with_something_in_it_is_left_alone(
        self, pack: Path, released: Bundle, tmp_path: Path
    ) -> None:
        with pytest.raises(PackRefused, match="holds something already"):
            write(released, pack)
        with pytest.raises(PackRefused, match="no test pack"):
            read(tmp_path)


class TestBesideABundle:
    @pytest.fixture
    def models(
        self, champion_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Path:
        monkeypatch.setattr(expected_answers, "pack_requests", lambda: pack_requests()[:10])
        shutil.copytree(champion_models, tmp_path / "models")
        return tmp_path / "models"

    def test_it_is_written_once(self, models: Path) -> None:
        folder = release(models, VERSION)
        assert folder == models / f"{VERSION}-testpack"
        written = (folder / MANIFEST).stat().st_mtime_ns
        assert release(models, VERSION) == folder
        assert (folder / MANIFEST).stat().st_mtime_ns == written

    def test_that_of_another_bundle_is_replaced(self, models: Path, released: Bundle) -> None:
        folder = release(models, VERSION)
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        (folder / MANIFEST).write_text(json.dumps(manifest | {"bundle_sha256": "0" * 64}))
        release(models, VERSION)
        assert read(folder).manifest["bundle_sha256"] == released.sha256

    def test_what_else_lies_there_is_left_alone_and_told(self, models: Path) -> None:
        (models / f"{VERSION}-testpack").mkdir()
        (models / f"{VERSION}-testpack" / "notes.txt").write_text("ours")
        pack, told = release_pack(models, VERSION, lambda _: None)
        assert pack is None
        assert f"kneerisk testpack --model {VERSION}" in told
        assert [path.name for path in (models / f"{VERSION}-testpack").iterdir()] == ["notes.txt"]

    def test_one_that_is_not_finished_leaves_nothing(
        self, models: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        before = sorted(path.name for path in models.iterdir())
        monkeypatch.setattr(Path, "write_bytes", full)
        pack, told = release_pack(models, VERSION, lambda _: None)
        assert pack is None
        assert "No space left" in told
        assert sorted(path.name for path in models.iterdir()) == before


EXPECTED: dict[str, Any] = {"a": [{"p": 0.25, "n": 25}], "status": "ok", "flag": True}


class TestDifferences:
    @pytest.mark.parametrize(
        ("found", "pointer"),
        [
            ({"a": [{"p": 0.25 + 3 * TOLERANCE, "n": 25}], "status": "ok", "flag": True}, "/a/0/p"),
            ({"a": [{"p": 0.25, "n": 26}], "status": "ok", "flag": True}, "/a/0/n"),
            ({"a": [{"p": 0.25}], "status": "ok", "flag": True}, "/a/0/n"),
            ({"a": [], "status": "ok", "flag": True}, "/a/0"),
            ({"a": [{"p": 0.25, "n": 25, "x": 1}], "status": "ok", "flag": True}, "/a/0/x"),
            ({"a": [{"p": 0.25, "n": 25}], "status": "refer", "flag": True}, "/status"),
            ({"a": [{"p": 0.25, "n": 25}], "status": "ok", "flag": 1}, "/flag"),
        ],
    )
    def test_each_is_named_with_its_place(self, found: Any, pointer: str) -> None:
        assert [one.pointer for one in differences(EXPECTED, found)] == [pointer]

    def test_numbers_may_differ_within_the_tolerance(self) -> None:
        found = {"a": [{"p": 0.25 + TOLERANCE / 2, "n": 25.0}], "status": "ok", "flag": True}
        assert list(differences(EXPECTED, found)) == []


class TestAgainstAService:
    def test_500_of_500_are_as_expected(
        self, page_service: Served, pack: Path, testpack: Run
    ) -> None:
        code, out, _ = testpack("--check", page_service.url, pack)
        assert (code, out.strip()) == (0, f"500 of 500 as expected of {VERSION}.")

    def test_one_changed_answer_is_found(
        self, page_service: Served, pack: Path, tmp_path: Path, testpack: Run
    ) -> None:
        lines = (pack / CASES).read_text("utf-8").splitlines()
        [number] = [n for n, line in enumerate(lines) if '"name":"full_lab-running-1"' in line]
        case = json.loads(lines[number])
        case["answer"]["risk"]["left"]["probability"] += 2e-6
        kept = [*lines[number - 5 : number], json.dumps(case), *lines[number + 1 : number + 5]]
        (tmp_path / CASES).write_text("\n".join(kept) + "\n", encoding="utf-8")
        shutil.copy(pack / MANIFEST, tmp_path)

        code, out, _ = testpack("--check", page_service.url, tmp_path, "--json")
        found = json.loads(out)
        assert (code, found["passed"], found["total"]) == (1, 9, 10)
        [difference] = found["differences"]
        assert difference["case"] == "full_lab-running-1"
        assert difference["pointer"] == "/answer/risk/left/probability"
        code, out, _ = testpack("--check", page_service.url, tmp_path)
        assert code == 1
        assert "full_lab-running-1 /answer/risk/left/probability: expected 0." in out
        assert "changed after" in out

    def test_a_refusal_that_is_not_given_is_found(
        self, page_service: Served, pack: Path, tmp_path: Path, testpack: Run
    ) -> None:
        manifest = json.loads((pack / MANIFEST).read_text("utf-8")) | {"version": "another"}
        (tmp_path / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        [refused] = [case for case in read(pack).cases if case["name"] == "shape-no-sex"]
        refused["request"]["athlete"]["sex"] = "male"
        (tmp_path / CASES).write_text(json.dumps(refused) + "\n", encoding="utf-8")
        code, out, _ = testpack("--check", page_service.url, tmp_path)
        assert code == 1
        assert "shape-no-sex /status: expected 422, found 200" in out
        assert f"The service serves {VERSION}." in out


class TestCommand:
    def test_it_writes_beside_the_bundle(
        self, champion_models: Path, tmp_path: Path, testpack: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        some = pack_requests()[-60:-40]
        monkeypatch.setattr(expected_answers, "pack_requests", lambda: some)
        models = tmp_path / "models"
        shutil.copytree(champion_models, models)
        code, out, _ = testpack("--models", models, "--json")
        made = json.loads(out)
        assert (code, made["cases"]) == (0, 20)
        assert Path(made["folder"]) == models / f"{VERSION}-testpack"
        assert read(Path(made["folder"])).version == VERSION
        code, _, err = testpack("--models", models)
        assert code == 1
        assert "holds something already" in err

    def test_a_folder_alone_is_a_question(self, pack: Path, testpack: Run) -> None:
        code, _, err = testpack(pack)
        assert code == 2
        assert "--check" in err

    def test_where_nothing_answers_it_says_so(self, pack: Path, testpack: Run) -> None:
        code, _, err = testpack("--check", "http://127.0.0.1:9", pack)
        assert code == 1
        assert "Nothing answers at http://127.0.0.1:9" in err
