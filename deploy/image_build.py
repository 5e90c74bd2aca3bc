"""The stages of the Dockerfile as folders: a bare Debian, and each RUN, COPY, ENV and WORKDIR."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
MIRROR, SUITE = "http://deb.debian.org/debian", "bookworm"
#: What the Python base image has and a bare Debian has not.
PYTHON = "python3,python3-venv,ca-certificates"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
#: What the sandbox of the build may know of the machine: where packages are.
KEPT = ("PIP_", "http_proxy", "https_proxy", "no_proxy")
#: Runs a command in a root, with an environment, from a folder; an error ends everything.
RunStep = Callable[[Path, Sequence[str], Mapping[str, str], str], None]


@dataclass
class Stage:
    """One FROM of the Dockerfile and what follows it."""

    name: str
    parent: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, word: str) -> str:
        """What the last instruction of a kind says."""
        return [rest for found, rest in self.steps if found == word][-1]

    def arguments(self, word: str) -> list[str]:
        """An instruction in exec form."""
        return list(json.loads(self.last(word)))


def read_dockerfile(file: Path) -> dict[str, Stage]:
    """The stages of a Dockerfile, by name."""
    stages: dict[str, Stage] = {}
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            parent, _, name = rest.split()
            stages[name] = stage = Stage(name, parent)
        elif word:
            stage.steps.append((word, rest.strip()))
    return stages


class Build:
    """Makes the root of each stage below a folder.

    Parameters
    ----------
    folder
        Where.
    certificates
        Of the machine, which a step may need to reach a package.
    debian
        A bare system that was made before; None: `debootstrap` makes one.
    run_step
        Runs a RUN in the root of its stage.
    """

    def __init__(
        self, folder: Path, certificates: Path, debian: Path | None, run_step: RunStep
    ) -> None:
        self.stages = read_dockerfile(Path(__file__).with_name("Dockerfile"))
        self.folder, self.certificates, self.debian = folder, certificates, debian
        self.run_step = run_step

    def root(self, name: str) -> tuple[Path, dict[str, str]]:
        """The root file system of a stage and its environment."""
        stage, root = self.stages[name], self.folder / name
        if root.exists():
            return root, self._environment(stage)
        if stage.parent in self.stages:
            parent, _ = self.root(stage.parent)
            run("cp", "--archive", "--reflink=auto", str(parent), str(root))
        else:
            self._make_debian(stage.parent, root)
        folder = self._folder(stage.parent)
        for word, rest in stage.steps:
            if word == "WORKDIR":
                folder = rest
                (root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                self._copy(rest.split(), root, folder)
            elif word == "RUN":
                say(f"{name}: {rest}")
                inherited = {k: v for k, v in os.environ.items() if k.startswith(KEPT)}
                environment = inherited | self._environment(stage)
                self.run_step(root, json.loads(rest), environment, folder)
        return root, self._environment(stage)

    def _folder(self, name: str) -> str:
        """Where the steps of a stage's successor begin."""
        if name not in self.stages:
            return "/"
        stated = [rest for word, rest in self.stages[name].steps if word == "WORKDIR"]
        return stated[-1] if stated else self._folder(self.stages[name].parent)

    def _make_debian(self, image: str, root: Path) -> None:
        say(f"{image}: a bare Debian {SUITE} takes its place")
        if self.debian:
            run("cp", "--archive", "--reflink=auto", str(self.debian), str(root))
        else:
            run("debootstrap", "--variant=minbase", f"--include={PYTHON}", SUITE, str(root), MIRROR)
        shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
        shutil.copyfile(self.certificates, root / CERTIFICATES.lstrip("/"))

    def _environment(self, stage: Stage) -> dict[str, str]:
        parent = self.stages.get(stage.parent)
        stated = self._environment(parent) if parent else {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        for word, rest in stage.steps:
            if word == "ENV":
                stated |= dict(one.split("=", 1) for one in rest.split())
        return stated

    def _copy(self, words: list[str], root: Path, folder: str) -> None:
        source = ROOT
        if words[0].startswith("--from="):
            source, _ = self.root(words.pop(0).removeprefix("--from="))
        *names, target = words
        place = root / str(Path(folder) / target).lstrip("/")
        for name in names:
            found = source / name.lstrip("/")
            if found.is_dir():
                shutil.copytree(found, place, symlinks=True, dirs_exist_ok=True, ignore=_no_cache)
            else:
                shutil.copyfile(found, place / found.name if len(names) > 1 else place)


def _no_cache(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" and folder.startswith(str(ROOT))}


def run(*command: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a command; end where it fails."""
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[-6:])}: ended with {done.returncode}")


def say(line: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"{line}\n")
