"""What make starts and stops, and what it says on a machine that lacks Python."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from kneerisk.errors import KneeriskError, PortTaken
from pipelines import locked, services, up
from pipelines.services import NotStarted, ProcessRecord, Service, stop

ROOT = Path(__file__).parents[1]
LONG_SECONDS = 60.0


#: A process that starts another one, in another session, as BentoML's controller does.
FAMILY = """
import signal, subprocess, sys, time
from pathlib import Path

def input_for_ever():
    while True:
        time.sleep(1)

def ignore_the_signal():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    input_for_ever()

here = Path(__file__).parent
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
)
(here / "child.new").write_text(str(child.pid))
(here / "child.new").rename(here / "child")
"""


def ended(process: psutil.Process) -> bool:
    """Whether it runs no more; nobody may yet have asked how it ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def wait_for(condition) -> None:
    end = deadline()
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def program(tmp_path):
    """A small web server, as the service and MLflow are to make up."""
    service = Service(
        name="probe", port=(port := free_port()), port_variable="PROBE_PORT", ready_path="/",
        arguments=("http.server", str(port), "--bind", "127.0.0.1"),
        environment={"PROBE": "yes"},
    )  # fmt: skip
    yield service
    stop(tmp_path, "probe")


def deadline() -> float:
    return time.monotonic() + LONG_SECONDS


class TestServices:
    def test_it_answers_in_its_own_group_and_is_gone_when_stopped(self, program, tmp_path):
        process = program.start(tmp_path)
        program.wait(tmp_path, deadline())
        assert services.responds(program.address)
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
        assert psutil.Process(process.pid).environ()["PROBE"] == "yes"
        assert stop(tmp_path, "probe")
        process.wait()
        assert not psutil.pid_exists(process.pid)
        assert not services.responds(program.address)
        assert program.running(tmp_path) is None
        assert not stop(tmp_path, "probe")

    def test_a_taken_port_is_refused_and_nothing_is_started(self, program, tmp_path):
        with socket.socket() as other:
            other.bind(("127.0.0.1", program.port))
            other.listen()
            with pytest.raises(PortTaken, match=f"{program.port} is taken.*PROBE_PORT="):
                program.start(tmp_path)
        assert program.running(tmp_path) is None

    def test_a_program_that_ends_raises_with_its_log(self, program, tmp_path):
        broken = replace(program, arguments=("kneerisk_no_such_module",))
        process = broken.start(tmp_path)
        with pytest.raises(NotStarted, match="No module named kneerisk_no_such_module"):
            broken.wait(tmp_path, deadline())
        process.wait()

    def test_a_program_that_stays_silent_raises(self, program, tmp_path):
        silent = replace(program, ready_path="/not-there")
        process = silent.start(tmp_path)
        with pytest.raises(NotStarted, match="does not answer"):
            silent.wait(tmp_path, time.monotonic())
        assert stop(tmp_path, "probe")
        process.wait()

    def test_another_process_with_the_recorded_id_is_left_alone(self, tmp_path):
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        ProcessRecord("probe", 1, other.pid, "0" * 32).write(tmp_path)
        assert not stop(tmp_path, "probe")
        assert other.poll() is None
        other.communicate(b"\n")

    def family(self, tmp_path: Path, lead: str) -> tuple[Service, subprocess.Popen[bytes]]:
        """A program whose first process starts another in a session of its own."""
        (tmp_path / "family.py").write_text(FAMILY + lead)
        service = Service(
            name="probe", port=free_port(), port_variable="PROBE_PORT", ready_path="/",
            arguments=("family",), environment={"PYTHONPATH": str(tmp_path)},
        )  # fmt: skip
        process = service.start(tmp_path)
        wait_for(lambda: (tmp_path / "child").exists())
        return service, process

    @pytest.mark.parametrize("lead", ["input_for_ever()", "ignore_the_signal()", "pass"])
    def test_children_end_with_their_parent_or_without_it(self, tmp_path, lead, monkeypatch):
        monkeypatch.setattr(services, "_STOP_SECONDS", 1.0)
        service, process = self.family(tmp_path, lead)
        if lead == "pass":  # the first process is gone, the child serves on
            process.wait()
            assert service.running(tmp_path) is None
        child = psutil.Process(int((tmp_path / "child").read_text()))
        assert stop(tmp_path, "probe")
        process.wait()
        assert ended(child)

    def test_a_killed_parent_leaves_nothing_that_hinders_the_next_start(self, program, tmp_path):
        _, process = self.family(tmp_path, "input_for_ever()")
        child = psutil.Process(int((tmp_path / "child").read_text()))
        process.kill()
        process.wait()
        assert child.is_running()
        next_process = program.start(tmp_path)
        program.wait(tmp_path, deadline())
        assert ended(child)
        assert stop(tmp_path, "probe")
        next_process.wait()

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
    def test_a_damaged_record_is_no_record(self, tmp_path, text):
        (tmp_path / "probe.json").write_text(text)
        assert ProcessRecord.read(tmp_path, "probe") is None


