"""Simulated cohorts: true risks from published effect sizes, then outcomes drawn from them.

The truth of the same athletes is kept beside the cohort that a club would have recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from kneerisk.cohort.files import Cohort, checked
from kneerisk.cohort.simulation.athletes import Athletes, draw_athletes
from kneerisk.cohort.simulation.observation import IntArray, batteries, observe
from kneerisk.cohort.simulation.true_risks import (
    Truth,
    draw_definitions,
    draw_effects,
    draw_outcomes,
    true_risk,
)
from kneerisk.evidence.population import published
from kneerisk.schema import SIDES, Category, FloatArray, Side, columns
from kneerisk.workers.this_process import Workers, in_this_process

HORIZON_MONTHS = 12
SOURCE = "kneerisk simulator"
#: The source of a cohort with base odds other than 1 begins so.
_OTHER_ODDS = f"{SOURCE}, base_odds="
#: Athletes that are drawn together: some 0.4 GB of working memory (assumption). Another number
#: draws other athletes from the second block on.
BLOCK = 50_000
#: By how much a club's odds of new pain may differ from those that studies suggest: about as far as
#: definitions of knee pain do from the middle one, 5 to 95 % (`evidence/base_rates.csv`).
LOWEST_BASE_ODDS, HIGHEST_BASE_ODDS = 0.2, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A cohort as a club would have recorded it, and what is true of the same athletes.

    ``truth`` has one row a screening, in the cohort's order: ``athlete_id``, ``battery``,
    ``definition_shift`` (what the definition of pain adds to the log-odds), ``risk_left``,
    ``risk_right`` and ``risk_either`` (missing for a knee that hurts already), and
    ``left_<imbalance>``, ``right_<imbalance>`` probabilities.
    """

    cohort: Cohort
    truth: pd.DataFrame


def truth_beside(cohort_file: Path) -> Path:
    """Where the truth of a simulated cohort file is: ``cohort-truth.csv`` of ``cohort.csv``."""
    return cohort_file.with_name(f"{cohort_file.stem}-truth{cohort_file.suffix}")


def simulate(
    athletes: int, seed: int, base_odds: float = 1.0, workers: Workers = in_this_process
) -> Simulated:
    """Draw a cohort; the same seed gives the same bytes, wherever blocks are drawn.

    Effect sizes are drawn for each athlete from their published ranges; an effect whose
    prospective evidence is null has none here. Athletes are drawn in blocks, each from a source of
    chance of its own, so that a million take no more working memory than one block.

    Parameters
    ----------
    athletes
        How many.
    seed
        Where chance begins.
    base_odds
        By what the odds of new pain of each knee are multiplied: athletes and readings stay the
        same ones.
    workers
        What draws the blocks.

    Returns
    -------
    The cohort, whose source states base odds other than 1, and the truth beside it.
    """
    sizes = [min(BLOCK, athletes - start) for start in range(0, athletes, BLOCK)]
    blocks = workers(_block, (seed, base_odds), enumerate(sizes))
    return _joined(blocks, f"sim-{seed}", source_of(base_odds))


def source_of(base_odds: float) -> str:
    """What a cohort file says of where its athletes come from."""
    return SOURCE if base_odds == 1.0 else f"{_OTHER_ODDS}{base_odds:g}"


def has_other_odds(cohort: Cohort) -> bool:
    """Whether a cohort was simulated with base odds other than those of the studies."""
    return cohort.kind == "simulated" and cohort.source.startswith(_OTHER_ODDS)


@dataclass(frozen=True, slots=True)
class _Block:
    """Some athletes without their ids: coded columns as recorded, and the truth beside them."""

    data: dict[str, FloatArray]
    truth: dict[str, np.ndarray]


