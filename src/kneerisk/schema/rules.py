"""Rules between measures: a ratio agrees with its two parts, a test with variants says which.

Each rule looks at a flat row of values (canonical column name to value, None or absent where not
measured), so that a request and a row of a file obey the same rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import InitErrorDetails, PydanticCustomError

from kneerisk.schema.columns import Columns, category, column_of, location_of
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

#: How far a given ratio may lie from the one computed from its two parts (assumption: more than
#: rounding, less than another protocol would give).
RATIO_TOLERANCE = 0.05

Row = Mapping[str, Any]
_SIDES = ("left", "right")
#: How the columns of each section begin whose measures the rules are about.
_PREFIXES = {"athlete": "", "left": "left_", "right": "right_", "protocol": ""}


class Contradiction(NamedTuple):
    """A rule that a row breaks: the column at fault, a stable code, and the rule in words."""

    column: str
    code: FaultCode
    message: str


class _Need(NamedTuple):
    """A protocol that must be stated where any of these leg measures is given."""

    protocol: str
    measures: tuple[str, ...]


class _Ratio(NamedTuple):
    """A ratio, its parts, and the protocol under which they are one test."""

    ratio: str
    over: str
    under: str
    protocol: str
    modes: tuple[str, ...]


NEEDS = (
    _Need("torque_mode", ("quad_torque_nm_kg", "hamstring_torque_nm_kg")),
    _Need("hip_torque_mode", ("hip_abduction_torque_nm_kg", "hip_adduction_torque_nm_kg",
                              "adduction_abduction_ratio")),
    _Need("valgus_task", ("fppa_deg",)),
)  # fmt: skip
RATIOS = (
    _Ratio("hamstring_quad_ratio", "hamstring_torque_nm_kg", "quad_torque_nm_kg",
           "torque_mode", ("isokinetic_60",)),
    _Ratio("adduction_abduction_ratio", "hip_adduction_torque_nm_kg",
           "hip_abduction_torque_nm_kg", "hip_torque_mode", ("isometric", "eccentric")),
)  # fmt: skip
#: One reading of both legs: what the left one has, the right one has with the other sign.
OPPOSITES = ("lateral_pelvic_tilt_deg",)
#: One reading of both legs with one value for either: both legs squeeze one dynamometer. Two values
#: that differ are accepted, and count as their mean (docs/decisions/0045).
SQUEEZED_TOGETHER = ("adductor_squeeze_n_kg",)
#: Measures that are one reading of both legs.
SHARED_READINGS = (*OPPOSITES, *SQUEEZED_TOGETHER)
#: Two numbers that are further apart are not one reading (assumption: more than rounding).
SAME_READING = 1e-9
SPIKE_PARTS = ("session_spike_ratio", "next_long_run_km", "longest_run_30d_km")


def same_reading(column: str) -> str | None:
    """The other leg's column where both legs have one value of one reading; None elsewhere."""
    side, _, measure = column.partition("_")
    if measure not in SQUEEZED_TOGETHER:
        return None
    return f"{'right' if side == 'left' else 'left'}_{measure}"


def contradictions(row: Row) -> Iterator[Contradiction]:
    """Every rule between measures that a flat row breaks."""
    yield from _unstated_protocols(row)
    yield from _disagreeing_ratios(row)
    yield from _one_sided_measures(row)


def may_contradict(data: Columns) -> NDArray[np.bool_]:
    """Whether the measures of a screening may break a rule, for whole columns at once.

    Parameters
    ----------
    data
        Coded columns of n screenings; missing is NaN.

    Returns
    -------
    Shape (n,): False where `contradictions` finds nothing.
    """
    broken = np.zeros(len(data["sex"]), dtype=bool)
    for need in NEEDS:
        given = [~np.isnan(data[f"{side}_{name}"]) for name in need.measures for side in _SIDES]
        broken |= np.isnan(data[need.protocol]) & np.any(given, axis=0)
    for side, rule in product(_SIDES, RATIOS):
        choices = category(rule.protocol).choices
        one_test = np.isin(data[rule.protocol], [choices.index(mode) for mode in rule.modes])
        names = (f"{side}_{rule.ratio}", f"{side}_{rule.over}", f"{side}_{rule.under}")
        broken |= one_test & _may_disagree(data, *names)
    broken |= _may_disagree(data, *SPIKE_PARTS)
    left, right = (data[f"{side}_leg_length_deficit_cm"] > 0.0 for side in _SIDES)
    broken |= left & right
    for measure in OPPOSITES:
        left_value, right_value = (data[f"{side}_{measure}"] for side in _SIDES)
        broken |= np.abs(left_value + right_value) > SAME_READING
    return broken


def _may_disagree(data: Columns, ratio: str, over: str, under: str) -> NDArray[np.bool_]:
    """Whether a ratio, where it is given with both parts, is far from theirs; shape (n,)."""
    given = [~np.isnan(data[name]) for name in (ratio, over, under)]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        off = np.abs(data[ratio] - data[over] / data[under])
    return np.asarray(np.all(given, axis=0) & ~(off <= RATIO_TOLERANCE))


def _unstated_protocols(row: Row) -> Iterator[Contradiction]:
    for need in NEEDS:
        given = [
            f"{side}_{measure}"
            for measure in need.measures
            for side in ("left", "right")
            if row.get(f"{side}_{measure}") is not None
        ]
        if given and row.get(need.protocol) is None:
            yield Contradiction(
                need.protocol,
                FaultCode.PROTOCOL_NEEDED,
                text("schema.rule.protocol", measure=given[0]),
            )


