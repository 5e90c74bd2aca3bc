"""The catalogue of texts: what code asks for exists, what exists is used, placeholders agree."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

import jinja2
import pytest
from jinja2 import nodes

from kneerisk import words
from serving.endpoints import _texts_json

ROOT = Path(__file__).parents[1]
LOOKUPS = ("text", "variant", "plural")
#: Sections whose texts stand between tags, on the page or in a report.
WITH_MARKUP = {"shared", "answer", "report", "page", "sheet"}
ROOMS = ("src/kneerisk", "serving", "pipelines")
#: Rooms and modules whose sentences stand elsewhere, and why.
OUTSIDE = {
    "src/kneerisk/evidence": "tables with sources; what is wrong with one is for who edits it",
    "src/kneerisk/schema/athlete.py": "a measure's label and protocol have their one source here",
    "src/kneerisk/schema/movement_control.py": "measures",
    "src/kneerisk/schema/sections.py": "measures",
    "src/kneerisk/schema/strength_and_mobility.py": "measures",
    "src/kneerisk/schema/data_dictionary.py": "the template of a document",
    "src/kneerisk/training/card": "the template of the model card",
    "src/kneerisk/training/plots": "plots stand in the model card and in MLflow",
    "src/kneerisk/training/tuning/winner.py": "plots of a study",
    "src/kneerisk/training/benchmark": "the template of a document, and its plots",
    "src/kneerisk/evaluation": "labels of metrics have their one source here, verdicts beside them",
    "src/kneerisk/training/registry/gates.py": "gates, worded as the verdicts are",
    "src/kneerisk/training/fitting/fit_inputs.py": "still to move",
    "serving/routes.py": "the table of routes is the source of the OpenAPI document",
    "serving/fhir_routes.py": "the same for FHIR",
    "serving/openapi.py": "the OpenAPI document",
    "pipelines/derive.py": "scripts for developers",
    "pipelines/docstrings.py": "scripts for developers",
    "pipelines/error_codes.py": "the template of a document",
    "pipelines/examples.py": "scripts for developers, and the template of a document",
    "pipelines/figures.py": "scripts for developers",
    "pipelines/locked.py": "scripts for developers",
    "pipelines/quoted_numbers.py": "scripts for developers",
    "pipelines/sbom.py": "scripts for developers",
}
#: Literals that read like a sentence and are none for people.
NO_SENTENCES = {
    "kneerisk held-out athletes": "goes into a hash",
    "search space": "identifies a study",
    "true risks": "identifies a study",
    "{} folds by athlete, drawn {} times": "identifies a study",
    "groups left out: {}": "identifies a study",
    "log loss of {}, ": "identifies a study",
    "kneerisk records 1": "the first line of a backup",
    "PRAGMA wal_checkpoint(TRUNCATE)": "an order to SQLite",
    "kneerisk simulator": "the source that a simulated cohort's file names",
    "kneerisk bundle": "a model's type in MLflow",
    "masters weightlifters, Huebner & Ma 2022, doi 10.1136/bmjsem-2022-001372": "a citation",
    "{} line": "a column that no file has",
    "no injury": "a word of the published file",
    "no injury,no injury": "a word of the published file",
    "body mass index": "names a computed input, which no message has",
    "as measured": "names a computed input, which no message has",
    "uneven ratio": "names a computed input, which no message has",
    "database is locked": "what SQLite says",
    "disk is full": "what SQLite says",
    "unable to open database file": "what SQLite says",
    "out-of-date database schema": "what MLflow says",
    "Can't locate revision": "what MLflow says",
    "no such (table|column)": "what SQLite says",
    "{} and {}": "a query of MLflow",
    "{} {} to {}": "identifies a study",
    "a message of %s is left out": "in the log",
    "{}\nand from it:\n": "in the log",
    "%s answered %d in %.1f ms, request %s": "in the log",
    "bold green": "a style of a cell",
}
#: Lines to copy, and a sheet to try, begin with these.
TO_COPY = ("python -c ", "curl ", "Our club, tests of March;")
#: Two words in a row, or one after a placeholder.
SENTENCE = re.compile(r"[A-Za-z}]{2,}[,;:]? [a-z]{2,}|\} [a-z]{2,}")
#: What these are given is for developers, for operators, or is not words: errors of a program (an
#: error for people is a `KneeriskError`), the log, patterns, SQL, lines to copy, API descriptions.
NOT_FOR_PEOPLE = re.compile(
    r"(Runtime|Value|Type|Attribute|Key)Error|LOGGER\.\w+|re\.compile|\w+\.execute"
    r"|sqlite3\.\w+|examples|Field|Counter|Histogram|frozenset"
)
#: The page's JavaScript asks by the same names; in its HTML an element names its text.
JAVASCRIPT = re.compile(r'\b(text|variant|plural)\(\s*"([a-z0-9_.]+)"')
HTML = re.compile(r'\bdata-text(?:-[a-z-]+)?="([a-z0-9_.]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A place where a text is asked for."""

    place: str
    function: str
    key: str | None
    arguments: frozenset[str] | None
    """Names of the values given; None where they can't be read off."""

    def possible_keys(self) -> set[str]:
        """The texts that may be meant."""
        if self.function == "text":
            return {self.key or ""}
        if self.function == "plural":
            return {f"{self.key}.one", f"{self.key}.other"}
        return {key for key in texts() if key.rpartition(".")[0] == self.key}


