"""Which public functions need a Parameters and a Returns section, and have none.

A function that takes or gives an array, or has three or more arguments, says what each of them is,
in which shape and unit. That the sections name every argument is pydoclint's part.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKED = ("src", "serving", "pipelines")
#: From so many arguments on, names alone do not say what a function wants.
MANY_ARGUMENTS = 3
#: What an array or a table of numbers is called in a signature.
ARRAYS = re.compile(r"\b(FloatArray|BoolArray|IntArray|NDArray|Columns|DataFrame|FeatureMatrix)\b")


def main() -> None:
    """Name every function that lacks a section; ends with 1 where there is one."""
    missing = [line for path in _modules() for line in _of_module(path)]
    for line in missing:
        sys.stdout.write(f"{line}\n")
    if missing:
        sys.stdout.write(f"{len(missing)} public functions lack a section of their docstring\n")
        raise SystemExit(1)


def _modules() -> Iterator[Path]:
    for folder in CHECKED:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _of_module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in _public_functions(tree.body):
        missing = [name for name in _needed(function) if name not in _sections(function)]
        if missing:
            place = f"{path.relative_to(ROOT)}:{function.lineno}"
            yield f"{place} {function.name}: no section {' and '.join(missing)}"


def _public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    for statement in body:
        if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
            yield from _public_functions(statement.body)
        elif isinstance(statement, ast.FunctionDef) and not (
            statement.name.startswith("_") or _is_property(statement)
        ):
            yield statement


def _is_property(function: ast.FunctionDef) -> bool:
    names = {ast.unparse(decorator) for decorator in function.decorator_list}
    return bool(names & {"property", "cached_property", "overload"})


def _needed(function: ast.FunctionDef) -> list[str]:
    """The sections that the signature asks for."""
    arguments = [
        argument
        for argument in (
            *function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs
        )
        if argument.arg not in {"self", "cls"}
    ]  # fmt: skip
    given = ast.unparse(function.returns) if function.returns else "None"
    annotations = [ast.unparse(one.annotation) for one in arguments if one.annotation]
    if len(arguments) < MANY_ARGUMENTS and not ARRAYS.search(" ".join([*annotations, given])):
        return []
    return (["Parameters"] if arguments else []) + (["Returns"] if given != "None" else [])


def _sections(function: ast.FunctionDef) -> set[str]:
    text = ast.get_docstring(function) or ""
    found = set(re.findall(r"^(\w+)\n-+$", text, re.MULTILINE))
    return found | ({"Returns"} if "Yields" in found else set())


if __name__ == "__main__":
    main()
