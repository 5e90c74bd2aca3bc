"""How often the model alone would move a risk against the published direction of a change.

`python -m benchmarks.what_if_directions` makes random allowed changes to simulated athletes, of one
measure or of several that point the same way, and predicts without the what-if's constraint.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.performance_page import RESULTS
from benchmarks.serving_speed import champion_of
from kneerisk.answer.what_if_changes import ChangedScreening, change_measures, direction_of
from kneerisk.cohort.file_screenings import screenings_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.errors import ScreeningRefused
from kneerisk.model import Bundle
from kneerisk.schema import SIDES, Quantity, Screening, coded, columns, to_row
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import error_sd
from kneerisk.schema.measure import MDC_PER_SEM

ATHLETES, SEED, MOST_CHANGES = 4_000, 20_260_301, 6
CHANGEABLE = tuple(
    name for name, m in columns().items() if isinstance(m, Quantity) and m.modifiable
)
#: Percentage points below which nobody would notice a move.
NOTICED_POINTS = 0.5


def draw_changes(
    bundle: Bundle, screening: Screening, draw: Random, most: int, *, one_way: bool
) -> dict[str, float]:
    """Draw changes of at most ``most`` measures that the what-if accepts.

    With ``one_way``, all of them raise risk or all of them lower it, as published.
    """
    row, data = to_row(screening), coded([screening])
    changes: dict[str, float] = {}
    direction = draw.choice([-1, 1])
    for column in draw.sample(CHANGEABLE, len(CHANGEABLE)):
        sign = direction_of(column, data)
        if column not in row or (one_way and not sign):
            continue
        up = direction * sign > 0 if one_way else draw.random() < 0.5
        target = _draw_target(bundle, column, row[column], data, draw, up=up)
        if target is not None and not _refused(bundle, screening, {**changes, column: target}):
            changes[column] = target
        if len(changes) == most:
            break
    return changes


def _draw_target(
    bundle: Bundle, column: str, value: float, data: Any, draw: Random, *, up: bool
) -> float | None:
    """Draw a value beyond the detectable change and within the range seen, or None."""
    measure, seen = columns()[column], bundle.metadata.population.get(column)
    if seen is None or not isinstance(measure, Quantity):
        return None
    error = float(np.nan_to_num(error_sd(location_of(column)[-1], data)[0]))
    step = MDC_PER_SEM * error * (1.0 if up else -1.0)
    nearest = value * np.exp(step) if measure.log_scale else value + step
    farthest = seen["high"] if up else seen["low"]
    if (nearest > farthest) == up:
        return None
    target = float(nearest + (farthest - nearest) * draw.choice([0.0, 1.0, draw.random()]))
    return float((np.ceil if up else np.floor)(target)) if measure.whole else target


def _refused(bundle: Bundle, screening: Screening, changes: dict[str, float]) -> bool:
    try:
        change_measures(screening, changes, bundle.metadata)
    except ScreeningRefused:
        return True
    return False


def cases(
    bundle: Bundle, screenings: list[Screening], most: int
) -> Iterator[tuple[Screening, ChangedScreening]]:
    """Screenings without pain, each with changes that all point the same way."""
    draw = Random(SEED + most)
    for screening in screenings:
        n_changes = 1 if most == 1 else draw.randint(2, most)
        targets = draw_changes(bundle, screening, draw, n_changes, one_way=True)
        if targets and len(targets) >= min(most, 2) and not screening.pain.sides:
            yield screening, change_measures(screening, targets, bundle.metadata)


def moves(bundle: Bundle, drawn: list[tuple[Screening, ChangedScreening]]) -> dict[str, np.ndarray]:
    """Percentage points by which risks move in the published direction; negative if against it."""
    now = bundle.model.predict(coded([screening for screening, _ in drawn]))
    then = bundle.model.predict(coded([change.screening for _, change in drawn]))
    points_by_knee: dict[str, list[float]] = {"a knee whose leg changed": [], "the other knee": []}
    either = []
    for i, (_, change) in enumerate(drawn):
        own = {side for side in SIDES for name in change.requested if _concerns(name, side)}
        for side in SIDES:
            change_of_risk = getattr(then, side)[i] - getattr(now, side)[i]
            knee = "a knee whose leg changed" if side in own else "the other knee"
            points_by_knee[knee].append(100.0 * change_of_risk * change.direction)
        either.append(100.0 * (then.either[i] - now.either[i]) * change.direction)
    points_by_knee["either knee"] = either
    return {knee: np.array(points) for knee, points in points_by_knee.items()}


def _concerns(column: str, side: str) -> bool:
    """Whether a column belongs to this leg or to the athlete."""
    other = SIDES[1 - SIDES.index(side)]
    return not column.startswith(f"{other}_")


def main() -> int:
    """Count, print and write the page."""
    bundle = champion_of(Path(os.environ.get("KNEERISK_MODELS") or "models"))
    screenings = screenings_of(simulate(ATHLETES, SEED).cohort.frame)
    lines = [
        "# Against the published direction, without the constraint",
        "",
        (
            f"Made by `python -m benchmarks.what_if_directions`: {ATHLETES:,} simulated athletes, "
            f"{bundle.metadata.version}."
        ),
        "",
        f"| changes | knee | cases | against, % | by over {NOTICED_POINTS:g} points, % | worst |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for label, most in (("one", 1), (f"2 to {MOST_CHANGES}", MOST_CHANGES)):
        for knee, points in moves(bundle, list(cases(bundle, screenings, most))).items():
            against = 100 * np.mean(points < 0.0), 100 * np.mean(points < -NOTICED_POINTS)
            row = (label, knee, f"{len(points):,}", *(f"{share:.1f}" for share in against))
            lines.append(f"| {' | '.join(row)} | {min(points.min(), 0.0):.1f} |")
    text = "\n".join(lines) + "\n"
    (RESULTS / "what-if.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
