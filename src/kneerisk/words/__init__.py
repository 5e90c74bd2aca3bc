"""The message catalogue: texts by key, read once from the TOML files of one language.

Each file of ``en/`` is a section named for where its texts are shown or what they are about, such
as ``report``, ``page`` or ``help``; ``shared`` holds what several of them show. A text is looked up
by its full dotted key with `text("report.patterns.heading")`; its placeholders, such as
``{side}``, are filled by keyword, and `variant` and `plural` choose among sibling texts. Keys are
written out as literals, in Python, in templates and in the page's JavaScript alike, so that a
search for a key finds both its text and its uses, and ``tests/test_words.py`` can check that
every key exists, that every text is used, and that placeholders and arguments agree.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

#: One file each in the folder of a language.
SECTIONS = (
    "shared", "answer", "report", "hand_out", "page", "command_line", "help", "service", "fhir",
    "schema", "club", "cohort", "sheet", "training_log", "records", "outcome_log", "monitoring",
    "model", "training", "validation", "diagnosis", "client",
)  # fmt: skip
LANGUAGE = "en"
#: Proper names, which keep their capital inside a sentence.
NAMES = frozenset({"Ober", "Thomas"})


def text(key: str, /, **values: object) -> str:
    """A text of the catalogue with its placeholders filled.

    Parameters
    ----------
    key
        Dotted key, the section first: ``report.patterns.heading``.
    **values
        What each placeholder of the text stands for.

    Returns
    -------
    The text, in plain words without markup.

    Raises
    ------
    KeyError
        If the catalogue has no such text, or a placeholder was given no value.
    """
    return _unfilled(key).format(**values)


def variant(key: str, name: str, /, **values: object) -> str:
    """The one of several sibling texts that fits a case, such as a sport or a status.

    Parameters
    ----------
    key
        Dotted key of the table that holds a text for each case.
    name
        The case; the last part of the text's own key.
    **values
        What the placeholders of any of the texts stand for.

    Returns
    -------
    The text of that case.

    Raises
    ------
    KeyError
        If there is no text for the case.
    """
    return text(f"{key}.{name}", **values)


def plural(key: str, count: int, /, **values: object) -> str:
    """The text for one of something or for several; ``{count}`` stands for how many.

    Parameters
    ----------
    key
        Dotted key of a table with the texts ``one`` and ``other``.
    count
        How many there are.
    **values
        What the other placeholders stand for.

    Returns
    -------
    The text ``one`` for a count of 1, else ``other``.
    """
    return text(f"{key}.{'one' if count == 1 else 'other'}", count=count, **values)


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return text("shared.list.and", others=", ".join(items[:-1]), last=items[-1])


def short(label: str) -> str:
    """A label without what follows the comma: `Ankle bend`."""
    return label.partition(",")[0]


def in_sentence(label: str) -> str:
    """A label inside a sentence: its first part, in lower case but for names and short forms."""
    first = short(label)
    word = first.partition(" ")[0]
    return first if word in NAMES or word.isupper() else first[0].lower() + first[1:]


@cache
def section(name: str) -> Mapping[str, Any]:
    """One section as nested tables, for what can't call Python, such as the page.

    Parameters
    ----------
    name
        One of `SECTIONS`.

    Returns
    -------
    Tables of texts, nested as in the file; placeholders are not filled.
    """
    source = files("kneerisk.words").joinpath(LANGUAGE, f"{name}.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(source))


@cache
def _unfilled(key: str) -> str:
    return _texts(key.partition(".")[0])[key]


@cache
def _texts(name: str) -> Mapping[str, str]:
    """The texts of one section by dotted key: a command reads no section that it doesn't show."""
    return MappingProxyType(_flat(name, section(name)) if name in SECTIONS else {})


def _flat(prefix: str, table: Mapping[str, Any]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, entry in table.items():
        key = f"{prefix}.{name}"
        texts |= {key: entry} if isinstance(entry, str) else _flat(key, entry)
    return texts
