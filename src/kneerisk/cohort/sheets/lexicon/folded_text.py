"""How words compare: without capitals, accents and repeated blanks, and what parts them."""

from __future__ import annotations

import re
import unicodedata

#: Letters that are one with a stroke or two in one, which Unicode does not take apart.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "\u0131": "i"})
_NEW_WORD = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Lower case without accents or repeated blanks, so that `Größe` and `GROSSE` are one word."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def without_blanks(text: str) -> str:
    """A folded text without any blank: how units are compared."""
    return fold(text).replace(" ", "")


def spaced(name: str) -> str:
    """A name in words: `Km_per_week` and `kmPerWeek` are `Km per week`."""
    return _NEW_WORD.sub(" ", name).replace("_", " ")


def split_words(text: str) -> list[str]:
    """The folded words of a text, in order; a capital after a small letter begins a new one."""
    return _WORD.findall(fold(_NEW_WORD.sub(" ", text)))
