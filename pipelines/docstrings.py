"""List public functions whose docstring lacks a Parameters or a Returns section.

A function needs these sections if it takes or returns an array, or has three or more arguments:
its name and types alone don't tell shapes and units. pydoclint checks that the sections name every
argument; this script checks that they are there.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKED_FOLDERS = ("src", "serving", "pipelines")
#: From this many arguments on, a function needs sections whatever its types are.
MANY_ARGUMENTS = 3
#: Types of arrays and tables, as signatures name them.
ARRAY_TYPES = re.compile(
    r"\b(FloatArray|BoolArray|IntArray|NDArray|Columns|DataFrame|FeatureMatrix)\b"
)


def main() -> None:
    """Print every function that lacks a section; exit with 1 if there is one."""
    faults = [
        fault
        for folder in CHECKED_FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for fault in _faults_of_module(path)
    ]
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    if faults:
        sys.stdout.write(f"{len(faults)} public functions lack a section of their docstring\n")
        raise SystemExit(1)


def _faults_of_module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in _public_functions(tree.body):
        missing = [name for name in _needed_sections(function) if name not in _sections(function)]
        if missing:
            location = f"{path.relative_to(ROOT)}:{function.lineno}"
            yield f"{location} {function.name}: no section {' and '.join(missing)}"


def _public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    for statement in body:
        if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
            yield from _public_functions(statement.body)
        elif isinstance(statement, ast.FunctionDef) and not (
            statement.name.startswith("_") or _is_exempt(statement)
        ):
            yield statement


def _is_exempt(function: ast.FunctionDef) -> bool:
    """Whether it is a property or an overload, which have no arguments to describe, or a command.

    The help of a command says what its options are; its function takes just those.
    """
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    is_command = any(decorator.startswith("app.command(") for decorator in decorators)
    return is_command or bool(decorators & {"property", "cached_property", "overload"})


def _needed_sections(function: ast.FunctionDef) -> list[str]:
    """The sections that the signature calls for."""
    signature = function.args
    arguments = [
        argument
        for argument in (*signature.posonlyargs, *signature.args, *signature.kwonlyargs)
        if argument.arg not in {"self", "cls"}
    ]
    returned = ast.unparse(function.returns) if function.returns else "None"
    types = [ast.unparse(argument.annotation) for argument in arguments if argument.annotation]
    if len(arguments) < MANY_ARGUMENTS and not ARRAY_TYPES.search(" ".join([*types, returned])):
        return []
    return (["Parameters"] if arguments else []) + (["Returns"] if returned != "None" else [])


def _sections(function: ast.FunctionDef) -> set[str]:
    """The section titles in a docstring; Yields counts as Returns."""
    docstring = ast.get_docstring(function) or ""
    titles = set(re.findall(r"^(\w+)\n-+$", docstring, re.MULTILINE))
    return titles | ({"Returns"} if "Yields" in titles else set())


if __name__ == "__main__":
    main()
