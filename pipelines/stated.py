"""Numbers that the documents state: each is held to the result that it comes from.

`docs/figures.toml` gives the words around a number, with `{{place:format}}` in its stead, and the
result that holds it. A document keeps its own line breaks; only what stands in the braces is
compared, or written anew. A place is a way into a result, its steps set apart by ` > `: a key of a
JSON object, a position in a list, or `key=value; key=value` for the one element of a list, or row
of a Markdown table, that has these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.errors import KneeriskError

_BLANK = re.compile(r"\{\{(?P<place>[^{}]+?)(?::(?P<format>[.,\d]*[fg%]?))?\}\}")
_NUMBER = re.compile("[+\N{MINUS SIGN}-]?\\d[\\d.,]*\\d|\\d")
_A_NUMBER, _WORDS = "[+\N{MINUS SIGN}\\-]?\\d(?:[\\d.,]*\\d)?", r'[^"|\n]+?'


class NotStated(KneeriskError):
    """A document does not hold the words, or a result not the number, that were named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Words of a document around numbers of a result; paths are relative to the checkout."""

    document: str
    result: str
    text: str

    def values(self, root: Path) -> list[str]:
        """What has to stand in each blank.

        Raises
        ------
        NotStated
            Where the result was never made, or does not hold it.
        """
        if not (root / self.result).is_file():
            raise NotStated(f"{self.document} states {self.result}, which was never made")
        found = read(root / self.result)
        return [
            _shown(_at(found, blank["place"], self.result), blank["format"] or "")
            for blank in _BLANK.finditer(self.text)
        ]

    def match(self, text: str, values: list[str]) -> re.Match[str]:
        """Where the words stand in a document.

        Raises
        ------
        NotStated
            Where they don't, or more than once.
        """
        words = _BLANK.split(self.text)[:: _BLANK.groups + 1]
        blanks = [f"({_A_NUMBER if _NUMBER.fullmatch(v) else _WORDS})" for v in values]
        pattern = _loose(words[0]) + "".join(
            blank + _loose(after) for blank, after in zip(blanks, words[1:], strict=True)
        )
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            raise NotStated(f"{self.document} says {len(found)} times, not once: {self.text}")
        return found[0]


def stated(given: list[dict[str, Any]]) -> list[Stated]:
    """Every statement of the `[[stated]]` tables, each with one document, one result, its texts."""
    return [
        Stated(document=one["in"], result=one["from"], text=text)
        for one in given
        for text in one["texts"]
    ]


def stale(root: Path, statements: list[Stated]) -> Iterator[str]:
    """What is stated otherwise than it was measured, in words."""
    for one in statements:
        values = one.values(root)
        told = one.match((root / one.document).read_text("utf-8"), values)
        for said, measured in zip(told.groups(), values, strict=True):
            if said != measured:
                yield f"{one.document} says {said}, {one.result} {measured}: {one.text}"


def restate(root: Path, statements: list[Stated]) -> None:
    """Write every number anew."""
    for one in statements:
        path, values = root / one.document, one.values(root)
        text = path.read_text("utf-8")
        found = one.match(text, values)
        for place in range(len(values), 0, -1):
            text = text[: found.start(place)] + values[place - 1] + text[found.end(place) :]
        path.write_text(text, "utf-8")


def read(path: Path) -> Any:
    """A result: JSON as it is, of a Markdown page all rows of its tables."""
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else list(_rows(text))


def _rows(text: str) -> Iterator[dict[str, str]]:
    """The rows of every table, by the headings of their columns."""
    heading: list[str] | None = None
    for line in text.splitlines():
        if not line.startswith("|"):
            heading = None
            continue
        cells = [cell.strip() for cell in line.strip()[1:-1].split("|")]
        if heading is None:
            heading = cells
        elif not set(line) <= set("|-: "):
            yield dict(zip(heading, cells, strict=True))


def _at(found: Any, place: str, result: str) -> Any:
    for step in place.split(" > "):
        if isinstance(found, list) and step.isdigit():
            found = found[int(step)]
        elif isinstance(found, list):
            wanted = dict(pair.split("=", 1) for pair in step.split("; "))
            rows = [row for row in found if all(str(row.get(k)) == v for k, v in wanted.items())]
            if len(rows) != 1:
                raise NotStated(f"{result} has {len(rows)} rows, not one, at {place}")
            found = rows[0]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            raise NotStated(f"{result} has nothing at {place}")
    return found


def _shown(value: Any, form: str) -> str:
    """As it stands in a document: a number by its format without the sign for per cent.

    Of text that begins with a number, such as a cell of a table, that number as it is.
    """
    if isinstance(value, str):
        number = _NUMBER.match(value)
        return number.group() if number else value
    return format(value, form).rstrip("%")


def _loose(words: str) -> str:
    """A pattern for words that may be broken over lines anywhere."""
    return re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(words))
