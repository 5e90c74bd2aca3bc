"""Words made comparable: as people write them, without capitals, accents or double blanks."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Small letters without accents, so that `Größe` and `GROSSE` are one word."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def squeezed(text: str) -> str:
    """Folded, without any blank: how units are compared."""
    return fold(text).replace(" ", "")
