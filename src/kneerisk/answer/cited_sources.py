"""What a statement rests on, as the answer names it: who and where, with the address of the study.

The tables list the best evidence first. The training article that this project started from is
where an idea comes from, not evidence for it, so it stands last and is named as that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from pydantic import BaseModel

from kneerisk.answer.pattern_schema import FROZEN
from kneerisk.evidence import references
from kneerisk.words import variant

#: Keys of the references that are no study, each with words of its own in the catalogue.
NO_STUDY = ("assumption", "popular_article")


class Source(BaseModel):
    """A study, or where else a statement comes from."""

    model_config = FROZEN

    short: str
    """Who, when and in which journal."""
    url: str | None = None
    """Where it can be read: by its DOI where that is known."""


def cited(keys: Iterable[str]) -> list[Source]:
    """The sources that a table names by these keys, in the table's order."""
    return [_source(key) for key in keys]


@cache
def _source(key: str) -> Source:
    if key in NO_STUDY:
        return Source(short=variant("answer.sources", key))
    reference = references()[key]
    return Source(short=reference.short, url=reference.url or None)


def author_year(source: Source) -> str:
    """A study in as few words as will do where there is little room, such as Willy 2019."""
    found = re.match(r"[^,;]*?\b(19|20)\d\d\b", source.short)
    return found[0] if found and source.url else source.short
