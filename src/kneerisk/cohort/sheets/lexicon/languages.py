"""What people write, language by language: one table each in `languages/`.

A row of a table has what the words mean (a measure, a role, `unit`, `total`, ...), a choice of it
if there are any, and the words, parted by `|`. A `?` behind a word says that it is not enough by
itself: a measure then needs its unit too, and a leg its place in the name or its counterpart.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files

from kneerisk.cohort.sheets.lexicon.folded_text import fold, split_words

#: English comes first: its words are looked up first, and every sheet may use them.
LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "sv", "no", "da", "fi", "pl")
ENGLISH = frozenset({"en"})
#: Kinds of rows whose words stand in names of columns.
_NOT_IN_NAMES = {"missing", "missing_number", "total", "unit", "any", "trial"}
#: So many names are remembered, since sheets repeat them: one sheet's (assumption).
_NAMES_KEPT = 512

Entries = Mapping[tuple[str, str], tuple[str, ...]]
Languages = frozenset[str]


@cache
def tables() -> Mapping[str, Entries]:
    """The words of each language, by what they mean and choose, with their marks."""
    return {language: _table(language) for language in LANGUAGES}


def _table(language: str) -> Entries:
    place = files(__package__).joinpath("languages", f"{language}.csv")
    return {
        (row["means"], row["choice"]): tuple(row["words"].split("|"))
        for row in csv.DictReader(place.read_text(encoding="utf-8").splitlines())
    }


def is_enough(word: str) -> bool:
    """Whether a word of a table says by itself what it means."""
    return len(word) == 1 or not word.endswith("?")


def without_mark(word: str) -> str:
    """A word of a table as people write it."""
    return word if is_enough(word) else word[:-1]


@cache
def entries() -> Mapping[tuple[str, str], Mapping[str, bool]]:
    """The words of all languages, and whether each is enough by itself."""
    merged: dict[tuple[str, str], dict[str, bool]] = {}
    for table in tables().values():
        for key, words in table.items():
            own = merged.setdefault(key, {})
            for word in words:
                own.setdefault(without_mark(word), is_enough(word))
    return merged


def words_of(means: str, choice: str = "") -> tuple[str, ...]:
    """What people write for something, in all languages."""
    return tuple(entries().get((means, choice), ()))


@cache
def plain_words(kind: str) -> frozenset[str]:
    """The folded words of a kind: `total`, `missing`, `article`, `trial`, `owner`, ..."""
    return frozenset(fold(word) for word in words_of(kind))


@cache
def _own_words() -> Mapping[str, frozenset[str]]:
    """The words of names that tell a language from English."""
    words = {
        language: {
            part
            for (means, choice), listed in table.items()
            if means not in _NOT_IN_NAMES and (means == "side" or not choice)
            for word in listed
            if is_enough(word)
            for part in split_words(word)
            if len(part) > 2
        }
        for language, table in tables().items()
    }
    return {language: frozenset(own - words["en"]) for language, own in words.items()}


@lru_cache(maxsize=_NAMES_KEPT)
def languages_of(name: str) -> Languages:
    """The languages that words of a name belong to; none where they may be English."""
    words = set(split_words(name))
    return frozenset(language for language, own in _own_words().items() if own & words)


def heading_languages(names: Iterable[str]) -> Languages:
    """The languages that most names of columns are written in; several may share their words.

    Parameters
    ----------
    names
        The names of the columns.

    Returns
    -------
    frozenset of str
        Codes of languages; English where no other has two names, or one of two.
    """
    known = [name for name in names if name]
    count = Counter(language for name in known for language in languages_of(name))
    most = max(count.values(), default=0)
    if most < 2 and not (most == 1 and len(known) <= 2):
        return ENGLISH
    return frozenset(language for language, names_in in count.items() if names_in == most)
