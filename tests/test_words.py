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


@pytest.mark.parametrize("key", sorted(texts()))
def test_a_text_is_plain(key: str) -> None:
    entry = texts()[key]
    assert entry.strip()
    assert "  " not in entry.replace("\n  ", "\n")
    assert key.partition(".")[0] not in WITH_MARKUP or "<" not in entry, "markup: in the template"
    for _, name, format_spec, conversion in Formatter().parse(entry):
        assert name is None or name.isidentifier()
        assert not format_spec
        assert conversion is None


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
