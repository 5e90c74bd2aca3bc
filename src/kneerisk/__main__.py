"""The command `kneerisk`, as it is installed: finds the commands and what they need.

In a checkout `pipelines` and `serving` stand beside the package. A wheel carries them inside it, so
that it installs no other top-level name (docs/decisions/0069), and without its extras there is no
command line: then this says what to install.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from kneerisk import __version__
from kneerisk.words import listed, text, variant

#: Where a wheel keeps `pipelines` and `serving`; a checkout has no such folder.
ENTRY_POINTS = Path(__file__).with_name("_entry_points")
#: The extras that the command line names where they are missing, with the one it needs itself.
COMMANDS, OTHERS = "train", ("serve", "records")
ASKS_FOR_HELP: tuple[list[str], ...] = ([], ["--help"], ["-h"])
#: A requirement of an extra, such as `bentoml<1.5,>=1.4.30; extra == 'serve'`.
_OF_EXTRA = re.compile(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]")


def main() -> None:
    """Run a command, or say which extra it needs."""
    make_importable()
    arguments = sys.argv[1:]
    if arguments[:1] == ["serve"]:
        _serve(arguments[1:])
        return
    absent = missing(COMMANDS)
    if absent:
        sys.exit(_without_commands(arguments, absent))
    try:
        import_module("pipelines.__main__").main()
    except ModuleNotFoundError as error:
        if not _say_whose(error.name or ""):
            raise
        sys.exit(1)
    finally:
        if arguments in ASKS_FOR_HELP:
            for extra in OTHERS:
                _say_missing(extra)


def make_importable() -> None:
    """Let `pipelines` and `serving` of a wheel be imported, here and in processes started here."""
    folder = str(ENTRY_POINTS)
    if ENTRY_POINTS.is_dir() and folder not in sys.path:
        # First, since others have folders and packages of these names too.
        sys.path.insert(0, folder)
        inherited = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, *([inherited] if inherited else [])])


def missing(extra: str) -> list[str]:
    """The packages of an extra that are not installed.

    Parameters
    ----------
    extra
        Its name: ``serve``.

    Returns
    -------
    list of str
        Names of distributions; empty too where the package itself was never installed.
    """
    try:
        stated = requires("kneerisk") or []
    except PackageNotFoundError:
        return []
    needed = [found[1] for line in stated if (found := _OF_EXTRA.match(line)) and found[2] == extra]
    return [name for name in needed if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _serve(arguments: Sequence[str]) -> None:
    """The service: by its own options where the other commands' packages are not installed."""
    if _say_missing("serve"):
        sys.exit(1)
    if missing(COMMANDS):
        # As `pipelines.serve` does: children of a service would run this script again.
        os.execv(sys.executable, [sys.executable, "-P", "-m", "serving", *arguments])  # noqa: S606
    import_module("pipelines.__main__").main()


def _without_commands(arguments: Sequence[str], absent: Sequence[str]) -> int:
    """Say what to install; it is no fault to ask for help or the version."""
    if arguments == ["--version"]:
        sys.stdout.write(f"kneerisk {__version__}\n")
        return 0
    works = "without_service" if missing("serve") else "with_service"
    told = text("command_line.install.commands", packages=listed(absent))
    told += " " + variant("command_line.install.works", works)
    is_help = arguments in ASKS_FOR_HELP
    (sys.stdout if is_help else sys.stderr).write(f"kneerisk: {told}\n")
    return int(not is_help)


def _say_whose(module: str) -> bool:
    """Name the extra that a module is missing from; False where it is of none."""
    package = module.partition(".")[0].replace("_", "-")
    return any(_say_missing(extra) for extra in OTHERS if package in missing(extra))


def _say_missing(extra: str) -> bool:
    absent = missing(extra)
    if absent:
        told = variant("command_line.install.needed", extra, packages=listed(absent))
        sys.stderr.write(f"kneerisk: {told}\n")
    return bool(absent)


if __name__ == "__main__":
    main()
