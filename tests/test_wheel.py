"""The wheel alone, outside the checkout: what it installs, and what works with which extra."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from packaging.requirements import Requirement
from served import ROOT, Served, free_port, stop

from kneerisk import __main__ as commands
from kneerisk.model import Bundle
from kneerisk.training import provenance
from serving.request_examples import EXAMPLE

pytestmark = pytest.mark.slow

#: What a build reads.
SOURCES = ("src", "pipelines", "serving", "pyproject.toml", "README.md", "LICENSE")


def built(source: Path, folder: Path) -> Path:
    """The wheel of a source tree, built by its build backend without an environment of its own."""
    command = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", command, str(folder)], cwd=source, check=True, timeout=120,
        stdout=subprocess.DEVNULL, env=os.environ | {"SOURCE_DATE_EPOCH": "1764201600"},
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


def needed_by(requirements: list[Requirement], found: dict[str, frozenset[str]]) -> None:
    """Add the distributions that requirements need, and those need, with the extras in use."""
    for requirement in requirements:
        name, extras = requirement.name.lower().replace("_", "-"), frozenset(requirement.extras)
        if name in found and extras <= found[name]:
            continue
        found[name] = found.get(name, frozenset()) | extras
        stated = [Requirement(line) for line in distribution(name).requires or ()]
        needed_by([one for one in stated if applies(one, found[name])], found)


def applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def environment(folder: Path, wheel: Path, *extras: str) -> Path:
    """A virtual environment with the wheel and just what it and these extras say they need.

    Packages are links to those of this environment, and pip, which may not download, installs
    the wheel only if they satisfy what it states. Modules are compiled when they are used.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folder.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        lines = archive.read(metadata).decode().partition("\n\n")[0].splitlines()
    stated = [Requirement(line[15:]) for line in lines if line.startswith("Requires-Dist: ")]
    found: dict[str, frozenset[str]] = {}
    needed_by([one for one in stated if applies(one, frozenset(extras))], found)
    for name in found:
        for top in {file.parts[0] for file in distribution(name).files or ()} - {
            "..",
            "__pycache__",
        }:
            place, link = Path(str(distribution(name).locate_file(top))), packages / top
            if place.exists() and not link.exists():
                link.symlink_to(place)
    asked = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install",
         "--quiet", "--no-index", "--no-compile", "--disable-pip-version-check", asked],
        check=True, timeout=120,
    )  # fmt: skip
    return folder


def outside(**own: str) -> dict[str, str]:
    """The environment of a process that knows nothing of the checkout."""
    kept = {k: v for k, v in os.environ.items() if not re.match(r"PYTHON|KNEERISK|VIRTUAL_ENV", k)}
    return kept | own


#: Programs of those who have the package: they ask a service, and load a version in MLflow.
ASK = "import sys; from kneerisk.client import Client; print(Client(sys.argv[1]).model().version)"
LOAD = """
import warnings; warnings.simplefilter("ignore")
import mlflow, pandas
mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model("models:/kneerisk-new_pain-12m@challenger")
print(model.predict(pandas.DataFrame({"age_years": [30], "sex": ["male"]}))["version"][0])
"""


def python(environment: Path, program: str, *arguments: str, cwd: Path) -> str:
    """What a program prints that Python runs in the environment."""
    ran = subprocess.run(
        [environment / "bin/python", "-c", program, *arguments], cwd=cwd, env=outside(),
        text=True, stdout=subprocess.PIPE, timeout=120, check=True,
    )  # fmt: skip
    return ran.stdout.strip()


def run(environment: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin/kneerisk", *arguments], cwd=cwd, env=outside(COLUMNS="200"), text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip


def test_two_builds_are_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(ROOT / name, copy / name)
    (copy / "pipelines" / "serve.py").chmod(0o600)
    assert built(copy, tmp_path).read_bytes() == wheel.read_bytes()


def test_it_has_one_top_level_package_with_all_its_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names} == {"kneerisk", "kneerisk-0.1.0.dist-info"}
    inside = {"src/kneerisk": "kneerisk", "serving": "kneerisk/_entry_points/serving"}
    for folder, place in inside.items():
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"{place}/{file.relative_to(ROOT / folder).as_posix()}" in names
    assert "kneerisk/_entry_points/pipelines/train.py" in names
    assert not [
        name for name in names if re.search(r"/(figures|derive|up)\.py|__pycache__|/tests/", name)
    ]


def test_without_extras_it_says_what_to_install(wheel: Path, tmp_path: Path) -> None:
    plain = environment(tmp_path / "plain", wheel)
    for asked in ([], ["--help"]):
        helped = run(plain, *asked, cwd=tmp_path)
        assert (helped.returncode, helped.stderr) == (0, "")
        assert "typer" in helped.stdout
        assert "pip install 'kneerisk[train]'" in helped.stdout
        assert "pip install 'kneerisk[serve]'" in helped.stdout
        assert helped.stdout.count("\n") == 1
    assert run(plain, "--version", cwd=tmp_path).stdout == "kneerisk 0.1.0\n"
    for command, extra in {"train": "train", "serve": "serve"}.items():
        refused = run(plain, command, cwd=tmp_path)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"kneerisk[{extra}]" in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("module", "is_named"), [("prometheus_client", True), ("typo", False)])
