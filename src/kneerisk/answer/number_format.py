"""Numbers as people read them: how many decimals a unit gets, and how it is written."""

from __future__ import annotations

from typing import Any

from kneerisk.schema import Measure, Quantity
from kneerisk.words import text, variant

MINUS = "\N{MINUS SIGN}"

#: Decimals that a test of the unit can resolve (assumption, from the errors of the measures).
_DECIMALS: dict[str, int] = {
    "deg": 1, "cm": 1, "mm": 1, "ms": 1, "s": 3, "kg": 1, "km": 1, "m/s": 1,
    "Nm/kg": 2, "N/kg": 2, "ratio": 2, "% BW": 1, "%": 0, "% stance": 1,
    "steps/min": 0, "years": 0, "weeks": 0, "h/week": 1, "h/day": 1, "sessions/week": 1,
    "episodes": 0, "grade": 0, "points": 0, "of 10": 0,
}  # fmt: skip
#: A mean of these is not whole, though each value is.
_COUNTED = frozenset({"grade", "episodes", "of 10"})


def number(value: float, unit: str) -> str:
    """A value without its unit: `38`, `8.6`, `2.10`.

    Where a unit has one decimal, a whole number goes without it.
    """
    decimals = _DECIMALS.get(unit, 2)
    digits = f"{value:.{decimals}f}"
    if decimals == 1:
        digits = digits.removesuffix(".0")
    if digits.startswith("-"):
        digits = digits.removeprefix("-")
        return f"{MINUS}{digits}" if float(digits) else digits
    return digits


def amount(value: float, unit: str) -> str:
    """A value with its unit: `38°`, `2.10 Nm/kg`, `1.25`."""
    digits = number(value, unit)
    return variant("shared.unit", unit, number=digits) if unit in _DECIMALS else f"{digits} {unit}"


def about(probability: float) -> str:
    """So many in 100, as an estimate: `about 13`, `fewer than 1`."""
    count = in_100(probability)
    is_number = count != text("shared.count.under_one")
    return text("shared.count.about", count=count) if is_number else count


def again(probability: float) -> str:
    """How often a repeat would name a pattern: `a repeat would name it again in 8 of 10`."""
    tenths = round(10 * probability)
    words = {0: text("shared.count.under_one"), 10: text("shared.count.over_nine")}
    return text("shared.again.sentence", count=words.get(tenths, str(tenths)))


def unit_symbol(unit: str) -> str:
    """A unit by itself, short: `°`, `Nm/kg`, `% BW`; nothing for a ratio or a count."""
    written = variant("shared.unit", unit, number="").strip() if unit in _DECIMALS else unit
    return unit if written and len(unit) > len("deg") else written


def typical(mean: float, sd: float, unit: str) -> str:
    """A norm with its spread: `40 ± 6`; of counts and grades, to one decimal.

    Parameters
    ----------
    mean
        Mean, in the unit.
    sd
        Standard deviation, in the unit.
    unit
        Unit of the measure.

    Returns
    -------
    Both numbers, without the unit.
    """
    if unit in _COUNTED:
        return f"{mean:.1f} ± {sd:.1f}"
    return f"{number(mean, unit)} ± {number(sd, unit)}"


def value_in_words(measure: Measure, value: Any) -> str:
    """A value of a measure in words: a number with its unit, or a category without underscores."""
    if isinstance(measure, Quantity):
        return amount(float(value), measure.unit)
    return str(value).replace("_", " ")


def in_100(probability: float) -> str:
    """So many of 100: whole people, and never none or all of them."""
    count = round(100 * probability)
    return str(min(99, count)) if count else text("shared.count.under_one")


def signed(points: float) -> str:
    """Risk points with their sign, a true minus: `+3.1`, `0.0`."""
    rounded = round(points, 1)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):.1f}"


def sentence(words: str) -> str:
    """With a capital first and a full stop last."""
    words = words.strip()
    words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "!", "?")) or not words else f"{words}."
