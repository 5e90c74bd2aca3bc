"""Well-formed sheets drawn from the schema, and the people who are in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from strategies import rows as schema_rows

from kneerisk.schema import Quantity, columns

#: Units that a sheet may use instead of the schema's, with what its numbers are multiplied by.
OTHER = {"cm": ("inch", 1 / 2.54), "kg": ("lb", 1 / 0.45359237), "km": ("miles", 1 / 1.609344),
         "years": ("months", 12.0), "mm": ("cm", 0.1), "m/s": ("km/h", 3.6), "s": ("ms", 1000.0),
         "ratio": ("%", 100.0)}  # fmt: skip


@st.composite
def sheets(draw: DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """Screenings, and a well-formed sheet of them in some order, units and decimal mark."""
    chosen = tuple(draw(st.lists(st.sampled_from(list(columns())), unique=True, max_size=12)))
    people = draw(st.lists(schema_rows(st.just(chosen)), min_size=1, max_size=4))
    names = draw(st.permutations(sorted(set().union(*people))))
    mark = draw(st.sampled_from([".", ","]))
    in_others = {name: draw(st.booleans()) for name in names}
    lines = [["Spieler", *(_header(name, in_others[name]) for name in names)]]
    for number, person in enumerate(people):
        cells = [_written(name, person.get(name), in_others[name], mark) for name in names]
        lines.append([f"P{number}", *cells])
    return "\n".join(";".join(line) for line in lines), people


def _header(name: str, is_other: bool) -> str:
    measure = columns()[name]
    if not isinstance(measure, Quantity) or measure.unit not in OTHER:
        return name
    side, _, _ = name.partition("_")
    told = f"{measure.label} {side[0].upper() if side in ('left', 'right') else ''}"
    return f"{told} ({OTHER[measure.unit][0] if is_other else measure.unit})"


def _written(name: str, value: Any, is_other: bool, mark: str) -> str:
    measure = columns()[name]
    if value is None:
        return ""
    if not isinstance(measure, Quantity):
        return str(value)
    scale = OTHER[measure.unit][1] if is_other and measure.unit in OTHER else 1.0
    return f"{value * scale:.6f}".replace(".", mark)