def test_a_command_that_needs_another_extra_says_which(
    module: str,
    is_named: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def command() -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    absent = {"serve": ["prometheus-client"]}
    monkeypatch.setattr(commands, "missing", lambda extra: absent.get(extra, []))
    monkeypatch.setattr(commands, "import_module", lambda _: SimpleNamespace(main=command))
    monkeypatch.setattr(sys, "argv", ["kneerisk", "doctor"])
    with pytest.raises(SystemExit if is_named else ModuleNotFoundError):
        commands.main()
    assert ("kneerisk[serve]" in capsys.readouterr().err) == is_named


def test_without_httpx_the_client_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.delitem(sys.modules, "kneerisk.client", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"kneerisk\[client\]"):
        import_module("kneerisk.client")


def test_a_commit_is_logged_only_of_the_repository_that_has_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment often lies in somebody's repository, whose commit says nothing of ours."""

    def git(*arguments: str) -> str:
        names = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER")
                 for what in ("NAME", "EMAIL")}  # fmt: skip
        return subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=os.environ | names, text=True,
            stdout=subprocess.PIPE, check=True,
        ).stdout.strip()  # fmt: skip

    module = tmp_path / "provenance.py"
    module.touch()
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "theirs")
    monkeypatch.setattr(provenance, "__file__", str(module))
    assert provenance.git_sha.__wrapped__() is None
    git("add", "provenance.py")
    git("commit", "--quiet", "--message", "with the package")
    assert provenance.git_sha.__wrapped__() == git("rev-parse", "HEAD")


@contextmanager
def serving(environment: Path, folder: Path, models: Path) -> Iterator[Served]:
    """`kneerisk serve` in a folder outside the checkout."""
    port, log = free_port(), folder / "service.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [environment / "bin/kneerisk", "serve", "--port", str(port), "--models", models],
            cwd=folder, env=outside(), stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    service = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        service.until(lambda: service.alive("/readyz"), 60)
        yield service
    finally:
        stop(process)


def test_with_serve_it_serves_a_released_model(
    wheel: Path, champion_models: Path, released: Bundle, tmp_path: Path
) -> None:
    installed = environment(tmp_path / "installed", wheel, "serve", "client")
    # Someone else's folder of the same name, where the command is run, is no matter.
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "__init__.py").write_text("raise SystemExit('not ours')")
    with serving(installed, tmp_path, champion_models) as service:
        answer = service.post("/v1/predict", EXAMPLE)
        assert answer.status_code == 200
        assert answer.json()["model"]["version"] == released.metadata.version
        sheet = service.post_sheet("Name,Age,Sex,Weight (lb)\nA,27,m,170")
        assert sheet.json()["counts"]["ready"] == 1
        assert httpx.get(service.url).text.count("<script") > 0
        assert python(installed, ASK, service.url, cwd=tmp_path) == released.metadata.version


def test_with_train_it_trains_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    installed, folder = environment(tmp_path / "installed", wheel, "train"), tmp_path / "club"
    folder.mkdir()
    helped = run(installed, "--help", cwd=folder)
    assert "mlflow.db" in helped.stdout
    assert "kneerisk[serve]" in helped.stderr
    assert "kneerisk[records]" in helped.stderr
    refused = run(installed, "serve", cwd=folder)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "kneerisk[serve]" in refused.stderr
    assert not list(folder.iterdir())

    simulated = run(
        installed, "simulate", "--athletes", "300", "--out", "cohort.parquet", cwd=folder
    )
    assert simulated.returncode == 0, simulated.stderr
    trained = run(
        installed, "train", "--data", "cohort.parquet", "--refits", "0", "--json", cwd=folder
    )
    assert trained.returncode == 0, trained.stderr[-2000:]
    result = json.loads(trained.stdout)
    assert result["version"] == "kneerisk-new_pain-12m-v1"
    assert python(installed, LOAD, cwd=folder) == result["version"]
    promoted = run(installed, "promote", "--no-testpack", "--json", cwd=folder)
    made = {path.name for path in folder.iterdir()}
    assert {"cohort.parquet", "mlflow.db", "mlartifacts"} <= made
    # So few athletes may not pass the gates; the reason is then said.
    assert (promoted.returncode == 0) == ("models" in made), promoted.stderr
    assert "Traceback" not in promoted.stderr
    looked = json.loads(run(installed, "doctor", "--json", cwd=folder).stdout)["findings"]
    states = {finding["about"]: finding["state"] for finding in looked}
    assert (states["access"], states["MLflow"], states["packages"]) == ("note", "ok", "ok")