class TestUp:
    @pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "3 000"])
    def test_an_invalid_port_is_refused(self, monkeypatch, port):
        monkeypatch.setenv("PORT", port)
        with pytest.raises(KneeriskError, match="PORT must be a port"):
            up.prediction_service()

    def test_ports_come_from_the_environment(self, monkeypatch):
        monkeypatch.setenv("PORT", "3111")
        monkeypatch.delenv("MLFLOW_PORT", raising=False)
        assert up.prediction_service().address == "http://127.0.0.1:3111"
        assert up.mlflow_service().address == "http://127.0.0.1:5000"

    def test_records_are_kept_where_that_is_asked_for(self, monkeypatch, tmp_path):
        for variable in ("RECORDS", "KNEERISK_RECORDS"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.chdir(tmp_path)
        assert up.records_address() is None
        monkeypatch.setenv("RECORDS", "yes")
        address = up.records_address()
        assert up.prediction_service(address).environment == {"KNEERISK_RECORDS": address}
        up.prepare_records(address)
        up.prepare_records(address)
        assert (tmp_path / "records" / "club.sqlite").exists()
        monkeypatch.setenv("KNEERISK_RECORDS", "postgresql://host/club")
        assert up.records_address() == "postgresql://host/club"
        monkeypatch.setenv("RECORDS", "si")
        with pytest.raises(KneeriskError, match="RECORDS must be yes or no"):
            up.records_address()

    def test_a_service_that_runs_without_records_is_not_taken_for_one_with_them(
        self, program, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(up, "RUN_FOLDER", tmp_path)
        process = program.start(tmp_path)
        try:
            program.wait(tmp_path, deadline())
            up.refuse_other_settings(program)
            with pytest.raises(KneeriskError, match="make down, then make up"):
                up.refuse_other_settings(
                    replace(program, environment={"KNEERISK_RECORDS": "club.sqlite"})
                )
        finally:
            stop(tmp_path, program.name)
            process.wait()

    def test_where_the_first_model_can_not_be_trained_nothing_is_left_running(
        self, program, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("RECORDS", raising=False)
        port = free_port()
        page = replace(
            program, name="page", port=port,
            arguments=("http.server", str(port), "--bind", "127.0.0.1"),
        )  # fmt: skip
        monkeypatch.setattr(up, "prediction_service", lambda records: program)
        monkeypatch.setattr(up, "mlflow_service", lambda: page)

        def fail():
            for service in (program, page):
                service.wait(up.RUN_FOLDER, deadline())
            raise KneeriskError("no room on the disk")

        monkeypatch.setattr(up, "ensure_champion", fail)
        with pytest.raises(KneeriskError, match="no room on the disk"):
            up.up()
        assert [service.running(up.RUN_FOLDER) for service in (program, page)] == [None, None]
        assert not services.responds(program.address)
        assert not services.responds(page.address)

    def test_the_printed_request_is_a_valid_screening(self):
        from kneerisk.schema import Screening

        body = up.addresses("http://127.0.0.1:3000", "").partition("-d '")[2].partition("'")[0]
        assert Screening.model_validate(json.loads(body)).athlete.sport == "running"


class TestMakefile:
    @pytest.fixture
    def make(self, tmp_path):
        """Make with nothing on the PATH but what is put there."""
        found = shutil.which("make")
        if found is None:
            pytest.skip("make is not installed")
        for name in ("Makefile", "pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / name, tmp_path)
        (tmp_path / "bin").mkdir()
        for tool in ("sh", "touch", "awk"):
            (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
            return subprocess.run(
                [found, *arguments],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )

        return run

    def put(self, folder: Path, name: str, script: str) -> None:
        path = folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def test_without_a_python_that_runs_it_says_what_to_install(self, make, tmp_path):
        self.put(tmp_path, "python3.13", "echo 'shim: version not installed' >&2; exit 127")
        self.put(tmp_path, "python3", "exit 1")
        ended = make("setup")
        assert ended.returncode != 0
        assert "needs Python 3.11, 3.12 or 3.13" in ended.stderr
        assert "shim" not in ended.stderr
        assert not (tmp_path / ".venv").exists()

    def test_it_installs_by_hash_with_the_first_python_that_runs_and_only_once(
        self, make, tmp_path
    ):
        self.put(tmp_path, "python3.13", "exit 127")
        venv_python = "mkdir -p .venv/bin; cp bin/fake .venv/bin/python"
        self.put(tmp_path, "fake", 'case "$*" in *"pip install"*) echo "$*" >> installed;; esac')
        self.put(tmp_path, "python3.12", f'case "$*" in *venv*.venv) {venv_python};; esac')
        for tool in ("mkdir", "cp"):
            (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))

        def installed() -> list[str]:
            return (tmp_path / "installed").read_text().splitlines()

        assert make(".venv/.installed-up").returncode == 0
        assert ["pip.txt" in line for line in installed()] == [True, False, False]
        assert "--require-hashes -r .venv/up.txt" in installed()[1]
        assert "--no-deps --no-build-isolation -e ." in installed()[2]
        assert make("setup").returncode == 0
        assert "--require-hashes -r requirements.lock" in installed()[3]
        for _ in range(2):
            assert make("setup").returncode == 0
            assert len(installed()) == 4
        os.utime(tmp_path / ".venv" / ".installed-up", (0, 0))
        assert make("setup").returncode == 0
        assert len(installed()) == 8

    def test_up_installs_what_users_need_and_nothing_for_tests(self):
        written = re.search(r"^UP_NEEDS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert written
        pins = locked.read_lock(ROOT / "requirements.lock")
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = set(project["optional-dependencies"])
        asked = set(written[1].split())
        assert asked & extras == extras - {"dev"}
        names = locked.stated(ROOT / "pyproject.toml", asked)
        needed = {pin.name for pin in locked.needed(pins, names)}
        assert {"mlflow", "bentoml", "hatchling"} <= needed
        assert not {"pytest", "mypy", "playwright"} & needed

    def test_down_needs_nothing(self, make):
        assert make("down").returncode == 0

    def test_help_lists_every_target(self, make):
        listed = make().stdout
        for target in ("setup", "up", "down", "test", "check", "bench", "figures"):
            assert f"make {target}" in listed
