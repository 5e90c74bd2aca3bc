"""The supervisor: workers that end are replaced, unless none of them can ever start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from served import Served, free_port, stop
from uvicorn.config import STARTUP_FAILURE

from serving.supervisor import MOST_FAILED_STARTS

pytestmark = pytest.mark.slow

BROKEN, CAN_NOT_START = "broken", "a worker can't start"
#: A supervisor of two workers that start at once. One that finds the file `BROKEN` beside it can't
#: start, and ends with the code in it. None is ended because it does not respond.
_SUPERVISED = f"""
import logging, sys
from pathlib import Path
import uvicorn
from uvicorn.supervisors.multiprocess import Process
from serving.supervisor import Supervisor

BROKEN = Path(__file__).with_name({BROKEN!r})

async def application(scope, receive, send):
    if scope["type"] == "http":
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": b""}})

def make():
    if BROKEN.exists():
        print({CAN_NOT_START!r}, flush=True)
        sys.exit(int(BROKEN.read_text()))
    return application

class Told(Supervisor):
    def keep_subprocess_alive(self):
        for worker in self.processes:
            worker.ping = lambda timeout, of=worker: tell(of, timeout)
        super().keep_subprocess_alive()

def tell(worker, timeout):
    print(worker.pid, "is asked", flush=True)
    return Process.ping(worker, timeout)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = Path(__file__).parent
    config = uvicorn.Config(
        "supervised:make", factory=True, port=int(sys.argv[1]), workers=2, log_config=None,
        lifespan="off", timeout_worker_healthcheck=3600,
    )
    supervisor = Told(config, [config.bind_socket()], folder)
    supervisor.run()
    sys.exit(int(supervisor.has_failed))
"""


@contextmanager
def supervised(folder: Path, broken: int | None = None) -> Iterator[Served]:
    """A running supervisor of two small workers, which are not ready yet, or never if broken."""
    program, log_file, port = folder / "supervised.py", folder / "log", free_port()
    program.write_text(_SUPERVISED)
    if broken is not None:
        (folder / BROKEN).write_text(str(broken))
    with log_file.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(program), str(port)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield Served(f"http://127.0.0.1:{port}", process, log_file)
    finally:
        stop(process)


def kill(processes: list[psutil.Process]) -> None:
    """End processes, and wait until they have."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, 20)


def started_by(service: Served) -> list[psutil.Process]:
    """The workers, and Python's tracker of what processes share."""
    return psutil.Process(service.process.pid).children()


def workers_of(service: Served) -> list[psutil.Process]:
    return [each for each in started_by(service) if "spawn_main" in " ".join(each.cmdline())]


def test_a_service_that_was_ready_outlives_its_workers(tmp_path: Path) -> None:
    with supervised(tmp_path) as service:
        for _ in range(MOST_FAILED_STARTS):
            # The moment that one of them is ready: the other may start yet, and the supervisor has
            # asked neither, or waits for the reply of one.
            service.until(service.alive)
            kill(started_by(service))
        service.until(service.alive)


def test_a_worker_that_dies_while_it_is_asked_is_replaced(tmp_path: Path) -> None:
    with supervised(tmp_path) as service:
        service.until(service.alive)
        halted = workers_of(service)[0]
        # Counted before it is halted: that it is asked then is told but once.
        asked, before = f"{halted.pid} is asked", len(service.log())
        halted.suspend()
        service.until(lambda: asked in service.log()[before:])
        kill([halted])
        service.until(lambda: f"Worker {halted.pid} ended" in service.log())


def test_a_service_that_answers_outlives_workers_that_can_not_start(tmp_path: Path) -> None:
    with supervised(tmp_path) as service:
        service.until(service.alive)
        (tmp_path / BROKEN).write_text(str(STARTUP_FAILURE))
        kill(workers_of(service))
        service.until(lambda: service.log().count(CAN_NOT_START) > 2)
        (tmp_path / BROKEN).unlink()
        service.until(service.alive)


@pytest.mark.parametrize("code", [1, STARTUP_FAILURE])
def test_workers_that_can_never_start_end_the_service(tmp_path: Path, code: int) -> None:
    with supervised(tmp_path, broken=code) as service:
        assert service.process.wait(60) == 1
        # One more may have failed meanwhile, which the supervisor has not looked at.
        failed = MOST_FAILED_STARTS if code == 1 else 1
        assert service.log().count(f" ended ({code})") == failed


def test_half_an_installation_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "bentoml.py").write_text("raise ImportError('half an installation')")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "serving", "--port", str(free_port()), "--models", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "half an installation" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("The service can't start: its workers end")
