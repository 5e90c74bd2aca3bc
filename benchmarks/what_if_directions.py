"""How often a model would move against what is published about the measures that are changed.

Random allowed changes of random simulated athletes, one measure and several that all point one
way, predicted before the what-if holds anything: `python -m benchmarks.what_if_directions`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.serving_speed import RESULTS, champion_of
from kneerisk.answer.what_if.changed_measures import Changed, changed, direction_of
from kneerisk.cohort.screenings import screenings_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.errors import ScreeningRefused
from kneerisk.model import Bundle
from kneerisk.schema import SIDES, Quantity, Screening, coded, columns, to_row
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import error_sd
from kneerisk.schema.measure import MDC_PER_SEM

ATHLETES, SEED, MOST = 4_000, 20_260_301, 6
CHANGEABLE = tuple(
    name for name, m in columns().items() if isinstance(m, Quantity) and m.modifiable
)
#: A move of less than this many points of 100 is not seen by anybody.
SEEN_POINTS = 0.5


def allowed(
    bundle: Bundle, screening: Screening, draw: Random, most: int, *, one_way: bool
) -> dict[str, float]:
    """Changes of at most so many measures that are not refused; all to one side of risk or any."""
    row, data = to_row(screening), coded([screening])
    aim, found = draw.choice([-1, 1]), {}
    for column in draw.sample(CHANGEABLE, len(CHANGEABLE)):
        sign = direction_of(column, data)
        if column not in row or (one_way and not sign):
            continue
        up = aim * sign > 0 if one_way else draw.random() < 0.5
        target = _target(bundle, column, row[column], data, draw, up=up)
        if target is not None and not _refused(bundle, screening, {**found, column: target}):
            found[column] = target
        if len(found) == most:
            break
    return found


def _target(
    bundle: Bundle, column: str, value: float, data: Any, draw: Random, *, up: bool
) -> float | None:
    """A value from the nearest that counts as changed to the end of the range, or None."""
    measure, seen = columns()[column], bundle.metadata.population.get(column)
    if seen is None or not isinstance(measure, Quantity):
        return None
    error = float(np.nan_to_num(error_sd(location_of(column)[-1], data)[0]))
    step = MDC_PER_SEM * error * (1.0 if up else -1.0)
    near = value * np.exp(step) if measure.log_scale else value + step
    far = seen["high"] if up else seen["low"]
    if (near > far) == up:
        return None
    target = float(near + (far - near) * draw.choice([0.0, 1.0, draw.random()]))
    return float((np.ceil if up else np.floor)(target)) if measure.whole else target


def _refused(bundle: Bundle, screening: Screening, changes: dict[str, float]) -> bool:
    try:
        changed(screening, changes, bundle.metadata)
    except ScreeningRefused:
        return True
    return False


def cases(
    bundle: Bundle, screenings: list[Screening], most: int
) -> Iterator[tuple[Screening, Changed]]:
    """Screenings without pain, each with changes that all point one way."""
    draw = Random(SEED + most)
    for screening in screenings:
        many = 1 if most == 1 else draw.randint(2, most)
        targets = allowed(bundle, screening, draw, many, one_way=True)
        if targets and len(targets) >= min(most, 2) and not screening.pain.sides:
            yield screening, changed(screening, targets, bundle.metadata)


def moves(bundle: Bundle, drawn: list[tuple[Screening, Changed]]) -> dict[str, np.ndarray]:
    """Points by which knees move in the published direction, negative where against it."""
    now = bundle.model.predict(coded([screening for screening, _ in drawn]))
    then = bundle.model.predict(coded([change.screening for _, change in drawn]))
    found: dict[str, list[float]] = {"a knee whose leg changed": [], "the other knee": []}
    either = []
    for i, (_, change) in enumerate(drawn):
        own = {side for side in SIDES for name in change.asked if _moves(name, side)}
        for side in SIDES:
            points = getattr(then, side)[i] - getattr(now, side)[i]
            where = "a knee whose leg changed" if side in own else "the other knee"
            found[where].append(100.0 * points * change.direction)
        either.append(100.0 * (then.either[i] - now.either[i]) * change.direction)
    return {name: np.array(values) for name, values in (found | {"either knee": either}).items()}


def _moves(column: str, side: str) -> bool:
    """Whether a column is of this leg, or of the athlete."""
    other = SIDES[1 - SIDES.index(side)]  # type: ignore[arg-type]
    return not column.startswith(f"{other}_")


def main() -> int:
    """Count, print and write the results."""
    bundle = champion_of(Path(os.environ.get("KNEERISK_MODELS") or "models"))
    screenings = screenings_of(simulate(ATHLETES, SEED).cohort.frame)
    lines = [
        "# Against the published direction, before it is held",
        "",
        (
            f"`python -m benchmarks.what_if_directions`, {ATHLETES:,} simulated athletes, "
            f"{bundle.metadata.version}."
        ),
        "",
        f"| changes | knee | cases | against, % | by over {SEEN_POINTS:g} points, % | worst |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for told, most in (("one", 1), (f"2 to {MOST}", MOST)):
        for knee, points in moves(bundle, list(cases(bundle, screenings, most))).items():
            against = 100 * np.mean(points < 0.0), 100 * np.mean(points < -SEEN_POINTS)
            row = (told, knee, f"{len(points):,}", *(f"{share:.1f}" for share in against))
            lines.append(f"| {' | '.join(row)} | {min(points.min(), 0.0):.1f} |")
    text = "\n".join(lines) + "\n"
    (RESULTS / "what-if.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
