"""The schema for people: a data dictionary in Markdown, and the JSON Schema of a screening."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kneerisk.schema.columns import athlete_measures, leg_measures, measures_of
from kneerisk.schema.measure import Measure, MeasurementError, Norm, Quantity
from kneerisk.schema.rules import NEEDS, RATIO_TOLERANCE, RATIOS, SPIKE_PARTS
from kneerisk.schema.screening import screening_type
from kneerisk.schema.sections import RED_FLAGS, LegPain, Protocol

STATIONS = {
    "athlete": "Athlete",
    "log": "Training log",
    "history": "History and pain",
    "wall": "At the wall",
    "table": "On the table",
    "groin": "Hip strength",
    "camera": "Camera",
    "lab": "Laboratory",
}
_HEADER = (
    "name", "side", "label", "unit", "allowed", "typical", "SEM", "MDC 95 %",
    "higher values", "protocol", "source",
)  # fmt: skip
_OPENING = """\
# Data dictionary

Every measure of a screening, derived from the schema (`python -m pipelines.derive`); change the
schema, not this file. A leg's measure has two columns in a file, `left_<name>` and
`right_<name>`. Only `age_years` and `sex` must be given; an empty cell was not measured.

*Allowed* is the inclusive range that body and instrument can produce. *Typical* is mean ± SD of
uninjured adults, men / women. *SEM* is the standard error of measurement and *MDC* the smallest
change between two visits that exceeds it. *Higher values* says how they change the risk of knee
pain, if the evidence supports a direction. *Assumption* marks numbers without a published source.
"""


def markdown() -> str:
    """The data dictionary: a table of measures a station, then the rules between measures."""
    sections = [_OPENING]
    for station, title in STATIONS.items():
        rows = [
            _row(name, side, measure)
            for name, side, measure in _sided()
            if measure.station == station
        ]
        lines = [f"## {title}\n", _line(_HEADER), _line(["---"] * len(_HEADER)), *rows, ""]
        sections.append("\n".join(lines))
    return "\n".join([*sections, _rules(), _red_flags()])


def json_schema() -> str:
    """The JSON Schema of a screening as text, the same for the same schema."""
    return json.dumps(screening_type().model_json_schema(), indent=1, sort_keys=True) + "\n"


def _sided() -> Iterator[tuple[str, str, Measure]]:
    """Each measure once: name, whether it is taken on both legs, and what it is."""
    without_side = athlete_measures() | measures_of(Protocol)
    on_both_legs = leg_measures() | measures_of(LegPain)
    yield from ((name, "", measure) for name, measure in without_side.items())
    yield from ((name, "both", measure) for name, measure in on_both_legs.items())


def _row(name: str, side: str, measure: Measure) -> str:
    protocol_and_source = (measure.protocol, measure.source)
    if not isinstance(measure, Quantity):
        first = (f"`{name}`", side, measure.label, "", measure.allowed)
        return _line([*first, "", "", "", "", *protocol_and_source])
    limits = f"{measure.low:g} to {measure.high:g}{', whole' if measure.whole else ''}"
    typical = "; ".join(_typical(norm) for norm in measure.norms)
    error = _error(measure.error)
    left_part = (f"`{name}`", side, measure.label, measure.unit, limits, typical)
    return _line([*left_part, *error, measure.direction or "", *protocol_and_source])


def _typical(norm: Norm) -> str:
    pairs = [
        f"{pair[0]:g} ± {pair[1]:g}" if pair else "not given" for pair in (norm.male, norm.female)
    ]
    numbers = pairs[0] if pairs[0] == pairs[1] else " / ".join(pairs)
    condition = f"{norm.condition}: " if norm.condition else ""
    return f"{condition}{numbers} ({norm.source})"


def _error(error: MeasurementError | None) -> tuple[str, str]:
    return (f"{error.sem:.3g} ({error.source})", f"{error.mdc:.3g}") if error else ("", "")


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _rules() -> str:
    needs = [
        f"- `{need.protocol}` must be stated if {_names(need.measures)} is given." for need in NEEDS
    ]
    ratios = [
        f"- `{rule.ratio}` must agree with `{rule.over}` over `{rule.under}` of the same leg "
        f"within {RATIO_TOLERANCE:g} if `{rule.protocol}` is {' or '.join(rule.modes)}."
        for rule in RATIOS
    ]
    spike, longest, before = SPIKE_PARTS
    others = [
        f"- `{spike}` must agree with `{longest}` over `{before}` within {RATIO_TOLERANCE:g}.",
        "- Only one leg can have a `leg_length_deficit_cm` above 0.",
        "- `lateral_pelvic_tilt_deg` of the right leg is minus that of the left.",
    ]
    return "\n".join(["## Rules between measures\n", *needs, *ratios, *others, ""])


def _red_flags() -> str:
    opening = (
        "## Red flags\n\n`red_flags` is a list of these; left out means not asked, an empty list "
        "that none apply.\nIn a file: codes joined by `;`, or `none`.\n"
    )
    return "\n".join([opening, *(f"- `{code}`" for code in RED_FLAGS), ""])


def _names(measures: tuple[str, ...]) -> str:
    return " or ".join(f"`{name}`" for name in measures)
