"""What adapting cost or saved in simulated clubs, as a table, and whether it kept its promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: A difference no larger than this many of its standard errors is none.
ERRORS = 2.0
#: Share of clubs that may be made worse, and mean cost where nothing differs, by athletes.
MOST_WORSE = {50: 0.35, 500: 0.10, 1000: 0.10, 2000: 0.10, 5000: 0.10}
MOST_COST = {50: 0.003, 100: 0.003, 500: 0.0015, 1000: 0.0015, 2000: 0.0015, 5000: 0.0015}
STEPS = ("as_is", "intercept", "slope", "ridge", "boosting")


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference in expected log loss between two ways, over clubs where both are known."""

    mean: float
    error: float
    worse: float
    clubs: int

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> Difference:
        """Ours less theirs; below 0 ours is better."""
        apart = np.array(ours) - np.array(theirs)
        apart = apart[np.isfinite(apart)]
        if len(apart) < 2:
            return cls(float("nan"), float("nan"), float("nan"), len(apart))
        error = float(apart.std(ddof=1) / np.sqrt(len(apart)))
        return cls(float(apart.mean()), error, float((apart > 0.0).mean()), len(apart))

    @property
    def no_worse(self) -> bool:
        """Whether it is not above 0 by more than chance."""
        return self.clubs < 2 or self.mean <= ERRORS * self.error

    def __str__(self) -> str:
        if self.clubs < 2:
            return "none"
        return f"{self.mean:+.5f} ± {ERRORS * self.error:.5f}"


def as_markdown(
    judged: Sequence[dict[str, Any]], worlds: Sequence[dict[str, Any]], command: str
) -> tuple[str, bool]:
    """The results as Markdown, and whether every promise was kept."""
    missed: list[str] = []
    parts = [_HEAD.format(command=command)]
    for place, world in enumerate(worlds):
        of_world = [row for row in judged if row["world"] == world["name"]]
        if of_world:
            last = place == len(worlds) - 1
            parts.append(_section(of_world, world))
            missed += _same(of_world) if last else _different(of_world, world, shares=place == 0)
    kept = "All of them hold." if not missed else "Missed: " + "; ".join(missed) + "."
    parts.append(_PROMISES.format(kept=kept))
    return "\n\n".join(parts) + "\n", not missed


def _section(rows: Sequence[dict[str, Any]], world: dict[str, Any]) -> str:
    lines = [
        f"## Clubs: {world['name']}",
        "",
        _SPREAD.format(**world),
        "",
        _COLUMNS,
        f"|{' --- |' * _COLUMNS.count(' | ')} --- |",
    ]
    for size, clubs in _by_size(rows):
        told = [f"{np.mean(_of(clubs, way)):.4f}" for way in ("true", "as_is", "adapted")]
        as_is = Difference.of(_of(clubs, "adapted"), _of(clubs, "as_is"))
        scratch = Difference.of(_of(clubs, "adapted"), _of(clubs, "scratch"))
        fitted = "" if scratch.clubs in (0, len(clubs)) else f" ({scratch.clubs} clubs)"
        steps = Counter(_of(clubs, "step"))
        lines.append(
            f"| {size:,} | {len(clubs)} | {np.mean(_of(clubs, 'events')):.0f} | {' | '.join(told)} "
            f"| {as_is} | {as_is.worse:.0%} | {scratch}{fitted} "
            f"| {', '.join(f'{steps[s]} {s}' for s in STEPS if steps[s])} |"
        )
    return "\n".join(lines)


def _different(
    rows: Sequence[dict[str, Any]], world: dict[str, Any], *, shares: bool
) -> Iterable[str]:
    for size, clubs in _by_size(rows):
        name = f"{world['name']}, {size:,} athletes"
        as_is = Difference.of(_of(clubs, "adapted"), _of(clubs, "as_is"))
        if not as_is.no_worse:
            yield f"{name}: worse than as is"
        if not Difference.of(_of(clubs, "adapted"), _of(clubs, "scratch")).no_worse:
            yield f"{name}: worse than from scratch"
        if shares and as_is.worse > MOST_WORSE.get(size, 1.0):
            yield f"{name}: {as_is.worse:.0%} made worse"


def _same(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    for size, clubs in _by_size(rows):
        cost = Difference.of(_of(clubs, "adapted"), _of(clubs, "as_is")).mean
        if cost > MOST_COST.get(size, np.inf):
            yield f"the same, {size:,} athletes: a cost of {cost:.4f}"


def _by_size(rows: Sequence[dict[str, Any]]) -> Iterable[tuple[int, list[dict[str, Any]]]]:
    for size in sorted({row["size"] for row in rows}):
        yield size, [row for row in rows if row["size"] == size]


def _of(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


_SPREAD = (
    "Shift of log-odds: SD {shift_sd:g}; slope: mean {slope_mean:g}, SD {slope_sd:g}; each "
    "published effect moved by SD {effect_sd:g}."
)
_COLUMNS = (
    "| athletes | clubs | outcomes | true risk | as is | adapted | adapted less as is "
    "| worse than as is | adapted less from scratch | correction |"
)

_HEAD = """# Small clubs: adapted, as is, from scratch

Made by `{command}`. Each simulated club differs from the champion's world by its own draw; its
outcomes are drawn, the champion is adapted to them, and in the first table a model is trained on
them from scratch (`fit`, as `kneerisk train` does; a club with too few outcomes for any is left out
of that column). Judged by the expected log loss of a leg, in nats, under the club's own true risks,
on 1,000 athletes that nobody was fitted to. A difference below 0 is a gain; ± is two standard
errors over clubs."""

_PROMISES = """## What was promised

In clubs that differ: mean log loss no worse than as is and than from scratch (two standard
errors); in the first table at most 35 % of clubs made worse at 50 athletes and 10 % from 500 on.
In clubs that are the same: a mean cost of at most 0.003 below 200 athletes, 0.0015 from 500 on.
{kept}

How far clubs differ here is drawn, and is not what the rule assumes of them: a Student shift with
scale 0.5 and 4 degrees of freedom, a slope with SD 0.25 (`club_intercept_sd` and `club_slope_sd` in
`src/kneerisk/evidence/assumptions.csv`). The less a club differs, the likelier a correction is to
make it a little worse: in the last table every correction does, and by how much is its cost.
Simulated clubs are measured as the champion's athletes were, by the same tests with the same
errors; a real club may not be."""
