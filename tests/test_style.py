"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("src", "pipelines", "serving", "benchmarks", "deploy")
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40
#: What runs when it is read.
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "skops"}
UNFINISHED = re.compile(r"TODO|FIXME|XXX|pragma: no cover|pytest\.skip|xfail")
#: A machine's own paths, and locks that name where a package came from.
ADDRESSES = re.compile(
    r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|home/\w+)/|https?://[^ ]+/(?:simple|packages)/"
)


@cache
def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """The text of every file that belongs to the project, by name."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout")
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        raw = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in raw:
            found[name] = raw.decode("utf-8")
    return found


def test_there_is_something_to_check() -> None:
    assert len(modules()) > 60


@dataclass(frozen=True, slots=True)
class Module:
    """What the rules ask of a module, which is parsed once for all of them."""

    lines: int
    docstring: str | None
    functions: dict[str, int]
    """Lines of each."""
    imported: set[str]
    """Packages."""


@cache
def read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions, imported = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions[f"{node.name}, line {node.lineno}"] = _lines(node)
        elif isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    return Module(len(text.splitlines()), ast.get_docstring(tree), functions, imported)


class TestModules:
    """Every rule names all modules that break it."""

    def test_are_short(self) -> None:
        lines = {named(path): read(path).lines for path in modules()}
        assert {name: count for name, count in lines.items() if count > LONGEST_MODULE} == {}

    def test_say_what_they_are_for(self) -> None:
        first = {named(path): (read(path).docstring or "").partition("\n")[0] for path in modules()}
        assert [name for name, line in first.items() if not line.endswith((".", "?"))] == []

    def test_have_short_functions(self) -> None:
        functions = {
            f"{named(path)}: {function}": lines
            for path in modules()
            for function, lines in read(path).functions.items()
        }
        assert {name: n for name, n in functions.items() if n > LONGEST_FUNCTION} == {}

    def test_are_finished(self) -> None:
        assert (
            _found(UNFINISHED, {named(p): p.read_text(encoding="utf-8") for p in modules()}) == []
        )

    def test_read_nothing_that_runs(self) -> None:
        read_by = {named(path): read(path).imported & PICKLES for path in modules()}
        assert {name: packages for name, packages in read_by.items() if packages} == {}


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        whole -= (first.end_lineno or first.lineno) - first.lineno + 1
    return whole


def test_nothing_names_a_machine_or_an_index(tracked: dict[str, str]) -> None:
    # The licences of vendored libraries stand as they were published.
    own = {name: text for name, text in tracked.items() if ".LICENSE" not in name}
    assert not _found(ADDRESSES, own)


def test_a_name_of_a_module_stands_once() -> None:
    """So that it finds its module."""
    names = [path.name for path in modules()]
    twice = {name for name in names if names.count(name) > 1}
    assert twice <= {"__init__.py", "__main__.py"}


def test_there_is_no_module_for_odds_and_ends(tracked: dict[str, str]) -> None:
    assert not [n for n in tracked if Path(n).stem in {"utils", "helpers", "misc", "common"}]


def _found(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
