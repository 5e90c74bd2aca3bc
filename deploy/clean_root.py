"""Runs the steps of the Dockerfile, and the service that comes of them, in a bare Debian.

    sudo python3 deploy/clean_root.py --models models

For where no registry of images can be reached, and to see that the image's steps are enough. Needs
root on Linux, and `debootstrap`; the bare system takes the place of the Python base image. Every
RUN, COPY, ENV and USER is that of `deploy/Dockerfile`. The result is started by its ENTRYPOINT and
CMD as its USER, without a capability, on a read-only root with a /tmp in memory and no network but
loopback, and has to answer. Mounts belong to processes of their own and end with them; the folder
is removed at the end. The stages are made by `image_build`.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from image_build import CERTIFICATES, ROOT, Build, Stage, run

START_SECONDS, STOP_SECONDS = 120.0, 30.0
#: A start of the service writes nothing but here.
WRITABLE = ("/tmp", "/dev/shm")
CASES = ROOT / "docs" / "examples" / "cases.json"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def inside(root: Path, command: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    """Run one step of the build as root in a file system; an error ends everything."""
    plan = {"root": str(root), "binds": {}, "read_only": False}
    run(*_unshared(plan), *_chrooted(root, folder), *command, environment=environment)


def _unshared(plan: Mapping[str, Any], *more: str) -> list[str]:
    """A command's beginning that gives it mounts and processes of its own."""
    flags = ["--mount", "--pid", "--fork", "--kill-child", *more]
    return ["/usr/bin/unshare", *flags, sys.executable, __file__, "--mounted", json.dumps(plan)]


def _chrooted(root: Path, folder: str, user: str = "") -> list[str]:
    """A command's beginning in another root; as another user without any capability."""
    words = ["/usr/sbin/chroot", str(root)]
    if user:
        uid, gid = user.split(":")
        words += [
            "/usr/bin/setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups",
            "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
        ]  # fmt: skip
    return [*words, "/usr/bin/env", f"--chdir={folder}"]


def mount(plan: Mapping[str, Any]) -> None:
    """Mount what a container has: /proc, a small /dev, /tmp in memory, and what is bound."""
    root = Path(plan["root"])
    run("mount", "--make-rprivate", "/")
    run("mount", "--bind", str(root), str(root))
    for source, target in plan["binds"].items():
        place = root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir(exist_ok=True) if Path(source).is_dir() else place.touch()
        run("mount", "--bind", source, str(place))
        run("mount", "-o", "remount,bind,ro", str(place))
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(root / "dev"))
    for device in ("null", "zero", "full", "random", "urandom"):
        (root / "dev" / device).touch()
        run("mount", "--bind", f"/dev/{device}", str(root / "dev" / device))
    (root / "dev/shm").mkdir()
    for writable in WRITABLE:
        run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / writable.lstrip("/")))
    if plan["read_only"]:
        run("mount", "-o", "remount,bind,ro", str(root))


def loopback() -> None:
    """Bring up the one network that there is."""
    with socket.socket() as any_socket:
        asked = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | _IFF_UP))


