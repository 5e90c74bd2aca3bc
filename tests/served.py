"""A service of its own for a test: started as users do, stopped by its id at the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from club_keys import key_of

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0
#: Services are asked over plain HTTP. Unless told so, httpx reads all root certificates for each
#: request: 20 ms, of which a service that is waited for costs a hundred.
PLAIN = {"verify": False}


#: The service for tests of what one worker answers as well as two: to start a worker takes 2 s of
#: processor time.
ONE_WORKER = ("serving", "--workers", "1")


@dataclass
class Served:
    """A running service: its address, its process and what it has written so far."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30, **PLAIN)

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        raw = isinstance(body, str | bytes) or hasattr(body, "__next__")
        sent = {"content": body} if raw else {"json": body}
        headers = key_of(path) | more.pop("headers", {})
        return httpx.post(self.url + path, timeout=30, headers=headers, **PLAIN, **sent, **more)

    def post_sheet(
        self, content: bytes | str, said: Any = None, path: str = "/v1/import"
    ) -> httpx.Response:
        """A sheet as a page or curl sends it, with what its keeper says about it."""
        more = (
            {} if said is None else {"mapping": said if isinstance(said, str) else json.dumps(said)}
        )
        sheet = content.encode() if isinstance(content, str) else content
        files = {"file": ("club.csv", sheet)}
        return httpx.post(self.url + path, files=files, data=more, timeout=60, **PLAIN)

    def until(self, what: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait for something to come true; fails at the deadline or when the service ends."""
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, f"it never came true:\n{self.log()[-3000:]}"
            try:
                ended = self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the service ended with {ended}:\n{self.log()[-3000:]}")

    def alive(self, path: str = "/livez") -> bool:
        try:
            return self.get(path).status_code == 200
        except httpx.TransportError:
            return False


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def served(folder: Path, *command: str, cwd: Path = ROOT, **env: str) -> Iterator[Served]:
    """Serve from a folder of its own, ready to be asked whether it is alive."""
    port, log = free_port(), folder / "service.log"
    module = command or ("serving",)
    own = {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *module, "--host", "127.0.0.1", "--port", str(port)],
            cwd=cwd, env=os.environ | own | env, stdin=subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    service = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        service.until(service.alive, START_SECONDS)
        yield service
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and end its whole group where it does not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
