"""Small pieces of sentences, the same wherever an answer speaks in words."""

from __future__ import annotations

from collections.abc import Sequence

from kneerisk.words.catalogue import text

#: Names that keep their capital inside a sentence.
NAMES = frozenset({"Ober", "Thomas"})


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return text("common.list.and", others=", ".join(items[:-1]), last=items[-1])


def short(label: str) -> str:
    """A label without what follows the comma: `Ankle bend`."""
    return label.partition(",")[0]


def in_sentence(label: str) -> str:
    """A label inside a sentence: its first part, in lower case but for names and short forms."""
    first = short(label)
    word = first.partition(" ")[0]
    return first if word in NAMES or word.isupper() else first[0].lower() + first[1:]