def _block(shared: tuple[int, float], numbered: tuple[int, int]) -> _Block:
    """The block of a number, with so many athletes."""
    (seed, base_odds), (number, athletes) = shared, numbered
    rng = np.random.default_rng([seed, number] if number else seed)
    drawn = draw_athletes(published(), athletes, rng)
    effects = draw_effects(drawn, rng)
    effects = replace(effects, base_shift=effects.base_shift + np.log(base_odds))
    truth = true_risk(drawn, effects, draw_definitions(drawn, rng))
    outcomes = draw_outcomes(truth, rng)
    data, battery = observe(drawn, rng)
    return _recorded_block(drawn, truth, outcomes, data, battery)


def _joined(drawn: Iterable[_Block], name: str, source: str = SOURCE) -> Simulated:
    """The athletes of all blocks with their ids, checked as any cohort is."""
    blocks = list(drawn)
    data = {key: np.concatenate([block.data[key] for block in blocks]) for key in blocks[0].data}
    truth = {key: np.concatenate([block.truth[key] for block in blocks]) for key in blocks[0].truth}
    ids = np.array([f"{name}-{number:06d}" for number in range(len(truth["battery"]))])
    frame = _frame(data, ids)
    cohort = checked(Cohort(frame, "simulated", "new_pain", HORIZON_MONTHS, source))
    return Simulated(cohort=cohort, truth=pd.DataFrame({"athlete_id": ids, **truth}))


def recorded(
    athletes: Athletes,
    truth: Truth,
    outcomes: tuple[FloatArray, FloatArray],
    data: dict[str, FloatArray],
    battery: IntArray,
    *,
    name: str,
) -> Simulated:
    """What a club would have recorded.

    Parameters
    ----------
    athletes
        n athletes.
    truth
        What is true of them.
    outcomes
        New pain of the left and of the right knee, 0 or 1, each of shape (n,).
    data
        Coded columns of what was recorded, each of shape (n,).
    battery
        The place of each athlete's battery, shape (n,).
    name
        Begins the identifiers.

    Returns
    -------
    The cohort and the truth beside it: no outcome and no risk for a knee that hurts already.
    """
    return _joined([_recorded_block(athletes, truth, outcomes, data, battery)], name)


def _recorded_block(
    athletes: Athletes,
    truth: Truth,
    outcomes: tuple[FloatArray, FloatArray],
    data: dict[str, FloatArray],
    battery: IntArray,
) -> _Block:
    free = {side: athletes.data[f"{side}_pain_nrs"] == 0 for side in SIDES}
    known = {
        f"outcome_{side}": np.where(free[side], pain, np.nan)
        for side, pain in zip(SIDES, outcomes, strict=True)
    }
    return _Block({**data, **known}, _truth(athletes, truth, battery, free))


def _frame(data: dict[str, FloatArray], ids: np.ndarray) -> pd.DataFrame:
    """Coded columns as the canonical frame has them: categories as text."""
    decoded: dict[str, object] = {"athlete_id": ids}
    for name, measure in columns().items():
        values = data[name]
        if np.isnan(values).all():
            continue
        if isinstance(measure, Category):
            texts = np.array([*measure.choices, None], dtype=object)
            decoded[name] = texts[np.nan_to_num(values, nan=len(texts) - 1).astype(int)]
        else:
            decoded[name] = values
    for side in SIDES:
        decoded[f"outcome_{side}"] = data[f"outcome_{side}"]
    return pd.DataFrame(decoded)


def _truth(
    athletes: Athletes, truth: Truth, battery: IntArray, free: Mapping[Side, np.ndarray]
) -> dict[str, np.ndarray]:
    names = np.array([row.battery for row in batteries()])
    table: dict[str, np.ndarray] = {
        "battery": names[battery],
        "definition_shift": truth.definition_shift,
        "risk_left": np.where(free["left"], truth.left, np.nan),
        "risk_right": np.where(free["right"], truth.right, np.nan),
        "risk_either": np.where(free["left"] & free["right"], truth.either, np.nan),
    }
    for i, side in enumerate(SIDES):
        for k, name in enumerate(athletes.population.imbalances):
            table[f"{side}_{name}"] = truth.imbalances[:, i, k]
    return table
