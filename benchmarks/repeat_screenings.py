"""How often a difference is detected when there is none, and when there is one.

``python -m benchmarks.repeat_screenings`` measures simulated athletes twice with the full
laboratory battery; both readings have independent errors of the schema's size.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from benchmarks.retested_athletes import (
    Readings,
    RetestedAthletes,
    compare_legs,
    compare_visits,
    draw,
    without_side,
)
from kneerisk.schema import SIDES, FloatArray, category
from kneerisk.schema.detectable_change import BoolArray
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.schema.rules import RATIOS
from kneerisk.schema.z_scores import from_z

PAGE = Path(__file__).parent / "results" / "changes.md"
ATHLETES, SEED = 50_000, 20
#: Measures that coaches compare between legs in per cent: strength, and ranges far from zero.
COMPARED_IN_PERCENT = (
    "quad_torque_nm_kg",
    "hamstring_torque_nm_kg",
    "hip_abduction_pct_bw",
    "hip_abduction_torque_nm_kg",
    "hip_adduction_torque_nm_kg",
    "wblt_dorsiflexion_deg",
    "wblt_distance_cm",
    "slr_deg",
)
#: The popular rule calls legs different beyond this share of the larger value.
ASYMMETRY = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Shares, 0 to 1: ``own`` beyond the measure's own MDC, ``all`` beyond chance as well."""

    own: float
    all: float


def unchanged(
    athletes: RetestedAthletes, rng: Generator, *, whole_degrees: bool = False
) -> dict[str, Calls]:
    """Compare two visits without a true change: calls by measure, and any in a screening."""
    first, second = athletes.measure(rng), athletes.measure(rng)
    included = np.ones(len(athletes.measures), dtype=bool)
    if whole_degrees:
        included = np.array([m.unit == "deg" for m in athletes.measures.values()])
        for values in (first, second):
            for column, measure in athletes.measures.items():
                values[column] = (
                    np.round(values[column]) if measure.unit == "deg" else values[column]
                )
    compared = compare_visits(athletes, first, second)
    own, both = compared.beyond_error[:, included], compared.beyond_chance[:, included]
    return {
        "of measures": Calls(own=float(own.mean()), all=float(both.mean())),
        "of screenings": Calls(own=_any(own), all=_any(both)),
    }


def all_changed(athletes: RetestedAthletes, rng: Generator, times: float) -> Calls:
    """Change every measure by so many times its MDC: the share of them that is detected."""
    shift, eligible = _draw_shifts(athletes, rng, times)
    compared = compare_visits(athletes, athletes.measure(rng), athletes.measure(rng, shift))
    return Calls(
        own=float(compared.beyond_error[eligible].mean()),
        all=float(compared.beyond_chance[eligible].mean()),
    )


def one_changed(athletes: RetestedAthletes, rng: Generator, times: float) -> Calls:
    """Change one measure of each screening: the share of screenings where it is detected."""
    shift, eligible = _draw_shifts(athletes, rng, times)
    lottery = np.where(eligible, rng.random(eligible.shape), -1.0)
    chosen = np.arange(eligible.shape[1]) == lottery.argmax(axis=1)[:, None]
    single = {
        column: np.where(chosen[:, k], shift[column], 0.0)
        for k, column in enumerate(athletes.measures)
    }
    compared = compare_visits(athletes, athletes.measure(rng), athletes.measure(rng, single))
    return Calls(
        own=float(compared.beyond_error[chosen].mean()),
        all=float(compared.beyond_chance[chosen].mean()),
    )


def _draw_shifts(
    athletes: RetestedAthletes, rng: Generator, times: float
) -> tuple[Readings, BoolArray]:
    """Draw true changes in z-scores, by column, and which of them are eligible, shape (n, k).

    A change that would leave the limits of the schema goes the other way; if that leaves them too,
    it is not eligible. Neither are grades (a scale of three steps has no room for twice its MDC),
    the shorter leg (the longer one stays at 0), and measures that follow from others.
    """
    shifts, eligible = {}, []
    for column, measure in athletes.measures.items():
        size = times * MDC_PER_SEM * athletes.error(column)
        up = rng.choice([-1.0, 1.0], size=len(size))
        up = np.where(_inside(athletes, column, up * size), up, -up)
        shifts[column] = up * size
        possible = _inside(athletes, column, shifts[column]) & (not measure.whole)
        own = ~_follows_from_others(athletes, column)
        eligible.append(possible & own & (without_side(column) != "leg_length_deficit_cm"))
    return shifts, np.column_stack(eligible)


def _inside(athletes: RetestedAthletes, column: str, shift: FloatArray) -> BoolArray:
    measure = athletes.measures[column]
    name, z = without_side(column), athletes.z[column]
    ends = [from_z(name, z + change, athletes.data) for change in (0.0, shift)]
    return np.asarray(np.all([(measure.low <= v) & (v <= measure.high) for v in ends], axis=0))


def _follows_from_others(athletes: RetestedAthletes, column: str) -> BoolArray:
    same = np.zeros(len(athletes.data["sex"]), dtype=bool)
    for rule in RATIOS:
        if without_side(column) == rule.ratio:
            same = np.isin(
                athletes.data[rule.protocol],
                [category(rule.protocol).choices.index(m) for m in rule.modes],
            )
    return same | (column == "right_lateral_pelvic_tilt_deg")


def _any(called: BoolArray) -> float:
    return float(called.any(axis=1).mean())


