"""How often a repeat of the same tests gives the same verdict on a leg, with nothing changed.

`python -m benchmarks.repeat_verdicts` measures simulated athletes twice by the same tests: true
values stay, errors are new. It also counts names in a world where the patterns do not exist.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.changed_worlds import without_patterns
from benchmarks.performance_page import RESULTS
from benchmarks.serving_speed import champion_of
from kneerisk.answer.imbalances import READINGS_NEEDED, imbalances_of
from kneerisk.answer.pattern_schema import Imbalance
from kneerisk.answer.patterns import readings_of
from kneerisk.answer.predictions import predictions_of
from kneerisk.cohort.file_screenings import screenings_of
from kneerisk.cohort.simulation.athletes import Athletes, draw_athletes
from kneerisk.cohort.simulation.observation import batteries, observe
from kneerisk.cohort.simulation.simulated_cohort import Simulated, recorded
from kneerisk.cohort.simulation.true_risks import draw_effects, draw_outcomes, true_risk
from kneerisk.evidence import imbalances
from kneerisk.evidence.population import published
from kneerisk.model import Bundle
from kneerisk.schema import SIDES, FloatArray

BoolArray = NDArray[np.bool_]
PAGE = RESULTS / "verdicts.md"
ATHLETES, SEED = 6_000, 61
#: The rule before: likely from here on, clear from there on, and as many readings.
POSSIBLE_BEFORE, CLEAR_BEFORE = 0.3, 0.5
#: Ends of the groups of `named_again`.
GROUPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
#: Athletes that are predicted at once.
_TOGETHER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Of one visit: shape (n, 2, 5), by athlete, leg (left first) and pattern.

    ``pointed`` is whether the pattern met the conditions of being named, and ``again`` how likely
    a repeat was said to meet them, NaN elsewhere.
    """

    pointed: BoolArray
    named: BoolArray
    clear: BoolArray
    named_before: BoolArray
    clear_before: BoolArray
    again: FloatArray

    def take(self, rows: BoolArray) -> Verdicts:
        """Some athletes, by a mask of shape (n,)."""
        return Verdicts(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Verdicts of two visits, the truth (n, 2, 5), and the battery of each athlete, shape (n,)."""

    first: Verdicts
    second: Verdicts
    present: BoolArray
    battery: NDArray[np.str_]

    def take(self, rows: BoolArray) -> Repeated:
        """Some athletes, by a mask of shape (n,)."""
        return Repeated(
            first=self.first.take(rows),
            second=self.second.take(rows),
            present=self.present[rows],
            battery=self.battery[rows],
        )


def repeated(bundle: Bundle, athletes: int, seed: int, *, patterns: bool = True) -> Repeated:
    """Measure athletes twice and say what the answers would."""
    population = published() if patterns else without_patterns(published())
    drawn = draw_athletes(population, athletes, np.random.default_rng(seed))
    visits = [_visit(drawn, seed, number) for number in (1, 2)]
    first, second = (_verdicts(bundle, visit) for visit in visits)
    truth = visits[0].truth
    names = [[f"{side}_{name}" for name in imbalances()] for side in SIDES]
    probability = np.stack([truth[columns].to_numpy(np.float64) for columns in names], axis=1)
    return Repeated(
        first=first,
        second=second,
        present=probability > 0.5,
        battery=truth["battery"].to_numpy(str),
    )


def _visit(drawn: Athletes, seed: int, number: int) -> Simulated:
    """One visit: the battery, protocols and gaps of the seed, the errors of the visit."""
    rng = np.random.default_rng(seed)
    truth = true_risk(drawn, draw_effects(drawn, rng))
    outcomes = draw_outcomes(truth, rng)
    errors = np.random.default_rng([seed, number]).standard_normal
    data, battery = observe(drawn, rng, errors)
    return recorded(drawn, truth, outcomes, data, battery, name=f"visit-{seed}")


def _verdicts(bundle: Bundle, visit: Simulated) -> Verdicts:
    screenings = screenings_of(visit.cohort.frame)
    names = list(imbalances())
    shape = (len(screenings), len(SIDES), len(names))
    again = np.full(shape, np.nan)
    flags = {f.name: np.zeros(shape, bool) for f in fields(Verdicts) if f.name != "again"}
    for start in range(0, len(screenings), _TOGETHER):
        predictions = predictions_of(bundle, screenings[start : start + _TOGETHER])
        for i, row in enumerate(predictions.rows):
            for imbalance in imbalances_of(predictions, i) or ():
                at = start + i, SIDES.index(imbalance.side), names.index(imbalance.name)
                for name, flag in _flags(imbalance, row.get("torque_mode")).items():
                    flags[name][at] = flag
                again[at] = np.nan if imbalance.named_again is None else imbalance.named_again
    return Verdicts(**flags, again=again)


def _flags(imbalance: Imbalance, torque_mode: str | None) -> dict[str, bool]:
    speaking = [row for row in imbalance.pattern if row.speaks == "for"]
    supported = len(readings_of(speaking, torque_mode)) >= READINGS_NEEDED
    return {
        "pointed": imbalance.named_again is not None,
        "named": imbalance.status in ("clear", "possible"),
        "clear": imbalance.status == "clear",
        "named_before": supported and imbalance.probability >= POSSIBLE_BEFORE,
        "clear_before": supported and imbalance.probability >= CLEAR_BEFORE,
    }


def kappa(first: BoolArray, second: BoolArray) -> float:
    """Agreement beyond chance of two readings (Cohen 1960, doi 10.1177/001316446002000104)."""
    a, b = first.mean(), second.mean()
    chance = a * b + (1.0 - a) * (1.0 - b)
    return float(((first == second).mean() - chance) / (1.0 - chance)) if chance < 1.0 else np.nan


def share(of: BoolArray, among: BoolArray) -> float:
    """Share of those that also are; NaN among none."""
    return float(of[among].mean()) if among.any() else float("nan")


def legs_with(flag: BoolArray) -> float:
    """Share of legs with any pattern that is flagged, from shape (n, 2, 5)."""
    return float(flag.any(axis=2).mean())


def targets_of(own: Repeated, without: Repeated) -> dict[str, tuple[float, bool]]:
    """Each target in words: what was measured, and whether it is met."""
    named, clear = legs_with(without.first.named), legs_with(without.first.clear)
    again, pointed = own.first.again, own.second.pointed
    likely = own.first.named
    said, seen = float(again[likely].mean()), share(pointed, likely)
    again_named = share(own.second.named, likely)
    clear_named = share(own.second.named, own.first.clear)
    return {
        "no patterns: at most 8 % of legs named": (named, named <= 0.08),
        "no patterns: at most 2 % of legs clear": (clear, clear <= 0.02),
        "named: a repeat names it again in at least 60 %": (again_named, again_named >= 0.60),
        "clear: a repeat names it again in at least 80 %": (clear_named, clear_named >= 0.80),
        "named: said and seen differ by at most 5 points": (said - seen, abs(said - seen) <= 0.05),
    }


def as_markdown(own: Repeated, without: Repeated) -> str:
    """Render the page."""
    named = [row.battery for row in batteries()]
    rows = {name: own.take(own.battery == name) for name in named}
    rows = {name.replace("_", " "): part for name, part in rows.items() if len(part.battery)}
    lines = [
        _HEAD.format(athletes=len(own.battery), seed=SEED),
        f"| {' | '.join(_COLUMNS)} |",
        "| --- " + "| ---: " * (len(_COLUMNS) - 1) + "|",
        *(_battery_row(name, part) for name, part in rows.items()),
        _battery_row("all", own),
        _battery_row("all, in a world without the patterns", without),
        _SAID,
        *_said_rows(own),
        _COST.format(possible=POSSIBLE_BEFORE, clear=CLEAR_BEFORE),
        *_cost_rows(own, without),
        _TARGETS,
        *(
            f"| {name} | {_percent(value)} | {'yes' if met else '**no**'} |"
            for name, (value, met) in targets_of(own, without).items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _battery_row(name: str, part: Repeated) -> str:
    first, second = part.first, part.second
    shares = [
        legs_with(first.named),
        legs_with(first.clear),
        share(second.named, first.named),
        share(second.pointed, first.named),
        share(second.named, first.clear),
        share(second.clear, first.clear),
    ]
    before = kappa(first.named_before, second.named_before)
    now = kappa(first.named, second.named)
    return f"| {name} | {before:.2f} | {now:.2f} | {' | '.join(map(_percent, shares))} |"


def _said_rows(own: Repeated) -> list[str]:
    rows = []
    for low, high in pairwise(GROUPS):
        top = high == GROUPS[-1]
        inside = (own.first.again >= low) & ((own.first.again < high) | top)
        seen = (share(own.second.pointed, inside), share(own.second.named, inside))
        said = float(own.first.again[inside].mean()) if inside.any() else float("nan")
        cells = " | ".join(map(_percent, (said, *seen)))
        rows.append(f"| {100 * low:.0f} to {100 * high:.0f} | {inside.sum()} | {cells} |")
    return rows


def _cost_rows(own: Repeated, without: Repeated) -> list[str]:
    rows = []
    for label, name in (("named", "named"), ("clear", "clear")):
        for when, suffix in (("before", "_before"), ("now", "")):
            flag, null = (getattr(v.first, name + suffix) for v in (own, without))
            shares = (share(flag, own.present), share(own.present, flag), legs_with(null))
            rows.append(f"| {label}, {when} | {' | '.join(map(_percent, shares))} |")
    return rows


def _percent(value: float) -> str:
    return "" if np.isnan(value) else f"{100.0 * value:.1f} %"


def main() -> int:
    """Measure, print and write the page; 1 if a target is missed."""
    bundle = champion_of(Path(os.environ.get("KNEERISK_MODELS") or "models").resolve())
    own = repeated(bundle, ATHLETES, SEED)
    without = repeated(bundle, ATHLETES, SEED + 1, patterns=False)
    text = as_markdown(own, without)
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if all(met for _, met in targets_of(own, without).values()) else 1


_HEAD = """# Verdicts of the same athlete, nothing changed

Made by `python -m benchmarks.repeat_verdicts`: {athletes:,} simulated athletes, seed {seed}, two
visits with the same tests and the same true values; errors are new. The athletes are simulated, so
the results hold if the tests' errors and the patterns are as the tables say. No assessor was asked.

*Named* is "possible" or "clear". *Points again*: in the repeat the pattern is likely and enough
readings speak for it, which is what `named_again` predicts; *named again*: the repeat also reaches
the `named_again` that a name needs. Kappa *before* is by the rule below.
"""
_COLUMNS = (
    "tests", "kappa before", "kappa", "legs named", "legs clear", "named: named again",
    "named: points again", "clear: named again", "clear: clear again",
)  # fmt: skip
_SAID = """
## What `named_again` said, and what the repeat did

| said, in 100 | patterns | mean said | points again | named again |
| --- | ---: | ---: | ---: | ---: |"""
_COST = """
## What the rule costs

Before, a pattern was named from a probability of {possible}, clear from {clear}, with two readings.
A leg truly has a pattern here where its true probability is above one half.

| rule | of patterns truly there | of these truly there | legs in a world without patterns |
| --- | ---: | ---: | ---: |"""
_TARGETS = """
## Targets

| | measured | met |
| --- | ---: | --- |"""

if __name__ == "__main__":
    sys.exit(main())
