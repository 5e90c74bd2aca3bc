"""A bento serves from a plain folder elsewhere, without MLflow, pandas or training code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from served import ONE_WORKER, ROOT, served

from kneerisk.errors import BundleRefused
from serving.request_examples import EXAMPLE

pytestmark = pytest.mark.slow

#: Python starts with this in the process that serves the bento: nothing of the checkout and
#: nothing that only training needs can be imported there.
GUARD = """
import sys
from importlib.abc import MetaPathFinder

CHECKOUT, NEVER = {checkout!r}, {never!r}


class Guard(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in NEVER:
            raise ModuleNotFoundError(f"{{name}} is kept out", name=name)


sys.meta_path.insert(0, Guard())
sys.path[:] = [p for p in sys.path if not p.startswith(CHECKOUT) or "site-packages" in p]
"""
NEVER = ["mlflow", "pandas", "sklearn", "typer", "pipelines", "kneerisk.training"]


def run(*command: str, home: Path, cwd: Path = ROOT) -> str:
    own = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, env=os.environ | own, text=True,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def bento(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bento of this checkout with the champion in it: built, exported and unpacked."""
    folder = tmp_path_factory.mktemp("bento")
    home = folder / "bentoml"
    assert run("serving.model_store", str(champion_models), home=home).startswith(
        "kneerisk_champion:"
    )
    # Twice, as after a rollback: the store's newest has to be the champion.
    run("serving.model_store", str(champion_models), home=home)
    built = re.search(r"__tag__:(\S+)", run("bentoml", "build", "-o", "tag", home=home))
    assert built
    packed, unpacked = folder / "packed.tar", folder / "elsewhere"
    run("bentoml", "export", built.group(1), str(packed), home=home)
    with tarfile.open(packed) as archive:
        archive.extractall(unpacked, filter="data")
    return unpacked


def test_it_holds_the_champion_the_licence_and_no_training_code(bento: Path) -> None:
    names = {path.relative_to(bento).as_posix() for path in bento.rglob("*")}
    assert {"src/LICENSE", "src/serving/service.py", "src/kneerisk/schema/screening.py"} <= names
    assert any(re.fullmatch(r"models/kneerisk_champion/[^/]+/champion.json", n) for n in names)
    never = r"kneerisk/(training|client|sklearn)|en/training\.toml|simulat|\.pkl|/tests/|pipelines"
    assert not [n for n in names if re.search(never, n)]


def test_it_installs_what_the_serving_lock_says(bento: Path) -> None:
    listed = (bento / "env/python/requirements.txt").read_text()
    locked = (ROOT / "serving/requirements.txt").read_text()
    pins = set(re.findall(r"^[\w.-]+==[\w.]+", locked, re.MULTILINE))
    assert pins == set(re.findall(r"^[\w.-]+==[\w.]+", listed, re.MULTILINE))
    assert "--hash=sha256:" in listed
    assert not re.search(r"^(--|mlflow|pandas|scikit-learn)", listed, re.MULTILINE)
    assert "index" not in yaml.safe_load((bento / "bento.yaml").read_text())["image"]


def test_the_serving_lock_agrees_with_the_whole_one() -> None:
    pin = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
    serving = dict(pin.findall((ROOT / "serving/requirements.txt").read_text()))
    whole = dict(pin.findall((ROOT / "requirements.lock").read_text()))
    assert serving
    assert serving.items() <= whole.items()


@pytest.mark.parametrize("starter", ["ours", "bentoml"])
def test_it_serves_from_a_folder_elsewhere(bento: Path, tmp_path: Path, starter: str) -> None:
    (tmp_path / "guard").mkdir()
    guard = GUARD.format(checkout=str(ROOT), never=NEVER)
    (tmp_path / "guard" / "sitecustomize.py").write_text(guard)
    env = {"PYTHONPATH": str(tmp_path / "guard"), "KNEERISK_MODELS": ""}
    (pointer,) = (bento / "models" / "kneerisk_champion").glob("*/champion.json")
    command = {
        "ours": (*ONE_WORKER, "--models", str(pointer.parent)),
        "bentoml": ("bentoml", "serve", str(bento)),
    }[starter]  # fmt: skip
    with served(tmp_path, *command, cwd=bento / "src", **env) as running:
        running.until(lambda: running.alive("/readyz"))
        answer = running.post("/v1/predict", EXAMPLE)
        assert answer.status_code == 200
        assert answer.json()["model"]["version"] == running.get("/v1/model").json()["version"]
        assert running.get("/docs.json").status_code == 200
        assert running.post_sheet("Name,Age,Sex,Weight (lb)\nA,27,m,170").json()["counts"]["ready"]
        assert running.get("/").status_code == 200


def test_the_store_is_not_filled_without_a_champion(tmp_path: Path) -> None:
    from serving.model_store import fill

    with pytest.raises(BundleRefused, match="train and promote"):
        fill(tmp_path)