def _disagreeing_ratios(row: Row) -> Iterator[Contradiction]:
    for side in ("left", "right"):
        for rule in RATIOS:
            names = (f"{side}_{rule.ratio}", f"{side}_{rule.over}", f"{side}_{rule.under}")
            if row.get(rule.protocol) in rule.modes:
                yield from _disagreement(row, *names)
    yield from _disagreement(row, *SPIKE_PARTS)


def _disagreement(row: Row, ratio: str, over: str, under: str) -> Iterator[Contradiction]:
    given, numerator, denominator = row.get(ratio), row.get(over), row.get(under)
    if given is None or numerator is None or denominator is None:
        return
    if denominator == 0 or abs(given - numerator / denominator) > RATIO_TOLERANCE:
        message = text(
            "schema.rule.ratio", over=over, under=under, tolerance=f"{RATIO_TOLERANCE:g}"
        )
        yield Contradiction(ratio, FaultCode.DISAGREES_WITH_PARTS, message)


def _one_sided_measures(row: Row) -> Iterator[Contradiction]:
    left, right = row.get("left_leg_length_deficit_cm"), row.get("right_leg_length_deficit_cm")
    if left and right:
        yield Contradiction(
            "right_leg_length_deficit_cm",
            FaultCode.BOTH_SIDES,
            text("schema.rule.one_shorter_leg"),
        )
    for measure in OPPOSITES:
        left, right = row.get(f"left_{measure}"), row.get(f"right_{measure}")
        if left is not None and right is not None and abs(left + right) > SAME_READING:
            yield Contradiction(
                f"right_{measure}",
                FaultCode.NOT_OPPOSITE,
                text("schema.rule.opposite"),
            )


def refuse_contradictions(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Validate a screening and its rules, so that one error holds every fault of both.

    The rules are checked on what is left of the body without its faulty fields; a field or
    section that is at fault already gets no second fault from them.

    Parameters
    ----------
    value
        The body as it was given.
    handler
        Pydantic's own validation of the body.

    Returns
    -------
    The screening.

    Raises
    ------
    ValidationError
        With every fault of the fields and of the rules between them.
    """
    faults: list[InitErrorDetails] = []
    screening = None
    try:
        screening = handler(value)
    except ValidationError as error:
        faults = [_as_detail(fault) for fault in error.errors(include_url=False)]
    row = _flat(value if screening is None else vars(screening))
    for fault in faults:
        row.pop(column_of(fault["loc"]), None)
    faulty = [tuple(fault["loc"]) for fault in faults]
    for contradiction in contradictions(row):
        location = location_of(contradiction.column)
        if not any(location[: len(place)] == place for place in faulty):
            kind = PydanticCustomError(contradiction.code, contradiction.message)
            faults.append(InitErrorDetails(type=kind, loc=location, input=None))
    if faults:
        raise ValidationError.from_exception_data("Screening", faults, hide_input=True)
    return screening


def _as_detail(fault: Any) -> InitErrorDetails:
    kind = PydanticCustomError(fault["type"], fault["msg"].replace("{", "(").replace("}", ")"))
    return InitErrorDetails(type=kind, loc=fault["loc"], input=None)


def _flat(body: Any) -> dict[str, Any]:
    """The given values of a body, as it was sent or as it was validated."""
    row: dict[str, Any] = {}
    for section, prefix in _PREFIXES.items():
        values = body.get(section) if isinstance(body, dict) else None
        if isinstance(values, BaseModel):
            values = vars(values)
        if isinstance(values, dict):
            row |= {f"{prefix}{name}": v for name, v in values.items() if v is not None}
    return row


def rules_schema(schema: dict[str, Any]) -> None:
    """Add the rules to the JSON Schema of the body, so that every body made from it is valid.

    JSON Schema can't say that numbers agree, so it asks for the ratio or its parts there.
    """
    schema["allOf"] = [
        *(_need_schema(need) for need in NEEDS),
        *(_ratio_schema(rule) for rule in RATIOS),
        {"properties": {"athlete": {"not": {"required": list(SPIKE_PARTS)}}}},
        {"not": {"properties": _on_both_legs({"required": ["leg_length_deficit_cm"]}),
                 "required": ["left", "right"]}},
        {"not": {"properties": _on_both_legs({"required": ["lateral_pelvic_tilt_deg"]}),
                 "required": ["left", "right"]}},
    ]  # fmt: skip


def _on_both_legs(rule: dict[str, Any]) -> dict[str, Any]:
    return {"left": rule, "right": rule}


def _need_schema(need: _Need) -> dict[str, Any]:
    any_measure = {"anyOf": [{"required": [measure]} for measure in need.measures]}
    stated = {"required": [need.protocol], "properties": {need.protocol: {"type": "string"}}}
    return {
        "if": {"anyOf": [{"required": [side], "properties": {side: any_measure}}
                         for side in ("left", "right")]},
        "then": {"required": ["protocol"], "properties": {"protocol": stated}},
    }  # fmt: skip


def _ratio_schema(rule: _Ratio) -> dict[str, Any]:
    modes = {"properties": {rule.protocol: {"enum": list(rule.modes)}}, "required": [rule.protocol]}
    all_three = {"required": [rule.ratio, rule.over, rule.under]}
    return {
        "if": {"properties": {"protocol": modes}, "required": ["protocol"]},
        "then": {"properties": _on_both_legs({"not": all_three})},
    }
