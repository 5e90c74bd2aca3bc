"""Numbers that the documents quote, each held to the result file that it comes from.

`docs/figures.toml` gives the words around a number, with `{{path:format}}` in its place, and the
result file that holds it. A document keeps its own line breaks; only what stands in the braces is
compared or rewritten. A path leads into a result, its steps separated by ` > `. A step is a key of
a JSON object, a position in a list, or `key=value; key=value`: the one list element, or row of a
Markdown table, that has these values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.errors import KneeriskError

_BLANK = re.compile(r"\{\{(?P<path>[^{}]+?)(?::(?P<format>[.,\d]*[fg%]?))?\}\}")
_NUMBER = re.compile("[+\N{MINUS SIGN}-]?\\d[\\d.,]*\\d|\\d")
_ANY_NUMBER, _ANY_WORDS = "[+\N{MINUS SIGN}\\-]?\\d(?:[\\d.,]*\\d)?", r'[^"|\n]+?'


class QuotationFault(KneeriskError):
    """A document lacks the words of a quotation, or a result file lacks its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotation:
    """Words of a document around numbers of a result file; both paths start at the root."""

    document: str
    result: str
    text: str

    def values(self, root: Path) -> list[str]:
        """Look up what belongs in each blank.

        Parameters
        ----------
        root
            Folder of the checkout.

        Returns
        -------
        list
            One formatted number or phrase for each blank, in the order of the text.

        Raises
        ------
        QuotationFault
            If the result file does not exist or does not hold the value.
        """
        if not (root / self.result).is_file():
            raise QuotationFault(f"{self.document} quotes {self.result}, which does not exist")
        content = read_result(root / self.result)
        return [
            _formatted(_look_up(content, blank["path"], self.result), blank["format"] or "")
            for blank in _BLANK.finditer(self.text)
        ]

    def match(self, text: str, values: list[str]) -> re.Match[str]:
        """Find the quotation in its document.

        Parameters
        ----------
        text
            The document.
        values
            What `values` gave; a blank matches any number if its value is one, else any words.

        Returns
        -------
        re.Match
            The match, with one group for each blank.

        Raises
        ------
        QuotationFault
            If the words occur nowhere, or more than once.
        """
        words = _BLANK.split(self.text)[:: _BLANK.groups + 1]
        blanks = [f"({_ANY_NUMBER if _NUMBER.fullmatch(v) else _ANY_WORDS})" for v in values]
        pattern = _any_whitespace(words[0]) + "".join(
            blank + _any_whitespace(after) for blank, after in zip(blanks, words[1:], strict=True)
        )
        matches = list(re.finditer(pattern, text))
        if len(matches) != 1:
            raise QuotationFault(f"{self.document} has {len(matches)} times, not once: {self.text}")
        return matches[0]


def read_quotations(entries: list[dict[str, Any]]) -> list[Quotation]:
    """The quotations of `[[stated]]` entries: each one document, one result file, many texts."""
    return [
        Quotation(document=entry["in"], result=entry["from"], text=text)
        for entry in entries
        for text in entry["texts"]
    ]


def stale_quotations(root: Path, quotations: list[Quotation]) -> Iterator[str]:
    """Describe every number in a document that differs from its result file."""
    for quotation in quotations:
        values = quotation.values(root)
        match = quotation.match((root / quotation.document).read_text("utf-8"), values)
        for quoted, measured in zip(match.groups(), values, strict=True):
            if quoted != measured:
                yield (
                    f"{quotation.document} says {quoted}, {quotation.result} {measured}: "
                    f"{quotation.text}"
                )


def rewrite_quotations(root: Path, quotations: list[Quotation]) -> None:
    """Write the number of the result file into every blank of the documents."""
    for quotation in quotations:
        path, values = root / quotation.document, quotation.values(root)
        text = path.read_text("utf-8")
        match = quotation.match(text, values)
        for group in range(len(values), 0, -1):
            text = text[: match.start(group)] + values[group - 1] + text[match.end(group) :]
        path.write_text(text, "utf-8")


def read_result(path: Path) -> Any:
    """Read a result file: JSON as it is, a Markdown page as the rows of all its tables."""
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else list(_table_rows(text))


def _table_rows(text: str) -> Iterator[dict[str, str]]:
    """Every row of every table, as a dictionary by column heading."""
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


def _look_up(content: Any, path: str, result: str) -> Any:
    for step in path.split(" > "):
        if isinstance(content, list) and step.isdigit():
            content = content[int(step)]
        elif isinstance(content, list):
            wanted = dict(pair.split("=", 1) for pair in step.split("; "))
            rows = [row for row in content if all(str(row.get(k)) == v for k, v in wanted.items())]
            if len(rows) != 1:
                raise QuotationFault(f"{result} has {len(rows)} rows, not one, at {path}")
            content = rows[0]
        elif isinstance(content, dict) and step in content:
            content = content[step]
        else:
            raise QuotationFault(f"{result} has nothing at {path}")
    return content


def _formatted(value: Any, form: str) -> str:
    """Format a number as the document shows it, without the per cent sign.

    Of a text that begins with a number, such as a table cell, only that number is quoted.
    """
    if isinstance(value, str):
        number = _NUMBER.match(value)
        return number.group() if number else value
    return format(value, form).rstrip("%")


def _any_whitespace(words: str) -> str:
    """A pattern for words that may be broken over lines anywhere."""
    return re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(words))
