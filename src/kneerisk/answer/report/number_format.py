"""Numbers as people read them: how many decimals a unit gets, and how it is written."""

from __future__ import annotations

from typing import Any

from kneerisk.schema import Measure, Quantity

MINUS = "\N{MINUS SIGN}"

#: Decimals that a test of the unit can tell, and what is written after the number.
_UNITS: dict[str, tuple[int, str]] = {
    "deg": (1, "°"),
    "cm": (1, " cm"),
    "mm": (1, " mm"),
    "ms": (1, " ms"),
    "s": (3, " s"),
    "kg": (1, " kg"),
    "km": (1, " km"),
    "m/s": (1, " m/s"),
    "Nm/kg": (2, " Nm/kg"),
    "N/kg": (2, " N/kg"),
    "ratio": (2, ""),
    "% BW": (1, " % of body weight"),
    "%": (0, " %"),
    "% stance": (1, " % of stance"),
    "steps/min": (0, " steps a minute"),
    "years": (0, " years"),
    "weeks": (0, " weeks"),
    "h/week": (1, " h a week"),
    "h/day": (1, " h a day"),
    "sessions/week": (1, " a week"),
    "episodes": (0, ""),
    "grade": (0, ""),
    "points": (0, " points"),
    "of 10": (0, " of 10"),
}
#: A mean of these is not whole, though each value is.
_COUNTED = frozenset({"grade", "episodes", "of 10"})


def number(value: float, unit: str) -> str:
    """A value without its unit: `38`, `8.6`, `2.10`.

    Where a unit has one decimal, a whole number goes without it.
    """
    decimals, _ = _UNITS.get(unit, (2, ""))
    text = f"{value:.{decimals}f}"
    if decimals == 1:
        text = text.removesuffix(".0")
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def amount(value: float, unit: str) -> str:
    """A value with its unit: `38°`, `2.10 Nm/kg`, `1.25`."""
    return number(value, unit) + _UNITS.get(unit, (2, f" {unit}"))[1]


def unit_of(unit: str) -> str:
    """A unit by itself, short: `°`, `Nm/kg`, `% BW`; nothing for a ratio or a count."""
    behind = _UNITS.get(unit, (2, unit))[1].strip()
    return unit if behind and len(unit) > len("deg") else behind


def typical(mean: float, sd: float, unit: str) -> str:
    """What is usual, with its spread: `40 ± 6`; of counts and grades, to one decimal."""
    if unit in _COUNTED:
        return f"{mean:.1f} ± {sd:.1f}"
    return f"{number(mean, unit)} ± {number(sd, unit)}"


def worded(measure: Measure, value: Any) -> str:
    """A value of a measure in words: a number with its unit, or an answer without underscores."""
    if isinstance(measure, Quantity):
        return amount(float(value), measure.unit)
    return str(value).replace("_", " ")


def in_100(probability: float) -> str:
    """So many of 100: whole people, and never none or all of them."""
    people = round(100 * probability)
    return str(min(99, people)) if people else "fewer than 1"


def signed(points: float) -> str:
    """Risk points with their sign, a true minus: `+3.1`, `0.0`."""
    shown = round(points, 1)
    sign = "+" if shown > 0 else MINUS if shown < 0 else ""
    return f"{sign}{abs(shown):.1f}"


def sentence(text: str) -> str:
    """With a capital first and a full stop last."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."
