"""Remake every number, table and plot of the documents: `make figures`.

`docs/figures.toml` lists them: which commands make a figure, how long that takes and which files it
writes. Commands run in a temporary folder with a default model of their own, so that no run, model
or service of this checkout is touched. Afterwards the new numbers are written into the documents.
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
from pipelines.quoted_numbers import (
    Quotation,
    QuotationFault,
    read_quotations,
    rewrite_quotations,
    stale_quotations,
)

ROOT = Path(__file__).parents[1]
#: The figure that trains the default model; it comes first if another figure measures that model.
DEFAULT_MODEL = "default-model"
#: Decimals of a metric that are kept: later ones differ between machines.
DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One entry of `docs/figures.toml`.

    ``commands`` are run in order and take about ``minutes`` on two idle cores. ``model``: whether
    they measure the default model. ``data``: published files that they read. ``metrics``: the file
    for the metrics that a command prints as JSON. ``makes``: glob patterns of all that is written.
    """

    name: str
    description: str
    commands: tuple[str, ...]
    minutes: float
    makes: tuple[str, ...]
    metrics: str | None = None
    model: bool = False
    data: tuple[str, ...] = ()

    def make(self, folder: Path) -> None:
        """Run the commands and keep their metrics.

        Parameters
        ----------
        folder
            Working folder of the commands.

        Raises
        ------
        FigureFailed
            If a data file is missing or a command fails.
        """
        missing = [name for name in self.data if not (data_folder() / name).is_file()]
        if missing:
            raise FigureFailed(
                f"{self.name} reads {', '.join(missing)}, not in {data_folder()}: data/README.md "
                "says where to get it, KNEERISK_DATA where it is"
            )
        outputs = [run(command, folder) for command in self.commands]
        if self.metrics:
            (ROOT / self.metrics).write_text(_metrics(outputs), "utf-8")


class FigureFailed(KneeriskError):
    """A figure that could not be made."""


def data_folder() -> Path:
    """The folder of the published data sets: `KNEERISK_DATA`, else `data/published`."""
    return Path(os.environ.get("KNEERISK_DATA") or ROOT / "data" / "published")


def read_figures() -> tuple[dict[str, Figure], list[Quotation]]:
    """Read `docs/figures.toml`: figures by name, in order, and the quotations of their numbers."""
    content: dict[str, Any] = tomllib.loads((ROOT / "docs" / "figures.toml").read_text("utf-8"))
    figures = {}
    for name, entry in content["figures"].items():
        tuples = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
        figures[name] = Figure(name=name, **{**entry, **tuples})
    return figures, read_quotations(content["stated"])


def run(command: str, folder: Path) -> str:
    """Run a command and return its standard output; progress (stderr) goes to the terminal."""
    executables = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    modules = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    say(f"  {command}")
    words = [
        word.replace("{root}", str(ROOT)).replace("{data}", str(data_folder()))
        for word in shlex.split(command)
    ]
    process = subprocess.run(
        words, cwd=folder, stdout=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "PATH": executables, "PYTHONPATH": modules},
    )  # fmt: skip
    if process.returncode:
        raise FigureFailed(f"{command} ended with {process.returncode}: {process.stdout[-500:]}")
    return process.stdout


def _metrics(outputs: list[str]) -> str:
    """The metrics alone: versions and run ids differ from run to run."""
    metrics = next(json.loads(output) for output in outputs if '"metrics"' in output)["metrics"]
    rounded = {name: round(value, DECIMALS) for name, value in sorted(metrics.items())}
    return json.dumps(rounded, indent=1) + "\n"


def make(figures: dict[str, Figure], names: list[str]) -> list[str]:
    """Make the named figures and return one message for each failure."""
    chosen = [figure for name, figure in figures.items() if name in names]
    failures = []
    with TemporaryDirectory(prefix="kneerisk-figures-") as folder:
        if any(figure.model for figure in chosen) and DEFAULT_MODEL not in names:
            chosen.insert(0, figures[DEFAULT_MODEL])
        for figure in chosen:
            say(f"{figure.name}: {figure.description}, about {figure.minutes:g} minutes")
            started = time.monotonic()
            try:
                figure.make(Path(folder))
            except FigureFailed as error:
                failures.append(str(error))
            say(f"  {(time.monotonic() - started) / 60.0:.1f} minutes")
    return failures


def overview(figures: dict[str, Figure]) -> str:
    """List the figures with their commands and minutes, for people to read."""
    lines = []
    for figure in figures.values():
        reads = f"; reads {', '.join(figure.data)}" if figure.data else ""
        lines.append(f"{figure.name} ({figure.minutes:g} min): {figure.description}{reads}")
        lines += [f"    {command}" for command in figure.commands]
    total = sum(figure.minutes for figure in figures.values())
    return "\n".join([*lines, f"All together: about {total:g} minutes."])


def main(arguments: list[str] | None = None) -> int:
    """Make figures, list them, or only write measured numbers into the documents."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.figures", description=__doc__)
    parser.add_argument("names", nargs="*", help="figures to make; all if none is named")
    parser.add_argument("--list", action="store_true", help="list the figures and their commands")
    parser.add_argument(
        "--state", action="store_true", help="make nothing; only correct numbers in the documents"
    )
    options = parser.parse_args(arguments)
    figures, quotations = read_figures()
    if options.list:
        sys.stdout.write(overview(figures) + "\n")
        return 0
    unknown = [name for name in options.names if name not in figures]
    if unknown:
        say(f"no figure is called {', '.join(unknown)}; there are {', '.join(figures)}")
        return 2
    failures = [] if options.state else make(figures, options.names or list(figures))
    try:
        for line in stale_quotations(ROOT, quotations):
            say(f"corrected: {line}")
        rewrite_quotations(ROOT, quotations)
    except QuotationFault as error:
        failures.append(str(error))
    for line in failures:
        say(f"failed: {line}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