@cache
def texts() -> dict[str, str]:
    return {key: entry for name in words.SECTIONS for key, entry in words._texts(name).items()}


def placeholders(entry: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(entry) if name is not None}


def python_lookups(path: Path) -> Iterator[Lookup]:
    source = path.read_text("utf-8")
    if "words" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in LOOKUPS:
            key = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            names = [keyword.arg for keyword in node.keywords]
            yield Lookup(
                place=f"{path.relative_to(ROOT)}:{node.lineno}",
                function=node.func.id,
                key=key if isinstance(key, str) else None,
                arguments=None if None in names else frozenset(filter(None, names)),
            )


def template_lookups(path: Path) -> Iterator[Lookup]:
    tree = jinja2.Environment().parse(path.read_text("utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in LOOKUPS:
            key = call.args[0].value if isinstance(call.args[0], nodes.Const) else None
            yield Lookup(
                place=f"{path.relative_to(ROOT)}:{call.lineno}",
                function=call.node.name,
                key=key,
                arguments=frozenset(keyword.key for keyword in call.kwargs),
            )


def page_lookups(path: Path) -> Iterator[Lookup]:
    source = path.read_text("utf-8")
    calls = JAVASCRIPT.findall(source) + [("text", key) for key in HTML.findall(source)]
    for function, key in calls:
        yield Lookup(place=str(path.relative_to(ROOT)), function=function, key=key, arguments=None)


@cache
def lookups() -> list[Lookup]:
    python = [p for room in ("src", "pipelines", "serving") for p in (ROOT / room).rglob("*.py")]
    templates = [p for room in ("src", "serving") for p in (ROOT / room).rglob("*.j2")]
    page = [
        p for p in (ROOT / "serving/page").rglob("*.*")
        if p.suffix in {".js", ".html"} and "vendor" not in p.parts
    ]  # fmt: skip
    own = "src/kneerisk/words/__init__.py"
    calls = (use for path in python for use in python_lookups(path))
    return [
        # The catalogue's own functions pass keys on.
        *(use for use in calls if use.key is not None or not use.place.startswith(own)),
        *(use for path in templates for use in template_lookups(path)),
        *(use for path in page for use in page_lookups(path)),
    ]


def test_code_is_read_for_its_lookups() -> None:
    assert {Path(use.place.partition(":")[0]).suffix for use in lookups()} >= {".py", ".j2"}


def test_every_key_is_a_literal() -> None:
    assert [use.place for use in lookups() if use.key is None] == []


def test_every_key_exists() -> None:
    missing = {
        (use.place, use.key)
        for use in lookups()
        if not use.possible_keys() or not use.possible_keys() <= texts().keys()
    }
    assert missing == set()


def test_the_page_asks_only_for_what_is_sent_to_it() -> None:
    sent = json.loads(_texts_json())["words"]
    asked = {use.key.partition(".")[0] for use in lookups() if use.key and ".js" in use.place}
    assert asked == set(sent)


def test_every_text_is_used() -> None:
    used = {key for use in lookups() for key in use.possible_keys()}
    assert texts().keys() - used == set()


def test_arguments_are_the_placeholders() -> None:
    wrong = []
    for use in lookups():
        if use.arguments is None:
            continue
        wanted = {name for key in use.possible_keys() for name in placeholders(texts()[key])}
        given = use.arguments | ({"count"} & wanted if use.function == "plural" else set())
        if wanted != given:
            wrong.append((use.place, use.key, wanted ^ given))
    assert wrong == []


def faults_of_text(key: str, entry: str) -> list[str]:
    """What keeps a text from being plain."""
    filled_in = [place[1:] for place in Formatter().parse(entry) if place[1] is not None]
    found = {
        "empty": not entry.strip(),
        "two spaces": "  " in entry.replace("\n  ", "\n"),
        "markup belongs in the template": key.partition(".")[0] in WITH_MARKUP and "<" in entry,
        "a placeholder is no name": not all(name.isidentifier() for name, _, _ in filled_in),
        "a placeholder has a format": any(form or conversion for _, form, conversion in filled_in),
    }
    return [fault for fault, is_there in found.items() if is_there]


def test_texts_are_plain() -> None:
    faults = {key: faults_of_text(key, entry) for key, entry in texts().items()}
    assert {key: found for key, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    "entry", [" ", "A  b.", "A <b>.", "A {0}.", "A {b.c}.", "A {b:.1f}.", "A {b!r}."]
)
def test_a_text_that_is_not_plain_is_noticed(entry: str) -> None:
    assert faults_of_text("page.made_up", entry)


def test_no_sentence_stands_twice() -> None:
    """Short phrases may: their use differs, and so may their translation."""
    sentences = [entry.casefold() for entry in texts().values() if len(entry.split()) > 6]
    assert sorted({entry for entry in sentences if sentences.count(entry) > 1}) == []


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.j2")), ids=lambda path: path.name)
def test_a_template_holds_no_words(path: Path) -> None:
    tree = jinja2.Environment().parse(path.read_text("utf-8"))
    source = "".join(node.data for node in tree.find_all(nodes.TemplateData))
    plain = re.sub(r"<[^>]*>", " ", source).replace("kneerisk", "")
    assert re.findall(r"[A-Za-z]{2,}", plain) == []


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts of a module with their lines, ``{}`` for what is filled in; no docstrings."""
    passed_over: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed_over.add(id(node.value))
        if isinstance(node, ast.Call) and NOT_FOR_PEOPLE.fullmatch(ast.unparse(node.func)):
            passed_over |= {id(part) for part in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in passed_over:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
            yield node.lineno, "".join(map(str, parts))


@cache
def literals_of(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple(literals(ast.parse(path.read_text("utf-8"))))


def sentences_of(path: Path) -> Iterator[str]:
    place = str(path.relative_to(ROOT))
    if not any(place.startswith(outside) for outside in OUTSIDE):
        for line, literal in literals_of(path):
            is_copied = literal.lstrip().startswith(TO_COPY)
            if SENTENCE.search(literal) and literal not in NO_SENTENCES and not is_copied:
                yield f"{place}:{line} {literal}"


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_for_people_stands_in_the_code(room: str) -> None:
    modules = sorted((ROOT / room).rglob("*.py"))
    assert [sentence for path in modules for sentence in sentences_of(path)] == []


def test_what_stands_outside_the_catalogue_is_there() -> None:
    modules = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    in_code = {text for path in modules for _, text in literals_of(path)}
    assert [name for name in OUTSIDE if not (ROOT / name).exists()] == []
    assert NO_SENTENCES.keys() - in_code == set()


def test_a_sentence_in_the_code_is_noticed() -> None:
    source = (
        'def f(n):\n    "No docstring."\n    raise Refused(f"it has {n} rows", detail="too few")'
    )
    assert [text for _, text in literals(ast.parse(source)) if SENTENCE.search(text)] == [
        "it has {} rows",
        "too few",
    ]


def test_a_plural_has_both_forms() -> None:
    for use in lookups():
        if use.function == "plural":
            assert use.possible_keys() <= texts().keys(), use.place


def test_texts_are_filled_and_chosen() -> None:
    assert words.text("shared.list.and", others="a, b", last="c") == "a, b and c"
    assert words.variant("shared.athletes", "running") == "runners"
    assert words.plural("report.red_flags.present", 1).startswith("Red flags: 1 of")
    with pytest.raises(KeyError):
        words.text("shared.list.and", others="a")
    with pytest.raises(KeyError):
        words.text("shared.nothing")
    with pytest.raises(TypeError):
        words.section("shared")["list"] = {}  # type: ignore[index]