def try_service(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Start what the image starts, ask it, and stop it."""
    loopback()
    environment, root = plan["environment"], Path(plan["root"])
    as_user = _chrooted(root, plan["folder"], plan["user"])
    process = subprocess.Popen([*as_user, *plan["command"]], env=environment)
    try:
        _until_healthy([*as_user, *plan["health"]], environment, process)
        found = {"healthy": True} | _answers(plan) | _confined(as_user, environment, process.pid)
    finally:
        process.terminate()
        found_end = process.wait(STOP_SECONDS)
    return found | {"exit_code": found_end}


def _until_healthy(
    health: list[str], environment: Mapping[str, str], process: subprocess.Popen[bytes]
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(
        health, env=environment, check=False, stderr=subprocess.DEVNULL
    ).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the service did not become healthy")
        time.sleep(1)


def _answers(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What it says to a screening with its key and without, or to who asks for its first page."""
    if "key" not in plan:
        return {"page": _ask("http://127.0.0.1:5000/")[0]}
    url, body = (
        "http://127.0.0.1:3000/v1/predict",
        json.dumps(json.loads(CASES.read_text("utf-8"))[0]["body"]).encode(),
    )
    refused, _ = _ask(url, body)
    status, answer = _ask(url, body, plan["key"])
    risks = {leg: answer["risk"][leg]["probability"] for leg in ("left", "right")}
    return {"without_key": refused, "with_key": status, "risks": risks}


def _ask(url: str, body: bytes | None = None, key: str = "") -> tuple[int, Any]:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    try:
        with urlopen(Request(url, body, headers), timeout=60) as response:
            return response.status, json.load(response) if body else None
    except HTTPError as error:
        return error.code, None
    except URLError as error:
        raise SystemExit(f"no answer: {error}") from None


def _confined(as_user: Sequence[str], environment: Mapping[str, str], first: int) -> dict[str, Any]:
    """As whom its processes run, with which rights, and what they can write to."""
    states = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        lines = dict(
            line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line
        )
        if int(lines["NSpid"].split()[-1]) >= first:
            states[status.parent.name] = lines
    write = "import sys; open(sys.argv[1] + '/written', 'w')"
    kept_out = [
        place for place in ("/", "/opt/kneerisk", "/models", "/run", "/var/tmp", "/etc")
        if subprocess.run([*as_user, "python3", "-c", write, place], env=environment, check=False,
                          stderr=subprocess.DEVNULL).returncode
    ]  # fmt: skip
    return {
        "processes": len(states),
        "uids": sorted({state["Uid"].split()[1] for state in states.values()}),
        "capabilities": sorted({state["CapEff"] for state in states.values()}),
        "no_new_privileges": sorted({state["NoNewPrivs"] for state in states.values()}),
        "can_not_write": kept_out,
    }


def service_plan(
    stage: Stage, root: Path, environment: dict[str, str], folder: Path, models: Path
) -> dict[str, Any]:
    """What is mounted, who starts what, and what is asked."""
    plan = {
        "root": str(root), "read_only": True, "binds": {}, "environment": environment,
        "folder": stage.last("WORKDIR"), "user": stage.last("USER"),
        "health": json.loads(stage.last("HEALTHCHECK").partition("CMD ")[2]),
        "command": stage.arguments("ENTRYPOINT") + stage.arguments("CMD"),
    }  # fmt: skip
    if stage.name == "mlflow":
        plan["command"] += ["--backend-store-uri", "sqlite:////tmp/mlflow.db"]
        return plan
    key = folder / "service_key"
    key.write_text(secrets.token_urlsafe(32))
    key.chmod(0o400)
    os.chown(key, *map(int, plan["user"].split(":")))
    return plan | {
        "key": key.read_text(),
        "binds": {str(models.resolve()): "/models", str(key): "/run/secrets/service_key"},
    }


def main() -> int:
    """Build, start, ask, stop, remove."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--target", choices=("service", "mlflow"), default="service")
    parser.add_argument("--certificates", type=Path, default=Path(CERTIFICATES))
    parser.add_argument("--debian", type=Path, help="a root that debootstrap has made before")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kneerisk-clean-root-"))
    folder.chmod(0o755)
    try:
        build = Build(folder, options.certificates, options.debian, inside)
        root, environment = build.root(options.target)
        stage = build.stages[options.target]
        plan = service_plan(stage, root, environment, folder, options.models)
        run(*_unshared(plan, "--net"), "--try")
    finally:
        shutil.rmtree(folder)
    return 0


def in_namespaces(words: Sequence[str]) -> None:
    """What `unshare` starts: mounts, then a command or the trial."""
    plan = json.loads(words[0])
    # Whatever ends this process's parent ends this one, and with it every mount.
    ctypes.CDLL(None).prctl(1, 9)
    mount(plan)
    if words[1] == "--try":
        mount_own_processes()
        sys.stdout.write(json.dumps(try_service(plan), indent=1) + "\n")
        return
    os.execve(words[1], list(words[1:]), dict(os.environ))


def mount_own_processes() -> None:
    """Let /proc show the processes that were started here, and no others."""
    run("mount", "-t", "proc", "proc", "/proc")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--mounted"]:
        in_namespaces(sys.argv[2:])
    else:
        sys.exit(main())
