"""`kneerisk doctor`: each broken set-up is named with its cure; a look changes nothing."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pytest
from served import free_port
from typer.testing import CliRunner

from kneerisk.diagnosis import machine_checks
from kneerisk.model import champion
from kneerisk.training.tracking import EVALUATION, Tracking
from pipelines.__main__ import app


class Usage(NamedTuple):
    """What `shutil.disk_usage` gives, in bytes."""

    total: float
    used: float
    free: float


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run. Copy it before breaking it."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with Tracking(folder).start_run("a run", {}) as run:
            run.log_text("{}", EVALUATION)
    return folder


class Setup:
    """A folder that works, with a champion and a store of runs."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        self.models = folder / "models"
        self.port, self.mlflow_port = free_port(), free_port()

    def told(self) -> dict[str, dict[str, str]]:
        """What `doctor --json` says, by what it is about."""
        ports = ["--port", str(self.port), "--mlflow-port", str(self.mlflow_port)]
        ended = CliRunner().invoke(app, ["doctor", *ports, "--json"])
        result = json.loads(ended.stdout)
        assert ended.exit_code == bool(result["faults"])
        return {finding["about"]: finding for finding in result["findings"]}

    def fault(self) -> dict[str, str]:
        """The only fault."""
        (fault,) = [finding for finding in self.told().values() if finding["state"] == "fault"]
        return fault


@pytest.fixture
def setup(tmp_path, runs, champion_models, monkeypatch) -> Setup:
    monkeypatch.chdir(tmp_path)
    for variable in ("MLFLOW_TRACKING_URI", "KNEERISK_RECORDS", "KNEERISK_MEASURES",
                     "KNEERISK_KEY_FILE", "KNEERISK_MODELS"):  # fmt: skip
        monkeypatch.delenv(variable, raising=False)
    shutil.copytree(champion_models, tmp_path / "models")
    return Setup(tmp_path, monkeypatch)


def test_a_sound_set_up_has_no_fault_and_is_left_as_it_was(setup, runs):
    shutil.copytree(runs, setup.folder, dirs_exist_ok=True)
    # The copy's runs name the files where they were made, which are still there.
    before = {path: path.stat().st_mtime_ns for path in setup.folder.rglob("*")}
    told = setup.told()
    assert {finding["state"] for finding in told.values()} == {"ok"}
    assert "1 finished runs" in told["MLflow"]["told"]
    assert {path: path.stat().st_mtime_ns for path in setup.folder.rglob("*")} == before


def test_no_model(setup):
    shutil.rmtree(setup.models)
    assert "there is no folder" in setup.fault()["told"]
    setup.models.mkdir()
    fault = setup.fault()
    assert "no model has been released" in fault["told"]
    assert "kneerisk promote" in fault["cure"]


def test_a_champion_whose_folder_is_gone(setup):
    version = champion.read(setup.models).version
    shutil.rmtree(setup.models / version)
    fault = setup.fault()
    assert version in fault["told"]
    assert f"kneerisk promote {version}" in fault["cure"]


