"""The part of `requirements.lock` that some extras need, for `pip install --require-hashes -r`.

    python -m pipelines.locked --out service.txt serve records

The lock names beside each package those that asked for it. An extra needs its own requirements and
what these asked for, on whatever system: the markers of the lock say where each is installed. It
runs on plain Python, so that an image can be built from the lock with nothing installed yet.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))? \\$")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")
_VIA = re.compile(r"^    #(?: via| +)\s*(?P<name>[\w.-]+(?: \(pyproject\.toml\))?)$")
_NAME = re.compile(r"^[\w.-]+")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of the lock."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    """Of the files that may be installed: ``sha256:...``."""
    asked_by: frozenset[str]
    """Packages that need it."""
    lines: tuple[str, ...]
    """As they stand in the lock."""


def read_lock(lock: Path) -> list[Pin]:
    """Every package of a lock file; one may stand there twice, for two versions of Python."""
    blocks: list[list[str]] = []
    for line in lock.read_text("utf-8").splitlines():
        if _PIN.match(line):
            blocks.append([])
        if blocks:
            blocks[-1].append(line)
    return [_pin(lines) for lines in blocks]


def _pin(lines: Sequence[str]) -> Pin:
    head = _PIN.match(lines[0])
    if head is None:
        raise ValueError(lines[0])
    return Pin(
        name=head["name"], version=head["version"], marker=head["marker"],
        hashes=tuple(found[1] for line in lines if (found := _HASH.search(line))),
        asked_by=frozenset(found["name"] for line in lines if (found := _VIA.match(line))),
        lines=tuple(lines),
    )  # fmt: skip


def needed(pins: Sequence[Pin], names: Iterable[str]) -> list[Pin]:
    """The packages of a lock that some packages need, these among them.

    Parameters
    ----------
    pins
        The packages of the lock.
    names
        Names of some of them.

    Returns
    -------
    list of Pin
        In the order of the lock.
    """
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [pin.name for pin in pins if name in pin.asked_by]
    return [pin for pin in pins if pin.name in found]


def stated(pyproject: Path, extras: Iterable[str]) -> list[str]:
    """Names of what the package needs itself and with some extras; a package's name stands for it.

    Parameters
    ----------
    pyproject
        The project's file.
    extras
        Names of extras, or of packages, which are wanted without the project's own needs.

    Returns
    -------
    list of str
        Names as a lock writes them.
    """
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    optional, lines = project["optional-dependencies"], list[str]()
    for extra in extras:
        lines += [*project["dependencies"], *optional[extra]] if extra in optional else [extra]
    return [found[0].lower().replace("_", "-") for line in lines if (found := _NAME.match(line))]


def main(arguments: Sequence[str]) -> int:
    """Write the part of this checkout's lock that extras need; 1 where a name is in neither."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.locked", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("extras", nargs="+")
    options = parser.parse_args(arguments)
    pins = read_lock(ROOT / "requirements.lock")
    names = stated(ROOT / "pyproject.toml", options.extras)
    if unknown := sorted(set(names) - {pin.name for pin in pins}):
        sys.stderr.write(f"not in the lock: {', '.join(unknown)}\n")
        return 1
    lines = [line for pin in needed(pins, names) for line in pin.lines]
    options.out.write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
