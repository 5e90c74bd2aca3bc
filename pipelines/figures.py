"""Every number, table and plot of the documents, made again: `make figures`.

`docs/figures.toml` lists them: what makes a figure, how long it takes, what it leaves. Commands run
in a folder of their own with a default model of their own, so that no run, model or service of this
checkout is touched; afterwards the documents state what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk.errors import KneeriskError
from pipelines.console import say
from pipelines.stated import NotStated, Stated, restate, stale, stated

ROOT = Path(__file__).parents[1]
#: What makes the default model that others measure; it is made first where one of them is.
MODEL = "default-model"
#: So many digits of a metric are kept: those behind differ between machines.
DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is made together, by which commands, in about how many minutes of two cores.

    ``model``: it measures the default model. ``data``: what it reads of other people's data.
    ``metrics``: where the metrics that a command prints as JSON are kept. ``makes``: everything
    that it writes, as patterns.
    """

    name: str
    about: str
    commands: tuple[str, ...]
    minutes: float
    makes: tuple[str, ...]
    metrics: str | None = None
    model: bool = False
    data: tuple[str, ...] = ()

    def make(self, folder: Path) -> None:
        """Run its commands.

        Raises
        ------
        NotMade
            Where data are missing, or a command fails.
        """
        missing = [name for name in self.data if not (data_folder() / name).is_file()]
        if missing:
            raise NotMade(
                f"{self.name} reads {', '.join(missing)}, not in {data_folder()}: data/README.md "
                "says where to get it, KNEERISK_DATA where it is"
            )
        told = [run(command, folder) for command in self.commands]
        if self.metrics:
            (ROOT / self.metrics).write_text(_metrics(told), "utf-8")


class NotMade(KneeriskError):
    """A figure could not be made."""


def data_folder() -> Path:
    """Where the published data sets lie: `KNEERISK_DATA`, else `data/published`."""
    return Path(os.environ.get("KNEERISK_DATA") or ROOT / "data" / "published")


def listed() -> tuple[dict[str, Figure], list[Stated]]:
    """All figures by name, in the order they are made, and what the documents state of them."""
    table: dict[str, Any] = tomllib.loads((ROOT / "docs" / "figures.toml").read_text("utf-8"))
    figures = {}
    for name, one in table["figures"].items():
        tuples = {key: tuple(value) for key, value in one.items() if isinstance(value, list)}
        figures[name] = Figure(name=name, **{**one, **tuples})
    return figures, stated(table["stated"])


def run(command: str, folder: Path) -> str:
    """What a command prints; its progress goes on to the terminal."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    code = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    say(f"  {command}")
    places = {"{root}": ROOT, "{data}": data_folder()}
    words = shlex.split(command)
    for name, path in places.items():
        words = [word.replace(name, str(path)) for word in words]
    done = subprocess.run(
        words, cwd=folder, stdout=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "PATH": search, "PYTHONPATH": code},
    )  # fmt: skip
    if done.returncode:
        raise NotMade(f"{command} ended with {done.returncode}: {done.stdout[-500:]}")
    return done.stdout


def _metrics(told: list[str]) -> str:
    """The metrics alone: versions and run ids differ from run to run."""
    found = next(json.loads(one) for one in told if '"metrics"' in one)["metrics"]
    kept = {name: round(value, DIGITS) for name, value in sorted(found.items())}
    return json.dumps(kept, indent=1) + "\n"


def make(figures: dict[str, Figure], names: list[str]) -> list[str]:
    """Make some figures; gives what went wrong, each in a line."""
    chosen = [figure for name, figure in figures.items() if name in names]
    failed = []
    with TemporaryDirectory(prefix="kneerisk-figures-") as folder:
        if any(figure.model for figure in chosen) and MODEL not in names:
            chosen.insert(0, figures[MODEL])
        for figure in chosen:
            say(f"{figure.name}: {figure.about}, about {figure.minutes:g} minutes")
            begun = time.monotonic()
            try:
                figure.make(Path(folder))
            except NotMade as error:
                failed.append(str(error))
            say(f"  {(time.monotonic() - begun) / 60.0:.1f} minutes")
    return failed


def table(figures: dict[str, Figure]) -> str:
    """The figures as lines to read."""
    lines = []
    for figure in figures.values():
        reads = f"; reads {', '.join(figure.data)}" if figure.data else ""
        lines.append(f"{figure.name} ({figure.minutes:g} min): {figure.about}{reads}")
        lines += [f"    {command}" for command in figure.commands]
    whole = sum(figure.minutes for figure in figures.values())
    return "\n".join([*lines, f"All together: about {whole:g} minutes."])


def main(arguments: list[str] | None = None) -> int:
    """Make figures, or list them, or only state again what was measured."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.figures", description=__doc__)
    parser.add_argument("names", nargs="*", help="which; all of them where none is named")
    parser.add_argument("--list", action="store_true", help="list them and what makes them")
    parser.add_argument("--state", action="store_true", help="make none; mend the documents")
    given = parser.parse_args(arguments)
    figures, statements = listed()
    if given.list:
        sys.stdout.write(table(figures) + "\n")
        return 0
    unknown = [name for name in given.names if name not in figures]
    if unknown:
        say(f"no figure is called {', '.join(unknown)}; there are {', '.join(figures)}")
        return 2
    failed = [] if given.state else make(figures, given.names or list(figures))
    try:
        for line in stale(ROOT, statements):
            say(f"mended: {line}")
        restate(ROOT, statements)
    except NotStated as error:
        failed.append(str(error))
    for line in failed:
        say(f"not made: {line}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