def test_a_damaged_bundle(setup):
    folder = champion.read(setup.models).folder
    with (folder / "metadata.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    fault = setup.fault()
    assert fault["about"] == "champion"
    assert "kneerisk rollback" in fault["cure"]


def test_a_champion_file_that_is_none(setup):
    (setup.models / champion.FILE).write_text("{")
    assert "kneerisk rollback" in setup.fault()["cure"]


def test_what_a_killed_promotion_left(setup):
    (setup.models / ".incoming-v9").mkdir()
    note = setup.told()["models folder"]
    assert (note["state"], ".incoming-v9" in note["told"]) == ("note", True)


def test_without_the_service_s_packages_everything_else_is_looked_at(setup):
    complete = setup.told()
    setup.patch.delitem(sys.modules, "serving.access")
    setup.patch.setitem(sys.modules, "starlette.datastructures", None)
    told = setup.told()
    assert told["access"]["state"] == "note"
    assert "starlette" in told["access"]["told"]
    assert "kneerisk[serve]" in told["access"]["cure"]
    assert {**told, "access": complete["access"]}.keys() == complete.keys()
    assert {name for name, finding in told.items() if finding["state"] != "ok"} == {"access"}


def test_a_store_that_is_no_database(setup):
    Path("mlflow.db").write_text("not one")
    fault = setup.fault()
    assert fault["about"] == "mlflow"
    assert "move it away" in fault["told"]


def test_a_store_that_another_program_holds(setup, runs):
    shutil.copytree(runs, setup.folder, dirs_exist_ok=True)
    holder = sqlite3.connect("mlflow.db", isolation_level="EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert "another program is writing" in setup.fault()["told"]
    finally:
        holder.close()


def test_a_store_that_was_moved(setup, runs, tmp_path_factory):
    made_in = tmp_path_factory.mktemp("once") / "here"
    with Tracking(made_in := _folder(made_in)).start_run("a run", {}) as run:
        run.log_text("{}", EVALUATION)
    for name in ("mlflow.db", "mlartifacts"):
        shutil.move(made_in / name, setup.folder / name)
    made_in.rmdir()
    assert "Move the folder back, or link" in setup.fault()["told"]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_server_of_runs_that_is_not_there(setup):
    setup.patch.setenv("MLFLOW_TRACKING_URI", f"http://someone:secret@127.0.0.1:{free_port()}")
    told = setup.fault()["told"]
    assert "it does not answer" in told
    assert "secret" not in told


@pytest.mark.parametrize("program", ["service", "MLflow"])
def test_a_port_that_another_program_holds(setup, program):
    with socket.socket() as other:
        other.bind(("127.0.0.1", setup.port if program == "service" else setup.mlflow_port))
        other.listen()
        setup.patch.setattr(machine_checks, "_ANSWER_SECONDS", 0.2)
        fault = setup.fault()
    assert f"another program listens where {program} would" in fault["told"]
    assert ("PORT=" if program == "service" else "MLFLOW_PORT=") in fault["cure"]


def test_a_disk_that_is_nearly_full(setup):
    setup.patch.setattr(shutil, "disk_usage", lambda path: Usage(1e12, 1e12, 0.3e9))
    fault = setup.fault()
    assert "0.3 GB free" in fault["told"]
    assert "make room" in fault["cure"]
    setup.patch.setattr(shutil, "disk_usage", lambda path: Usage(1e12, 1e12, 3e9))
    assert setup.told()["disk"]["state"] == "note"


def test_a_clock_that_is_behind(setup):
    setup.patch.setattr(machine_checks.time, "time", lambda: 1_000_000_000.0)
    fault = setup.fault()
    assert "says that it is 2001-09-09" in fault["told"]
    assert "set the clock" in fault["cure"]


def test_a_package_out_of_its_range(setup):
    real = metadata.version
    setup.patch.setattr(metadata, "version", lambda name: "1.0" if name == "numpy" else real(name))
    fault = setup.fault()
    assert fault["told"] == "numpy 1.0 is installed; >=2.1 is needed"
    assert "requirements.lock" in fault["cure"]


def test_another_python(setup):
    setup.patch.setattr(machine_checks.platform, "python_version", lambda: "3.9.2")
    assert "Python 3.9.2 runs this" in setup.fault()["told"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("records.sqlite", "kneerisk records"),
        ("mysql://x", "SQLite"),
        ("postgresql://me:secret@127.0.0.1:9/club", "127.0.0.1"),
    ],
)
def test_records_that_do_not_open(setup, address, said):
    setup.patch.setenv("KNEERISK_RECORDS", address)
    fault = setup.fault()
    assert fault["about"] == "records"
    assert said in fault["told"]
    assert "secret" not in fault["told"]
    assert not Path("records.sqlite").exists()


def test_a_key_that_others_can_read(setup):
    key = setup.folder / "key"
    key.write_text("x" * 40)
    key.chmod(0o644)
    setup.patch.setenv("KNEERISK_KEY_FILE", str(key))
    fault = setup.fault()
    assert fault["about"] == "access"
    assert "chmod 600" in fault["told"]


def test_a_file_of_measures_that_is_none(setup):
    setup.patch.setenv("KNEERISK_MEASURES", "measures.toml")
    Path("measures.toml").write_text("[")
    fault = setup.fault()
    assert fault["about"] == "own measures"
    assert "KNEERISK_MEASURES" in fault["cure"]


def test_it_reads_well(setup):
    shutil.rmtree(setup.models)
    shown = CliRunner().invoke(app, ["doctor", "--port", str(setup.port)]).stdout
    assert "FAULT  champion" in shown
    assert "-> `make up` trains a first one" in shown
    assert shown.rstrip().endswith("Faults found: 1. Nothing was changed.")
    assert list(setup.folder.iterdir()) == []