def over_ten_percent(values: Readings, name: str) -> BoolArray:
    """The popular rule: legs that differ by more than 10 % of the larger value, shape (n,)."""
    left, right = (np.abs(values[f"{side}_{name}"]) for side in SIDES)
    return np.asarray(np.abs(right - left) > ASYMMETRY * np.maximum(left, right))


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """Shares of truly symmetric athletes whose legs are called different, by rule."""

    ten_percent: float
    calls: Calls


def symmetric(athletes: RetestedAthletes, rng: Generator) -> dict[str, Symmetry]:
    """Compare equal legs by measure, and ``any`` of those measures or of the ``battery``."""
    values = athletes.measure(rng)
    names, compared = compare_legs(athletes, values)
    popular = np.column_stack([over_ten_percent(values, name) for name in COMPARED_IN_PERCENT])
    positions = [names.index(name) for name in COMPARED_IN_PERCENT]
    own, both = compared.beyond_error[:, positions], compared.beyond_chance[:, positions]
    rows = {
        name: Symmetry(
            ten_percent=float(popular[:, k].mean()),
            calls=Calls(own=float(own[:, k].mean()), all=float(both[:, k].mean())),
        )
        for k, name in enumerate(COMPARED_IN_PERCENT)
    }
    rows["any"] = Symmetry(ten_percent=_any(popular), calls=Calls(own=_any(own), all=_any(both)))
    calls = Calls(own=_any(compared.beyond_error), all=_any(compared.beyond_chance))
    rows["battery"] = Symmetry(ten_percent=float("nan"), calls=calls)
    return rows


def main() -> int:
    """Measure, print and write the page; 1 if a target is missed."""
    rng = np.random.default_rng(SEED)
    athletes = draw(ATHLETES, rng)
    retest, degrees = unchanged(athletes, rng), unchanged(athletes, rng, whole_degrees=True)
    power = {
        times: (all_changed(athletes, rng, times), one_changed(athletes, rng, times))
        for times in (2, 3)
    }
    sides = symmetric(draw(ATHLETES, rng, symmetric=True), rng)
    met = targets(retest, power[2][0], power[3][1])
    text = "\n".join(
        [*_heading(athletes), *_visits(retest, degrees, power), *_sides(sides), *_targets(met), ""]
    )
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if all(met.values()) else 1


def targets(retest: dict[str, Calls], twice: Calls, thrice: Calls) -> dict[str, bool]:
    """Each target in words, and whether it is met."""
    of_measures, of_screenings = retest["of measures"], retest["of screenings"]
    return {
        "no true change: at most 6 % of measures beyond their own error": of_measures.own <= 0.06,
        "no true change: at most 6 % of measures changed": of_measures.all <= 0.06,
        "no true change: at most 5 % of screenings with any changed": of_screenings.all <= 0.05,
        "2 MDC in every measure: at least 95 % of measures changed": twice.all >= 0.95,
        "3 MDC in one measure: it is changed in at least 95 % of screenings": thrice.all >= 0.95,
    }


def _heading(athletes: RetestedAthletes) -> list[str]:
    return [
        "# When a difference is detected",
        "",
        (
            "`python -m benchmarks.repeat_screenings`: "
            f"{ATHLETES:,} simulated athletes, seed {SEED}, the full"
        ),
        f"laboratory battery ({len(athletes.measures)} columns with an error in the schema),",
        "values unrounded; grades are whole. The readings of an athlete have independent errors of",
        "the schema's size: the results hold if those errors are right.",
        "",
        "*Beyond its own error*: more than the measure's own MDC. *Changed*, or beyond chance:",
        "also significant among all measures of the screening (Benjamini-Hochberg, 5 %).",
        "",
    ]


def _visits(
    retest: dict[str, Calls], degrees: dict[str, Calls], power: dict[int, tuple[Calls, Calls]]
) -> list[str]:
    rows = {
        "nothing changed: measures called": retest["of measures"],
        "nothing changed: screenings with any call": retest["of screenings"],
        "the same, measures in degrees, read in whole degrees": degrees["of measures"],
    }
    for times, (all_measures, one_measure) in power.items():
        rows[f"every measure changed by {times} MDC: measures called"] = all_measures
        rows[f"one measure changed by {times} MDC: screenings where it is called"] = one_measure
    return [
        "## Two visits",
        "",
        "| | beyond its own error | changed |",
        "| --- | --- | --- |",
        *(f"| {name} | {_percent(row.own)} | {_percent(row.all)} |" for name, row in rows.items()),
        "",
        "Rows with a true change leave out grades, the shorter leg and computed ratios: a scale of",
        "three steps has no room for it, and a ratio follows from its parts.",
        "",
    ]


def _sides(sides: dict[str, Symmetry]) -> list[str]:
    names = {"any": "any of these", "battery": "any of the whole battery"}
    return [
        "## Two equal legs",
        "",
        "Share of truly symmetric athletes whose legs are called different. *Beyond chance* takes",
        "account of all measures of the battery that were taken on both legs.",
        "",
        "| | over 10 % of the larger | beyond its own error | beyond chance |",
        "| --- | --- | --- | --- |",
        *(
            f"| {names.get(name, name)} | {_percent(row.ten_percent)} | {_percent(row.calls.own)} "
            f"| {_percent(row.calls.all)} |"
            for name, row in sides.items()
        ),
        "",
    ]


def _targets(met: dict[str, bool]) -> list[str]:
    return [
        "## Targets",
        "",
        *(f"- {name}: {'met' if ok else 'MISSED'}" for name, ok in met.items()),
    ]


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
